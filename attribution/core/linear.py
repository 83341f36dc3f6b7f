"""Square systems, one a draw, solved for the errors of every date at once."""

from __future__ import annotations

import numpy as np
from numba import njit

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
