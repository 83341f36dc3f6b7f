r"""Moments of a VAR's data in each variance regime in; its Gaussian likelihood maximised out.

.. math:: u_t = B \varepsilon_t, \qquad \Sigma_1 = BB', \qquad \Sigma_r = B \Lambda_r B'

Given :math:`A_0 = B^{-1}` and the variances, generalised least squares splits into one weighted
least squares a shock, :math:`a_{+k} = (\sum_r X_r'X_r / \lambda_{rk})^{-1} \sum_r X_r'Y_r a_k /
\lambda_{rk}`; given the coefficients, :math:`A_0` diagonalises the residual covariances of all
regimes jointly.  The two alternate.  Only moments enter: a replicate costs microseconds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numba import njit

MOST, CLOSE = 2000, 1e-10
"""Rounds, and the step of a coefficient, in units of its spread, at which they end."""
SWEEPS = 200
FLAT = 1e-14


@dataclass(frozen=True)
class Shifted:
    """Maximum likelihood estimates, with a leading axis of data sets.

    Attributes
    ----------
    coefficients : (set, regressor, variable).
    rows : (set, shock, variable), A0; the order and signs of its rows mean nothing.
    variance : (set, regime, shock); one in the first regime.
    rounds : (set,) int; zero where they did not end.
    """

    coefficients: np.ndarray
    rows: np.ndarray
    variance: np.ndarray
    rounds: np.ndarray


def moments(
    response: np.ndarray, regressors: np.ndarray, spell: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Second moments (..., regime, regressor + variable, same) and days (regime,) of each regime.

    Parameters
    ----------
    response, regressors : (..., time, variable) and (..., time, regressor).
    spell : (time,) int; regime of each day, from zero.
    """
    z = np.concatenate([regressors, response], axis=-1)
    parts = [z[..., spell == r, :] for r in range(int(spell.max()) + 1)]
    found = np.stack([part.swapaxes(-1, -2) @ part for part in parts], axis=-3)
    return found, np.bincount(spell)


def maximise(moment: np.ndarray, days: np.ndarray, *, variables: int) -> Shifted:
    """Maximise the likelihood of every data set (set, regime, ...), in units of order one.

    References
    ----------
    rigobon2003; lanne2008; pham2001, for more than two regimes
    """
    (sets, regimes, width), n = moment.shape[:3], variables
    found = Shifted(
        np.zeros((sets, width - n, n)),
        np.empty((sets, n, n)),
        np.empty((sets, regimes, n)),
        np.zeros(sets, np.int64),
    )
    _maximise(
        np.ascontiguousarray(moment),
        days.astype(float),
        found.coefficients,
        found.rows,
        found.variance,
        found.rounds,
    )
    return found


def log_likelihood(rows: np.ndarray, variance: np.ndarray, days: np.ndarray) -> np.ndarray:
    """Gaussian log-likelihood (set,) at estimates, where every fitted variance is the sample's."""
    total, n = days.sum(), rows.shape[-1]
    volume = np.linalg.slogdet(rows)[1]
    spread = (np.log(variance) * days[:, None]).sum((-1, -2))
    value: np.ndarray = total * (volume - 0.5 * n * (1.0 + math.log(2 * math.pi))) - 0.5 * spread
    return value


def residual_covariances(
    moment: np.ndarray, days: np.ndarray, coefficients: np.ndarray
) -> np.ndarray:
    """Residual covariances (regime, variable, variable) of one data set at given coefficients."""
    take = np.vstack([-coefficients, np.eye(coefficients.shape[1])])
    found: np.ndarray = take.T @ moment @ take / days[:, None, None]
    return found


