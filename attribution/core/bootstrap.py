"""A least-squares VAR in; replicates of it from resampled residuals out."""

from __future__ import annotations

import numpy as np

BLOCK = 100
"""Replicates estimated at once; bounds the memory of the stacked regressors."""


def residual_bootstrap(
    series: np.ndarray,
    coefficients: np.ndarray,
    *,
    lags: int,
    constant: bool,
    draws: int,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    r"""Regenerate the sample from resampled residuals and estimate it again.

    .. math:: y^*_t = \hat c + \sum_l \hat A_l\, y^*_{t-l} + u^*_t, \qquad
        u^*_t \sim \sqrt{T/(T-k)}\;(\hat u_s - \bar u),\ s \text{ uniform}

    Works in units of each series' standard deviation, so that units do not touch the precision.

    Parameters
    ----------
    series : (time, variable); its first ``lags`` days start every replicate.
    coefficients : (regressor, variable); the constant first if there is one, then the nearest lag.
    draws : replicates; the only loops are over days and over blocks of replicates.

    Returns
    -------
    Coefficients (draw, regressor, variable) and residual covariances divided by T − k
    (draw, variable, variable).

    References
    ----------
    lutkepohl2005, app. D.3
    """
    scale = series.std(0)
    unit = series / scale
    size = np.concatenate([np.ones(int(constant)), np.tile(scale, lags)])
    scaled = coefficients * size[:, None] / scale
    errors = unit[lags:] - _design(unit[None], lags, constant)[0] @ scaled
    errors = (errors - errors.mean(0)) * np.sqrt(len(errors) / (len(errors) - len(size)))
    found, spread = [], []
    for first in range(0, draws, BLOCK):
        picks = rng.integers(len(errors), size=(min(BLOCK, draws - first), len(errors)))
        sample = _regenerate(unit[:lags], scaled, errors[picks], constant)
        replicate, covariance = _refit(sample, lags, constant)
        found.append(replicate * scale / size[:, None])
        spread.append(covariance * np.outer(scale, scale))
    return np.concatenate(found), np.concatenate(spread)


def _regenerate(
    start: np.ndarray, coefficients: np.ndarray, errors: np.ndarray, constant: bool
) -> np.ndarray:
    """Run paths (draw, time, variable) on from ``start`` with the resampled errors."""
    lags, draws = len(start), len(errors)
    path = np.empty((draws, lags + errors.shape[1], errors.shape[2]))
    path[:, :lags] = start
    intercept = coefficients[0] if constant else 0.0
    slopes = coefficients[int(constant) :]
    for t in range(lags, path.shape[1]):
        recent = path[:, t - lags : t][:, ::-1].reshape(draws, -1)
        path[:, t] = intercept + recent @ slopes + errors[:, t - lags]
    return path


def _refit(sample: np.ndarray, lags: int, constant: bool) -> tuple[np.ndarray, np.ndarray]:
    """Solve the least squares of every replicate at once."""
    regressors = _design(sample, lags, constant)
    response = sample[:, lags:]
    transposed = regressors.swapaxes(1, 2)
    coefficients = np.linalg.solve(transposed @ regressors, transposed @ response)
    errors = response - regressors @ coefficients
    freedom = regressors.shape[1] - regressors.shape[2]
    return coefficients, errors.swapaxes(1, 2) @ errors / freedom


def _design(sample: np.ndarray, lags: int, constant: bool) -> np.ndarray:
    """Stack regressors (draw, time, regressor): the constant if any, then the nearest lag first."""
    days = sample.shape[1] - lags
    parts = [np.ones((len(sample), days, int(constant)))]
    parts += [sample[:, lags - lag : lags - lag + days] for lag in range(1, lags + 1)]
    return np.concatenate(parts, axis=2)
