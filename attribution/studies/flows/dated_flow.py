r"""Orders by day in; the log likelihood of rows that may be dated by either of two days out.

Day :math:`d` brings series :math:`i` orders of mean :math:`o_{id}`, log scale :math:`h_{id}` and
log odds of none :math:`z_{id}`.  Row :math:`t` shows those of day :math:`t - l`, lag zero or one;
the first row after a switch shows those of both days, or of neither, so that none are lost:

.. math::
    P(y_{it} = 0) = \operatorname{logistic}(z_{i,t-l}), \qquad
    y_{it} \mid y_{it} \ne 0 \sim t_{\nu_i}(\mu_{it} + o_{i,t-l},\; e^{h_{i,t-l}})

with :math:`\mu_{it}` known to the row whatever its dating.  Of both days means add up, the log
scale is their mean and half the log of two, and there is none where neither has any; a row of
neither day is zero.  Shares :math:`a, b` of two days' orders, where a change is gradual, have mean
:math:`a\, o_t + b\, o_{t-1}` and log scale
:math:`(a h_t + b h_{t-1})/(a + b) + \tfrac12 \log(a + b)`, as orders that come one by one.
The dating is summed out by ``attribution.studies.flows.dating`` and ``studies.flows.gradual``; the
gradient is exact.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numba as nb
import numpy as np
from scipy.special import digamma, gammaln

from attribution.studies.flows.dating import HALF, DatingPrior, add_logs
from attribution.studies.flows.gradual import HOLDS, SHOWS, room_of, sum_steps

__all__ = [
    "NONE",
    "SOME",
    "UNUSED",
    "FlowGradient",
    "dated_flow",
    "log_density",
    "of_both",
    "of_held",
    "row_log_likelihood",
]


# Orders and rows of series in; log likelihood of every reading, its sum and its gradient, out.

HALF_LOG_TWO = 0.5 * math.log(2.0)
SHARES = HOLDS / np.maximum(HOLDS.sum(axis=1), 0.5)[:, None]
"""How much each day counts in the log scale of a row."""
LOG_SIZE = 0.5 * np.log(np.maximum(HOLDS.sum(axis=1), 0.5))
"""Log of the scale of a row over that of a day."""
ROOT_TWO, ROOT_FOUR_THIRDS = math.sqrt(2.0), math.sqrt(4.0 / 3.0)
"""Scale of a row of whole days over that of one that holds parts of them, days being alike."""
UNUSED, NONE, SOME = 0, 1, 2
"""Status of a row: not there or held out; an exact zero; a flow."""


@nb.njit(cache=True)
def every_reading(flow, status, row, orders, log_scale, log_odds, nu, constant, readings):  # type: ignore[no-untyped-def]
    """Every reading of every row, draw by draw.

    The compiled part of ``attribution.studies.flows.dated_flow``; readings are those of
    ``studies.flows.dating``, then those of ``studies.flows.gradual`` in which a row holds half a
    day's orders.
    """
    draws, time = row.shape
    found = np.zeros((readings, draws, time))
    none, each = np.empty(time), np.zeros((readings, 5))
    for s in range(draws):
        for d in range(time):
            none[d] = _softplus(log_odds[s, d])
        for t in range(time):
            if status[t] == UNUSED:
                continue
            error = flow[t] - row[s, t]
            _fill(each, status[t], t, error, orders[s], log_scale[s], log_odds[s], none, nu[s])
            found[:, s, t] = each[:, 0] + (constant[s] if status[t] == SOME else 0.0)
            found[3, s, t] = 0.0 if status[t] == NONE else -np.inf
    return found


@nb.njit(cache=True)
def _fill(found, status, t, error, orders, log_scale, log_odds, none, nu):  # type: ignore[no-untyped-def]
    """Fill what ``_density`` says of a row (reading, 5), but for the reading of neither day."""
    for reading in range(3):
        found[reading] = _density(status, reading, t, error, orders, log_scale, log_odds, none, nu)
    if len(found) < 9:
        return
    bend = math.exp((log_scale[t] - log_scale[t - 1]) / 6.0)
    for reading in range(4, 9):
        like = 2 if reading < 7 else reading - 7  # the whole days of which it holds a part
        found[reading] = found[like]
        if status == NONE:
            continue
        own, before = HOLDS[reading]
        smaller = ROOT_TWO if reading == 4 or reading > 6 else ROOT_FOUR_THIRDS
        if reading == 5:
            smaller *= bend
        elif reading == 6:
            smaller /= bend
        mean = (own * orders[t] if own > 0.0 else 0.0) + before * orders[t - 1]
        inverse = found[like, 2] * smaller
        e = (error - mean) * inverse
        far = math.log1p(e * e / nu)
        found[reading, 0] += math.log(smaller) + 0.5 * (nu + 1.0) * (found[like, 3] - far)
        found[reading, 1], found[reading, 2], found[reading, 3] = e, inverse, far


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
def _with_gradual(sudden, found, status, weight, halves, room, steps, chance):  # type: ignore[no-untyped-def]
    """Add the sum over gradual changes to that over sudden ones; spread ``chance`` over both."""
    for t in range(len(status)):  # over the density of the same day, as the sudden sum
        for reading in range(9):
            there = status[t] != UNUSED and reading != 3
            halves[reading, t] = found[reading, t, 0] - found[0, t, 0] if there else 0.0
    paths = np.array([0.0, 0.0, np.exp(weight[4]), np.exp(weight[5])])
    slow = sum_steps(halves, paths, 1.0 / HALF, room, steps, np.empty(0))
    both = add_logs(sudden, slow)
    chance[:4] *= np.exp(sudden - both)
    chance[4:] = 0.0
    share = np.exp(slow - both)
    for k in range(10):
        for t in range(len(status)):
            chance[SHOWS[k], t] += share * steps[t, k]
    return both


@nb.njit(cache=True)
def gradient(flow, status, row, orders, log_scale, log_odds, law, weight):  # type: ignore[no-untyped-def]
    """Log likelihood and gradient, one series after another; six weights know gradual changes."""
    series, time = flow.shape
    d_row, d_orders = np.zeros((series, time)), np.zeros((series, time))
    d_scale, d_odds = np.zeros((series, time)), np.zeros((series, time))
    value, d_tail = 0.0, np.zeros(series)
    ratio, turn, lagged = np.empty(time), np.empty((2, time)), np.empty(time)
    readings = 9 if len(weight) > 4 else 3
    chance, none = np.zeros((max(readings, 4), time)), np.empty(time)
    found = np.zeros((readings, time, 5))
    room, steps, halves = room_of(time), np.empty((time, 10)), np.zeros((9, time))
    for i in range(series):
        nu, constant, slope = law[i]
        for d in range(time):
            none[d] = _softplus(log_odds[i, d])
        for t in range(time):
            ratio[t] = turn[0, t] = turn[1, t] = 0.0
            if status[i, t] == UNUSED:
                continue
            error = flow[i, t] - row[i, t]
            _fill(
                found[:, t], status[i, t], t, error, orders[i], log_scale[i], log_odds[i], none, nu
            )
            same, previous = found[0, t, 0], found[1, t, 0]
            value += same + (constant if status[i, t] == SOME else 0.0)
            ratio[t] = previous - same
            turn[0, t] = found[2, t, 0] - same
            turn[1, t] = -previous if status[i, t] == NONE else -np.inf
        sudden = _weights(ratio, turn, weight, lagged, chance[2], chance[3])
        chance[1] = lagged
        for t in range(time):
            chance[0, t] = max(1.0 - lagged[t] - chance[2, t] - chance[3, t], 0.0)
        if readings > 4:
            sudden = _with_gradual(sudden, found, status[i], weight, halves, room, steps, chance)
        value += sudden
        for t in range(time):
            if status[i, t] == UNUSED:
                continue
            for reading in range(readings):
                p = chance[reading, t]
                if p == 0.0 or reading == 3:
                    continue
                own, before = HOLDS[reading]
                last = t if own == 0.0 else t + 1
                first = t if before == 0.0 else t - 1
                _, e, inverse, far, odds = found[reading, t]
                pull = (nu + 1.0) * e / (nu + e * e)
                for d in range(first, last):
                    left = math.exp(-none[d])  # probability of a flow
                    if status[i, t] == NONE:
                        d_odds[i, d] += p * left
                        continue
                    held = t - d  # of its own day, or of the day before
                    d_orders[i, d] += p * HOLDS[reading, held] * pull * inverse
                    d_scale[i, d] += p * SHARES[reading, held] * (pull * e - 1.0)
                    d_odds[i, d] -= p * odds * left
                if status[i, t] == SOME:
                    d_row[i, t] += p * pull * inverse
                    d_tail[i] += p * (slope - 0.5 * far + 0.5 * pull * e / nu)
    return value, d_row, d_orders, d_scale, d_odds, d_tail


@dataclass(frozen=True)
class FlowGradient:
    """Log likelihood of all series and its derivatives, each of the shape of its argument."""

    value: float
    row: np.ndarray
    orders: np.ndarray
    log_scale: np.ndarray
    log_odds: np.ndarray
    tail: np.ndarray


def dated_flow(
    flow: np.ndarray,
    status: np.ndarray,
    row: np.ndarray,
    orders: np.ndarray,
    log_scale: np.ndarray,
    log_odds: np.ndarray,
    tail: np.ndarray,
    prior: DatingPrior,
) -> FlowGradient:
    """Return the log likelihood, dating summed out, and its gradient.

    Parameters
    ----------
    flow, status : (series, time); status is ``UNUSED``, ``NONE`` or ``SOME``, and the first row
        of a series, which has no day before it, is ``UNUSED``.
    row : (series, time), the part of the mean that the row's dating does not touch.
    orders, log_scale, log_odds : (series, day), on the same days.
    tail : (series,), degrees of freedom.
    """
    slope = (digamma((tail + 1) / 2) - digamma(tail / 2) - 1.0 / tail) / 2
    found = gradient(
        flow,
        status,
        row,
        orders,
        log_scale,
        log_odds,
        np.stack([tail, _constant(tail), slope], axis=-1),
        prior.log_weights(flow.shape[1]),
    )
    return FlowGradient(*found)


def row_log_likelihood(
    flow: np.ndarray,
    status: np.ndarray,
    row: np.ndarray,
    orders: np.ndarray,
    log_scale: np.ndarray,
    log_odds: np.ndarray,
    tail: np.ndarray,
    readings: int = 4,
) -> np.ndarray:
    """Log likelihood of every row of one series under every reading.

    Parameters
    ----------
    flow, status : (time,).
    row, orders, log_scale, log_odds : (draw, time).
    tail : (draw,), degrees of freedom.
    readings : how many of ``gradual.HOLDS``, of which the first four are ``dating.READINGS``.

    Returns
    -------
    (reading, draw, time); zero where a row is not used, minus
    infinity where a flow would stand for neither day.
    """
    arrays = [np.ascontiguousarray(array, float) for array in (row, orders, log_scale, log_odds)]
    nu = np.asarray(tail, float)
    found: np.ndarray = every_reading(
        np.asarray(flow, float), np.asarray(status, np.int8), *arrays, nu, _constant(nu), readings
    )
    return found


def of_both(
    now: tuple[np.ndarray, np.ndarray, np.ndarray],
    before: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean, log scale and log odds of none of two days' orders in one row, each given alike."""
    mean = now[0] + before[0]
    none = -np.logaddexp(0.0, -now[2]) - np.logaddexp(0.0, -before[2])
    odds = none - np.log(-np.expm1(np.minimum(none, -1e-300)))
    return mean, 0.5 * (now[1] + before[1]) + HALF_LOG_TWO, odds


