r"""Orders by day in; the log likelihood of rows that may be dated by either of two days out.

Day :math:`d` brings series :math:`i` orders of mean :math:`o_{id}`, log scale :math:`h_{id}` and
log odds of none :math:`z_{id}`.  Row :math:`t` shows those of day :math:`t - l`, lag zero or one;
the first row after a switch shows those of both days, or of neither, so that none are lost:

.. math::
    P(y_{it} = 0) = \operatorname{logistic}(z_{i,t-l}), \qquad
    y_{it} \mid y_{it} \ne 0 \sim t_{\nu_i}(\mu_{it} + o_{i,t-l},\; e^{h_{i,t-l}})

with :math:`\mu_{it}` known to the row whatever its dating.  Of both days means add up, the log
scale is their mean and half the log of two, and there is none where neither has any; a row of
neither day is zero.  The dating is summed out by ``attribution.core.dating``; the gradient is
exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import digamma, gammaln

from attribution.core.dated_flow_kernel import (
    HALF_LOG_TWO,
    NONE,
    SOME,
    UNUSED,
    every_reading,
    gradient,
)
from attribution.core.dating import DatingPrior

__all__ = [
    "NONE",
    "SOME",
    "UNUSED",
    "FlowGradient",
    "dated_flow",
    "log_density",
    "of_both",
    "row_log_likelihood",
]


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
) -> np.ndarray:
    """Log likelihood of every row of one series under every reading.

    Parameters
    ----------
    flow, status : (time,).
    row, orders, log_scale, log_odds : (draw, time).
    tail : (draw,), degrees of freedom.

    Returns
    -------
    (reading, draw, time), in the order of ``dating.READINGS``; zero where a row is not used, minus
    infinity where a flow would stand for neither day.
    """
    arrays = [np.ascontiguousarray(array, float) for array in (row, orders, log_scale, log_odds)]
    nu = np.asarray(tail, float)
    found: np.ndarray = every_reading(
        np.asarray(flow, float), np.asarray(status, np.int8), *arrays, nu, _constant(nu)
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
