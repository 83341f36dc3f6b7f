r"""Sums of squares and hyperparameters in; marginal likelihood and draws of a hierarchical VAR out.

Compiled, and free of the sample's length: the data enter as moments of
:math:`a_t = [x_t, y_t - B_0' x_t]`, :math:`B_0` the prior mean, so that with P the posterior
precision and S the posterior scale one Cholesky factor

.. math::
    \begin{bmatrix} P & \cdot \\ \cdot & S_0 + E'E \end{bmatrix} =
    \begin{bmatrix} L & 0 \\ W' & C \end{bmatrix} \begin{bmatrix} L' & W \\ 0 & C' \end{bmatrix},
    \qquad P = LL', \quad S = CC', \quad \bar B - B_0 = L^{-\prime} W

holds all there is to know.  A day with a scale s of its own enters divided by s.

Hyperparameters stand in one vector, each on the whole line:
:math:`\log\lambda, \log\mu, \log\delta, \log\psi_1 \ldots \log\psi_n`, then for each scaled day
:math:`\Phi^{-1}(1 - 1/s)`, standard normal before the data, and at the end, where the decay of
lags is inferred, :math:`\log\rho`.  An infinite entry leaves the dummy observations of μ or δ out.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

ADD_FASTER = {"reassoc", "contract", "nsz"}
LOG_PI, LOG_TWO_PI = math.log(math.pi), math.log(2.0 * math.pi)


class Problem(NamedTuple):
    """What stays while hyperparameters move; k regressors, n variables.

    ``moments`` (k + n, k + n) sums :math:`a_t a_t'` over the days without a scale of their own,
    ``scaled`` (day, k + n) holds the others; ``days`` counts both.  ``level`` is the mean of the
    first rows, ``own`` the prior mean of the first own lag, ``shapes`` and ``rates`` those of the
    hyperpriors (gamma of λ, μ, δ; inverse gamma of ψ; gamma of ρ); ``free`` marks what is inferred.
    ``decay`` is ρ, NaN where it is inferred.
    """

    moments: np.ndarray
    scaled: np.ndarray
    level: np.ndarray
    own: np.ndarray
    shapes: np.ndarray
    rates: np.ndarray
    free: np.ndarray
    days: int
    lags: int
    constant: int
    decay: float
    intercept_scale: float


@njit(cache=True, nogil=True, fastmath=ADD_FASTER)
def _factorise(a):  # type: ignore[no-untyped-def]
    """Cholesky in place, lower; False where a pivot is not positive."""
    for i in range(a.shape[0]):
        for j in range(i + 1):
            total = a[i, j]
            for m in range(j):
                total -= a[i, m] * a[j, m]
            if i > j:
                a[i, j] = total / a[j, j]
            elif total > 0.0:
                a[i, i] = math.sqrt(total)
            else:
                return False
    return True


@njit(cache=True, nogil=True)
def _add_row(a, row, weight):  # type: ignore[no-untyped-def]
    for i in range(len(row)):
        scaled = weight * row[i]
        if scaled != 0.0:
            for j in range(i + 1):
                a[i, j] += scaled * row[j]


@njit(cache=True, nogil=True)
def _fill_prior(a, x, p):  # type: ignore[no-untyped-def]
    """Prior moments and those of the dummy observations; returns how many there are."""
    n, k, first = len(p.own), a.shape[0] - len(p.own), p.constant
    a[:] = 0.0
    if first:
        a[0, 0] = p.intercept_scale**-2.0
    decay = math.exp(x[-1]) if math.isnan(p.decay) else p.decay
    for lag in range(p.lags):
        tight = 2.0 * decay * math.log(lag + 1.0) - 2.0 * x[0]
        for j in range(n):
            at = first + lag * n + j
            a[at, at] = math.exp(tight + x[3 + j])
    for j in range(n):
        a[k + j, k + j] = math.exp(x[3 + j])
    rows, row = 0, np.zeros(k + n)
    if x[1] < math.inf:
        for j in range(n):
            row[:] = 0.0
            for lag in range(p.lags):
                row[first + lag * n + j] = p.level[j]
            row[k + j] = p.level[j] * (1.0 - p.own[j])
            _add_row(a, row, math.exp(-2.0 * x[1]))
        rows += n
    if x[2] < math.inf:
        row[:] = 0.0
        row[0] = 1.0  # where there is no constant, the next line writes over it
        for lag in range(p.lags):
            row[first + lag * n : first + (lag + 1) * n] = p.level
        row[k:] = p.level * (1.0 - p.own)
        _add_row(a, row, math.exp(-2.0 * x[2]))
        rows += 1
    return rows


@njit(cache=True, nogil=True)
def shrunk(x):  # type: ignore[no-untyped-def]
    """1 / s from the coordinate of a scaled day."""
    return 0.5 * math.erfc(x / math.sqrt(2.0))


@njit(cache=True, nogil=True)
def _add_data(a, x, p):  # type: ignore[no-untyped-def]
    a += p.moments
    for d in range(len(p.scaled)):
        _add_row(a, p.scaled[d], shrunk(x[3 + len(p.own) + d]) ** 2.0)


@njit(cache=True, nogil=True)
def _log_det(a, start, end):  # type: ignore[no-untyped-def]
    total = 0.0
    for i in range(start, end):
        total += math.log(a[i, i])
    return 2.0 * total


@njit(cache=True, nogil=True)
def _log_likelihood(x, p, a):  # type: ignore[no-untyped-def]
    """Log marginal likelihood, that of the dummy observations taken off; -inf if singular."""
    n, m = len(p.own), a.shape[0]
    before = n + 2.0 + _fill_prior(a, x, p)
    kept = a.copy()
    if not _factorise(a):
        return -math.inf
    value = 0.5 * n * _log_det(a, 0, m - n) + 0.5 * before * _log_det(a, m - n, m)
    a[:] = kept
    _add_data(a, x, p)
    if not _factorise(a):
        return -math.inf
    after = before + p.days
    value -= 0.5 * n * _log_det(a, 0, m - n) + 0.5 * after * _log_det(a, m - n, m)
    for i in range(n):
        value += math.lgamma(0.5 * (after - i)) - math.lgamma(0.5 * (before - i))
    for d in range(len(p.scaled)):
        value += n * math.log(shrunk(x[3 + n + d]))
    return value - 0.5 * n * p.days * LOG_PI


@njit(cache=True, nogil=True)
def _log_prior(x, p):  # type: ignore[no-untyped-def]
    """Log hyperprior of what is free, in the coordinates of the vector."""
    value, last = 0.0, 3 + len(p.own)
    for i in range(last + 1):
        shape, rate, at = p.shapes[i], p.rates[i], i if i < last else len(x) - 1
        if p.free[i] if i < last else math.isnan(p.decay):
            side = -1.0 if 3 <= i < last else 1.0  # the inverse has a gamma law, or it has one
            value += shape * math.log(rate) - math.lgamma(shape)
            value += side * shape * x[at] - rate * math.exp(side * x[at])
    for i in range(last, last + len(p.scaled)):  # 1 / s is uniform
        value -= 0.5 * (x[i] * x[i] + LOG_TWO_PI)
    return value


@njit(cache=True, nogil=True)
def log_densities(points, p):  # type: ignore[no-untyped-def]
    """Return log marginal likelihood and log hyperprior of every point (point, hyperparameter)."""
    out = np.empty((2, len(points)))
    a = np.empty_like(p.moments)
    for s in range(len(points)):
        out[0, s] = _log_likelihood(points[s], p, a)
        out[1, s] = _log_prior(points[s], p)
    return out


@njit(cache=True, nogil=True)
def scale_roots(points, p):  # type: ignore[no-untyped-def]
    """Return C, the factor of the posterior scale of Σ, of every point."""
    n, m = len(p.own), p.moments.shape[0]
    out = np.zeros((len(points), n, n))
    a = np.empty_like(p.moments)
    for s in range(len(points)):
        _fill_prior(a, points[s], p)
        _add_data(a, points[s], p)
        _factorise(a)
        for i in range(n):
            for j in range(i + 1):
                out[s, i, j] = a[m - n + i, m - n + j]
    return out


@njit(cache=True, nogil=True)
def draw_coefficients(points, root, p, rng):  # type: ignore[no-untyped-def]
    r"""Draw :math:`B = B_0 + L^{-\prime}(W + Z H')` at every point; ``root`` is H, of any Σ."""
    n, m = len(p.own), p.moments.shape[0]
    k = m - n
    out = np.zeros((len(points), k, n))
    a = np.empty_like(p.moments)
    noise = np.empty(n)
    for s in range(len(points)):
        _fill_prior(a, points[s], p)
        _add_data(a, points[s], p)
        _factorise(a)
        for r in range(k - 1, -1, -1):
            for j in range(n):
                noise[j] = rng.standard_normal()
            for i in range(n):
                total = a[k + i, r]
                for j in range(n):
                    total += root[s, i, j] * noise[j]
                for q in range(r + 1, k):
                    total -= a[q, r] * out[s, q, i]
                out[s, r, i] = total / a[r, r]
        for j in range(n):
            out[s, p.constant + j, j] += p.own[j]
    return out
