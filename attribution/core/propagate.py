"""The recursion: a path without shocks, the impulses of each shock, its share of the variance."""

from __future__ import annotations

import numpy as np
from numba import njit


def baseline(
    lag_coefficients: np.ndarray, intercept: np.ndarray, history: np.ndarray, steps: int
) -> np.ndarray:
    r"""Path expected on the eve: observed lags, no shocks after.

    .. math:: b_t = c + \sum_{l=1}^{p} A_l\, b_{t-l}, \qquad b_s = y_s \text{ up to the eve}

    Parameters
    ----------
    lag_coefficients : (..., lag, variable, regressor); nearest lag first.
    intercept : (..., variable); unit of the variable.
    history : (lag, variable); the days up to the eve, oldest first.
    steps : days ahead.

    Returns
    -------
    (..., step, variable); unit of the variable.

    References
    ----------
    kilian2017, ch. 4
    """
    lags = lag_coefficients.shape[-3]
    lead = lag_coefficients.shape[:-3]
    variables = intercept.shape[-1]
    path = np.empty((*lead, lags + steps, variables))
    path[..., :lags, :] = history
    for t in range(lags, lags + steps):
        recent = path[..., t - lags : t, :][..., ::-1, :]
        path[..., t, :] = intercept + np.einsum("...lvr,...lr->...v", lag_coefficients, recent)
    return path[..., lags:, :]


def contributions(lag_coefficients: np.ndarray, impulses: np.ndarray) -> np.ndarray:
    r"""Carry each day's impulses forward through the lags.

    .. math:: c_{j,t} = \Theta_{0,\cdot j}\,\varepsilon_{j,t} + \sum_{l=1}^{p} A_l\, c_{j,t-l}

    Parameters
    ----------
    lag_coefficients : (..., lag, variable, regressor); nearest lag first.
    impulses : (..., time, variable, shock); impact times shock on each day, unit of the variable.

    Returns
    -------
    (..., time, variable, shock); what each shock, up to and including today, adds today.

    References
    ----------
    kilian2017, ch. 4
    """
    lags = lag_coefficients.shape[-3]
    out = np.array(impulses, dtype=float, copy=True)
    for t in range(1, out.shape[-3]):
        for lag in range(1, min(lags, t) + 1):
            out[..., t, :, :] += lag_coefficients[..., lag - 1, :, :] @ out[..., t - lag, :, :]
    return out


def responses(lag_coefficients: np.ndarray, impact: np.ndarray, horizons: int) -> np.ndarray:
    r"""Impulse responses :math:`\Theta_h = \Psi_h \Theta_0`, h = 0 ... ``horizons``.

    Parameters
    ----------
    lag_coefficients : (..., lag, variable, regressor).
    impact : (..., variable, shock).

    Returns
    -------
    (..., horizon, variable, shock); unit of the variable per one-scale shock.
    """
    impulses = np.zeros((*impact.shape[:-2], horizons + 1, *impact.shape[-2:]))
    impulses[..., 0, :, :] = impact
    return contributions(lag_coefficients, impulses)


def residuals(
    lag_coefficients: np.ndarray, intercept: np.ndarray, history: np.ndarray, observed: np.ndarray
) -> np.ndarray:
    r"""One-step errors :math:`u_t = y_t - c - \sum_l A_l y_{t-l}`.

    Parameters
    ----------
    lag_coefficients : (..., lag, variable, regressor).
    intercept : (..., variable).
    history : (lag, variable); the days before the first of ``observed``, oldest first.
    observed : (time, variable).

    Returns
    -------
    (..., time, variable); unit of the variable.
    """
    lags = lag_coefficients.shape[-3]
    path = np.concatenate([history, observed])
    fitted = sum(
        np.einsum(
            "...vr,tr->...tv",
            lag_coefficients[..., lag - 1, :, :],
            path[lags - lag : len(path) - lag],
        )
        for lag in range(1, lags + 1)
    )
    errors: np.ndarray = observed - intercept[..., None, :] - fitted
    return errors


# Square systems, one a draw, solved for the errors of every date at once.

REORDER = {"reassoc", "contract", "nsz"}
"""Sums may be taken in any order; what is not finite stays so."""


@njit(cache=True, nogil=True, fastmath=REORDER)
def _eliminate(matrix, right):  # type: ignore[no-untyped-def]
    """Solve a square system in place for all columns of ``right``, exchanging rows."""
    n, columns = right.shape
    for k in range(n):
        best = k
        for i in range(k + 1, n):
            if abs(matrix[i, k]) > abs(matrix[best, k]):
                best = i
        if matrix[best, k] == 0.0:
            raise ZeroDivisionError("an impact matrix is singular")
        if best != k:
            for j in range(k, n):
                matrix[k, j], matrix[best, j] = matrix[best, j], matrix[k, j]
            for t in range(columns):
                right[k, t], right[best, t] = right[best, t], right[k, t]
        for i in range(k + 1, n):
            ratio = matrix[i, k] / matrix[k, k]
            for j in range(k + 1, n):
                matrix[i, j] -= ratio * matrix[k, j]
            for t in range(columns):
                right[i, t] -= ratio * right[k, t]
    for i in range(n - 1, -1, -1):
        for j in range(i + 1, n):
            for t in range(columns):
                right[i, t] -= matrix[i, j] * right[j, t]
        scale = 1.0 / matrix[i, i]
        for t in range(columns):
            right[i, t] *= scale


@njit(cache=True, nogil=True)
def solve(impact, error):  # type: ignore[no-untyped-def]
    """Shocks (draw, time, shock) behind errors (draw, time, variable), as many as variables."""
    draws, steps, n = error.shape
    out = np.empty((draws, steps, n))
    matrix, right = np.empty((n, n)), np.empty((n, steps))
    for draw in range(draws):
        matrix[:] = impact[draw]
        right[:] = error[draw].T
        _eliminate(matrix, right)
        out[draw] = right.T
    return out


# Responses in; the share of each shock in the variance of forecast errors out.

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