def of_held(
    now: tuple[np.ndarray, np.ndarray, np.ndarray],
    before: tuple[np.ndarray, np.ndarray, np.ndarray],
    reading: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Do the same of a row that holds shares of their orders, a place in ``gradual.HOLDS``."""
    own, late = HOLDS[reading]
    if own + late == 0.0:
        return 0.0 * now[0], 0.0 * now[1], np.full(np.shape(now[2]), np.inf)
    if own > 0.0 and late > 0.0:
        level = SHARES[reading, 0] * now[1] + SHARES[reading, 1] * before[1] + LOG_SIZE[reading]
        return own * now[0] + late * before[0], level, of_both(now, before)[2]
    mean, level, odds = now if own > 0.0 else before
    return (own + late) * mean, level + LOG_SIZE[reading], odds


def log_density(
    flow: float,
    status: int,
    mean: np.ndarray,
    log_scale: np.ndarray,
    log_odds: np.ndarray,
    tail: np.ndarray,
) -> np.ndarray:
    """Log likelihood of one row, of any status, whose law is (...); zero if it is not used."""
    if status == UNUSED:
        return np.zeros(np.broadcast_shapes(*(np.shape(x) for x in (mean, log_scale, log_odds))))
    if status == NONE:
        return np.asarray(-np.logaddexp(0.0, -log_odds) + 0.0 * mean)
    error = (flow - mean) * np.exp(-log_scale)
    some = _constant(tail) - log_scale - (tail + 1) / 2 * np.log1p(error**2 / tail)
    return np.asarray(some - np.logaddexp(0.0, log_odds))


def _constant(nu: np.ndarray) -> np.ndarray:
    found: np.ndarray = gammaln((nu + 1) / 2) - gammaln(nu / 2) - np.log(nu * np.pi) / 2
    return found
