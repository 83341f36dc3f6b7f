r"""Self-exciting events, a kernel that sums exponentials, a baseline that may move: the likelihood.

.. math::
    \lambda_i(t) = \mu_i(t)
        + \sum_j \sum_{t^j_k < t} \sum_p A^p_{ij}\,\beta_p e^{-\beta_p (t - t^j_k)}, \qquad
    \ell = \sum_i \Bigl[\sum_k \ln\lambda_i(t^i_k) - \int \lambda_i\Bigr]

:math:`A = \sum_p A^p` is the expected number of events of node i that one of node j triggers
directly, so that its spectral radius is the branching ratio; one term p is the exponential kernel.
The baseline is constant between ``edges``. A baseline held constant over a burst of news pushes
that burst into A (filimonov2015). Events of one instant do not excite each other. What enters:
events in order of time; what leaves: log-likelihoods, intensities, residuals. Time has any unit;
rates are per that unit.

References: hawkes1971; ogata1978; ogata1981 (recursion, thinning); ogata1988 (residuals);
hardiman2013 (sums of exponentials).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numba import njit

from attribution.errors import DataError

# Events and decays in; the two sums over earlier events that every Hawkes likelihood takes, out.


def excitations(
    time: np.ndarray, node: np.ndarray, decays: np.ndarray, nodes: int
) -> tuple[np.ndarray, np.ndarray]:
    r"""Sum over the earlier events of each node, seen from every event.

    .. math:: \sum_{t_k < t} e^{-\beta_p (t - t_k)}, \qquad
              \sum_{t_k < t} (t - t_k)\, e^{-\beta_p (t - t_k)}

    Both are carried from event to event, so that n events and P decays cost n P steps.

    Parameters
    ----------
    time, node : (event,), in order of time.
    decays : (term,), per unit of time.

    Returns
    -------
    Both sums, (term, event, node); events of one instant do not see each other.

    References
    ----------
    ogata1981
    """
    shape = (len(decays), len(time), nodes)
    excited, delayed = np.zeros(shape), np.zeros(shape)
    for p, decay in enumerate(decays):
        _sums(time, node, float(decay), excited[p], delayed[p])
    return excited, delayed


@njit(cache=True, nogil=True)
def _sums(time, node, decay, excited, delayed):  # type: ignore[no-untyped-def]
    """Carry both sums from event to event; events at one instant do not excite each other."""
    n, nodes = excited.shape
    now, late = np.zeros(nodes), np.zeros(nodes)
    k, clock = 0, 0.0
    while k < n:
        gap = time[k] - clock if k > 0 else 0.0
        fade = math.exp(-decay * gap)
        for j in range(nodes):
            late[j] = fade * (late[j] + gap * now[j])
            now[j] *= fade
        clock, first = time[k], k
        while k < n and time[k] == clock:
            for j in range(nodes):
                excited[k, j] = now[j]
                delayed[k, j] = late[j]
            k += 1
        for m in range(first, k):
            now[node[m]] += 1.0


@dataclass(frozen=True)
class Events:
    """Events within one window of observation.

    Attributes
    ----------
    time : not decreasing, (event,).
    node : 0, 1, ..., (event,).
    edges : where the baseline may change, increasing; the first and last bound the window,
        (piece + 1,).
    nodes : how many nodes there are, with or without events.
    """

    time: np.ndarray
    node: np.ndarray
    edges: np.ndarray
    nodes: int

    @property
    def piece(self) -> np.ndarray:
        """Piece of the baseline in which an event falls, (event,)."""
        found = np.searchsorted(self.edges, self.time, side="right") - 1
        return np.asarray(np.minimum(found, len(self.edges) - 2))


@dataclass(frozen=True)
class Hawkes:
    """Parameters of the process.

    Attributes
    ----------
    baseline : μ, events per unit of time, (node, piece).
    branching : A, (node, node): direct offspring at the row's node of one event of the column's;
        of a kernel with several terms (term, node, node).
    decay : β, per unit of time; one over it is the mean delay of an offspring; of a kernel with
        several terms (term,).
    """

    baseline: np.ndarray
    branching: np.ndarray
    decay: float | np.ndarray

    @property
    def offspring(self) -> np.ndarray:
        """Branching of every term, (term, node, node)."""
        return np.asarray(self.branching if np.ndim(self.decay) else np.array([self.branching]))

    @property
    def decays(self) -> np.ndarray:
        """Decay of every term, (term,)."""
        return np.atleast_1d(np.asarray(self.decay, float))

    @property
    def branching_ratio(self) -> float:
        """Spectral radius of A; below 1 the process is stable."""
        return float(np.abs(np.linalg.eigvals(self.offspring.sum(axis=0))).max())


def events(time: object, node: object, edges: object, nodes: int | None = None) -> Events:
    """Check events and put them in order.

    Parameters
    ----------
    time, node : (event,); ``node`` may be one number for all.
    edges : bounds of the window, with changes of the baseline in between.
    nodes : number of nodes; by default one more than the largest.

    Raises
    ------
    DataError
        Times that are not finite or outside the window, edges that do not increase, node numbers
        that are not whole or too large.
    """
    try:
        t, cut, raw = np.asarray(time, float), np.asarray(edges, float), np.asarray(node)
    except (TypeError, ValueError):
        raise DataError("events: a time or an edge is no number; give numbers") from None
    if t.ndim != 1 or not np.isfinite(t).all():
        raise DataError("events: a time is missing; give one finite number an event")
    if cut.ndim != 1 or len(cut) < 2 or not (np.diff(cut) > 0.0).all():
        raise DataError("events: the edges of the window do not increase; sort them")
    if len(t) and not (cut[0] <= t.min() and t.max() <= cut[-1]):
        raise DataError(
            f"events: times from {t.min():g} to {t.max():g} leave the window from {cut[0]:g} to "
            f"{cut[-1]:g}; widen it or drop them"
        )
    if raw.dtype.kind not in "iu" or raw.shape not in ((), t.shape) or (raw < 0).any():
        raise DataError("events: a node is no whole number from 0; give one an event")
    who = np.broadcast_to(raw, t.shape)
    count = nodes if nodes is not None else int(who.max(initial=0)) + 1
    if who.max(initial=0) >= count:
        raise DataError(f"events: node {who.max()} but only {count} nodes; raise their number")
    order = np.argsort(t, kind="stable")
    return Events(t[order], who[order].astype(np.int64), cut, count)


def log_likelihood(data: Events, model: Hawkes) -> np.ndarray:
    """Return the log-likelihood of each node's events given all, (node,)."""
    rate, _, _ = intensities(data, model)
    found = np.bincount(data.node, weights=np.log(rate), minlength=data.nodes)
    return np.asarray(found - compensator(data, model))


