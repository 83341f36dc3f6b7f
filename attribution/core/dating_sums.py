"""Two log likelihoods of each row in; sums over the paths of ``attribution.core.dating`` out.

Log weights are those of one path of each convention.  With the log-likelihood ratio of the rows
before each, every path is one exponential.  ``turn`` (series, direction, time) is what the first
row after a switch, which stands for both days or for neither, adds to the reading of those after.
"""

from __future__ import annotations

import numba as nb
import numpy as np


@nb.njit(cache=True)
def add_logs(a, b):  # type: ignore[no-untyped-def]
    """Log of the sum of two numbers given by their logs."""
    high, low = max(a, b), min(a, b)
    if low == -np.inf:
        return high
    return high + np.log1p(np.exp(low - high))


@nb.njit(cache=True)
def _ratios(zero, one, total):  # type: ignore[no-untyped-def]
    """Fill the log likelihood ratio of the rows before each; return that of all rows."""
    running = 0.0
    for t in range(len(zero)):
        total[t] = running
        running += one[t] - zero[t]
    return running


@nb.njit(cache=True)
def sum_paths(zero, one, turn, weight):  # type: ignore[no-untyped-def]
    """Sum the paths of every series (series, time), each over the largest."""
    series, time = zero.shape
    marginal, convention = np.empty(series), np.empty((series, 4))
    lagged, switch = np.empty((series, time)), np.zeros((series, 2, time))
    left_out = np.empty((series, time))
    before, later, stays = np.empty(time), np.empty(time), np.empty(time)
    for i in range(series):
        whole = _ratios(zero[i], one[i], before)
        top = max(weight[0], weight[1] + whole)
        for t in range(1, time):
            top = max(top, weight[2] + before[t] + max(turn[i, 0, t], 0.0))
            top = max(top, weight[3] + whole - before[t] + max(turn[i, 1, t], 0.0))
        late, stay = 0.0, 0.0  # switches after a row
        for t in range(time - 1, -1, -1):
            later[t], stays[t] = late, stay
            if t > 0:
                switch[i, 0, t] = np.exp(weight[2] + before[t] + turn[i, 0, t] - top)
                switch[i, 1, t] = np.exp(weight[3] + whole - before[t] + turn[i, 1, t] - top)
                late += switch[i, 0, t]
                stay += switch[i, 1, t]
        always_zero, always_one = np.exp(weight[0] - top), np.exp(weight[1] + whole - top)
        total = always_zero + always_one + late + stay
        marginal[i] = zero[i].sum() + top + np.log(total)
        convention[i, 0], convention[i, 1] = always_zero / total, always_one / total
        convention[i, 2], convention[i, 3] = late / total, stay / total
        to_same, to_previous = 0.0, 0.0  # switches before a row
        for t in range(time):
            as_one = always_one + later[t] + to_previous
            as_zero = always_zero + stays[t] + to_same
            lagged[i, t] = as_one / total
            back = np.exp(zero[i, t] - one[i, t])
            without = as_zero + as_one * back
            if t > 0:  # a switch here, its row left out
                without += np.exp(weight[2] + before[t] - top)
                without += np.exp(weight[3] + whole - before[t] - top) * back
            left_out[i, t] = zero[i, t] + np.log(total / without)
            to_same += switch[i, 0, t]
            to_previous += switch[i, 1, t]
        switch[i] /= total
    return marginal, convention, lagged, switch, left_out


@nb.njit(cache=True)
def sum_in_logs(zero, one, turn, weight):  # type: ignore[no-untyped-def]
    """Sum the paths as ``sum_paths`` does, by their logs: exact however far readings are apart."""
    series, time = zero.shape
    marginal, convention = np.empty(series), np.empty((series, 4))
    lagged, switch = np.empty((series, time)), np.zeros((series, 2, time))
    left_out = np.empty((series, time))
    before = np.empty(time)
    later = np.empty(time)  # paths that are still at the previous day in a row, and leave it later
    stays = np.empty(time)  # paths that are still at the same day in a row, and leave it later
    for i in range(series):
        whole = _ratios(zero[i], one[i], before)
        base = zero[i].sum()
        late, stay = -np.inf, -np.inf
        for t in range(time - 1, -1, -1):
            later[t], stays[t] = late, stay
            if t > 0:
                late = add_logs(late, weight[2] + before[t] + turn[i, 0, t])
                stay = add_logs(stay, weight[3] + whole - before[t] + turn[i, 1, t])
        total = add_logs(add_logs(weight[0], weight[1] + whole), add_logs(late, stay))
        marginal[i] = base + total
        convention[i, 0] = np.exp(weight[0] - total)
        convention[i, 1] = np.exp(weight[1] + whole - total)
        convention[i, 2], convention[i, 3] = np.exp(late - total), np.exp(stay - total)
        to_same, to_previous = -np.inf, -np.inf  # switches before a row
        for t in range(time):
            as_one = add_logs(add_logs(weight[1] + whole, later[t]), to_previous)
            as_zero = add_logs(add_logs(weight[0], stays[t]), to_same)
            lagged[i, t] = np.exp(as_one - total)
            without = add_logs(as_one - one[i, t], as_zero - zero[i, t])
            if t > 0:
                here, back = weight[2] + before[t], weight[3] + whole - before[t]
                without = add_logs(without, add_logs(here - zero[i, t], back - one[i, t]))
                here, back = here + turn[i, 0, t], back + turn[i, 1, t]
                switch[i, 0, t], switch[i, 1, t] = np.exp(here - total), np.exp(back - total)
                to_same, to_previous = add_logs(to_same, here), add_logs(to_previous, back)
            left_out[i, t] = total - without
    return marginal, convention, lagged, switch, left_out


@nb.njit(cache=True)
def draw_walk(zero, one, turn, weight, uniform):  # type: ignore[no-untyped-def]
    """Draw a path of every series by walking through the paths until the mass is spent."""
    series, time = zero.shape
    paths = np.empty((series, time), np.int8)
    before = np.empty(time)
    for i in range(series):
        whole = _ratios(zero[i], one[i], before)
        total = add_logs(weight[0], weight[1] + whole)
        for t in range(1, time):
            total = add_logs(total, weight[2] + before[t] + turn[i, 0, t])
            total = add_logs(total, weight[3] + whole - before[t] + turn[i, 1, t])
        left = uniform[i] - np.exp(weight[0] - total)
        first, row = 0, time  # the reading before the switch, and the first row after it
        if left >= 0.0:
            left -= np.exp(weight[1] + whole - total)
            first = 1
            t = 1
            while left >= 0.0 and t < time:
                row = t
                first = 1
                left -= np.exp(weight[2] + before[t] + turn[i, 0, t] - total)
                if left >= 0.0:
                    first = 0
                    left -= np.exp(weight[3] + whole - before[t] + turn[i, 1, t] - total)
                t += 1
        for t in range(time):
            paths[i, t] = first if t < row else 1 - first
        if row < time:  # both days, or neither
            paths[i, row] = 3 - first
    return paths