def weighted_coefficients(moment: np.ndarray, rows: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Generalised least squares (regressor, variable) of one data set, given rows and variances."""
    m = moment.shape[-1] - len(rows)
    whole = np.empty((m, len(rows)))
    for k, row in enumerate(rows):
        pooled = (moment / variance[:, k, None, None]).sum(0)
        whole[:, k] = np.linalg.solve(pooled[:m, :m], pooled[:m, m:] @ row)
    return np.linalg.solve(rows, whole.T).T


@njit(cache=True, nogil=True)
def _maximise(moment, days, coefficients, rows, variance, rounds):  # type: ignore[no-untyped-def]
    sets, regimes, width = moment.shape[:3]
    n = rows.shape[1]
    m = width - n
    take = np.zeros((width, n))
    take[m:] = np.eye(n)
    for d in range(sets):
        covariance = np.empty((regimes, n, n))
        a = np.empty((n, n))
        for attempt in range(MOST):
            take[:m] = -coefficients[d]
            for r in range(regimes):
                covariance[r] = np.dot(take.T, np.dot(moment[d, r], take)) / days[r]
            if attempt == 0 or regimes == 2:
                a = _generalised(covariance, days)
            if regimes > 2:
                _diagonalise(covariance, days / days.sum(), a)
            whole = np.empty((m, n))
            for k in range(n):
                a[k] /= math.sqrt(np.dot(a[k], np.dot(covariance[0], a[k])))
                pooled = np.zeros((width, width))
                for r in range(regimes):
                    variance[d, r, k] = np.dot(a[k], np.dot(covariance[r], a[k]))
                    pooled += moment[d, r] / variance[d, r, k]
                right = np.dot(np.ascontiguousarray(pooled[:m, m:]), a[k])
                whole[:, k] = np.linalg.solve(np.ascontiguousarray(pooled[:m, :m]), right)
            new = np.linalg.solve(a, np.ascontiguousarray(whole.T)).T
            step = np.max(np.abs(new - coefficients[d])) if m > 0 else 0.0
            coefficients[d] = new
            if step < CLOSE:
                rounds[d] = attempt + 1
                break
        rows[d] = a


@njit(cache=True, nogil=True)
def _generalised(covariance, days):  # type: ignore[no-untyped-def]
    """Rows that diagonalise the first covariance and the mean of the others."""
    rest = np.zeros_like(covariance[0])
    for r in range(1, covariance.shape[0]):
        rest += covariance[r] * days[r] / days[1:].sum()
    lower = np.linalg.cholesky(covariance[0])
    inner = np.linalg.solve(lower, np.ascontiguousarray(np.linalg.solve(lower, rest).T))
    _, vectors = np.linalg.eigh(0.5 * (inner + inner.T))
    return np.ascontiguousarray(np.linalg.solve(np.ascontiguousarray(lower.T), vectors).T)


@njit(cache=True, nogil=True)
def _diagonalise(covariance, share, a):  # type: ignore[no-untyped-def]
    """Minimise the weighted sum of log diagonals minus twice log|det a|, pair by pair (Pham)."""
    regimes, n = covariance.shape[:2]
    c = np.empty_like(covariance)
    for r in range(regimes):
        c[r] = np.dot(a, np.dot(covariance[r], a.T))
    for _ in range(SWEEPS):
        moved = 0.0
        for i in range(n):
            for j in range(i + 1, n):
                gij, gji, wij, wji = 0.0, 0.0, 0.0, 0.0
                for r in range(regimes):
                    gij += share[r] * c[r, i, j] / c[r, i, i]
                    gji += share[r] * c[r, i, j] / c[r, j, j]
                    wij += share[r] * c[r, j, j] / c[r, i, i]
                    wji += share[r] * c[r, i, i] / c[r, j, j]
                curved = wij * wji - 1.0
                if curved < FLAT:
                    continue  # proportional variances: the pair is not identified
                hij, hji = (wji * gij - gji) / curved, (wij * gji - gij) / curved
                size = 2.0 / (1.0 + math.sqrt(max(1.0 - 4.0 * hij * hji, 0.0)))
                hij, hji = size * hij, size * hji
                moved = max(moved, abs(hij * gij), abs(hji * gji))
                _mix(a, i, j, hij, hji)
                for r in range(regimes):
                    _mix(c[r], i, j, hij, hji)
                    _mix(c[r].T, i, j, hij, hji)
        if moved < FLAT:
            return


@njit(cache=True, nogil=True)
def _mix(matrix, i, j, hij, hji):  # type: ignore[no-untyped-def]
    for column in range(matrix.shape[1]):
        one, two = matrix[i, column], matrix[j, column]
        matrix[i, column] = one - hij * two
        matrix[j, column] = two - hji * one
