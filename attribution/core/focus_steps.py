r"""Conditional draws of a regression with Student-t errors whose rows may have two readings.

What the sweeps of ``core.flow_gibbs`` are made of; the arrays that follow a step are its to change.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

HALF_LOG_TWO = 0.5 * math.log(2.0)
ROUNDS, HOPS, REACH = 3, 3, 4  # of signed coefficients, of ν, and how far ν may hop
WALKS, LONGEST = 0.2, 0.5  # share of γ's proposals that walk; its longest step uphill


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"})
def ratios(y, x, z, seen, beta, gamma, nu, force, ratio, both):  # type: ignore[no-untyped-def]
    """Fill the log likelihood of reading 1, and add that of both days, over that of reading 0."""
    ratio[:] = force
    level = (np.dot(z[0], gamma), np.dot(z[1], gamma), np.dot(z[2], gamma))
    fit = (np.dot(x[0], beta), np.dot(x[1], beta), np.dot(x[2], beta))
    half = 0.5 * (nu + 1.0)
    for i in range(len(seen)):
        low = nu + ((y[0, i] - fit[0][i]) * math.exp(-level[0][i])) ** 2
        high = nu + ((y[1, i] - fit[1][i]) * math.exp(-level[1][i])) ** 2
        two = nu + ((y[2, i] - fit[2][i]) * math.exp(-level[2][i])) ** 2
        ratio[seen[i]] += level[0][i] - level[1][i] + half * math.log(low / high)
        both[seen[i]] += level[0][i] - level[2][i] + half * math.log(low / two) - HALF_LOG_TWO


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"})
def slope(error, here, own, nu, gamma, score):  # type: ignore[no-untyped-def]
    """Log conditional density of γ, q integrated out; fills its slope."""
    m, total = len(gamma), 0.0
    for j in range(m):
        score[j] = -own[j] * gamma[j]
        total -= 0.5 * own[j] * gamma[j] ** 2
    for i in range(len(error)):
        level = 0.0
        for j in range(m):
            level += here[i, j] * gamma[j]
        square = (error[i] * math.exp(-level)) ** 2
        total -= level + 0.5 * (nu + 1.0) * math.log(nu + square)
        lean = (nu + 1.0) * square / (nu + square) - 1.0
        for j in range(m):
            score[j] += lean * here[i, j]
    return total


@njit(cache=True, nogil=True)
def scale(error, here, own, nu, gamma, climb, rng):  # type: ignore[no-untyped-def]
    """Propose γ by one step of Fisher scoring, or by a walk; returns whether it was accepted.

    Far from the mode the way back from such a step is improbable, so the first sweeps of all only
    ``climb``, and a share of the proposals is a random walk of the same shape.
    """
    m = len(gamma)
    root = np.linalg.cholesky(2.0 * nu / (nu + 3.0) * np.dot(here.T, here) + np.diag(own))
    score, back = np.empty(m), np.empty(m)
    old = slope(error, here, own, nu, gamma, score)
    step = np.linalg.solve(root, score)
    if climb:
        way = np.linalg.solve(root.T, step)
        gamma += way * min(1.0, LONGEST / max(np.abs(way).max(), 1e-300))
        return 1
    noise = rng.standard_normal(m)
    if rng.random() < WALKS:
        new = gamma + np.linalg.solve(root.T, noise * (2.4 / math.sqrt(m)))
        odds = slope(error, here, own, nu, new, back) - old
    else:
        new = gamma + np.linalg.solve(root.T, step + noise)
        odds = slope(error, here, own, nu, new, back) - old
        moved = np.dot(root.T, gamma - new) - np.linalg.solve(root, back)
        odds += 0.5 * (noise**2).sum() - 0.5 * (moved**2).sum()
    if rng.standard_exponential() > -odds:
        gamma[:] = new
        return 1
    return 0


@njit(cache=True, nogil=True)
def weigh(scaled, error, grid, weight, at, rng):  # type: ignore[no-untyped-def]
    """Move ν along its grid with q integrated out, then draw q and divide the rows by its root."""
    square = error * error
    height = tails(square, grid[at[0]]) + weight[at[0]]
    for _ in range(HOPS):
        hop = 1 + int(rng.random() * REACH)
        new = at[0] + (hop if rng.random() < 0.5 else -hop)
        if 0 <= new < len(grid):
            found = tails(square, grid[new]) + weight[new]
            if rng.standard_exponential() > height - found:
                at[0], height = new, found
    nu = grid[at[0]]
    for i in range(len(error)):
        scaled[i] *= math.sqrt(2.0 * rng.standard_gamma(0.5 * (nu + 1.0)) / (nu + square[i]))


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"})
def tails(square, nu):  # type: ignore[no-untyped-def]
    """Log density of standardised errors, given by their squares."""
    total = 0.0
    for i in range(len(square)):
        total += math.log1p(square[i] / nu)
    each = math.lgamma(0.5 * (nu + 1.0)) - math.lgamma(0.5 * nu) - 0.5 * math.log(nu)
    return len(square) * each - 0.5 * (nu + 1.0) * total


@njit(cache=True, nogil=True)
def block(scaled, own, sign, beta, rng):  # type: ignore[no-untyped-def]
    """Draw β from its normal law; coefficients with a sign first, given the sign alone."""
    k = len(beta)
    moments = np.dot(scaled.T, scaled)
    root = np.linalg.cholesky(moments[:k, :k] + np.diag(own))
    mean = np.linalg.solve(root.T, np.linalg.solve(root, moments[:k, k]))
    free = k
    while free > 0 and sign[free - 1] != 0:
        free -= 1
    last = root[free:, free:].copy()
    tight = np.dot(last, last.T)  # precision of the signed ones, the others integrated out
    for _ in range(ROUNDS if k - free > 1 else 1):
        for j in range(k - free):
            pull = 0.0
            for i in range(k - free):
                if i != j:
                    pull += tight[j, i] * (beta[free + i] - mean[free + i])
            center, sd = mean[free + j] - pull / tight[j, j], 1.0 / math.sqrt(tight[j, j])
            side = sign[free + j]
            beta[free + j] = side * (side * center + sd * above(-side * center / sd, rng))
    for j in range(free - 1, -1, -1):
        total = rng.standard_normal()
        for i in range(j + 1, k):
            total -= root[i, j] * (beta[i] - mean[i])
        beta[j] = mean[j] + total / root[j, j]


@njit(cache=True, nogil=True)
def above(low, rng):  # type: ignore[no-untyped-def]
    """Draw a standard normal variable above a bound, by the envelope that fits."""
    while True:
        if low < 0.5:
            draw = rng.standard_normal()
            if draw > low:
                return draw
        else:
            rate = 0.5 * (low + math.sqrt(low * low + 4.0))
            draw = low + rng.standard_exponential() / rate
            if rng.standard_exponential() > 0.5 * (draw - rate) ** 2:
                return draw
