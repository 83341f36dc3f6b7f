"""Compiled sweep over days for factors of two scales each, seen through measurement noise."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

REORDER = {"reassoc", "contract"}
"""Sums may be taken in any order; NaN and infinity keep their meaning, and what divides by a
variance that underflowed is one of them: the sampler turns such a point down."""


@njit(cache=True, nogil=True, error_model="numpy", fastmath=REORDER)
def posterior_covariance(loading, noise, calm, ratio, seen):  # type: ignore[no-untyped-def]
    r"""Covariance of the factors given a day's series, in every state, by rank-one updates.

    State s has the factors of its set bits at their larger scale.  The calm state takes in one
    series after the other; each further state differs from one without its highest bit by one
    entry of the factors' precision.

    Parameters
    ----------
    loading (variable, factor); noise (variable,), variances; calm (factor,), variances; ratio
    (factor,), above one; seen (variable,) bool.

    Returns
    -------
    covariance (state, factor, factor), :math:`(\Omega_s^{-1} + \Lambda' D^{-1} \Lambda)^{-1}`;
    half_log_det (state,) of :math:`\Lambda \Omega_s \Lambda' + D`; gain (factor, state) and shorter
    (state,): by what the factors' means and the errors' squared length differ from those of the
    state it comes from, per mean, and squared mean, of the factor that it adds.
    """
    n, k = loading.shape
    states = 1 << k
    covariance = np.zeros((states, k, k))
    gain, shorter, half_log_det = np.zeros((k, states)), np.zeros(states), np.zeros(states)
    carried = np.zeros(k)
    for j in range(k):
        covariance[0, j, j] = calm[j]
    for i in range(n):
        if not seen[i]:
            continue
        length = noise[i]
        for a in range(k):
            total = 0.0
            for b in range(k):
                total += covariance[0, a, b] * loading[i, b]
            carried[a] = total
            length += total * loading[i, a]
        half_log_det[0] += 0.5 * math.log(length)
        for a in range(k):
            for b in range(k):
                covariance[0, a, b] -= carried[a] * carried[b] / length
    for j in range(k):
        bit = 1 << j
        change = (1.0 / ratio[j] - 1.0) / calm[j]
        for parent in range(bit):
            state = bit + parent
            damp = 1.0 + change * covariance[parent, j, j]
            half_log_det[state] = half_log_det[parent] + 0.5 * math.log(ratio[j] * damp)
            shorter[state] = change / damp
            for a in range(k):
                gain[a, state] = shorter[state] * covariance[parent, a, j]
                for b in range(k):
                    covariance[state, a, b] = (
                        covariance[parent, a, b] - gain[a, state] * covariance[parent, j, b]
                    )
    return covariance, half_log_det, gain, shorter


@njit(cache=True, nogil=True, error_model="numpy", fastmath=REORDER)
def _project(errors, loading, noise, seen, pulled):  # type: ignore[no-untyped-def]
    """Fill ``pulled`` with the loadings' weighted errors; return the errors' squared length."""
    pulled[:] = 0.0
    length = 0.0
    for i in range(len(errors)):
        if seen[i]:
            scaled = errors[i] / noise[i]
            length += scaled * errors[i]
            for a in range(loading.shape[1]):
                pulled[a] += scaled * loading[i, a]
    return length


@njit(cache=True, nogil=True, error_model="numpy", fastmath=REORDER)
def _means(pulled, base, calm_covariance, gain, shorter, mean, length):  # type: ignore[no-untyped-def]
    """Fill means of the factors (factor, state) and squared lengths (state,), before scaling."""
    k = len(pulled)
    length[0] = base
    for a in range(k):
        total = 0.0
        for b in range(k):
            total += calm_covariance[a, b] * pulled[b]
        mean[a, 0] = total
        length[0] -= total * pulled[a]
    for j in range(k):
        bit = 1 << j
        for s in range(bit):
            length[bit + s] = length[s] + shorter[bit + s] * mean[j, s] * mean[j, s]
        for a in range(k):
            for s in range(bit):
                mean[a, bit + s] = mean[a, s] - gain[a, bit + s] * mean[j, s]


@njit(cache=True, nogil=True, error_model="numpy", fastmath=REORDER)
def state_odds(  # type: ignore[no-untyped-def]
    errors, loading, noise, calm, ratio, log_state, log_scale, dof, seen
):
    """Log odds (draw, state) of a day's states and squared lengths (draw, state), unscaled.

    Every argument but ``seen`` (variable,) has a leading axis of draws.
    """
    (draws, k), states, count = calm.shape, log_state.shape[1], seen.sum()
    odds = np.empty((draws, states))
    length = np.empty((draws, states))
    pulled, mean = np.zeros(k), np.zeros((k, states))
    for d in range(draws):
        covariance, half, gain, shorter = posterior_covariance(
            loading[d], noise[d], calm[d], ratio[d], seen
        )
        base = _project(errors[d], loading[d], noise[d], seen, pulled)
        shrink = math.exp(-2.0 * log_scale[d])
        _means(pulled, base, covariance[0], gain, shorter, mean, length[d])
        for s in range(states):
            kernel = math.log(1.0 + length[d, s] * shrink / (dof[d] - 2.0))
            odds[d, s] = log_state[d, s] - half[s] - 0.5 * (dof[d] + count) * kernel
    return odds, length


@njit(cache=True, nogil=True, error_model="numpy", fastmath=REORDER)
def _average(weight, mean, squared, outer, expected):  # type: ignore[no-untyped-def]
    """Fill a day's expected factors (factor,); add their squares, by state, and their products."""
    k, states = mean.shape
    for a in range(k):
        total = 0.0
        for s in range(states):
            scaled = weight[s] * mean[a, s]
            total += scaled
            squared[a, s] += scaled * mean[a, s]
        expected[a] = total
        for b in range(a + 1):
            total = 0.0
            for s in range(states):
                total += weight[s] * mean[a, s] * mean[b, s]
            outer[a, b] += total


