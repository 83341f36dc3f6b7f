r"""Orders by day in; the log likelihood of rows that may be dated by either of two days out.

Day :math:`d` brings series :math:`i` orders of mean :math:`o_{id}`, log scale :math:`h_{id}` and
log odds of none :math:`z_{id}`.  Row :math:`t` shows those of day :math:`t - l`, lag zero or one:

.. math::
    P(y_{it} = 0) = \operatorname{logistic}(z_{i,t-l}), \qquad
    y_{it} \mid y_{it} \ne 0 \sim t_{\nu_i}(\mu_{it} + o_{i,t-l},\; e^{h_{i,t-l}})

with :math:`\mu_{it}` known to the row whatever its dating.  The dating is summed out by
``attribution.core.dating``; the gradient is exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba as nb
import numpy as np
from scipy.special import digamma, gammaln

from attribution.core.dating import DatingPrior

UNUSED, NONE, SOME = 0, 1, 2
"""Status of a row: not there or held out; an exact zero; a flow."""


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
    found = _gradient(
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
) -> tuple[np.ndarray, np.ndarray]:
    """Log likelihood of every row of one series under both readings.

    Parameters
    ----------
    flow, status : (time,).
    row, orders, log_scale, log_odds : (draw, time).
    tail : (draw,), degrees of freedom.

    Returns
    -------
    Same day, previous day: (draw, time); zero where a row is not used.
    """
    arrays = [np.ascontiguousarray(array, float) for array in (row, orders, log_scale, log_odds)]
    nu = np.asarray(tail, float)
    same, previous = _both(
        np.asarray(flow, float), np.asarray(status, np.int8), *arrays, nu, _constant(nu)
    )
    return same, previous


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


@nb.njit(cache=True)
def _both(flow, status, row, orders, log_scale, log_odds, nu, constant):  # type: ignore[no-untyped-def]
    """Both readings of every row, draw by draw."""
    draws, time = row.shape
    found = np.zeros((2, draws, time))
    inverse, none = np.empty(time), np.empty(time)
    for s in range(draws):
        for d in range(time):
            inverse[d] = np.exp(-log_scale[s, d])
            none[d] = _softplus(log_odds[s, d])
        for t in range(time):
            if status[t] == UNUSED:
                continue
            for lag in range(2):
                d = t - lag
                if status[t] == NONE:
                    found[lag, s, t] = log_odds[s, d] - none[d]
                    continue
                e = (flow[t] - row[s, t] - orders[s, d]) * inverse[d]
                shape = 0.5 * (nu[s] + 1.0) * np.log1p(e * e / nu[s])
                found[lag, s, t] = constant[s] - log_scale[s, d] - shape - none[d]
    return found[0], found[1]


@nb.njit(cache=True)
def _softplus(x):  # type: ignore[no-untyped-def]
    return max(x, 0.0) + np.log1p(np.exp(-abs(x)))


@nb.njit(cache=True)
def _weights(ratio, weight, lagged):  # type: ignore[no-untyped-def]
    """Fill the probability of the previous day; return the log of the sum of paths over lag 0."""
    time = len(ratio)
    before = np.empty(time)
    whole = 0.0
    low, high = np.inf, -np.inf
    for t in range(time):
        before[t] = whole
        if t > 0:
            low, high = min(low, whole), max(high, whole)
        whole += ratio[t]
    top = max(weight[0], weight[1] + whole)
    top = max(top, max(weight[2] + high, weight[3] + whole - low))
    always_zero, always_one = np.exp(weight[0] - top), np.exp(weight[1] + whole - top)
    to_zero, to_one = np.empty(time), np.empty(time)
    later, turned = 0.0, 0.0
    for t in range(1, time):
        to_zero[t] = np.exp(weight[2] + before[t] - top)
        to_one[t] = np.exp(weight[3] + whole - before[t] - top)
        later += to_zero[t]
        turned += to_one[t]
    total = always_zero + always_one + later + turned
    ahead, past = later, 0.0  # switches to lag 0 after a row, switches to lag 1 up to it
    for t in range(time):
        if t > 0:
            ahead -= to_zero[t]
            past += to_one[t]
        lagged[t] = min(max((always_one + ahead + past) / total, 0.0), 1.0)
    return top + np.log(total)


@nb.njit(cache=True)
def _gradient(flow, status, row, orders, log_scale, log_odds, law, weight):  # type: ignore[no-untyped-def]
    """Log likelihood and gradient, one series after another."""
    series, time = flow.shape
    d_row, d_orders = np.zeros((series, time)), np.zeros((series, time))
    d_scale, d_odds = np.zeros((series, time)), np.zeros((series, time))
    value, d_tail = 0.0, np.zeros(series)
    ratio, lagged = np.empty(time), np.empty(time)
    error, logs = np.zeros((2, time)), np.zeros((2, time))
    inverse, none = np.empty(time), np.empty(time)
    for i in range(series):
        nu, constant, slope = law[i]
        for d in range(time):
            inverse[d] = np.exp(-log_scale[i, d])
            none[d] = _softplus(log_odds[i, d])
        for t in range(time):
            ratio[t] = 0.0
            if status[i, t] == UNUSED:
                continue
            for lag in range(2):
                d = t - lag
                if status[i, t] == NONE:
                    density = log_odds[i, d] - none[d]
                else:
                    e = (flow[i, t] - row[i, t] - orders[i, d]) * inverse[d]
                    error[lag, t], logs[lag, t] = e, np.log1p(e * e / nu)
                    density = constant - log_scale[i, d] - 0.5 * (nu + 1.0) * logs[lag, t] - none[d]
                if lag == 0:
                    value += density
                    ratio[t] = -density
                else:
                    ratio[t] += density
        value += _weights(ratio, weight, lagged)
        for t in range(time):
            if status[i, t] == UNUSED:
                continue
            for lag in range(2):
                d, p = t - lag, lagged[t] if lag else 1.0 - lagged[t]
                share = 1.0 - np.exp(-none[d])  # probability of no flow
                if status[i, t] == NONE:
                    d_odds[i, d] += p * (1.0 - share)
                    continue
                e = error[lag, t]
                pull = (nu + 1.0) * e / (nu + e * e)
                d_row[i, t] += p * pull * inverse[d]
                d_orders[i, d] += p * pull * inverse[d]
                d_scale[i, d] += p * (pull * e - 1.0)
                d_odds[i, d] -= p * share
                d_tail[i] += p * (slope - 0.5 * logs[lag, t] + 0.5 * pull * e / nu)
    return value, d_row, d_orders, d_scale, d_odds, d_tail
