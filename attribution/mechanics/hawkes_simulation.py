"""Events of a Hawkes process by thinning.

What enters: parameters, a window, a generator; what leaves: events. Between events the excitation
only fades and within a piece the baseline is constant, so the intensity now bounds the intensity
until the next event or edge: candidates at that rate are kept with the ratio of the two.

References: lewis1979 (thinning); ogata1981.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from attribution.errors import DataError
from attribution.mechanics.hawkes import Events, Hawkes, events


def simulate(
    model: Hawkes, edges: object, rng: np.random.Generator, *, most: int = 1_000_000
) -> Events:
    """Draw the events of one window, which opens without a past.

    Parameters
    ----------
    model : parameters, baseline (node, piece).
    edges : bounds of the window and of the pieces of the baseline, (piece + 1,).
    most : events after which the process counts as explosive.

    Raises
    ------
    DataError
        Parameters that do not fit the edges; more than ``most`` events.
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
