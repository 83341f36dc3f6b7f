r"""Parameters in; paths day by day, and what each shock alone adds to them, out.

Nothing here calls the engine: what calibrates it must not share its code.  All sums are written as
the definitions read, :math:`y_t = c + \sum_l A_l y_{t-l} + H e_t`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import invwishart

from attribution.core.niw import NormalInverseWishart
from attribution.model.spec import Window
from attribution.validate.crash import FIRST_DAY, Truth, frame

__all__ = [
    "FIRST_DAY",
    "Truth",
    "conjugate",
    "frame",
    "last_days",
    "log_normal",
    "rotation",
    "split",
]


def conjugate(
    of: NormalInverseWishart, draws: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Covariances (draw, n, n) and coefficients (draw, regressor, n), by SciPy's generator."""
    n = len(of.scale)
    sigma = np.asarray(invwishart(of.dof, of.scale).rvs(draws, random_state=rng))
    sigma = sigma.reshape(draws, n, n)
    spread = np.linalg.cholesky(np.linalg.inv(of.precision))
    noise = rng.standard_normal((draws, *of.mean.shape))
    return sigma, of.mean + spread @ noise @ np.linalg.cholesky(sigma).swapaxes(1, 2)


def split(coefficients: np.ndarray, variables: int) -> tuple[np.ndarray, np.ndarray]:
    """Lags (lag, variable, regressor) and intercept of coefficients with a constant first."""
    lags = [
        coefficients[1 + start : 1 + start + variables].T
        for start in range(0, len(coefficients) - 1, variables)
    ]
    return np.array(lags), coefficients[0]


def rotation(n: int, draws: int, rng: np.random.Generator) -> np.ndarray:
    """Orthogonal matrices, uniform on O(n), by Gram and Schmidt on normal columns (draw, n, n)."""
    columns = rng.standard_normal((draws, n, n))
    for j in range(n):
        for i in range(j):
            inner = (columns[:, :, i] * columns[:, :, j]).sum(1, keepdims=True)
            columns[:, :, j] -= inner * columns[:, :, i]
        columns[:, :, j] /= np.sqrt((columns[:, :, j] ** 2).sum(1, keepdims=True))
    return columns


def last_days(values: pd.DataFrame, count: int, name: str = "event") -> Window:
    """Return the window of the last ``count`` days."""
    return Window(name, values.index[-count].date(), values.index[-1].date())


def log_normal(response: np.ndarray, mean: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """Log density of normal rows (time, n), summed; leading axes of mean and covariance."""
    errors = np.linalg.solve(np.linalg.cholesky(covariance), (response - mean).swapaxes(-1, -2))
    log_det = np.linalg.slogdet(covariance)[1]
    size = response.shape[-1] * np.log(2 * np.pi)
    found: np.ndarray = -0.5 * ((errors**2).sum((-1, -2)) + len(response) * (log_det + size))
    return found
