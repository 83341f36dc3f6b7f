r"""Draws of a reduced form in; linear functionals of a column of a rotation out.

Every claim about the shock in column q of a rotation speaks of numbers :math:`f'q`:

================  ================================================================
``RESPONSE``      response of variable v, h periods on, :math:`f' = e_v' \Psi_h P`
``CUMULATED``     its sum over horizons 0 ... h, :math:`e_v' \sum_{j \le h} \Psi_j P`
``LONG_RUN``      its sum over all horizons, :math:`e_v' (I - \sum_l A_l)^{-1} P`
``SHOCK``         the shock on a date, :math:`f = P^{-1} u_t`, u_t from the same draw
================  ================================================================
"""

from __future__ import annotations

import numpy as np
from numba import njit

REORDER = {"reassoc", "contract", "nsz"}
"""Sums may be taken in any order; what is not finite stays so."""
RESPONSE, CUMULATED, LONG_RUN, SHOCK = range(4)


def functionals(
    factor: np.ndarray,
    coefficients: np.ndarray,
    program: np.ndarray,
    observed: np.ndarray,
    regressors: np.ndarray,
) -> np.ndarray:
    """Evaluate a list of functionals at every draw.

    Parameters
    ----------
    factor : (draw, variable, variable), P, lower triangular.
    coefficients : (draw, regressor, variable); constant first if any, then nearest lag first.
    program : (functional, 3) int; kind, then horizon and variable, or the number of a date.
    observed : (date, variable); the dates of ``SHOCK``.
    regressors : (date, regressor); on those dates.

    Returns
    -------
    (draw, functional, variable); infinite or NaN where a sum of all horizons has no value.
    """
    out = np.empty((len(factor), len(program), factor.shape[-1]))
    _functionals(factor, coefficients, program, observed, regressors, out)
    return out


@njit(cache=True, nogil=True, fastmath=REORDER)
def _functionals(factor, coefficients, program, observed, regressors, out):  # type: ignore[no-untyped-def]
    n = factor.shape[-1]
    horizons, long_run = -1, False
    for f in range(len(program)):
        if program[f, 0] <= CUMULATED:
            horizons = max(horizons, program[f, 1])
        long_run = long_run or program[f, 0] == LONG_RUN
    theta = np.zeros((horizons + 1, n, n))
    total = np.zeros((horizons + 1, n, n))
    whole = np.zeros((n, n))
    shocks = np.zeros((len(observed), n))
    for d in range(len(factor)):
        if horizons >= 0:
            _responses(factor[d], coefficients[d], theta, total)
        if long_run:
            _long_run(factor[d], coefficients[d], whole)
        _shocks(factor[d], coefficients[d], observed, regressors, shocks)
        for f in range(len(program)):
            kind, at, variable = program[f]
            if kind == RESPONSE:
                out[d, f] = theta[at, variable]
            elif kind == CUMULATED:
                out[d, f] = total[at, variable]
            elif kind == LONG_RUN:
                out[d, f] = whole[variable]
            else:
                out[d, f] = shocks[at]


@njit(cache=True, nogil=True, fastmath=REORDER)
def _responses(factor, coefficients, theta, total):  # type: ignore[no-untyped-def]
    """Write responses to P at every horizon, and their running sums."""
    n = len(factor)
    lags = len(coefficients) // n
    first = len(coefficients) - lags * n
    theta[0] = factor
    total[0] = factor
    for h in range(1, len(theta)):
        theta[h] = 0.0
        for lag in range(1, min(lags, h) + 1):
            for r in range(n):
                row = first + (lag - 1) * n + r
                for v in range(n):
                    a = coefficients[row, v]
                    for c in range(n):
                        theta[h, v, c] += a * theta[h - lag, r, c]
        for v in range(n):
            for c in range(n):
                total[h, v, c] = total[h - 1, v, c] + theta[h, v, c]


@njit(cache=True, nogil=True)
def _long_run(factor, coefficients, out):  # type: ignore[no-untyped-def]
    """Write the solution of (I − ΣA) X = P by elimination; not finite where there is none."""
    n = len(factor)
    lags = len(coefficients) // n
    first = len(coefficients) - lags * n
    left = np.zeros((n, n))
    for v in range(n):
        left[v, v] = 1.0
        for lag in range(lags):
            for r in range(n):
                left[v, r] -= coefficients[first + lag * n + r, v]
    out[:] = factor
    for k in range(n):
        best = k
        for i in range(k + 1, n):
            if abs(left[i, k]) > abs(left[best, k]):
                best = i
        if left[best, k] == 0.0:
            out[:] = np.nan
            return
        for j in range(n):
            left[k, j], left[best, j] = left[best, j], left[k, j]
            out[k, j], out[best, j] = out[best, j], out[k, j]
        for i in range(n):
            if i != k:
                ratio = left[i, k] / left[k, k]
                for j in range(n):
                    left[i, j] -= ratio * left[k, j]
                    out[i, j] -= ratio * out[k, j]
    for k in range(n):
        for j in range(n):
            out[k, j] /= left[k, k]


@njit(cache=True, nogil=True, fastmath=REORDER)
def _shocks(factor, coefficients, observed, regressors, out):  # type: ignore[no-untyped-def]
    """Write the shocks that the factor itself would make of the errors on every date."""
    n = len(factor)
    for t in range(len(observed)):
        for v in range(n):
            error = observed[t, v]
            for r in range(len(coefficients)):
                error -= regressors[t, r] * coefficients[r, v]
            for j in range(v):
                error -= factor[v, j] * out[t, j]
            out[t, v] = error / factor[v, v]
