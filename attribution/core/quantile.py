"""Weighted draws in; their quantiles and moments out."""

from __future__ import annotations

import numpy as np
from numba import njit


def quantile(draws: np.ndarray, weight: np.ndarray, probability: float | np.ndarray) -> np.ndarray:
    """Weighted quantile over the first axis: the least draw with that much weight at or below it.

    Parameters
    ----------
    draws : (draw, ...).
    weight : (draw,); non-negative, of any sum.
    probability : one, or (probability,).

    Returns
    -------
    (...) or (probability, ...).
    """
    found: np.ndarray = np.quantile(
        draws, probability, axis=0, weights=weight, method="inverted_cdf"
    )
    return found


@njit(cache=True, nogil=True)
def moments(draws, weight):  # type: ignore[no-untyped-def]
    r"""Weighted mean and standard deviation (quantity,) of draws (draw, quantity), in one pass.

    .. math:: m_d = m_{d-1} + \frac{w_d}{W_d}(x_d - m_{d-1}), \qquad
        M_d = M_{d-1} + w_d (x_d - m_{d-1})(x_d - m_d)

    References
    ----------
    west1979
    """
    count, quantities = draws.shape
    mean, spread, total = np.zeros(quantities), np.zeros(quantities), 0.0
    for d in range(count):
        if weight[d] == 0.0:
            continue
        total += weight[d]
        pull = weight[d] / total
        for q in range(quantities):
            gap = draws[d, q] - mean[q]
            mean[q] += pull * gap
            spread[q] += weight[d] * gap * (draws[d, q] - mean[q])
    return mean, np.sqrt(spread / total)