def compensator(data: Events, model: Hawkes) -> np.ndarray:
    """Return the expected number of events of each node, the integral of its intensity, (node,)."""
    left = data.edges[-1] - data.time
    found = model.baseline @ np.diff(data.edges)
    for a, beta in zip(model.offspring, model.decays, strict=True):
        gone = -np.expm1(-beta * left)
        found = found + a @ np.bincount(data.node, weights=gone, minlength=data.nodes)
    return np.asarray(found)


def gradient(
    data: Events, model: Hawkes
) -> tuple[np.ndarray, np.ndarray, float] | tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Differentiate the log-likelihood, summed over nodes, by baseline, branching and decay.

    Each has the shape of what it differentiates by.
    """
    nodes, pieces = data.nodes, len(data.edges) - 1
    rate, excited, delayed = _parts(data, model)
    each = 1.0 / rate
    mu = np.bincount(data.node * pieces + data.piece, weights=each, minlength=nodes * pieces)
    by_node = np.zeros((nodes, len(each)))
    by_node[data.node, np.arange(len(each))] = each
    left = data.edges[-1] - data.time
    branching, decay = np.empty(model.offspring.shape), np.empty(len(model.decays))
    for p, (a, beta) in enumerate(zip(model.offspring, model.decays, strict=True)):
        gone = np.exp(-beta * left)
        reach = np.bincount(data.node, weights=1.0 - gone, minlength=nodes)
        slope = np.bincount(data.node, weights=left * gone, minlength=nodes)
        moved = (a[data.node] * (excited[p] - beta * delayed[p])).sum(axis=1)
        branching[p] = beta * by_node @ excited[p] - reach
        decay[p] = float(each @ moved - (a @ slope).sum())
    base = mu.reshape(nodes, pieces) - np.diff(data.edges)
    if np.ndim(model.decay):
        return base, branching, decay
    return base, branching[0], float(decay[0])


def intensities(data: Events, model: Hawkes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    r"""Return the intensity at each event just before it, and the two sums it is made of.

    Returns
    -------
    Intensity of the event's own node (event,); :math:`\sum e^{-\beta s}` and
    :math:`\sum s e^{-\beta s}` over the earlier events of each node at distances s, (event, node),
    or (term, event, node) of a kernel with several terms.

    Raises
    ------
    DataError
        Parameters that do not fit the events or are below zero.
    """
    rate, excited, delayed = _parts(data, model)
    return (rate, excited, delayed) if np.ndim(model.decay) else (rate, excited[0], delayed[0])


def _parts(data: Events, model: Hawkes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return intensities (event,) and both sums of every term (term, event, node)."""
    _fitting(data, model)
    excited, delayed = excitations(data.time, data.node, model.decays, data.nodes)
    weight = model.decays[:, None, None] * model.offspring[:, data.node]
    triggered = (weight * excited).sum(axis=(0, 2))
    return model.baseline[data.node, data.piece] + triggered, excited, delayed


