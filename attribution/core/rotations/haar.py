r"""Orthogonal matrices: uniform on O(n), under exact zeros, and the weight of such draws.

The prior on structural parameters :math:`x = (A_0, A_+)`, with
:math:`y_t' A_0 = x_t' A_+ + \varepsilon_t'`, conditions on the set where the zeros
:math:`g(x) = 0` hold by its density on that set, with respect to the set's own volume.  By the
coarea formula this is :math:`p(x)\,|JJ'|^{1/2}\,\delta(g)\,dx`, J the derivative of g, and
:math:`p(x)\,dx` is the reduced form's posterior times Haar measure.  Column by column, uniform in
the null space of its zeros, draws follow :math:`\delta(g)` times the density that
``attribution.core.rotations.restricted`` returns.  The weight is therefore

.. math:: w = |JJ'|^{1/2} \Big/ \prod_k |R_k N_{k-1} N_{k-1}' R_k'|^{1/2}

which for one zero on the impact of one shock is the length of that shock's impact vector.  Volume
in :math:`(A_0, A_+)` has the units of the data, and so has the weight.

Derivatives are analytic.  With :math:`L_0 = (A_0^{-1})'`, :math:`B = A_+ A_0^{-1}` and
:math:`g = e_v' \Psi_h L_0 e_k`,

.. math::
    dL_0 = -L_0\, dA_0'\, L_0, \quad dB = (dA_+ - B\, dA_0) L_0', \quad
    d\Psi_h = \sum_{a + l + b = h} \Psi_a\, dA_l\, \Psi_b
"""

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


def log_volume(impact: np.ndarray, lag_coefficients: np.ndarray, zeros: np.ndarray) -> np.ndarray:
    r"""Return :math:`\log |JJ'|^{1/2}` of every draw.

    Parameters
    ----------
    impact : (draw, variable, shock), L0.
    lag_coefficients : (draw, lag, variable, regressor); no lag at all will do where every zero is
        on impact.
    zeros : (zero, 3) int; variable, shock, and horizon, −1 for the sum over all horizons.

    Returns
    -------
    (draw,).

    References
    ----------
    arias2018, Theorem 3 and Proposition 4; federer1969, 3.2.12
    """
    out = np.empty(len(impact))
    _log_volume(impact, lag_coefficients, zeros, out)
    return out


@njit(cache=True, nogil=True)
def _log_volume(impact, lag_coefficients, zeros, out):  # type: ignore[no-untyped-def]
    draws, n, _ = impact.shape
    lags = lag_coefficients.shape[1]
    horizons = max(0, zeros[:, 2].max())
    psi = np.zeros((horizons + 1, n, n))
    slopes = np.empty((max(lags, 1), n, n))
    whole = np.eye(n)
    jacobian = np.empty((len(zeros), (1 + lags) * n * n))
    for d in range(draws):
        _multipliers(lag_coefficients[d], psi)
        if zeros[:, 2].min() < 0:
            whole[:] = np.linalg.inv(np.eye(n) - lag_coefficients[d].sum(0))
        for z in range(len(zeros)):
            variable, shock, horizon = zeros[z]
            if horizon < 0:
                row, column = whole[variable].copy(), np.dot(whole, impact[d, :, shock].copy())
                for lag in range(lags):
                    slopes[lag] = np.outer(row, column)
            else:
                row = psi[horizon, variable].copy()
                _slopes(psi, impact[d, :, shock].copy(), variable, horizon, lags, slopes)
            _derivative(row, slopes, impact[d], lag_coefficients[d], shock, jacobian[z])
        out[d] = _log_size(jacobian)


@njit(cache=True, nogil=True)
def _multipliers(lag_coefficients, psi):  # type: ignore[no-untyped-def]
    psi[0] = np.eye(psi.shape[1])
    for h in range(1, len(psi)):
        psi[h] = 0.0
        for lag in range(1, min(len(lag_coefficients), h) + 1):
            psi[h] += np.dot(lag_coefficients[lag - 1], psi[h - lag])


@njit(cache=True, nogil=True)
def _slopes(psi, struck, variable, horizon, lags, out):  # type: ignore[no-untyped-def]
    r"""Write :math:`\partial g / \partial A_l = \sum_a (\Psi_a' e_v)(\Psi_{h-l-a} L_0 e_k)'`."""
    for lag in range(1, lags + 1):
        out[lag - 1] = 0.0
        for a in range(horizon - lag + 1):
            later = np.dot(psi[horizon - lag - a], struck)
            out[lag - 1] += np.outer(psi[a, variable], later)


@njit(cache=True, nogil=True)
def _derivative(row, slopes, impact, lag_coefficients, shock, out):  # type: ignore[no-untyped-def]
    """Write the derivative of one zero with respect to A0 and the lags of A+, end to end."""
    n = len(impact)
    direct = np.outer(impact[:, shock].copy(), np.dot(row, impact))
    for lag in range(len(lag_coefficients)):
        block = np.dot(slopes[lag].T.copy(), impact)
        out[(1 + lag) * n * n : (2 + lag) * n * n] = block.ravel()
        direct += np.dot(lag_coefficients[lag], block)
    out[: n * n] = -direct.ravel()


@njit(cache=True, nogil=True)
def _log_size(rows):  # type: ignore[no-untyped-def]
    """Log volume of the parallelepiped that rows span: what each adds to those before it."""
    total = 0.0
    for z in range(len(rows)):
        for _ in range(2):
            for b in range(z):
                rows[z] -= (rows[z] * rows[b]).sum() * rows[b]
        left = math.sqrt((rows[z] ** 2).sum())
        total += math.log(left) if left > 0.0 else -np.inf
        rows[z] /= left
    return total
