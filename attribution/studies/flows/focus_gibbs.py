r"""Rows of one fund under two readings in; posterior draws of a regression that dates them out.

.. math::
    y_t = x_t(l_t)'\beta + \sigma_t(l_t)\sqrt{q_t}\,\eta_t, \quad
    \log\sigma_t(l) = z_t(l)'\gamma, \quad q_t \sim IG(\nu/2, \nu/2), \quad \eta_t \sim N(0, 1)

so that errors are Student-t.  The reading :math:`l_t` is 0 where the row stands for its own day
and 1 where it stands for the day before; its path has the prior of ``studies.flows.dating``, and
its first
row after a switch to the same day stands for both days (``studies.flows.focus``).  β and γ are
normal, a coefficient with a sign is cut to it, ν lies on a grid.

A sweep draws the whole path, γ and ν with q integrated out, then q, then β in one block.  γ is
proposed from the normal law that one step of Fisher scoring suggests, which most sweeps accept; it
is sampled, not fixed, because the scale on the one day in question is the scale of its surprise.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from attribution.studies.flows.dating import draw_walk
from attribution.studies.flows.focus import (
    FORCED,
    FocusDraws,
    FocusPrior,
    FocusRows,
    all_odds,
    fit_jumps,
    log_odds,
    propose,
)

# Conditional draws of a regression with Student-t errors whose rows may have two readings.

HALF_LOG_TWO = 0.5 * math.log(2.0)
ROUNDS, HOPS, REACH = 3, 3, 4  # of signed coefficients, of ν, and how far ν may hop
WALKS, LONGEST = 0.2, 0.5  # share of γ's proposals that walk; its longest step uphill


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"})
def ratios(y, x, z, seen, beta, gamma, nu, force, ratio, both):  # type: ignore[no-untyped-def]
    """Fill the log likelihood of reading 1, and add that of both days, over that of reading 0.

    What the sweeps of ``studies.flows.focus_gibbs`` are made of; the arrays that follow a step are
    its to change.
    """
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


UPHILL, AROUND, LEARNT = 30, 150, 120
"""Sweeps in which γ only climbs and every row has one reading; sweeps about the mode that is then
near; the last of these, by which jumps to it are fitted."""
EVERY = 5
"""Sweeps for each jump that is tried."""
Law = tuple[np.ndarray, ...]
State = tuple[np.ndarray, np.ndarray, np.ndarray]
"""β, γ and the place of ν on its grid; changed where they stand."""


def draw_focus(
    rows: FocusRows,
    prior: FocusPrior,
    *,
    draws: int,
    burn: int,
    rng: np.random.Generator,
    thin: int = 1,
) -> FocusDraws:
    """Draw the posterior by one chain.

    From coefficients that were learnt under the wrong reading the right one is hard to see, so the
    chain first looks about from where each reading leads, then starts at one of the jumps.

    Parameters
    ----------
    draws, burn, thin : kept draws, sweeps before the first, sweeps for each.
    """
    law, parts = law_of(prior, len(rows.y)), parts_of(rows)
    modes = [_about(parts, law, prior, reading, rng) for reading in (0, 1)]
    jumps = jumps_of(parts, law, prior, modes, burn + draws * thin, rng)
    odds = jumps[3]
    share = np.exp(odds - odds.max())
    first = rng.choice(len(odds), p=share / share.sum())
    state = jumps[0][first].copy(), jumps[1][first].copy(), jumps[2][first : first + 1].copy()
    run(parts, law, state, burn, rng, jumps=jumps)
    return run(parts, law, state, draws, rng, thin=thin, jumps=jumps)


def law_of(prior: FocusPrior, time: int) -> Law:
    """Lay the prior out for the sweeps."""
    weights = prior.dating.log_weights(time)
    return prior.scale**-2.0, prior.sign, prior.spread**-2.0, prior.grid, prior.weight, weights


def parts_of(rows: FocusRows) -> tuple[np.ndarray, ...]:
    """Lay the rows that are used out for the sweeps, and what is known of all readings."""
    seen = np.flatnonzero(rows.used)
    inside = tuple(np.ascontiguousarray(part[:, seen], float) for part in rows.laid)
    force = np.where(rows.known == 0, -FORCED, np.where(rows.known == 1, FORCED, 0.0))
    shut = np.repeat(np.where(rows.known < 0, 0.0, -FORCED)[None], 2, axis=0)
    shut[1, seen] = -np.inf  # a flow stands for some day
    return (*inside, seen, force, shut)


def _about(
    parts: tuple[np.ndarray, ...],
    law: Law,
    prior: FocusPrior,
    reading: int,
    rng: np.random.Generator,
) -> FocusDraws:
    """Draws from where one reading of every row leads."""
    middle = np.array([len(prior.grid) // 2])
    state = np.zeros(len(prior.scale)), np.zeros(len(prior.spread)), middle
    force = np.where(parts[4] == 0.0, FORCED if reading else -FORCED, parts[4])
    either = np.log(np.full(4, 0.25))
    shut = np.minimum(parts[5], -FORCED)
    run((*parts[:4], force, shut), (*law[:-1], either), state, UPHILL, rng, climb=True)
    found = run(parts, law, state, AROUND, rng)
    last = slice(-LEARNT, None)
    return FocusDraws(found.beta[last], found.gamma[last], found.nu[last], found.path[last], 0.0)


def jumps_of(
    parts: tuple[np.ndarray, ...],
    law: Law,
    prior: FocusPrior,
    modes: list[FocusDraws],
    sweeps_ahead: int,
    rng: np.random.Generator,
) -> tuple[np.ndarray, ...]:
    """Fit jumps to draws about the modes, draw them, and weigh them."""
    found = fit_jumps(prior, modes)
    laws = found.center, found.inverse, found.height, found.points
    proposed = propose(found, prior, sweeps_ahead // EVERY + 1, rng)
    return (*proposed, all_odds(parts, law, laws, *proposed), np.zeros(2, np.int64), *laws)


def run(
    parts: tuple[np.ndarray, ...],
    law: Law,
    state: State,
    count: int,
    rng: np.random.Generator,
    *,
    thin: int = 1,
    climb: bool = False,
    jumps: tuple[np.ndarray, ...] | None = None,
) -> FocusDraws:
    """Sweep from a state, which is left where the sweeps end."""
    k, m, time = len(state[0]), len(state[1]), len(parts[4])
    if jumps is None:
        none, flat = np.empty((0, k + m)), np.empty((0, k + m, k + m))
        nothing = np.empty((0, k)), np.empty((0, m)), np.empty(0, np.int64), np.empty(0)
        jumps = *nothing, np.zeros(2, np.int64), none, flat, np.empty(0), np.empty((0, 1))
    beta, gamma = np.empty((count, k)), np.empty((count, m))
    nu, paths = np.empty(count), np.empty((count, time), np.int8)
    moved = sweeps(parts, law, state, jumps, thin, climb, (beta, gamma, nu, paths), rng)
    return FocusDraws(beta, gamma, nu, paths, moved)


@njit(cache=True, nogil=True)
def sweeps(rows, law, state, jumps, thin, climb, out, rng):  # type: ignore[no-untyped-def]
    """Sweep ``thin`` times for each state in ``out``; returns the share of γ's moves accepted."""
    y, x, z, seen, force, shut = rows
    own, sign, spread, grid, weight, dating = law
    beta, gamma, at = state
    betas, gammas, nus, paths = out
    n, k, m, moved = len(seen), x.shape[2], z.shape[2], 0
    zero, one = np.zeros((1, len(force))), np.zeros((1, len(force)))
    turn = np.empty((1, 2, len(force)))
    error, level, here, scaled = np.empty(n), np.empty(n), np.empty((n, m)), np.empty((n, k + 1))
    for s in range(len(nus) * thin):
        if s % EVERY == 0:
            jump(rows, law, state, jumps, one[0], rng)
        turn[0] = shut
        ratios(y, x, z, seen, beta, gamma, grid[at[0]], force, one[0], turn[0, 0])
        path = draw_walk(zero, one, turn, dating, np.array([rng.random()]))[0]
        for i in range(n):
            lag = path[seen[i]]
            here[i], scaled[i, :k], scaled[i, k] = z[lag, i], x[lag, i], y[lag, i]
            error[i] = y[lag, i] - np.dot(scaled[i, :k], beta)
        moved += scale(error, here, spread, grid[at[0]], gamma, climb, rng)
        level[:] = np.exp(-np.dot(here, gamma))
        scaled *= level.reshape(n, 1)
        weigh(scaled, error * level, grid, weight, at, rng)
        block(scaled, own, sign, beta, rng)
        if (s + 1) % thin == 0:
            place = s // thin
            betas[place], gammas[place], nus[place] = beta, gamma, grid[at[0]]
            paths[place] = path
    return moved / max(len(nus) * thin, 1)


@njit(cache=True, nogil=True)
def jump(rows, law, state, jumps, ratio, rng):  # type: ignore[no-untyped-def]
    """Try the next jump, where one is left; the tried and the taken are counted."""
    beta, gamma, at = state
    betas, gammas, ats, odds, count = jumps[:5]
    i = count[0]
    if i >= len(odds):
        return
    here = log_odds(rows, law, jumps[5:], beta, gamma, at[0], ratio)
    count[0] += 1
    if rng.standard_exponential() > here - odds[i]:
        beta[:], gamma[:], at[0] = betas[i], gammas[i], ats[i]
        count[1] += 1