def endogenous_share(data: Events, model: Hawkes) -> np.ndarray:
    """Return the probability that each event was triggered by an earlier one, (event,).

    Its mean over events of a node or of a day is their endogenous share, which for one node and a
    constant baseline is the branching ratio in long samples.
    """
    rate, _, _ = intensities(data, model)
    return np.asarray(1.0 - model.baseline[data.node, data.piece] / rate)


def residuals(data: Events, model: Hawkes) -> np.ndarray:
    """Return waiting times in units of the model's own clock, (event,).

    The integral of a node's intensity since its previous event, or since the window opened; under
    the true model independent and exponential with mean 1. Between events of one instant it is
    zero.
    """
    _, excited, _ = _parts(data, model)
    ones = np.zeros((len(data.node) + 1, data.nodes))
    ones[np.arange(1, len(data.node) + 1), data.node] = 1.0
    earlier = np.cumsum(ones, axis=0)[np.searchsorted(data.time, data.time, side="left")]
    # Mass spent so far is one for each earlier event less what is still to come.
    spent = earlier - excited
    before = np.concatenate(
        [np.zeros((data.nodes, 1)), model.baseline * np.diff(data.edges)], axis=1
    )
    start = np.cumsum(before, axis=1)[data.node, data.piece]
    base = start + model.baseline[data.node, data.piece] * (data.time - data.edges[data.piece])
    clock = base + (model.offspring[:, data.node] * spent).sum(axis=(0, 2))
    order = np.argsort(data.node, kind="stable")
    waits = np.empty(len(clock))
    first = np.r_[True, np.diff(data.node[order]) != 0]
    waits[order] = np.where(first, clock[order], np.diff(clock[order], prepend=0.0))
    return waits


