r"""Structural draws that obey exact zeros in; what their density is to be multiplied by, out.

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
