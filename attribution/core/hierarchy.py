r"""A regression and its hyperpriors in; the posterior of the hyperparameters, as a function, out.

.. math::
    \lambda \sim \Gamma(\text{mode } 0.2, \text{sd } 0.4), \quad
    \mu, \delta \sim \Gamma(\text{mode } 1, \text{sd } 1), \quad
    \psi_j \sim IG(0.02^2, 0.02^2), \quad \Pr(s_d > s) = 1/s

inside the bounds of Giannone, Lenza and Primiceri; the scales s of listed days are Lenza and
Primiceri's.  The law of ψ is theirs to the letter: flat in logs for residual scales well above
0.02 in the unit of the series, and a push away from zero below.  All else is free of units.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attribution.core.evidence import Problem, log_densities

WIDEST = 6.0
"""Bound on the normal score of a scaled day: s of a thousand million leaves the day out."""


BOUNDS = np.log([(1e-4, 5.0), (1e-4, 50.0), (1e-4, 50.0)])
WIDTH = np.log(100.0)
"""Bounds on λ, μ, δ and how far ψ may lie from the square of the given spread, in logs."""


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
    decay: float,
    intercept_scale: float,
    tightness: float | None = None,
    scales: np.ndarray | None = None,
    sum_of_coefficients: bool = True,
    single_unit_root: bool = True,
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
    tightness, scales : λ and ψ^½ (variable,) where they are given; inferred if None.
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
    shapes, rates = np.array([*tightness_laws().values(), *[residual_rates()] * n]).T
    if unit is not None:
        rates[3:] /= unit**2
    days = int(chosen.sum())
    psi = 2.0 * np.log(spread if scales is None else scales)
    free = [tightness is None, sum_of_coefficients, single_unit_root]
    start = [np.log(tightness or 0.2), *np.where(free[1:], 0.0, np.inf), *psi, *[0.0] * days]
    around = 2.0 * np.log(spread)
    return Hierarchy(
        Problem(
            moments=rows[~chosen].T @ rows[~chosen],
            scaled=np.ascontiguousarray(rows[chosen]),
            level=np.asarray(level, float),
            own=np.asarray(own_lag, float),
            shapes=np.ascontiguousarray(shapes),
            rates=np.ascontiguousarray(rates),
            free=np.array([*free, *[scales is None] * n, *[True] * days]),
            days=len(rows),
            lags=lags,
            constant=first,
            decay=float(decay),
            intercept_scale=float(intercept_scale),
        ),
        np.array(start),
        np.concatenate([BOUNDS[:, 0], around - WIDTH, [-WIDEST] * days]),
        np.concatenate([BOUNDS[:, 1], around + WIDTH, [WIDEST] * days]),
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
    """Log Jacobian (point,) that turns the density in logs into that of λ, μ, δ and ψ."""
    logs: np.ndarray = values[:, of.free < 3 + len(of.problem.own)].sum(axis=1)
    return logs
