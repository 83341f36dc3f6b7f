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
from numba import njit
from scipy.special import digamma, gammaln

# Compiled sweep over days: a mixture of Student-t laws whose scales differ by a rank-one term.

NEGLIGIBLE = 1e-15
"""Responsibility below which a state cannot move a double-precision sum."""
REORDER = {"reassoc", "contract"}
"""Sums may be taken in any order; NaN and infinity keep their meaning."""


@njit(cache=True, nogil=True, fastmath=REORDER)
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


@njit(cache=True, nogil=True, fastmath=REORDER)
def factorise(scale, columns, extra, observed):  # type: ignore[no-untyped-def]
    r"""Factor each group once; a jump is a rank-one update (Sherman and Morrison).

    Returns
    -------
    inverse (group, variable, variable), zero where not observed; tilted (group, state, variable),
    :math:`\Sigma^{-1} h` of the shock that jumps; update (group, state), what of it is taken off;
    damp (group, state), :math:`1 / (1 + c\, h' \Sigma^{-1} h)`; half_log_det (group, state).
    """
    groups, n = observed.shape
    states = extra.shape[1] + 1
    inverse = np.zeros((groups, n, n))
    tilted = np.zeros((groups, states, n))
    update = np.zeros((groups, states))
    damp = np.ones((groups, states))
    half_log_det = np.zeros((groups, states))
    for g in range(groups):
        cells = np.nonzero(observed[g])[0]
        small, base = _inverse_of(scale[g][cells][:, cells])
        for i in range(len(cells)):
            for j in range(len(cells)):
                inverse[g, cells[i], cells[j]] = small[i, j]
        half_log_det[g, 0] = base
        for s in range(1, states):
            length = 0.0
            for i in range(n):
                total = 0.0
                for j in range(n):
                    total += inverse[g, i, j] * columns[s - 1, j]
                tilted[g, s, i] = total
                length += total * columns[s - 1, i]
            damp[g, s] = 1.0 / (1.0 + extra[g, s - 1] * length)
            update[g, s] = extra[g, s - 1] * damp[g, s]
            half_log_det[g, s] = base - 0.5 * math.log(damp[g, s])
    return inverse, tilted, update, damp, half_log_det


@njit(cache=True, nogil=True, fastmath=REORDER)
def _solve(inverse, errors, solved):  # type: ignore[no-untyped-def]
    """Fill ``solved`` with the inverse's product with a day's errors; return their square."""
    square = 0.0
    for i in range(len(errors)):
        total = 0.0
        for j in range(len(errors)):
            total += inverse[i, j] * errors[j]
        solved[i] = total
        square += total * errors[i]
    return square


@njit(cache=True, nogil=True, fastmath=REORDER)
def _along(solved, columns, state):  # type: ignore[no-untyped-def]
    """Length of solved errors along the column that jumps in a state; zero where none does."""
    total = 0.0
    if state > 0:
        for i in range(len(solved)):
            total += solved[i] * columns[state - 1, i]
    return total


@njit(cache=True, nogil=True, fastmath=REORDER)
def _spread(pull, solved, moved, d_errors, outer):  # type: ignore[no-untyped-def]
    """Fill a day's derivatives in errors, and add those in the scale matrix."""
    for i in range(len(solved)):
        d_errors[i] = moved[i] - pull * solved[i]
        for j in range(len(solved)):
            outer[i, j] += (pull * solved[i] - moved[i]) * solved[j] - solved[i] * moved[j]


@njit(cache=True, nogil=True, fastmath=REORDER)
def _jumped(inverse, tilted, update, damp, mass, along_sum, square_sum, outer):  # type: ignore[no-untyped-def]
    """Return derivatives in jumps times their columns; add what ``outer`` lacks of them."""
    groups, states, n = tilted.shape
    jumped = np.zeros((groups, states - 1, n))
    for g in range(groups):
        outer[g] -= mass[g].sum() * inverse[g]
        for s in range(1, states):
            taken = update[g, s] * (update[g, s] * square_sum[g, s] + mass[g, s])
            left = damp[g, s] * (update[g, s] * square_sum[g, s] + mass[g, s])
            for i in range(n):
                jumped[g, s - 1, i] = 0.5 * (
                    damp[g, s] * along_sum[g, s, i] - left * tilted[g, s, i]
                )
                for j in range(n):
                    outer[g, i, j] += taken * tilted[g, s, i] * tilted[g, s, j]
    return jumped


