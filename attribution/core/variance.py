"""Responses in; the share of each shock in the variance of forecast errors out."""

from __future__ import annotations

import numpy as np
from numba import njit

DOUBLINGS = 60
"""Doublings of the horizon after which a sum that still grows has no limit."""
SETTLED = 1e-15


def shares(responses: np.ndarray) -> np.ndarray:
    r"""Shares of shocks of unit variance in forecast error variances.

    .. math:: s_{ij}(h) = \frac{\sum_{g=0}^{h} \Theta_{g,ij}^2}
        {\sum_{k} \sum_{g=0}^{h} \Theta_{g,ik}^2}

    Horizon h is the error of the forecast h + 1 periods ahead.

    Parameters
    ----------
    responses : (..., horizon, variable, shock); to every shock of the system, of unit variance.

    Returns
    -------
    (..., horizon, variable, shock); they sum to one over shocks.

    References
    ----------
    kilian2017, ch. 4
    """
    total = np.cumsum(np.square(responses), axis=-3)
    whole: np.ndarray = total / total.sum(-1, keepdims=True)
    return whole


@njit(cache=True, nogil=True)
def long_run(lag_coefficients, impact, out):  # type: ignore[no-untyped-def]
    r"""Write the shares in the unconditional variance; count draws that have none.

    For each variable i the sum :math:`G_i = \sum_h F'^h e_i e_i' F^h` over all horizons, with F
    the companion matrix, by doubling: the sum over twice the horizons is
    :math:`G + F'^m G F^m`.  The share of shock j is then :math:`h_j' G_i h_j` over its sum.

    Parameters
    ----------
    lag_coefficients : (draw, lag, variable, regressor).
    impact : (draw, variable, shock).
    out : (draw, variable, shock), written; NaN where a draw is not stationary.

    Returns
    -------
    Number of draws that are not stationary.

    References
    ----------
    kilian2017, ch. 4
    """
    draws, lags, n, _ = lag_coefficients.shape
    k, m, wild = impact.shape[2], lags * n, 0
    companion, gramian = np.empty((m, m)), np.empty((n, m, m))
    for draw in range(draws):
        companion[:] = 0.0
        for lag in range(lags):
            companion[:n, lag * n : (lag + 1) * n] = lag_coefficients[draw, lag]
        for i in range(m - n):
            companion[n + i, i] = 1.0
        if not _settle(companion, gramian):
            out[draw] = np.nan
            wild += 1
            continue
        for i in range(n):
            whole = 0.0
            for j in range(k):
                size = 0.0
                for v in range(n):
                    for r in range(n):
                        size += impact[draw, v, j] * gramian[i, v, r] * impact[draw, r, j]
                out[draw, i, j] = size
                whole += size
            out[draw, i] /= whole
    return wild


@njit(cache=True, nogil=True)
def _settle(companion, gramian):  # type: ignore[no-untyped-def]
    """Sum over all horizons by doubling; say whether the sum has a limit."""
    n, m = len(gramian), len(companion)
    power = companion.copy()
    gramian[:] = 0.0
    for i in range(n):
        gramian[i, i, i] = 1.0
    for _ in range(DOUBLINGS):
        across = np.ascontiguousarray(power.T)
        moved, largest = 0.0, 0.0
        for i in range(n):
            more = np.dot(np.dot(across, gramian[i]), power)
            gramian[i] += more
            for v in range(m):
                moved = max(moved, more[v, v])
                largest = max(largest, gramian[i, v, v])
        if not largest < 1e200:
            return False
        if moved <= SETTLED * largest:
            return True
        power = np.dot(power, power)
    return False
