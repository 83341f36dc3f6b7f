"""Maximum likelihood of a Hawkes process.

What enters: events; what leaves: parameters, their log-likelihood and a test of the residuals.
The decay is searched from several starts, since the likelihood may have more than one peak.

References: ogata1978; byrd1995 (the optimiser).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

from attribution.errors import DataError
from attribution.mechanics.hawkes import Events, Hawkes, gradient, log_likelihood, residuals

LEAST_RATE = 1e-10


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


def fit(data: Events, *, decays: tuple[float, ...] | None = None) -> HawkesFit:
    """Maximise the likelihood over baseline, branching and decay.

    Parameters
    ----------
    data : events; every node needs some.
    decays : starts for the decay, per unit of time; by default a tenth of, once and ten times the
        mean rate of all events.

    Raises
    ------
    DataError
        A node with fewer than two events.
    """
    counts = np.bincount(data.node, minlength=data.nodes)
    if (counts < 2).any():
        raise DataError(
            f"Hawkes process: node {int(counts.argmin())} has {counts.min()} events; drop it or "
            "give more"
        )
    length = data.edges[-1] - data.edges[0]
    speed = len(data.time) / length
    starts = decays if decays is not None else (0.1 * speed, speed, 10.0 * speed)
    found = [_climb(data, start, counts / length) for start in starts]
    best = min(found, key=lambda one: float(one.fun))
    model = _unpacked(best.x, data)
    p = float(stats.kstest(residuals(data, model), "expon").pvalue)
    return HawkesFit(model, -float(best.fun), p, bool(best.success))


def _climb(data: Events, start: float, rate: np.ndarray) -> optimize.OptimizeResult:
    """Run the optimiser from half the events exogenous, half triggered within the node."""
    pieces = len(data.edges) - 1
    guess = Hawkes(np.repeat(0.5 * rate[:, None], pieces, axis=1), 0.5 * np.eye(data.nodes), start)
    first = _packed(guess)
    free = [(np.log(LEAST_RATE), None)] * guess.baseline.size
    bounds = [*free, *[(0.0, None)] * guess.branching.size, (None, None)]
    return optimize.minimize(
        _objective, first, args=(data,), jac=True, bounds=bounds, method="L-BFGS-B",
        options={"maxiter": 1000, "ftol": 1e-13, "gtol": 1e-6},
    )  # fmt: skip


def _objective(x: np.ndarray, data: Events) -> tuple[float, np.ndarray]:
    """Negative log-likelihood and its gradient; baseline and decay in logs."""
    model = _unpacked(x, data)
    mu, a, beta = gradient(data, model)
    slope = np.concatenate([(mu * model.baseline).ravel(), a.ravel(), [beta * model.decay]])
    return -float(log_likelihood(data, model).sum()), -slope


def _packed(model: Hawkes) -> np.ndarray:
    logs = np.log(np.maximum(model.baseline, LEAST_RATE)).ravel()
    return np.concatenate([logs, model.branching.ravel(), [np.log(model.decay)]])


def _unpacked(x: np.ndarray, data: Events) -> Hawkes:
    n, pieces = data.nodes, len(data.edges) - 1
    logs, a, beta = np.split(x, [n * pieces, n * pieces + n * n])
    return Hawkes(np.exp(logs).reshape(n, pieces), a.reshape(n, n), float(np.exp(beta[0])))