def _fitting(data: Events, model: Hawkes) -> None:
    shapes = (np.shape(model.baseline), np.shape(model.branching))
    square = (*np.shape(model.decay), data.nodes, data.nodes)
    wanted = ((data.nodes, len(data.edges) - 1), square)
    if shapes != wanted:
        raise DataError(
            f"Hawkes process: baseline and branching have shapes {shapes}; give {wanted}"
        )
    rates = (model.baseline > 0.0).all() and (model.branching >= 0.0).all()
    if not (
        rates
        and (model.decays > 0.0).all()
        and np.isfinite(model.branching).all()
        and np.isfinite(model.decays).all()
    ):
        raise DataError(
            "Hawkes process: a baseline or the decay is not above zero, or a branching below zero; "
            "give rates"
        )


# Events of a Hawkes process by thinning.


def simulate(
    model: Hawkes, edges: object, rng: np.random.Generator, *, most: int = 1_000_000
) -> Events:
    """Draw the events of one window, which opens without a past.

    Between events the excitation only fades and within a piece the baseline is constant, so the
    intensity now bounds the intensity until the next event or edge: candidates at that rate are
    kept with the ratio of the two.

    Parameters
    ----------
    model : parameters, baseline (node, piece).
    edges : bounds of the window and of the pieces of the baseline, (piece + 1,).
    most : events after which the process counts as explosive.

    Raises
    ------
    DataError
        Parameters that do not fit the edges; more than ``most`` events.

    References
    ----------
    lewis1979 (thinning); ogata1981
    """
    cut = np.asarray(edges, dtype=float)
    nodes, pieces = model.baseline.shape
    events([], 0, cut, nodes)
    square = (*np.shape(model.decay), nodes, nodes)
    if pieces != len(cut) - 1 or model.branching.shape != square:
        raise DataError(
            f"Hawkes process: a baseline of shape {model.baseline.shape} does not fit a window of "
            f"{len(cut) - 1} pieces or branching of shape {model.branching.shape}; align them"
        )
    if (
        (model.baseline < 0.0).any()
        or (model.branching < 0.0).any()
        or not (model.decays > 0.0).all()
    ):
        raise DataError(
            "Hawkes process: a rate is below zero or the decay not above it; give rates"
        )
    time, node = np.empty(most), np.empty(most, dtype=np.int64)
    count = _thin(model.baseline.astype(float), model.offspring.astype(float), model.decays,
                  cut, rng, time, node)  # fmt: skip
    if count < 0:
        raise DataError(
            f"Hawkes process: more than {most} events at a branching ratio of "
            f"{model.branching_ratio:.2f}; lower it, shorten the window or allow more"
        )
    return events(time[:count], node[:count], cut, nodes)


@njit(cache=True, nogil=True)
def _thin(baseline, branching, decay, edges, rng, time, node):  # type: ignore[no-untyped-def]
    nodes, pieces = baseline.shape
    terms = len(decay)
    heat = np.zeros((terms, nodes))  # excitation of each node at the clock, by term
    rates = np.empty(nodes)
    count, clock, piece = 0, edges[0], 0
    while piece < pieces:
        bound = 0.0
        for i in range(nodes):
            bound += baseline[i, piece] + heat[:, i].sum()
        wait = rng.standard_exponential() / bound if bound > 0.0 else np.inf
        if clock + wait >= edges[piece + 1]:
            for p in range(terms):
                heat[p] *= math.exp(-decay[p] * (edges[piece + 1] - clock))
            clock = edges[piece + 1]
            piece += 1
            continue
        clock += wait
        for p in range(terms):
            heat[p] *= math.exp(-decay[p] * wait)
        total = 0.0
        for i in range(nodes):
            total += baseline[i, piece] + heat[:, i].sum()
            rates[i] = total
        mark = rng.random() * bound
        if mark >= total:
            continue
        who = 0
        while mark >= rates[who]:
            who += 1
        if count == len(time):
            return -1
        time[count], node[count] = clock, who
        count += 1
        for p in range(terms):
            for i in range(nodes):
                heat[p, i] += branching[p, i, who] * decay[p]
    return count