@njit(cache=True, nogil=True, fastmath=REORDER)
def sweep(  # type: ignore[no-untyped-def]
    errors, scale, columns, extra, log_state, log_scale, dof, of_day, observed
):
    """Sum the log-likelihood over days, up to the terms in the degrees of freedom alone.

    Parameters
    ----------
    errors (time, variable), zero where not observed; scale (group, variable, variable); columns
    (jumper, variable); extra (group, jumper); log_state (1 + jumper,); log_scale (time,); of_day
    (time,); observed (group, variable).

    Returns
    -------
    value; derivative in errors; derivative in the scale matrix of each group, summed over states;
    for each (group, jumper) the derivative in the jump's scale matrix times its column; expected
    days of each state; derivative in log_scale; observed cells of each day; sums of log kernels
    and of weighted squares.
    """
    days, n = errors.shape
    groups, states = scale.shape[0], len(log_state)
    inverse, tilted, update, damp, half_log_det = factorise(scale, columns, extra, observed)
    size = observed.sum(1)
    count = size[of_day].astype(np.float64)
    value, kernel, ratio = 0.0, 0.0, 0.0
    d_errors = np.zeros((days, n))
    d_log_scale = np.zeros(days)
    outer = np.zeros((groups, n, n))
    along_sum = np.zeros((groups, states, n))
    square_sum = np.zeros((groups, states))
    mass = np.zeros((groups, states))
    solved, moved = np.zeros(n), np.zeros(n)
    along, quadratic = np.zeros(states), np.zeros(states)
    log_kernel, odds = np.zeros(states), np.zeros(states)
    for t in range(days):
        g = of_day[t]
        shrink = math.exp(-2.0 * log_scale[t])
        square = _solve(inverse[g], errors[t], solved)
        highest = -math.inf
        for s in range(states):
            total = _along(solved, columns, s)
            along[s] = total
            quadratic[s] = (square - update[g, s] * total * total) * shrink
            log_kernel[s] = math.log1p(quadratic[s] / (dof - 2.0))
            odds[s] = log_state[s] - half_log_det[g, s] - 0.5 * (dof + count[t]) * log_kernel[s]
            highest = max(highest, odds[s])
        total = 0.0
        for s in range(states):
            odds[s] = math.exp(odds[s] - highest)
            total += odds[s]
        value += highest + math.log(total) - count[t] * log_scale[t]
        pull = 0.0
        moved[:] = 0.0
        for s in range(states):
            chance = odds[s] / total
            if chance < NEGLIGIBLE:
                continue
            weight = chance * (dof + count[t]) / (dof - 2.0 + quadratic[s])
            mass[g, s] += chance
            kernel += chance * log_kernel[s]
            ratio += 0.5 * weight * quadratic[s]
            d_log_scale[t] += weight * quadratic[s]
            weight *= shrink
            pull += weight
            if s > 0:
                back = update[g, s] * along[s]
                square_sum[g, s] += weight * along[s] * along[s]
                for i in range(n):
                    moved[i] += weight * back * tilted[g, s, i]
                    along_sum[g, s, i] += weight * along[s] * solved[i]
        d_log_scale[t] -= count[t]
        _spread(pull, solved, moved, d_errors[t], outer[g])
    jumped = _jumped(inverse, tilted, update, damp, mass, along_sum, square_sum, outer)
    mass_of = mass.sum(0)
    return value, d_errors, 0.5 * outer, jumped, mass_of, d_log_scale, count, kernel, ratio


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
