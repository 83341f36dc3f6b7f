r"""Rows under whole and half shares in; which day they stand for, a change being gradual, out.

Of the orders of day t a share :math:`\pi_t` stands in its own row and the rest in the next,

.. math:: f_t = \pi_t o_t + (1 - \pi_{t-1})\, o_{t-1}, \qquad \pi_t \in \{0, \tfrac12, 1\},

so that no order is lost however the share moves.  It is always one, always zero, or goes from one
to the other through a half that lasts some rows: it starts at an unknown row, all alike, and ends
after each further row with the same probability, or not within the sample.
``studies.flows.dating`` is the
case of no half.  All paths are summed by one pass forward and one back; sudden and gradual changes
together are one sum, in which each shape has its prior weight.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba as nb
import numpy as np

from attribution.studies.flows.dating import HALF, Dating, DatingPrior, add_logs, date_by, draw_by

HOLDS = np.array(
    [[1, 0], [0, 1], [1, 1], [0, 0], [0.5, 0.5], [0.5, 1], [1, 0.5], [0.5, 0], [0, 0.5]]
)
"""Shares of its own day's orders and of those of the day before that a row holds (reading, 2); the
first four are ``dating.READINGS``, then half, into it and out of it to the same day, to the other.
"""
PAIRS = ((0, 0), (1, 1), (1, 2), (0, 3), (2, 0), (3, 1))
"""What two rows may stand for, one after the other, where a change is sudden."""

# Steps of a path: from, to, reading, direction.  States: same, previous, two halves, two changed.
ORIGIN = np.array([0, 1, 1, 0, 2, 3, 2, 3, 4, 5])
TARGET = np.array([0, 1, 2, 3, 2, 3, 4, 5, 4, 5])
SHOWS = np.array([0, 1, 5, 7, 4, 4, 6, 8, 0, 1])
TOWARDS = np.array([1, 0, 0, 1, 0, 1, 0, 1, 0, 1])
PAIRS_GRADUAL = tuple(
    dict.fromkeys(
        (int(SHOWS[j]), int(SHOWS[k]))
        for j in range(10)
        for k in range(10)
        if TARGET[j] == ORIGIN[k]
    )
)
"""The same where it is gradual."""
LEAST = 1e-250
"""Share of the largest sums below which what was lost of them might count."""


@dataclass(frozen=True)
class GradualDating:
    """What every draw says of a dating that changes gradually.

    Attributes
    ----------
    log_marginal : (draw,), log likelihood with the paths of the share integrated out.
    reading : (draw, reading, time), posterior probability of each of ``HOLDS``.
    start : (draw, direction, time), that a change to the same day, or back, starts in this row.
    log_left_out : (draw, time), log likelihood of a row given all others.
    pair : (draw, reading, reading), of what one row and the next stand for.
    toward : (draw, direction, reading), of a change in a direction and what the one row stands for;
        only where the prior has no weight but that of a change.
    """

    log_marginal: np.ndarray
    reading: np.ndarray
    start: np.ndarray
    log_left_out: np.ndarray
    pair: np.ndarray
    toward: np.ndarray


def date_gradually(rows: np.ndarray, prior: DatingPrior, length: float) -> GradualDating:
    """Integrate the paths of the share out, exactly, every change being gradual.

    Parameters
    ----------
    rows : (reading, draw, time), log likelihood of each row under each of ``HOLDS``; zero for a
        row that says nothing, minus infinity where it cannot be.
    prior : weights of always, never, and of a change, which is gradual.
    length : mean number of rows for which the share is a half, at least one.
    """
    if np.ndim(rows) != 3 or len(rows) != len(HOLDS) or not length >= 1.0:
        raise ValueError(f"log likelihoods {np.shape(rows)}, length {length}: no gradual dating")
    weight = DatingPrior(prior.same, prior.previous, prior.switch).log_weights(rows.shape[2])
    return _gradual(rows, weight, length)


def _gradual(rows: np.ndarray, weight: np.ndarray, length: float, row: int = 0) -> GradualDating:
    laid = np.ascontiguousarray(np.swapaxes(rows, 0, 1), float)
    return GradualDating(*_sum(laid, np.exp(weight), 1.0 / length, row))


def date_either(rows: np.ndarray, prior: DatingPrior) -> Dating:
    r"""Integrate the dating and the shape of its change out, exactly.

    .. math:: p(y) = \sum_c w_c\, p(y \mid c)

    over the prior's ``conventions``: a change is gradual with prior probability
    :math:`g` and sudden with :math:`1 - g`, and if gradual the half lasts ``HALF`` rows on average.

    Parameters
    ----------
    rows : (reading, draw, time), log likelihood of each row under each of ``HOLDS``; of the first
        four alone, ``dating.READINGS``, where the prior knows no gradual switch.
    """
    if not prior.gradual:
        return date_by(rows, prior.log_weights(np.shape(rows)[-1]))
    sudden, slow, share = _both(rows, prior)
    rest = 1.0 - share
    shown = share[:, None, None] * slow.reading
    shown[:, :4] += rest[:, None, None] * sudden.reading
    directions = slow.start.sum(axis=2)
    total = np.logaddexp(sudden.log_marginal, slow.log_marginal)
    log_rest, log_share = (part.log_marginal[:, None] - total[:, None] for part in (sudden, slow))
    return Dating(
        log_marginal=total,
        convention=np.concatenate(
            [rest[:, None] * sudden.convention, share[:, None] * directions], axis=1
        ),
        previous=shown[:, 1],
        switch=rest[:, None, None] * sudden.switch + share[:, None, None] * slow.start,
        log_left_out=-np.logaddexp(log_rest - sudden.log_left_out, log_share - slow.log_left_out),
        shown=shown,
    )


def _both(
    rows: np.ndarray, prior: DatingPrior, row: int = 0
) -> tuple[Dating, GradualDating, np.ndarray]:
    """Sum both shapes; always and never count as sudden.  Probability (draw,) of a gradual change.

    Where the prior knows gradual changes alone, the sudden sum has no weight.
    """
    if np.ndim(rows) != 3 or len(rows) != len(HOLDS):
        raise ValueError(f"log likelihoods {np.shape(rows)} are not those of HOLDS (reading, 2)")
    weight = prior.log_weights(rows.shape[2])
    slow = _gradual(rows, np.append([-np.inf, -np.inf], weight[4:]), HALF, row)
    alone = not np.isfinite(weight[:4]).any()
    sudden = date_by(rows[:4], np.append(0.0, weight[1:4]) if alone else weight[:4])
    if alone:
        sudden.log_marginal[:] = -np.inf
    share = np.exp(slow.log_marginal - np.logaddexp(sudden.log_marginal, slow.log_marginal))
    return sudden, slow, share


def pair_chances(
    rows: np.ndarray, prior: DatingPrior, row: int
) -> dict[tuple[int, int], np.ndarray]:
    """Posterior probability (draw,) of each pair of readings of a row and the next."""
    if prior.gradual:
        sudden, slow, share = _both(rows, prior, row)
    else:
        sudden = date_either(rows, prior)
    one, to_same, to_previous = sudden.reading, *sudden.reading[:, 2:, row + 1].T
    ways = (
        one[:, 0, row] - to_previous,
        one[:, 1, row] - to_same,
        to_same,
        to_previous,
        one[:, 2, row],
        one[:, 3, row],
    )
    found = {pair: np.clip(way, 0.0, 1.0) for pair, way in zip(PAIRS, ways, strict=True)}
    if prior.gradual:
        found = {pair: (1.0 - share) * chance for pair, chance in found.items()}
        for pair in PAIRS_GRADUAL:
            found[pair] = found.get(pair, 0.0) + share * slow.pair[:, pair[0], pair[1]]
    return found


def joint_chances(rows: np.ndarray, prior: DatingPrior, row: int) -> np.ndarray:
    """Probability of each convention and reading of a row (draw, convention, reading)."""
    if prior.gradual:
        dating, slow, share = _both(rows, prior, row)
    else:
        dating = date_either(rows, prior)
    found = np.zeros((len(dating.convention), len(prior.conventions), len(rows)))
    found[:, 0, 0], found[:, 1, 1] = dating.convention[:, 0], dating.convention[:, 1]
    for direction, (before, after) in enumerate(((1, 0), (0, 1))):
        turned = dating.switch[:, direction]
        found[:, 2 + direction, before] = turned[:, row + 1 :].sum(axis=1)
        found[:, 2 + direction, 2 + direction] = turned[:, row]
        found[:, 2 + direction, after] = turned[:, :row].sum(axis=1)
    if prior.gradual:
        found[:, :4] *= (1.0 - share)[:, None, None]
        found[:, 4:] = share[:, None, None] * slow.toward
    return found


def draw_either(rows: np.ndarray, prior: DatingPrior, rng: np.random.Generator) -> np.ndarray:
    """Draw one path (draw, time) of the dating from its posterior, places in ``HOLDS``."""
    weight = prior.log_weights(np.shape(rows)[-1])
    if not prior.gradual:
        return draw_by(rows, weight, rng)
    _, _, share = _both(rows, prior)
    alone = not np.isfinite(weight[:4]).any()
    paths = draw_by(rows[:4], np.append(0.0, weight[1:4]) if alone else weight[:4], rng)
    slow = np.flatnonzero(rng.random(len(share)) < share)
    laid = np.ascontiguousarray(np.swapaxes(rows[:, slow], 0, 1), float)
    starts = np.append([0.0, 0.0], np.exp(weight[4:]))
    paths[slow] = _draw(laid, starts, 1.0 / HALF, rng.random((len(slow), laid.shape[2])))
    return paths


@nb.njit(cache=True, nogil=True)
def sum_steps(rows, weight, stop, room, chance, left_out):  # type: ignore[no-untyped-def]
    """Fill the probability of every step (time, step) and what it leaves; return the log sum.

    The sums themselves are carried, and their logs where these would lose a path.

    Parameters
    ----------
    rows : (reading, time), in logs; ``weight`` (4,) of the paths, no logs.
    room : of ``room_of``.
    left_out : (time,), log likelihood of each row given all others; (0,) if it is not asked.
    """
    stay = 1.0 - stop
    cost = np.array([1.0, 1.0, weight[2], weight[3], stay, stay, stop, stop, 1.0, 1.0])
    total = _scaled(rows, weight, cost, room, chance, left_out)
    return total if total > -np.inf else _in_logs(rows, weight, cost, room, chance, left_out)


@nb.njit(cache=True, nogil=True)
def _scaled(rows, weight, cost, room, chance, left_out):  # type: ignore[no-untyped-def]
    """Carry the sums, scaled; minus infinity if so much as one path might be lost."""
    p, ahead, back, top = room
    time = rows.shape[1]
    total, scale = 0.0, 1.0
    for t in range(time):
        high = max(rows[0, t], rows[1, t])
        for r in range(4, 9):
            high = max(high, rows[r, t])
        top[t] = high
        for r in range(9):
            p[r, t] = np.exp(rows[r, t] - high) if r < 2 or r > 3 else 0.0
        total += high
    ahead[:] = 0.0
    ahead[0, 0], ahead[0, 1] = p[0, 0], p[1, 0]
    for t in range(1, time):
        for k in range(10):
            ahead[t, TARGET[k]] += ahead[t - 1, ORIGIN[k]] * cost[k] * p[SHOWS[k], t]
        size = ahead[t].max()
        if not size > LEAST:
            return -np.inf
        ahead[t] /= size
        scale *= size
        if scale < 1e-50:
            total, scale = total + np.log(scale), 1.0
    back[:] = 0.0
    back[time - 1] = 1.0
    back[time - 1, 0], back[time - 1, 1] = weight[0], weight[1]
    last = (ahead[time - 1] * back[time - 1]).sum()
    for t in range(time - 1, 0, -1):
        whole, without = 0.0, 0.0
        for k in range(10):
            way = cost[k] * back[t, TARGET[k]]
            without += ahead[t - 1, ORIGIN[k]] * way
            way *= p[SHOWS[k], t]
            back[t - 1, ORIGIN[k]] += way
            chance[t, k] = ahead[t - 1, ORIGIN[k]] * way
            whole += chance[t, k]
        size = back[t - 1].max()
        if not (whole > LEAST * size and size > LEAST):
            return -np.inf
        chance[t] /= whole
        back[t - 1] /= size
        if len(left_out) > 0:
            left_out[t] = top[t] + np.log(whole / without)
    whole = ahead[0, 0] * back[0, 0] + ahead[0, 1] * back[0, 1]
    if not (whole > LEAST and last > LEAST):
        return -np.inf
    chance[0] = 0.0
    for first in range(2):
        chance[0, first] = ahead[0, first] * back[0, first] / whole
    if len(left_out) > 0:
        left_out[0] = top[0] + np.log(whole / (back[0, 0] + back[0, 1]))
    return total + np.log(scale) + np.log(last)


@nb.njit(cache=True, nogil=True)
def _in_logs(rows, weight, cost, room, chance, left_out):  # type: ignore[no-untyped-def]
    """Do the same by logs: exact however far readings are apart."""
    _, ahead, back, _ = room
    time = rows.shape[1]
    price, end = np.log(cost), np.log(weight)
    ahead[:] = -np.inf
    ahead[0, 0], ahead[0, 1] = rows[0, 0], rows[1, 0]
    for t in range(1, time):
        for k in range(10):
            way = ahead[t - 1, ORIGIN[k]] + price[k] + rows[SHOWS[k], t]
            ahead[t, TARGET[k]] = add_logs(ahead[t, TARGET[k]], way)
    back[:] = -np.inf
    back[time - 1] = 0.0
    back[time - 1, 0], back[time - 1, 1] = end[0], end[1]
    for t in range(time - 1, 0, -1):
        without = -np.inf
        for k in range(10):
            way = price[k] + back[t, TARGET[k]]
            without = add_logs(without, ahead[t - 1, ORIGIN[k]] + way)
            way += rows[SHOWS[k], t]
            back[t - 1, ORIGIN[k]] = add_logs(back[t - 1, ORIGIN[k]], way)
            chance[t, k] = ahead[t - 1, ORIGIN[k]] + way
        if len(left_out) > 0:
            left_out[t] = -without
    total = add_logs(ahead[0, 0] + back[0, 0], ahead[0, 1] + back[0, 1])
    if len(left_out) > 0:
        left_out[0] = total - add_logs(back[0, 0], back[0, 1])
        left_out[1:] += total
    chance[0] = -np.inf
    chance[0, 0], chance[0, 1] = ahead[0, 0] + back[0, 0], ahead[0, 1] + back[0, 1]
    if total == -np.inf:
        chance[:] = 0.0
    else:
        chance[:] = np.exp(chance - total)
    return total


@nb.njit(cache=True, nogil=True)
def room_of(time):  # type: ignore[no-untyped-def]
    """Make room for the passes over so many rows."""
    return np.empty((9, time)), np.empty((time, 6)), np.empty((time, 6)), np.empty(time)


@nb.njit(cache=True, nogil=True)
def _sum(rows, weight, stop, row):  # type: ignore[no-untyped-def]
    """Sum over paths, draw by draw."""
    draws, _, time = rows.shape
    marginal, reading = np.empty(draws), np.zeros((draws, 9, time))
    start, left_out = np.zeros((draws, 2, time)), np.zeros((draws, time))
    pair, toward = np.zeros((draws, 9, 9)), np.zeros((draws, 2, 9))
    room, chance = room_of(time), np.empty((time, 10))
    for s in range(draws):
        marginal[s] = sum_steps(rows[s], weight, stop, room, chance, left_out[s])
        for k in range(10):
            for t in range(time):
                reading[s, SHOWS[k], t] += chance[t, k]
            if k == 2 or k == 3:
                start[s, k - 2] = chance[:, k]
            toward[s, TOWARDS[k], SHOWS[k]] += chance[row, k]
        if row == time - 1:
            continue
        for k in range(10):  # the next row, given the state that the row leaves
            state = 0.0
            for j in range(10):
                state += chance[row + 1, j] if ORIGIN[j] == ORIGIN[k] else 0.0
            for j in range(10):
                if TARGET[j] == ORIGIN[k] and state > 0.0:
                    both = chance[row, j] * chance[row + 1, k] / state
                    pair[s, SHOWS[j], SHOWS[k]] += both
    return marginal, reading, start, left_out, pair, toward


@nb.njit(cache=True, nogil=True)
def _draw(rows, weight, stop, uniform):  # type: ignore[no-untyped-def]
    """Draw a path for every draw, step by step, each by its probability given the last."""
    draws, _, time = rows.shape
    paths = np.empty((draws, time), np.int8)
    room, chance, left_out = room_of(time), np.empty((time, 10)), np.empty(time)
    for s in range(draws):
        sum_steps(rows[s], weight, stop, room, chance, left_out)
        state = -1
        for t in range(time):
            whole = 0.0
            for k in range(10):
                whole += chance[t, k] if t == 0 or ORIGIN[k] == state else 0.0
            left, picked = uniform[s, t] * whole, -1
            for k in range(10):
                if (t == 0 or ORIGIN[k] == state) and chance[t, k] > 0.0 and left >= 0.0:
                    picked = k
                    left -= chance[t, k]
            paths[s, t], state = SHOWS[picked], TARGET[picked]
    return paths
