r"""Log-likelihood of a structural VAR with more shocks than variables, and its exact gradient.

.. math::
    u_t = H e_t, \qquad e_t \mid z_t, \lambda_t \sim N(0, \lambda_t s_t^2 V_{g(t), z_t}), \qquad
    \lambda_t \sim \text{inverse gamma}, \quad E\lambda_t = 1

On most days :math:`z_t = 0`; with probability :math:`\pi_k` shock k *jumps*: its variance is
multiplied by :math:`\tau_k`.  So every shock has heavy tails of its own, and a day's volatility
:math:`\lambda_t` is common.  Both are integrated out exactly: the observed part of :math:`u_t` is
a mixture of multivariate Student-t laws whose scale matrices differ by one rank-one term.  Days
that share variances and missing cells form a *group*: one Cholesky factor serves all of them and
all states, and a missing cell is left out exactly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import digamma, gammaln

from attribution.core.mixture import sweep


@dataclass(frozen=True)
class Groups:
    """Days that share shock variances and missing cells.

    Attributes
    ----------
    of_day : (time,) int; the group of each day.
    observed : (group, variable) bool.
    exposure : (group, shock); what moves the log variance of each shock.
    share : (group,); fraction of the reference days in each group, which sums to one.
    """

    of_day: np.ndarray
    observed: np.ndarray
    exposure: np.ndarray
    share: np.ndarray

    @classmethod
    def from_days(cls, observed: np.ndarray, exposure: np.ndarray, reference: int) -> Groups:
        """Group days by their missing cells (time, variable) and exposures (time, shock).

        The first ``reference`` days define the shares, over which variances average one.
        """
        key = np.concatenate([observed.astype(float), exposure], axis=1)
        unique, of_day = np.unique(key, axis=0, return_inverse=True)
        n = observed.shape[1]
        of_day = of_day.reshape(-1)
        count = np.bincount(of_day[:reference], minlength=len(unique))
        return cls(of_day, unique[:, :n] > 0, unique[:, n:], count / count.sum())


@dataclass(frozen=True)
class Variance:
    """Shock variances on calm days, and what a jump adds.

    Attributes
    ----------
    calm : (..., group, shock).
    extra : (..., group, jumper); added to the variance of the shock that jumps.
    """

    calm: np.ndarray
    extra: np.ndarray


def shock_variance(
    slope: np.ndarray,
    probability: np.ndarray,
    ratio: np.ndarray,
    jumpers: np.ndarray,
    groups: Groups,
) -> Variance:
    r"""Variances that average one over days and jumps.

    .. math:: v_{gk} = \frac{\exp(\gamma_k x_{gk})}{\overline{\exp(\gamma_k x_k)}}\,
        \frac{1}{1 + \pi_k (\tau_k - 1)}

    Parameters
    ----------
    slope : (..., shock), gamma.
    probability : (..., jumper), pi.
    ratio : (..., jumper), tau, above one.
    jumpers : (jumper,) int; columns of the shocks that may jump.
    """
    tilt = slope[..., None, :] * groups.exposure
    level = np.exp(tilt - tilt.max(-2, keepdims=True))
    calm = level / (groups.share[:, None] * level).sum(-2, keepdims=True)
    calm[..., jumpers] /= (1.0 + probability * (ratio - 1.0))[..., None, :]
    return Variance(calm, calm[..., jumpers] * (ratio - 1.0)[..., None, :])


@dataclass(frozen=True)
class Gradient:
    """Log-likelihood and its derivative in every argument of ``log_likelihood``."""

    value: float
    errors: np.ndarray
    impact: np.ndarray
    calm: np.ndarray
    extra: np.ndarray
    log_state: np.ndarray
    log_scale: np.ndarray
    dof: float


def log_likelihood(
    errors: np.ndarray,
    impact: np.ndarray,
    variance: Variance,
    log_state: np.ndarray,
    jumpers: np.ndarray,
    log_scale: np.ndarray,
    dof: float,
    groups: Groups,
) -> Gradient:
    """Return the log-likelihood and its gradient.

    Parameters
    ----------
    errors : (time, variable), u; unit of the variable; zero where not observed.
    impact : (variable, shock), H.
    variance : of one draw.
    log_state : (1 + jumper,); log probability of a calm day, then of a jump of each jumper.
    jumpers : (jumper,) int; columns of H.
    log_scale : (time,), log s; common to all shocks of a day.
    dof : degrees of freedom above two.
    groups : which days share what.
    """
    scale = (impact * variance.calm[:, None, :]) @ impact.T
    columns = np.ascontiguousarray(impact[:, jumpers].T)
    value, d_errors, d_scale, jumped, mass, d_log_scale, count, kernel, ratio = sweep(
        errors,
        scale,
        columns,
        variance.extra,
        log_state,
        log_scale,
        float(dof),
        groups.of_day,
        groups.observed,
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
    d_impact = 2.0 * (carried * variance.calm[:, None, :]).sum(0)
    d_impact[:, jumpers] += 2.0 * (variance.extra[..., None] * jumped).sum(0).T
    return Gradient(
        value=float(value),
        errors=d_errors,
        impact=d_impact,
        calm=(carried * impact).sum(1),
        extra=(jumped * columns).sum(-1),
        log_state=mass,
        log_scale=d_log_scale,
        dof=float(d_dof),
    )
