r"""Residual covariances of variance regimes in; likelihood of impacts with zeros, curvature, out.

.. math:: \ell(B, \Lambda) = -\tfrac12 \sum_r T_r \left( n \log 2\pi + 2 \log|\det B|
    + \sum_k \log \lambda_{rk} + \mathrm{tr}\,\Lambda_r^{-1} A_0 S_r A_0' \right),
    \qquad A_0 = B^{-1},\ \Lambda_1 = I
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from attribution.core.laws.variance_shift import residual_covariances, weighted_coefficients
from attribution.errors import DiagnosticsError

ROUNDS, CLOSE = 500, 1e-10
STEP = 1e-5


@dataclass(frozen=True)
class Restricted:
    """Maximum likelihood with exact zeros in the impact matrix.

    Attributes
    ----------
    coefficients : (regressor, variable).
    impact : (variable, shock).
    variance : (regime, shock); one in the first regime.
    log_likelihood : at the maximum.
    """

    coefficients: np.ndarray
    impact: np.ndarray
    variance: np.ndarray
    log_likelihood: float


def log_likelihood(
    impact: np.ndarray, variance: np.ndarray, covariance: np.ndarray, days: np.ndarray
) -> tuple[float, np.ndarray, np.ndarray]:
    """Return the likelihood and its gradients with respect to impact and to log variance.

    Parameters
    ----------
    variance : (regime, shock).
    covariance : (regime, variable, variable) S, about zero.
    days : (regime,).
    """
    rows, n = np.linalg.inv(impact), len(impact)
    spread = rows @ covariance @ rows.T
    square = np.diagonal(spread, axis1=1, axis2=2) / variance
    value = -0.5 * float(
        days @ (n * math.log(2 * math.pi) + np.log(variance).sum(1) + square.sum(1))
    ) - days.sum() * float(np.linalg.slogdet(impact)[1])
    pulled = (days[:, None, None] * spread / variance[:, :, None]).sum(0)
    return value, rows.T @ (pulled - days.sum() * np.eye(n)), 0.5 * days[:, None] * (square - 1.0)


def maximise_restricted(
    moment: np.ndarray, days: np.ndarray, free: np.ndarray, impact: np.ndarray
) -> Restricted:
    """Maximise over coefficients, variances and the free entries of the impact matrix.

    Parameters
    ----------
    moment : (regime, regressor + variable, same), of one data set in units of order one.
    free : (variable, shock) bool; the other entries are zero.
    impact : (variable, shock); where the search starts.

    Raises
    ------
    DiagnosticsError
        If the rounds do not end.

    References
    ----------
    lanne2008
    """
    n, regimes = len(free), len(days)
    coefficients = np.zeros((moment.shape[-1] - n, n))
    point = np.concatenate([impact[free], np.zeros((regimes - 1) * n)])
    count = int(free.sum())

    def unpack(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        whole = np.zeros((n, n))
        whole[free] = x[:count]
        return whole, np.vstack([np.ones(n), np.exp(x[count:]).reshape(-1, n)])

    def negative(x: np.ndarray, covariance: np.ndarray) -> tuple[float, np.ndarray]:
        value, slope, tilt = log_likelihood(*unpack(x), covariance, days)
        return -value, -np.concatenate([slope[free], tilt[1:].ravel()])

    for _ in range(ROUNDS):
        covariance = residual_covariances(moment, days, coefficients)
        found = minimize(negative, point, (covariance,), "BFGS", jac=True, options={"gtol": 1e-7})
        point = found.x
        whole, variance = unpack(point)
        new = weighted_coefficients(moment, np.linalg.inv(whole), variance)
        step, coefficients = float(np.abs(new - coefficients).max()), new
        if step < CLOSE:
            return Restricted(coefficients, whole, variance, -float(found.fun))
    raise DiagnosticsError(
        f"the restricted likelihood still moves after {ROUNDS} rounds; free some of the zeros"
    )


def curvature(
    impact: np.ndarray,
    variance: np.ndarray,
    covariance: np.ndarray,
    days: np.ndarray,
    free: np.ndarray,
) -> np.ndarray:
    """Inverse of the observed information of (free impacts, variances after the first regime).

    Coefficients are orthogonal to both in large samples and are left out.

    Returns
    -------
    (parameter, parameter); impacts in row order, then regime by regime.
    """
    n, count = len(impact), int(free.sum())

    def slope(x: np.ndarray) -> np.ndarray:
        whole, later = np.zeros((n, n)), x[count:].reshape(-1, n)
        whole[free] = x[:count]
        every = np.vstack([np.ones(n), later])
        _, first, second = log_likelihood(whole, every, covariance, days)
        return np.concatenate([first[free], (second[1:] / later).ravel()])

    at = np.concatenate([impact[free], variance[1:].ravel()])
    hessian = np.empty((len(at), len(at)))
    for i in range(len(at)):
        step = np.zeros(len(at))
        step[i] = STEP * max(abs(at[i]), 1e-2)
        hessian[i] = (slope(at + step) - slope(at - step)) / (2.0 * step[i])
    inverse: np.ndarray = np.linalg.inv(-0.5 * (hessian + hessian.T))
    return inverse