@njit(cache=True, nogil=True, error_model="numpy", fastmath=REORDER)
def _pull_back(  # type: ignore[no-untyped-def]
    errors, expected, pull, loading, noise, seen, d_errors, d_loading, d_noise
):
    """Fill a day's derivatives in errors; add those in loadings and noise, of the kernel's part."""
    for i in np.nonzero(seen)[0]:
        fitted = 0.0
        for a in range(len(expected)):
            fitted += loading[i, a] * expected[a]
            d_loading[i, a] += errors[i] * expected[a] / noise[i]
        d_errors[i] = (fitted - pull * errors[i]) / noise[i]
        d_noise[i] += 0.5 * errors[i] * (pull * errors[i] - 2.0 * fitted) / noise[i] ** 2


@njit(cache=True, nogil=True, error_model="numpy", fastmath=REORDER)
def sweep(  # type: ignore[no-untyped-def]
    errors, loading, noise, calm, ratio, log_state, log_scale, dof, of_day, observed
):
    """Sum the log-likelihood over days, up to the terms in the degrees of freedom alone.

    Parameters
    ----------
    errors (time, variable), zero where not observed; loading (variable, factor); noise
    (variable,); calm (group, factor); ratio (factor,); log_state (state,); log_scale (time,);
    of_day (time,); observed (group, variable).

    Returns
    -------
    value; derivatives in errors, loading, noise, log calm variance (group, factor), log ratio
    (factor,) with the calm variance held, and log_scale; expected number of days on which each
    factor is at its larger scale; observed cells of each day; sums of log kernels and of weighted
    squares.
    """
    days, n = errors.shape
    groups, k = calm.shape
    states = len(log_state)
    count = observed.sum(1)[of_day].astype(np.float64)
    value, kernel, weighted = 0.0, 0.0, 0.0
    d_errors, d_log_scale = np.zeros((days, n)), np.zeros(days)
    d_loading, d_noise = np.zeros((n, k)), np.zeros(n)
    covariance, half = np.empty((groups, states, k, k)), np.empty((groups, states))
    gain, shorter = np.zeros((groups, k, states)), np.zeros((groups, states))
    for g in range(groups):
        covariance[g], half[g], gain[g], shorter[g] = posterior_covariance(
            loading, noise, calm[g], ratio, observed[g]
        )
    mass, squared = np.zeros((groups, states)), np.zeros((groups, k, states))
    outer = np.zeros((groups, k, k))
    pulled, expected = np.zeros(k), np.zeros(k)
    mean, weight = np.zeros((k, states)), np.zeros(states)
    length, odds, log_kernel = np.zeros(states), np.zeros(states), np.zeros(states)
    for t in range(days):
        g = of_day[t]
        base = _project(errors[t], loading, noise, observed[g], pulled)
        shrink = math.exp(-2.0 * log_scale[t])
        _means(pulled, base, covariance[g, 0], gain[g], shorter[g], mean, length)
        highest = -math.inf
        for s in range(states):
            length[s] *= shrink
            log_kernel[s] = math.log(1.0 + length[s] / (dof - 2.0))
            odds[s] = log_state[s] - half[g, s] - 0.5 * (dof + count[t]) * log_kernel[s]
            highest = max(highest, odds[s])
        total = 0.0
        for s in range(states):
            odds[s] = math.exp(odds[s] - highest)
            total += odds[s]
        value += highest + math.log(total) - count[t] * log_scale[t]
        pull, square = 0.0, 0.0
        for s in range(states):
            chance = odds[s] / total
            mass[g, s] += chance
            kernel += chance * log_kernel[s]
            heavy = chance * (dof + count[t]) / (dof - 2.0 + length[s])
            square += heavy * length[s]
            weight[s] = heavy * shrink
            pull += weight[s]
        weighted += 0.5 * square
        d_log_scale[t] = square - count[t]
        _average(weight, mean, squared[g], outer[g], expected)
        _pull_back(
            errors[t], expected, pull, loading, noise, observed[g], d_errors[t], d_loading, d_noise
        )
    d_calm, d_ratio, large = _moments(
        loading, noise, calm, ratio, observed, covariance, mass, squared, outer, d_loading, d_noise
    )
    return (
        value, d_errors, d_loading, d_noise, d_calm, d_ratio, d_log_scale, large, count, kernel,
        weighted,
    )  # fmt: skip


