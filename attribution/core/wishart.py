r"""Scales, noise and a generator in; factors of inverse-Wishart draws and what hangs on them out.

Compiled: one pass over the draws makes its random numbers, and every product stays in cache.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

ADD_FASTER = {"reassoc", "contract", "nsz"}
"""Lets sums be reordered and fused; infinities and NaN keep their meaning."""


@njit(cache=True, nogil=True, fastmath=ADD_FASTER)
def factors(root, dof, draws, rng):  # type: ignore[no-untyped-def]
    r"""Draw lower Cholesky factors of Σ without a factorisation per draw.

    Bartlett's decomposition in reverse: :math:`\Sigma^{-1} = C^{-\prime} U U' C^{-1}` with C the
    factor ``root`` of the scale and U upper triangular, so that the factor of Σ is
    :math:`C U^{-\prime}`: the solution Y of :math:`Y U' = C`, column by column from the last.
    """
    n = root.shape[0]
    out = np.zeros((draws, n, n))
    lower = np.zeros((n, n))  # U'
    for s in range(draws):
        for i in range(n):
            lower[i, i] = math.sqrt(2.0 * rng.standard_gamma(0.5 * (dof - (n - 1 - i))))
            for j in range(i):
                lower[i, j] = rng.standard_normal()
        for j in range(n - 1, -1, -1):
            over = 1.0 / lower[j, j]
            for i in range(j, n):
                total = root[i, j]
                for m in range(j + 1, i + 1):
                    total -= out[s, i, m] * lower[m, j]
                out[s, i, j] = total * over
    return out


@njit(cache=True, nogil=True, fastmath=ADD_FASTER)
def coefficients(mean, spread, root, rng):  # type: ignore[no-untyped-def]
    r"""Draw :math:`\bar B + W Z H'`, W upper triangular (``spread``), H the roots, Z normal."""
    draws, n = root.shape[0], root.shape[1]
    k = mean.shape[0]
    out = np.empty((draws, k, n))
    turned = np.empty((k, n))
    across = np.empty((n, n))
    noise = np.empty(n)
    row = np.empty(n)
    for s in range(draws):
        for i in range(n):
            for j in range(n):
                across[j, i] = root[s, i, j]
        for r in range(k):
            for j in range(n):
                noise[j] = rng.standard_normal()
                row[j] = 0.0
            for m in range(n):
                z = noise[m]
                for j in range(n):
                    row[j] += z * across[m, j]
            for j in range(n):
                turned[r, j] = row[j]
        for i in range(k):
            for j in range(n):
                row[j] = mean[i, j]
            for r in range(i, k):
                w = spread[i, r]
                for j in range(n):
                    row[j] += w * turned[r, j]
            for j in range(n):
                out[s, i, j] = row[j]
    return out
