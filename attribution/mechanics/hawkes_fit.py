"""Maximum likelihood of a Hawkes process.

What enters: events; what leaves: parameters, their log-likelihood and a test of the residuals.
The search measures time from the window's opening in mean waits, so that no answer depends on the
unit or on the origin of time. The decays are searched from several starts, since the likelihood
may have more than one peak.

References: ogata1978; byrd1995 (the optimiser).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

from attribution.errors import DataError
from attribution.mechanics.hawkes import Events, Hawkes, gradient, log_likelihood, residuals

LEAST_RATE = 1e-10
"""Of a baseline, in events of all nodes per mean wait."""
FAR = 30.0
"""Largest distance of the log of a decay from that of the mean rate."""
APART = 10.0
"""Ratio of one decay to the next slower one where the search starts."""


@dataclass(frozen=True)
class HawkesFit:
    """What maximum likelihood found.

    Attributes
    ----------
    model : parameters.
    log_likelihood : summed over nodes.
    residual_p : p-value of the Kolmogorov-Smirnov test that waiting times on the model's clock are
        exponential; parameters being estimated, it is too kind. NaN without events.
    converged : whether the optimiser met its criterion.
    """

    model: Hawkes
    log_likelihood: float
    residual_p: float
    converged: bool


def fit(
    data: Events,
    *,
    decays: tuple[float, ...] | None = None,
    terms: int = 1,
    fixed: tuple[float, ...] | None = None,
) -> HawkesFit:
    """Maximise the likelihood over baseline, branching and decay.

    Parameters
    ----------
    data : events; every node needs some, no two of them at one instant.
    decays : starts for the decay, per unit of time; by default a tenth of, once and ten times the
        mean rate of all events. With several terms, starts for the middle of their decays.
    terms : exponentials in the kernel; with more than one, branching and decay of what is found
        have a leading axis, from the slowest to the fastest.
    fixed : decays that are known, per unit of time, one a term; then ``terms`` and ``decays`` say
        nothing, and the likelihood has one peak.

    Raises
    ------
    DataError
        A node with fewer than two events, or with two at one instant; decays that are not above
        zero; no term.
    """
    _refuse(data)
    for name, given in (("decays", decays), ("fixed", fixed)):
        if given is not None and not (len(given) and np.isfinite(given).all() and min(given) > 0):
            raise DataError(f"Hawkes process: {name} {given} are not all above zero; give rates")
    if terms < 1:
        raise DataError(f"Hawkes process: {terms} terms; give at least one")
    wait = float(data.edges[-1] - data.edges[0]) / len(data.time)
    origin = data.edges[0]
    plain = Events((data.time - origin) / wait, data.node, (data.edges - origin) / wait, data.nodes)
    known = None if fixed is None else wait * np.asarray(fixed, float)
    starts = (0.1, 1.0, 10.0) if decays is None else tuple(wait * start for start in decays)
    model, best = _best(plain, starts, terms, known)
    p = float(stats.kstest(residuals(plain, model), "expon").pvalue)
    found = Hawkes(model.baseline / wait, model.branching, model.decay / wait)
    value = -float(best.fun) - len(data.time) * float(np.log(wait))
    return HawkesFit(found, value, p, bool(best.success))


def _refuse(data: Events) -> None:
    counts = np.bincount(data.node, minlength=data.nodes)
    if (counts < 2).any():
        raise DataError(
            f"Hawkes process: node {int(counts.argmin())} has {counts.min()} events; drop it or "
            "give more"
        )
    for node in range(data.nodes):
        own = data.time[data.node == node]
        tied = int((np.diff(own) == 0.0).sum())
        if tied:
            raise DataError(
                f"Hawkes process: {tied} of the {len(own)} events of node {node} fall on the "
                "instant of the one before, which the process never does; give finer times, or "
                "count the events of one instant as one"
            )


def _best(
    data: Events, starts: tuple[float, ...], terms: int, known: np.ndarray | None
) -> tuple[Hawkes, optimize.OptimizeResult]:
    """Climb from every start, and from what fewer terms found: more never do worse."""
    if known is not None:
        guesses = [_guess(data, known)]
    elif terms == 1:
        guesses = [_guess(data, start) for start in starts]
    else:
        ladder = APART ** (np.arange(terms) - (terms - 1) / 2)
        guesses = [_guess(data, start * ladder) for start in starts]
        fewer, _ = _best(data, starts, terms - 1, None)
        more = np.concatenate([fewer.offspring, 0.01 * np.eye(data.nodes)[None]])
        last = np.append(fewer.decays, APART * fewer.decays.max())
        guesses.append(Hawkes(fewer.baseline, more, last))
    found = [(guess, _climb(data, guess, known)) for guess in guesses]
    guess, best = min(found, key=lambda one: float(one[1].fun))
    model = _unpacked(best.x, guess, known)
    if known is None and terms > 1:
        order = np.argsort(model.decays, kind="stable")
        model = Hawkes(model.baseline, model.offspring[order], model.decays[order])
    return model, best


def _guess(data: Events, decay: float | np.ndarray) -> Hawkes:
    """Half the events exogenous, half triggered within the node, by each term alike."""
    rate = np.bincount(data.node, minlength=data.nodes) / (data.edges[-1] - data.edges[0])
    own = 0.5 * np.eye(data.nodes)
    if np.ndim(decay):
        own = np.repeat(own[None] / np.size(decay), np.size(decay), axis=0)
    return Hawkes(np.repeat(0.5 * rate[:, None], len(data.edges) - 1, axis=1), own, decay)


def _climb(data: Events, guess: Hawkes, known: np.ndarray | None) -> optimize.OptimizeResult:
    logs = np.log(np.maximum(guess.baseline, LEAST_RATE)).ravel()
    free = np.log(guess.decays) if known is None else np.empty(0)
    first = np.concatenate([logs, guess.branching.ravel(), free])
    floors = [np.log(LEAST_RATE)] * logs.size + [0.0] * guess.branching.size + [-FAR] * free.size
    tops = [np.inf] * (logs.size + guess.branching.size) + [FAR] * free.size
    return optimize.minimize(
        _objective, first, args=(data, guess, known), jac=True, method="L-BFGS-B",
        bounds=optimize.Bounds(floors, tops),
        options={"maxiter": 1000, "ftol": 1e-13, "gtol": 1e-6},
    )  # fmt: skip


def _objective(
    x: np.ndarray, data: Events, like: Hawkes, known: np.ndarray | None
) -> tuple[float, np.ndarray]:
    """Negative log-likelihood and its gradient; baseline and decays in logs."""
    model = _unpacked(x, like, known)
    mu, a, beta = gradient(data, model)
    free = np.empty(0) if known is not None else np.atleast_1d(beta * model.decay)
    slope = np.concatenate([(mu * model.baseline).ravel(), a.ravel(), free])
    return -float(log_likelihood(data, model).sum()), -slope


def _unpacked(x: np.ndarray, like: Hawkes, known: np.ndarray | None) -> Hawkes:
    """Read a point of the search as a model of the shape of another."""
    first, second = like.baseline.size, like.baseline.size + like.branching.size
    decay = np.exp(x[second:]) if known is None else known
    return Hawkes(
        np.exp(x[:first]).reshape(like.baseline.shape),
        x[first:second].reshape(like.branching.shape),
        decay if np.ndim(like.decay) else float(decay[0]),
    )
