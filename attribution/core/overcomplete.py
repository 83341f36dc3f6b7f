r"""Log-likelihood of a structural VAR with more shocks than variables, and its exact gradient.

.. math::
    u_t = H e_t, \qquad e_t \mid \lambda_t \sim N(0, \lambda_t s_t^2 V_{g(t)}), \qquad
    \lambda_t \sim \text{inverse gamma}, \quad E\lambda_t = 1

so that the observed part of :math:`u_t` is multivariate Student-t with scale built from
:math:`s_t^2 H V_g H'`.  Days that share variances and missing cells form a *group*: one Cholesky
factor serves all of them, and a missing cell is left out exactly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from scipy.special import digamma, gammaln


@dataclass(frozen=True)
class Groups:
    """Days that share shock variances and missing cells.

    Attributes
    ----------
    of_day : (time,) int; the group of each day.
    observed : (group, variable) bool.
    exposure : (group, shock); what moves the log variance of each shock.
    share : (group,); fraction of the days in each group, which sums to one.
    """

    of_day: np.ndarray
    observed: np.ndarray
    exposure: np.ndarray
    share: np.ndarray

    @classmethod
    def from_days(cls, observed: np.ndarray, exposure: np.ndarray) -> Groups:
        """Group days by their missing cells (time, variable) and exposures (time, shock)."""
        key = np.concatenate([observed.astype(float), exposure], axis=1)
        unique, of_day = np.unique(key, axis=0, return_inverse=True)
        n = observed.shape[1]
        of_day = of_day.reshape(-1)
        count = np.bincount(of_day, minlength=len(unique))
        return cls(of_day, unique[:, :n] > 0, unique[:, n:], count / count.sum())


def shock_variance(slope: np.ndarray, exposure: np.ndarray, share: np.ndarray) -> np.ndarray:
    r"""Variances :math:`v_{gk} \propto \exp(\gamma_k x_{gk})` that average one over the days.

    Parameters
    ----------
    slope : (..., shock).
    exposure : (group, shock).
    share : (group,).

    Returns
    -------
    (..., group, shock).
    """
    tilt = slope[..., None, :] * exposure
    level = np.exp(tilt - tilt.max(-2, keepdims=True))
    return level / (share[:, None] * level).sum(-2, keepdims=True)


def log_likelihood(
    errors: np.ndarray,
    impact: np.ndarray,
    variance: np.ndarray,
    log_scale: np.ndarray,
    dof: float,
    groups: Groups,
) -> tuple[float, np.ndarray, np.ndarray, np.ndarray, np.ndarray, float]:
    """Return the log-likelihood and its gradient.

    Parameters
    ----------
    errors : (time, variable), u; unit of the variable; anything where not observed.
    impact : (variable, shock), H.
    variance : (group, shock), V.
    log_scale : (time,), log s; common to all shocks of a day.
    dof : degrees of freedom above two.
    groups : which days share what.

    Returns
    -------
    value, and the derivatives in errors, impact, variance, log_scale and dof.
    """
    scale = (impact * variance[:, None, :]) @ impact.T
    value, d_errors, d_scale, d_log_scale, count, kernel, ratio = _kernel(
        errors, scale, log_scale, float(dof), groups.of_day, groups.observed
    )
    a = 0.5 * (dof + count)
    value += (
        gammaln(a).sum()
        - len(count) * gammaln(0.5 * dof)
        - 0.5 * count.sum() * math.log(math.pi * (dof - 2.0))
    )
    d_dof = (
        0.5 * digamma(a).sum()
        - 0.5 * len(count) * digamma(0.5 * dof)
        - 0.5 * count.sum() / (dof - 2.0)
        - 0.5 * kernel
        + ratio / (dof - 2.0)
    )
    carried = d_scale @ impact
    d_impact = 2.0 * (carried * variance[:, None, :]).sum(0)
    d_variance = (carried * impact).sum(1)
    return float(value), d_errors, d_impact, d_variance, d_log_scale, float(d_dof)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _inverse_of(matrix):  # type: ignore[no-untyped-def]
    """Inverse and half log determinant of a positive definite matrix, by its Cholesky factor."""
    m = matrix.shape[0]
    factor = np.zeros((m, m))
    half_log_det = 0.0
    for i in range(m):
        for j in range(i + 1):
            total = matrix[i, j]
            for k in range(j):
                total -= factor[i, k] * factor[j, k]
            if i == j:
                factor[i, i] = math.sqrt(total) if total > 0.0 else math.nan
                half_log_det += math.log(factor[i, i])
            else:
                factor[i, j] = total / factor[j, j]
    column = np.zeros((m, m))  # row i holds column i of the factor's inverse
    for i in range(m):
        for j in range(i, m):
            total = 1.0 if i == j else 0.0
            for k in range(i, j):
                total -= factor[j, k] * column[i, k]
            column[i, j] = total / factor[j, j]
    inverse = np.empty((m, m))
    for i in range(m):
        for j in range(i + 1):
            total = 0.0
            for k in range(i, m):
                total += column[i, k] * column[j, k]
            inverse[i, j] = total
            inverse[j, i] = total
    return inverse, half_log_det


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _kernel(errors, scale, log_scale, dof, of_day, observed):  # type: ignore[no-untyped-def]
    """Sum over days; one factor and one inverse a group."""
    days, n = errors.shape
    groups = scale.shape[0]
    inverse = np.zeros((groups, n, n))
    half_log_det = np.zeros(groups)
    size = observed.sum(1)
    index = np.zeros((groups, n), dtype=np.int64)
    for g in range(groups):
        index[g, : size[g]] = np.nonzero(observed[g])[0]
        cells = index[g, : size[g]]
        inverse[g, : size[g], : size[g]], half_log_det[g] = _inverse_of(scale[g][cells][:, cells])
    value, kernel, ratio = 0.0, 0.0, 0.0
    d_errors = np.zeros((days, n))
    d_scale = np.zeros((groups, n, n))
    d_log_scale = np.zeros(days)
    outer = np.zeros((groups, n, n))
    days_in = np.zeros(groups)
    count = size[of_day].astype(np.float64)
    solved = np.zeros(n)
    for t in range(days):
        g = of_day[t]
        m = size[g]
        shrink = math.exp(-2.0 * log_scale[t])
        quadratic = 0.0
        for i in range(m):
            total = 0.0
            for j in range(m):
                total += inverse[g, i, j] * errors[t, index[g, j]]
            solved[i] = total
            quadratic += total * errors[t, index[g, i]]
        quadratic *= shrink
        log_kernel = math.log1p(quadratic / (dof - 2.0))
        weight = (dof + m) / (dof - 2.0 + quadratic)
        value -= half_log_det[g] + m * log_scale[t] + 0.5 * (dof + m) * log_kernel
        kernel += log_kernel
        ratio += 0.5 * weight * quadratic
        d_log_scale[t] = weight * quadratic - m
        for i in range(m):
            pull = weight * shrink * solved[i]
            d_errors[t, index[g, i]] = -pull
            for j in range(i + 1):
                outer[g, i, j] += pull * solved[j]
        days_in[g] += 1.0
    for g in range(groups):
        for i in range(size[g]):
            for j in range(i + 1):
                d = 0.5 * (outer[g, i, j] - days_in[g] * inverse[g, i, j])
                d_scale[g, index[g, i], index[g, j]] = d
                d_scale[g, index[g, j], index[g, i]] = d
    return value, d_errors, d_scale, d_log_scale, count, kernel, ratio