@njit(cache=True, nogil=True, error_model="numpy", fastmath=REORDER)
def _moments(  # type: ignore[no-untyped-def]
    loading, noise, calm, ratio, observed, covariance, mass, squared, outer, d_loading, d_noise
):
    """Add the factors' moments to ``d_loading`` and ``d_noise``; return the scales' share."""
    groups, k = calm.shape
    d_calm, d_ratio, large = np.zeros((groups, k)), np.zeros(k), np.zeros(k)
    for g in range(groups):
        spread = np.zeros((k, k))
        for a in range(k):
            for b in range(k):
                spread[a, b] = outer[g, a, b] if b <= a else outer[g, b, a]
        number = 0.0
        for s in range(mass.shape[1]):
            number += mass[g, s]
            for a in range(k):
                for b in range(k):
                    spread[a, b] += mass[g, s] * covariance[g, s, a, b]
                is_large = (s >> a) & 1
                variance = calm[g, a] * (ratio[a] if is_large else 1.0)
                moment = squared[g, a, s] + mass[g, s] * covariance[g, s, a, a]
                step = 0.5 * (moment / variance - mass[g, s])
                d_calm[g, a] += step
                if is_large:
                    d_ratio[a] += step
                    large[a] += mass[g, s]
        for i in np.nonzero(observed[g])[0]:
            rest = -number * noise[i]
            for a in range(k):
                total = 0.0
                for b in range(k):
                    total += loading[i, b] * spread[b, a]
                d_loading[i, a] -= total / noise[i]
                rest += total * loading[i, a]
            d_noise[i] += 0.5 * rest / noise[i] ** 2
    return d_calm, d_ratio, large
