r"""Cones of impact columns and a conjugate posterior in; draws of the impact matrix out.

The restrictions-alone posterior, :math:`\Sigma \sim IW(S, \nu)`, Q uniform on O(n), the two
accepted *jointly* if every named column of :math:`H = \mathrm{chol}(\Sigma) Q` lies in its cone
:math:`R_k h \ge 0`, has in terms of :math:`A = H^{-1}` the density

.. math:: p(A) \propto |\det A|^{\nu-n} \exp(-\tfrac12 \mathrm{tr}\, A S A')\, 1\{R_k h_k \ge 0\}

(Waggoner and Zha 2003; the Jacobian is that of the polar decomposition).  Where cones are narrow,
drawing and rejecting is hopeless, but along each of these lines the conditional is elementary:

* turn two columns, :math:`(h_i, h_j) \to (c h_i + s h_j, -s h_i + c h_j)`: Σ stays, and the
  feasible angles are one arc around zero, on which the density is flat;
* shear, :math:`h_i \to h_i + t h_j`: the determinant stays, the feasible t are an interval, and
  the density is a normal kernel in t;
* stretch, :math:`h_i \to h_i / u`: cones do not notice, and :math:`u^2 a_i S a_i'` is
  chi-squared with ν degrees of freedom.

Together they move through all :math:`n^2` dimensions; nothing is ever rejected or retried.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

TWO_PI = 2.0 * math.pi
TINY, HUGE = 1e-290, 1e290
TURNS = 4
"""Sweeps of turns for each of shears and stretches: Σ mixes at once, the rotation does not."""
REFRESH = 64
"""Sweeps after which carried products are computed afresh; rounding stays near 1e-14."""


def sample(
    start: np.ndarray,
    scale: np.ndarray,
    dof: float,
    rows: np.ndarray,
    ends: np.ndarray,
    *,
    draws: int,
    burn_in: int,
    thin: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Run one chain of sweeps over all turns, shears and stretches.

    Parameters
    ----------
    start : (variable, shock); named columns first, each inside its cone, invertible.
    scale, dof : S (variable, variable) and ν of the inverse-Wishart posterior of Σ.
    rows : (row, variable); the cones of all named columns, stacked.
    ends : (channel,) int; where each channel's rows end.
    draws, burn_in, thin : kept states; sweeps before the first; sweeps between two.

    Returns
    -------
    (draw, variable, shock); unit of the variable.

    References
    ----------
    waggoner2003; neal2003
    """
    bounds = np.concatenate([[0], ends]).astype(np.int64)
    states = _chain(
        np.ascontiguousarray(start.T),
        np.linalg.cholesky(scale),
        float(dof),
        np.ascontiguousarray(rows.T),
        bounds,
        draws,
        burn_in,
        thin,
        rng,
    )
    return np.ascontiguousarray(states.swapaxes(1, 2))


@njit(cache=True, nogil=True, fastmath={"nnan", "nsz"})
def _steepest(w, bounds, i, j, up, down):  # type: ignore[no-untyped-def]
    """Largest -b/a and b/a over the rows of column i: a its values, b those of column j."""
    if i + 1 < bounds.shape[0]:
        for r in range(bounds[i], bounds[i + 1]):
            ratio = w[j, r] / max(w[i, r], TINY)
            up = max(up, -ratio)
            down = max(down, ratio)
    return up, down


@njit(cache=True, nogil=True, error_model="numpy")
def _mirrored(w, bounds, i, j):  # type: ignore[no-untyped-def]
    """Feasible arc of (h_i, h_j) -> (c h_i + s h_j, s h_i - c h_j), the other orientation."""
    if bounds.shape[0] <= w.shape[0]:
        return 0.0, 0.0  # an unnamed column can take either sign: both orientations are reached
    center = math.atan2(w[j, bounds[i]], w[i, bounds[i]])
    low, high = center - 0.5 * math.pi, center + 0.5 * math.pi
    for k, other, side in ((j, i, -1.0), (i, j, 1.0)):
        for r in range(bounds[k], bounds[k + 1]):
            center = math.atan2(w[other, r], side * w[k, r])
            center -= TWO_PI * math.floor((center - 0.5 * (low + high)) / TWO_PI + 0.5)
            low, high = max(low, center - 0.5 * math.pi), min(high, center + 0.5 * math.pi)
            if low >= high:
                return 0.0, 0.0
    return low, high


@njit(cache=True, nogil=True, error_model="numpy")
def _turn(w, b, bounds, i, j, rng):  # type: ignore[no-untyped-def]
    """Turn, or turn and mirror, columns i and j: uniform on what is feasible of O(2)."""
    up, down = _steepest(w, bounds, i, j, -HUGE, -HUGE)
    down, up = _steepest(w, bounds, j, i, down, up)  # from j, the same turn runs backwards
    low, high = -math.atan2(1.0, down), math.atan2(1.0, up)
    start, end = _mirrored(w, bounds, i, j)
    angle, side = low + rng.random() * (high - low + (end - start)), 1.0
    if angle > high:
        side, angle = -1.0, start + (angle - high)
    c, s = math.cos(angle), math.sin(angle)
    for r in range(w.shape[1]):
        x, y = w[i, r], w[j, r]
        w[i, r], w[j, r] = c * x + s * y, side * (c * y - s * x)
    for v in range(b.shape[1]):
        x, y = b[i, v], b[j, v]
        b[i, v], b[j, v] = c * x + s * y, side * (c * y - s * x)


