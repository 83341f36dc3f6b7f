"""Orders and rows of series in; log likelihood of every reading, its sum and its gradient, out.

The compiled part of ``attribution.core.dated_flow``; readings are those of ``core.dating``.
"""

from __future__ import annotations

import math

import numba as nb
import numpy as np

HALF_LOG_TWO = 0.5 * math.log(2.0)
UNUSED, NONE, SOME = 0, 1, 2
"""Status of a row: not there or held out; an exact zero; a flow."""


@nb.njit(cache=True)
def every_reading(flow, status, row, orders, log_scale, log_odds, nu, constant):  # type: ignore[no-untyped-def]
    """Every reading of every row, draw by draw."""
    draws, time = row.shape
    found = np.zeros((4, draws, time))
    none, density = np.empty(time), np.empty(4)
    for s in range(draws):
        for d in range(time):
            none[d] = _softplus(log_odds[s, d])
        for t in range(time):
            if status[t] == UNUSED:
                continue
            error = flow[t] - row[s, t]
            for reading in range(3):
                density[reading] = _density(
                    status[t], reading, t, error, orders[s], log_scale[s], log_odds[s], none, nu[s]
                )[0] + (constant[s] if status[t] == SOME else 0.0)
            density[3] = 0.0 if status[t] == NONE else -np.inf
            found[:, s, t] = density
    return found


@nb.njit(cache=True)
def _density(status, reading, t, error, orders, log_scale, log_odds, none, nu):  # type: ignore[no-untyped-def]
    """Log density of a row but for its constant, and what its slope is made of.

    Error over scale, inverse scale, log term, and the odds of none.
    """
    d = t - 1 if reading == 1 else t
    empty = log_odds[d] - none[d]  # log probability of none
    level, mean = log_scale[d], orders[d]
    some = -none[d]
    if reading == 2:
        empty += log_odds[t - 1] - none[t - 1]
        level = 0.5 * (level + log_scale[t - 1]) + HALF_LOG_TWO
        mean += orders[t - 1]
        some = math.log(-math.expm1(min(empty, -1e-300)))
    if status == NONE:
        return empty, 0.0, 0.0, 0.0, 0.0
    inverse = math.exp(-level)
    e = (error - mean) * inverse
    far = math.log1p(e * e / nu)
    return some - level - 0.5 * (nu + 1.0) * far, e, inverse, far, math.exp(empty - some)


@nb.njit(cache=True)
def _softplus(x):  # type: ignore[no-untyped-def]
    return max(x, 0.0) + np.log1p(np.exp(-abs(x)))


@nb.njit(cache=True)
def _weights(ratio, turn, weight, lagged, to_zero, to_one):  # type: ignore[no-untyped-def]
    """Fill the probabilities of previous day, both and neither; return the log sum over lag 0."""
    time = len(ratio)
    before = np.empty(time)
    whole = 0.0
    for t in range(time):
        before[t] = whole
        whole += ratio[t]
    top = max(weight[0], weight[1] + whole)
    for t in range(1, time):
        top = max(top, weight[2] + before[t] + turn[0, t])
        top = max(top, weight[3] + whole - before[t] + turn[1, t])
    always_zero, always_one = np.exp(weight[0] - top), np.exp(weight[1] + whole - top)
    later, turned = 0.0, 0.0
    to_zero[0] = to_one[0] = 0.0
    for t in range(1, time):
        to_zero[t] = np.exp(weight[2] + before[t] + turn[0, t] - top)
        to_one[t] = np.exp(weight[3] + whole - before[t] + turn[1, t] - top)
        later += to_zero[t]
        turned += to_one[t]
    total = always_zero + always_one + later + turned
    ahead, past = later, 0.0  # switches to lag 0 after a row, switches to lag 1 before it
    for t in range(time):
        ahead -= to_zero[t]
        lagged[t] = min(max((always_one + ahead + past) / total, 0.0), 1.0)
        past += to_one[t]
    to_zero /= total
    to_one /= total
    return top + np.log(total)


@nb.njit(cache=True)
def gradient(flow, status, row, orders, log_scale, log_odds, law, weight):  # type: ignore[no-untyped-def]
    """Log likelihood and gradient, one series after another."""
    series, time = flow.shape
    d_row, d_orders = np.zeros((series, time)), np.zeros((series, time))
    d_scale, d_odds = np.zeros((series, time)), np.zeros((series, time))
    value, d_tail = 0.0, np.zeros(series)
    ratio, turn, lagged = np.empty(time), np.empty((2, time)), np.empty(time)
    chance, none = np.empty((4, time)), np.empty(time)
    found = np.zeros((3, time, 5))
    for i in range(series):
        nu, constant, slope = law[i]
        for d in range(time):
            none[d] = _softplus(log_odds[i, d])
        for t in range(time):
            ratio[t] = turn[0, t] = turn[1, t] = 0.0
            if status[i, t] == UNUSED:
                continue
            error = flow[i, t] - row[i, t]
            for reading in range(3):
                found[reading, t] = _density(
                    status[i, t], reading, t, error, orders[i], log_scale[i], log_odds[i], none, nu
                )
            same, previous = found[0, t, 0], found[1, t, 0]
            value += same + (constant if status[i, t] == SOME else 0.0)
            ratio[t] = previous - same
            turn[0, t] = found[2, t, 0] - same
            turn[1, t] = -previous if status[i, t] == NONE else -np.inf
        value += _weights(ratio, turn, weight, lagged, chance[2], chance[3])
        chance[1] = lagged
        for t in range(time):
            if status[i, t] == UNUSED:
                continue
            chance[0, t] = max(1.0 - lagged[t] - chance[2, t] - chance[3, t], 0.0)
            for reading in range(3):
                p = chance[reading, t]
                if p == 0.0:
                    continue
                share = 0.5 if reading == 2 else 1.0
                last = t if reading == 1 else t + 1
                first = t if reading == 0 else t - 1
                _, e, inverse, far, odds = found[reading, t]
                pull = (nu + 1.0) * e / (nu + e * e)
                for d in range(first, last):
                    left = math.exp(-none[d])  # probability of a flow
                    if status[i, t] == NONE:
                        d_odds[i, d] += p * left
                        continue
                    d_orders[i, d] += p * pull * inverse
                    d_scale[i, d] += p * share * (pull * e - 1.0)
                    d_odds[i, d] -= p * odds * left
                if status[i, t] == SOME:
                    d_row[i, t] += p * pull * inverse
                    d_tail[i] += p * (slope - 0.5 * far + 0.5 * pull * e / nu)
    return value, d_row, d_orders, d_scale, d_odds, d_tail
