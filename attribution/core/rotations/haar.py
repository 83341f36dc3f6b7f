"""Random numbers in; orthogonal matrices out, uniform on O(n) or under exact zeros."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

REORDER = {"reassoc", "contract", "nsz"}
"""Sums may be taken in any order; what is not finite stays so."""
DEPENDENT = 1e-10
"""Relative length below which a row counts as a sum of the others."""


def haar(n: int, draws: int, rng: np.random.Generator) -> np.ndarray:
    r"""Draw from the Haar measure on O(n), both signs of the determinant.

    .. math:: Q_k = R(v_k) \begin{pmatrix} \pm 1 & 0 \\ 0 & Q_{k-1} \end{pmatrix}, \quad
        v_k \text{ uniform on the sphere in } \mathbb R^k

    with R(v) the reflection that carries the first axis to ±v: a product of reflections, so
    orthogonal to the last digit, from half as many random numbers as a full Gaussian matrix takes.
    Half of the matrices have determinant −1: rotations alone would make the result depend on the
    order in which shocks are named.

    Returns
    -------
    (draw, n, n).

    References
    ----------
    stewart1980; rubioramirez2010, Theorem 9
    """
    out = np.empty((draws, n, n))
    _haar(out, rng)
    return out


def restricted(
    functionals: np.ndarray,
    of: np.ndarray,
    zero_at: np.ndarray,
    zero_ends: np.ndarray,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    r"""Draw orthogonal matrices whose first columns are orthogonal to given rows.

    Column k is uniform on the unit sphere of the space orthogonal to its own rows
    :math:`R_k` and to the columns before it; those after the last restricted one are uniform in
    what remains.  Against the Haar measure restricted to :math:`\delta(R_k q_k)`, this law has the
    density :math:`\prod_k |R_k N_{k-1} N_{k-1}' R_k'|^{1/2}`, with :math:`N_{k-1}` an orthonormal
    basis of the complement of the earlier columns.

    Parameters
    ----------
    functionals : (draw, functional, n); rows on a column of Q.
    of : (candidate,) int; the draw of each matrix asked for.
    zero_at : (zero,) int; the functionals that vanish, those of the first column first.
    zero_ends : (restricted column,) int; where each column's zeros end.

    Returns
    -------
    Matrices (candidate, n, n) and the log of that density (candidate,); plus infinity where the
    rows of a column depend on each other or on the columns before.

    References
    ----------
    arias2018, Algorithm 2
    """
    n = functionals.shape[-1]
    out, volume = np.empty((len(of), n, n)), np.zeros(len(of))
    _restricted(functionals, of, zero_at, zero_ends, rng, out, volume)
    return out, volume


@njit(cache=True, nogil=True, fastmath=REORDER)
def _haar(out, rng):  # type: ignore[no-untyped-def]
    draws, n, _ = out.shape
    w, t = np.empty(n), np.empty(n)
    for d in range(draws):
        q = out[d]
        q[n - 1, n - 1] = 1.0 if rng.random() < 0.5 else -1.0
        for first in range(n - 2, -1, -1):
            length = 0.0
            for i in range(first, n):
                w[i] = rng.standard_normal()
                length += w[i] * w[i]
            length = math.sqrt(length)
            away = length if w[first] >= 0.0 else -length
            for i in range(first, n):
                q[i, first] = w[i] / length
            w[first] += away
            scale = 1.0 / (length * abs(w[first]))  # two over the squared length of w
            for j in range(first + 1, n):
                t[j] = 0.0
            for i in range(first + 1, n):
                for j in range(first + 1, n):
                    t[j] += w[i] * q[i, j]
            for j in range(first + 1, n):
                t[j] *= scale
                q[first, j] = -w[first] * t[j]
            for i in range(first + 1, n):
                for j in range(first + 1, n):
                    q[i, j] -= w[i] * t[j]


@njit(cache=True, nogil=True)
def _clear(x, basis, size):  # type: ignore[no-untyped-def]
    """Take out of x what lies along the first rows of a basis, twice; return what is left of it."""
    n = len(x)
    for _ in range(2):
        for b in range(size):
            along = 0.0
            for i in range(n):
                along += x[i] * basis[b, i]
            for i in range(n):
                x[i] -= along * basis[b, i]
    left = 0.0
    for i in range(n):
        left += x[i] * x[i]
    return math.sqrt(left)


@njit(cache=True, nogil=True)
def _restricted(functionals, of, zero_at, zero_ends, rng, out, volume):  # type: ignore[no-untyped-def]
    n = out.shape[-1]
    basis, x = np.empty((n, n)), np.empty(n)
    for d in range(len(of)):
        start = 0
        for column in range(n):
            size = column
            for b in range(column):
                for i in range(n):
                    basis[b, i] = out[d, i, b]
            stop = zero_ends[column] if column < len(zero_ends) else start
            for z in range(start, stop):
                whole = 0.0
                for i in range(n):
                    x[i] = functionals[of[d], zero_at[z], i]
                    whole += x[i] * x[i]
                left = _clear(x, basis, size)
                if not left > DEPENDENT * math.sqrt(whole):
                    volume[d] = np.inf
                    left = 1.0
                volume[d] += math.log(left)
                for i in range(n):
                    basis[size, i] = x[i] / left
                size += 1
            start = stop
            for i in range(n):
                x[i] = rng.standard_normal()
            left = _clear(x, basis, size)
            for i in range(n):
                out[d, i, column] = x[i] / left
