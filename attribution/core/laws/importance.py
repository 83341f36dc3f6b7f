"""The posterior of hyperparameters in; its mode and weighted draws out.

Draws come from a multivariate t with seven degrees of freedom about the mode of the closed-form
posterior (``attribution.core.laws.hierarchy``) and carry importance weights.  They are
independent, and
the same proposals fed to a Metropolis chain, which repeats states, are worth a quarter as many
(eight variables, eleven hyperparameters: ``tests/benchmarks/laws.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from attribution.core.laws.hierarchy import (
    Hierarchy,
    log_density,
    log_posterior,
    natural_jacobian,
    points,
)
from attribution.errors import DiagnosticsError

TAIL = 7.0
"""Degrees of freedom of the proposal."""
STEP = 1e-5, 1e-3
"""Steps of the numerical gradient and Hessian, in logs."""
ROUNDS = 3
"""Times that the proposal is matched to weighted draws."""


@dataclass(frozen=True)
class Proposal:
    """A multivariate t: its centre (free,), the factor of its scale, the log density there."""

    center: np.ndarray
    root: np.ndarray
    height: float


def natural_mode(of: Hierarchy) -> tuple[np.ndarray, float]:
    """Return the mode (free,) of the density of λ, μ, δ, ψ, s and ρ, and its logarithm.

    The mode of a density moves with its coordinates: this is that of the hyperparameters in which
    their laws are stated, ψ a variance; what is returned is the point in the coordinates of the
    vector.
    """
    return _climb(of, lambda values: log_posterior(of, values) - natural_jacobian(of, values))


def proposal(of: Hierarchy) -> Proposal:
    """Fit the proposal to the mode in logs and the curvature there.

    Raises
    ------
    DiagnosticsError
        If the posterior does not bend down there in every direction.
    """
    center, height = _climb(of, lambda values: log_posterior(of, values))
    curvature = _hessian(of, center)
    if not np.isfinite(curvature).all():
        raise DiagnosticsError(_no_mode())
    values, vectors = np.linalg.eigh(-curvature)
    if values[0] <= 0:
        raise DiagnosticsError(_no_mode())
    return Proposal(center, vectors / np.sqrt(values), height)


def sharpened(of: Hierarchy, fitted: Proposal, draws: int, rng: np.random.Generator) -> Proposal:
    """Match the proposal to moments of weighted draws, where the mode's curvature misleads."""
    for _ in range(ROUNDS):
        whole, weight = draw(of, fitted, draws, rng)
        values, share = whole[:, of.free], weight / weight.sum()
        center = share @ values
        moved = values - center
        root = np.linalg.cholesky((moved.T * share) @ moved * (TAIL - 2.0) / TAIL)
        fitted = Proposal(center, root, float(log_posterior(of, center[None])[0]))
    return fitted


def draw(
    of: Hierarchy, fitted: Proposal, draws: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw whole vectors (draw, hyperparameter) and importance weights (draw,).

    Weights are relative to that of the mode, so that batches may be joined.
    """
    m = len(fitted.center)
    normal = rng.standard_normal((draws, m))
    mixed = normal * np.sqrt(TAIL / rng.chisquare(TAIL, size=(draws, 1)))
    values = fitted.center + mixed @ fitted.root.T
    log_proposal = -0.5 * (TAIL + m) * np.log1p((mixed**2).sum(axis=1) / TAIL)
    weight: np.ndarray = np.exp(log_posterior(of, values) - fitted.height - log_proposal)
    return points(of, values), weight


def _climb(of: Hierarchy, density: Callable[[np.ndarray], np.ndarray]) -> tuple[np.ndarray, float]:
    """Maximise a density of the free entries, by quasi-Newton steps inside the bounds."""
    free, inside = of.free, 5.0 * STEP[0]
    shifts = STEP[0] * np.concatenate([np.eye(len(free)), -np.eye(len(free))])

    def negative(x: np.ndarray) -> tuple[float, np.ndarray]:
        around = density(np.concatenate([x[None], x + shifts]))
        up, down = around[1 : 1 + len(x)], around[1 + len(x) :]
        return -around[0], (down - up) / (2.0 * STEP[0])

    found = minimize(
        negative,
        of.start[free],
        jac=True,
        method="L-BFGS-B",
        bounds=np.stack([of.low[free] + inside, of.high[free] - inside], axis=1),
        options={"ftol": 1e-14, "gtol": 1e-6, "maxiter": 1000, "maxfun": 5000, "maxcor": 30},
    )
    return found.x, -float(found.fun)


def _hessian(of: Hierarchy, center: np.ndarray) -> np.ndarray:
    """Second differences of the log density (free, free), also where the mode is at a bound."""
    m, h = len(center), STEP[1]
    steps = h * np.eye(m)
    pairs = (steps[:, None] + steps[None]).reshape(-1, m)
    mixed = (steps[:, None] - steps[None]).reshape(-1, m)
    around = np.concatenate([pairs, -pairs, mixed, -mixed]) + center
    plus, minus, one, other = log_density(of, around).reshape(4, m, m)
    return np.asarray((plus + minus - one - other) / (4.0 * h * h))


def _no_mode() -> str:
    return (
        "prior: the posterior of the hyperparameters is not peaked at its mode inside the bounds;"
        " set hierarchical = false and give them"
    )
