"""A prior on rows and a law per shock in; parameters and data drawn from them out."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from attribution.core.laws import structural_gibbs as gibbs
from attribution.core.laws.structural_form import RowPrior, ShockLaw
from attribution.core.rotations.haar import haar


def draw_rows(
    prior: RowPrior, variables: int, draws: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    r"""Draw rows and the tightness from a proper prior.

    By Bartlett's decomposition :math:`\Sigma^{-1} = A_0'A_0 \sim W(S^{-1}, \nu)` and a uniform
    rotation, then each row's regressors given the rest.

    Returns
    -------
    (draw, shock, coordinate) and (draw,).

    References
    ----------
    bartlett1933; waggoner2003
    """
    n = variables
    tightness = np.full(draws, prior.tightness)
    if prior.shape:
        tightness = rng.gamma(prior.shape, 1.0 / prior.rate, draws)
    factor = np.linalg.cholesky(prior.base + prior.tight / tightness[:, None, None] ** 2)
    m = factor.shape[-1] - n
    upper = np.zeros((draws, n, n))  # rows (a W^(1/2)) of a Wishart with identity scale
    degrees = prior.dof - np.arange(n)
    upper[:, np.arange(n), np.arange(n)] = np.sqrt(rng.chisquare(degrees, size=(draws, n)))
    above = np.triu_indices(n, 1)
    upper[:, above[0], above[1]] = rng.standard_normal((draws, len(above[0])))
    whole = np.concatenate([rng.standard_normal((draws, n, m)), haar(n, draws, rng) @ upper], 2)
    solved = np.linalg.solve(factor.swapaxes(1, 2), whole.swapaxes(1, 2))
    return solved.swapaxes(1, 2), tightness


def draw_precision(law: ShockLaw, hyper: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw one over the variances (..., shock, time) given hyperparameters (..., shock, hyper)."""
    lead, days = hyper.shape[:-1], len(law.spell)
    if law.code in (gibbs.STUDENT, gibbs.STUDENT_FIXED):
        return rng.gamma(0.5 * hyper, 1.0, (*lead, days)) / (0.5 * (hyper - 2.0))
    if law.code == gibbs.REGIMES:
        whole = np.concatenate([np.ones((*lead, 1)), 1.0 / hyper], -1)
        by_day: np.ndarray = whole[..., law.spell]
        return by_day
    if law.code == gibbs.VOLATILITY:
        noise = rng.standard_normal((*lead, days))
        flat: np.ndarray = _autoregressions(
            noise.reshape(-1, days), hyper.reshape(-1, hyper.shape[-1])
        )
        inverse: np.ndarray = np.exp(-flat.reshape(*lead, days))
        return inverse
    return np.ones((*lead, days))


def simulate(
    rows: np.ndarray,
    precision: np.ndarray,
    start: np.ndarray,
    *,
    constant: bool,
    rng: np.random.Generator,
) -> np.ndarray:
    """Simulate data from rows θ.

    Parameters
    ----------
    rows : (draw, shock, coordinate).
    precision : (draw, shock, time).
    start : (lag, variable); the days before the first, oldest first.

    Returns
    -------
    (draw, lag + time, variable); ``start`` first.
    """
    n = rows.shape[1]
    shocks = rng.standard_normal(precision.shape) / np.sqrt(precision)
    impact = np.linalg.inv(rows[:, :, -n:])
    return paths(-impact @ rows[:, :, :-n], impact @ shocks, start, constant=constant)


def paths(
    slopes: np.ndarray, errors: np.ndarray, start: np.ndarray, *, constant: bool
) -> np.ndarray:
    """Run reduced forms on from ``start``.

    Parameters
    ----------
    slopes : (draw, variable, regressor); constant first if any, then nearest lag first.
    errors : (draw, variable, time).
    start : (lag, variable); oldest first.

    Returns
    -------
    (draw, lag + time, variable); ``start`` first.
    """
    found: np.ndarray = _paths(
        np.ascontiguousarray(slopes),
        np.ascontiguousarray(errors),
        np.asarray(start, float),
        int(constant),
    )
    return found


def structural_coefficients(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r"""Return :math:`A_0^{-1}` (..., variable, shock) and B (..., regressor, variable) of rows."""
    n = rows.shape[-2]
    impact = np.linalg.inv(rows[..., -n:])
    return impact, np.ascontiguousarray((-impact @ rows[..., :-n]).swapaxes(-1, -2))


@njit(cache=True, nogil=True)
def _autoregressions(noise, hyper):  # type: ignore[no-untyped-def]
    """Run stationary autoregressions (series, time) with the persistence and spread of each."""
    states = np.empty_like(noise)
    for i in range(noise.shape[0]):
        persistence, spread = hyper[i, 0], hyper[i, 1]
        states[i, 0] = spread / math.sqrt(1.0 - persistence**2) * noise[i, 0]
        for t in range(1, noise.shape[1]):
            states[i, t] = persistence * states[i, t - 1] + spread * noise[i, t]
    return states


@njit(cache=True, nogil=True)
def _paths(slopes, errors, start, constant):  # type: ignore[no-untyped-def]
    """Run reduced forms (draw, variable, regressor) on from ``start``."""
    draws, n, days = errors.shape
    lags = start.shape[0]
    path = np.empty((draws, lags + days, n))
    for d in range(draws):
        path[d, :lags] = start
        for t in range(lags, lags + days):
            for i in range(n):
                total = errors[d, i, t - lags]
                if constant:
                    total += slopes[d, i, 0]
                for lag in range(1, lags + 1):
                    for j in range(n):
                        total += slopes[d, i, constant + (lag - 1) * n + j] * path[d, t - lag, j]
                path[d, t, i] = total
    return path