@njit(cache=True, nogil=True, error_model="numpy")
def _product(b, i, j):  # type: ignore[no-untyped-def]
    """Return a_i S a_j'."""
    total = 0.0
    for v in range(b.shape[1]):
        total += b[i, v] * b[j, v]
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def _shear(w, b, bounds, i, j, rng):  # type: ignore[no-untyped-def]
    """Add t times column j to column i, by a slice under the normal kernel of t."""
    up, down = _steepest(w, bounds, i, j, 0.0, 0.0)
    square = _product(b, i, i)
    mean = _product(b, i, j) / square
    reach = math.sqrt(mean * mean - 2.0 * math.log(1.0 - rng.random()) / square)
    low, high = mean - reach, mean + reach
    if up > 0.0:
        high = min(high, 1.0 / up)
    if down > 0.0:
        low = max(low, -1.0 / down)
    t = low + (high - low) * rng.random()
    for r in range(w.shape[1]):
        w[i, r] += t * w[j, r]
    for v in range(b.shape[1]):
        b[j, v] -= t * b[i, v]


@njit(cache=True, nogil=True, error_model="numpy")
def _stretch(w, b, bounds, i, dof, rng):  # type: ignore[no-untyped-def]
    """Draw the length of row i of the inverse, and the sign of an unnamed column."""
    u = math.sqrt(2.0 * rng.standard_gamma(0.5 * dof) / _product(b, i, i))
    if i + 1 >= bounds.shape[0] and rng.random() < 0.5:
        u = -u
    for r in range(w.shape[1]):
        w[i, r] /= u
    for v in range(b.shape[1]):
        b[i, v] *= u


@njit(cache=True, nogil=True, error_model="numpy")
def _inverse_of_columns(w, m):  # type: ignore[no-untyped-def]
    """Return [1, A'] by Gauss and Jordan; a call to LAPACK would compile for seconds."""
    n = w.shape[0]
    work = np.zeros((n, 2 * n))
    for i in range(n):
        work[i, n + i] = 1.0
        for j in range(n):
            work[i, j] = w[i, m + j]
    for i in range(n):
        best = i
        for k in range(i + 1, n):
            if abs(work[k, i]) > abs(work[best, i]):
                best = k
        pivot = work[best, i]
        for j in range(2 * n):
            above = work[i, j]
            work[i, j] = work[best, j] / pivot
            if best != i:
                work[best, j] = above
        for k in range(n):
            ratio = work[k, i]
            if k != i:
                for j in range(2 * n):
                    work[k, j] -= ratio * work[i, j]
    return work


@njit(cache=True, nogil=True, error_model="numpy")
def _refresh(w, b, root, rows):  # type: ignore[no-untyped-def]
    """Compute the carried products afresh from the columns that stand at the end of ``w``."""
    n, m = b.shape[0], rows.shape[1]
    a = _inverse_of_columns(w, m)
    for i in range(n):
        for r in range(m):
            w[i, r] = 0.0
            for v in range(n):
                w[i, r] += w[i, m + v] * rows[v, r]
        for j in range(n):
            b[i, j] = 0.0
            for v in range(n):
                b[i, j] += a[v, n + i] * root[v, j]


@njit(cache=True, nogil=True, error_model="numpy")
def _sweep(w, b, bounds, dof, full, rng):  # type: ignore[no-untyped-def]
    """Turn every pair of columns once; shear and stretch them too if the sweep is a full one."""
    for i in range(b.shape[0]):
        for j in range(i):
            _turn(w, b, bounds, i, j, rng)
            if full:
                _shear(w, b, bounds, i, j, rng)
                _shear(w, b, bounds, j, i, rng)
        if full:
            _stretch(w, b, bounds, i, dof, rng)


@njit(cache=True, nogil=True, error_model="numpy")
def _chain(h, root, dof, rows, bounds, draws, burn_in, thin, rng):  # type: ignore[no-untyped-def]
    """Kept states (draw, shock, variable).

    Row k of ``w`` holds the values of all cone rows on column k, then the column itself; row k
    of ``b`` is row k of A, times a square root of S.  Both are carried through the moves: the
    products of ``b``, carried themselves, would lose all digits next to a singular matrix.
    """
    n, m = h.shape[0], rows.shape[1]
    kept = np.empty((draws, n, n))
    w, b = np.empty((n, m + n)), np.empty((n, n))
    for i in range(n):
        for v in range(n):
            w[i, m + v] = h[i, v]
    for sweep in range(burn_in + (draws - 1) * thin):
        if sweep % REFRESH == 0:
            _refresh(w, b, root, rows)
        _sweep(w, b, bounds, dof, sweep % TURNS == 0, rng)
        done = sweep + 1 - burn_in
        if done >= 0 and done % thin == 0:
            for i in range(n):
                for v in range(n):
                    kept[done // thin, i, v] = w[i, m + v]
    return kept
