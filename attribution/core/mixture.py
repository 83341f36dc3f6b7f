"""Compiled sweep over days: a mixture of Student-t laws whose scales differ by a rank-one term."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

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
        square = 0.0
        for i in range(n):
            total = 0.0
            for j in range(n):
                total += inverse[g, i, j] * errors[t, j]
            solved[i] = total
            square += total * errors[t, i]
        highest = -math.inf
        for s in range(states):
            total = 0.0
            if s > 0:
                for i in range(n):
                    total += solved[i] * columns[s - 1, i]
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
        for i in range(n):
            d_errors[t, i] = moved[i] - pull * solved[i]
            for j in range(n):
                outer[g, i, j] += (pull * solved[i] - moved[i]) * solved[j] - solved[i] * moved[j]
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
    mass_of = mass.sum(0)
    return value, d_errors, 0.5 * outer, jumped, mass_of, d_log_scale, count, kernel, ratio
