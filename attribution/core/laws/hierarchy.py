r"""A regression and its hyperpriors in; the posterior of the hyperparameters, as a function, out.

.. math::
    \lambda \sim \Gamma(\text{mode } 0.2, \text{sd } 0.4), \quad
    \mu, \delta \sim \Gamma(\text{mode } 1, \text{sd } 1), \quad
    \psi_j \sim IG(0.02^2, 0.02^2), \quad \Pr(s_d > s) = 1/s, \quad
    \rho \sim \Gamma(\text{mode } 1, \text{sd } 0.5)

inside the bounds of Giannone, Lenza and Primiceri; the scales s of listed days are Lenza and
Primiceri's, the law of the decay ρ of lags is ours.  Each is inferred or given.  The law of ψ is
theirs to the letter: flat in logs for residual scales well above 0.02 in the unit of the series,
and a push away from zero below.  All else is free of units.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import log_ndtr, ndtr

from attribution.core.laws.evidence import LOG_TWO_PI, Problem, log_densities

WIDEST = 6.0
"""Bound on the normal score of a scaled day: s of a thousand million leaves the day out."""

BOUNDS = np.log([(1e-4, 5.0), (1e-4, 50.0), (1e-4, 50.0)])
WIDTH = np.log(100.0)
"""Bounds on λ, μ, δ and how far ψ may lie from the square of the given spread, in logs."""
DECAY_BOUNDS = np.log((0.01, 10.0))
"""Bounds on ρ, in logs."""


@dataclass(frozen=True)
class Hierarchy:
    """The problem, a starting point and bounds, all (hyperparameter,) in logs."""

    problem: Problem
    start: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @property
    def free(self) -> np.ndarray:
        """Indices of what is inferred."""
        return np.flatnonzero(self.problem.free)

    @property
    def dof(self) -> float:
        """Posterior degrees of freedom of Σ, dummy observations included."""
        n, (many, one) = len(self.problem.own), np.isfinite(self.start[1:3])
        return float(n + 2 + n * many + one + self.problem.days)

    @property
    def columns(self) -> dict[str, np.ndarray]:
        """Places of each inferred hyperparameter in the vector, by its name in a model file."""
        n, days = len(self.problem.own), len(self.problem.scaled)
        sizes = [1, 1, 1, n, days, len(self.start) - 3 - n - days]
        places = np.split(np.arange(len(self.start)), np.cumsum(sizes)[:-1])
        free = self.problem.free
        return {
            name: place
            for name, place in zip(HYPERPARAMETERS, places, strict=True)
            if len(place) and free[place].all()
        }


HYPERPARAMETERS = (
    "tightness",
    "sum_of_coefficients",
    "single_unit_root",
    "residual_scale",
    "outlier_scale",
    "decay",
)
"""Names of λ, μ, δ, ψ^½, s and ρ, in the order of the vector."""


def gamma_shape_rate(mode: float, sd: float) -> tuple[float, float]:
    """Return shape and rate of the gamma law with this mode and standard deviation."""
    scale = 0.5 * (np.sqrt(mode**2 + 4.0 * sd**2) - mode)
    return sd**2 / scale**2, 1.0 / scale


def tightness_laws() -> dict[str, tuple[float, float]]:
    """Shape and rate of the gamma laws of λ, μ and δ, by the names of the model file."""
    return {
        "tightness": gamma_shape_rate(0.2, 0.4),
        "sum_of_coefficients": gamma_shape_rate(1.0, 1.0),
        "single_unit_root": gamma_shape_rate(1.0, 1.0),
    }


def decay_law() -> tuple[float, float]:
    """Shape and rate of the gamma law of ρ."""
    return gamma_shape_rate(1.0, 0.5)


def residual_rates() -> tuple[float, float]:
    """Shape and rate of the inverse gamma law of ψ."""
    return 0.02**2, 0.02**2


def hierarchy(
    response: np.ndarray,
    regressors: np.ndarray,
    *,
    spread: np.ndarray,
    level: np.ndarray,
    own_lag: np.ndarray,
    lags: int,
    constant: bool,
    decay: float | None,
    intercept_scale: float,
    tightness: float | None = None,
    scales: np.ndarray | None = None,
    sum_of_coefficients: float | bool = True,
    single_unit_root: float | bool = True,
    outliers: np.ndarray | None = None,
    unit: np.ndarray | None = None,
) -> Hierarchy:
    """State the problem.

    Parameters
    ----------
    response, regressors : (time, variable), (time, regressor) of ``niw.design``.
    spread : (variable,); centre of the bounds on ψ, unit of the variable.
    level : (variable,); mean of the first ``lags`` rows.
    own_lag : (variable,); prior mean of the first own lag.
    tightness, scales, decay : λ, ψ^½ (variable,) and ρ where they are given; inferred if None.
    sum_of_coefficients, single_unit_root : μ and δ where they are given; inferred if True, their
        dummy observations left out if False.
    outliers : positions of the days with a scale of their own.
    unit : (variable,); the unit of each series in that of the data, which the law of ψ knows.

    References
    ----------
    giannone2015; lenza2022
    """
    n, first = len(level), int(constant)
    mean = np.zeros((regressors.shape[1], n))
    mean[first : first + n] = np.diag(own_lag)
    rows = np.concatenate([regressors, response - regressors @ mean], axis=1)
    chosen = np.zeros(len(rows), bool)
    chosen[[] if outliers is None else outliers] = True
    laws = [*tightness_laws().values(), *[residual_rates()] * n, decay_law()]
    shapes, rates = np.array(laws).T
    if unit is not None:
        rates[3 : 3 + n] /= unit**2
    days, late = int(chosen.sum()), int(decay is None)
    psi = 2.0 * np.log(spread if scales is None else scales)
    dummies = sum_of_coefficients, single_unit_root
    free = [tightness is None, *(given is True for given in dummies)]
    unit_root = [np.log(given) if given else np.inf for given in dummies]
    start = [np.log(tightness or 0.2), *unit_root, *psi, *[0.0] * (days + late)]
    around = 2.0 * np.log(spread)
    ends = np.tile(DECAY_BOUNDS, (late, 1)).T
    return Hierarchy(
        Problem(
            moments=rows[~chosen].T @ rows[~chosen],
            scaled=np.ascontiguousarray(rows[chosen]),
            level=np.asarray(level, float),
            own=np.asarray(own_lag, float),
            shapes=np.ascontiguousarray(shapes),
            rates=np.ascontiguousarray(rates),
            free=np.array([*free, *[scales is None] * n, *[True] * (days + late)]),
            days=len(rows),
            lags=lags,
            constant=first,
            decay=np.nan if decay is None else float(decay),
            intercept_scale=float(intercept_scale),
        ),
        np.array(start),
        np.concatenate([BOUNDS[:, 0], around - WIDTH, [-WIDEST] * days, ends[0]]),
        np.concatenate([BOUNDS[:, 1], around + WIDTH, [WIDEST] * days, ends[1]]),
    )


def points(of: Hierarchy, values: np.ndarray) -> np.ndarray:
    """Return whole vectors (point, hyperparameter) from the free entries (point, free)."""
    whole = np.repeat(of.start[None], len(values), axis=0)
    whole[:, of.free] = values
    return whole


def log_density(of: Hierarchy, values: np.ndarray) -> np.ndarray:
    """Log posterior density (point,) of free entries in logs, as if there were no bounds."""
    density: np.ndarray = log_densities(points(of, values), of.problem).sum(axis=0)
    return density


def log_posterior(of: Hierarchy, values: np.ndarray) -> np.ndarray:
    """Log posterior density (point,) of free entries in logs; -inf beyond the bounds."""
    free = of.free
    within = ((values > of.low[free]) & (values < of.high[free])).all(axis=1)
    return np.where(within, log_density(of, values), -np.inf)


def natural_jacobian(of: Hierarchy, values: np.ndarray) -> np.ndarray:
    r"""Log Jacobian (point,) that turns the density into that of λ, μ, δ, ψ, s and ρ.

    A scale is :math:`s = 1/\Phi(-x)` at the coordinate x, and :math:`ds/dx = \phi(x)/\Phi(-x)^2`.
    """
    first = 3 + len(of.problem.own)
    scaled = (of.free >= first) & (of.free < first + len(of.problem.scaled))
    x = values[:, scaled]
    scales = -0.5 * (x**2 + LOG_TWO_PI) - 2.0 * log_ndtr(-x)
    found: np.ndarray = values[:, ~scaled].sum(axis=1) + scales.sum(axis=1)
    return found


def named(of: Hierarchy, whole: np.ndarray) -> dict[str, np.ndarray]:
    """Return what is inferred (point, ...), in the terms of a model file, from whole vectors."""
    found = {}
    for name, place in of.columns.items():
        x = whole[:, place]
        if name == "outlier_scale":
            found[name] = 1.0 / ndtr(-x)
        elif name == "residual_scale":
            found[name] = np.exp(0.5 * x)
        else:
            found[name] = np.exp(x[:, 0])
    return found
