r"""Rows of one fund under two readings in; posterior draws of a regression that dates them out.

.. math::
    y_t = x_t(l_t)'\beta + \sigma_t(l_t)\sqrt{q_t}\,\eta_t, \quad
    \log\sigma_t(l) = z_t(l)'\gamma, \quad q_t \sim IG(\nu/2, \nu/2), \quad \eta_t \sim N(0, 1)

so that errors are Student-t.  The reading :math:`l_t` is 0 where the row stands for its own day
and 1 where it stands for the day before; its path has the prior of ``core.dating``, and its first
row after a switch to the same day stands for both days (``core.focus``).  β and γ are
normal, a coefficient with a sign is cut to it, ν lies on a grid.

A sweep draws the whole path, γ and ν with q integrated out, then q, then β in one block.  γ is
proposed from the normal law that one step of Fisher scoring suggests, which most sweeps accept; it
is sampled, not fixed, because the scale on the one day in question is the scale of its surprise.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from attribution.core.dating_sums import draw_walk
from attribution.core.focus import FORCED, FocusDraws, FocusPrior, FocusRows
from attribution.core.focus_jumps import all_odds, fit_jumps, log_odds, propose
from attribution.core.focus_steps import block, ratios, scale, weigh

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
