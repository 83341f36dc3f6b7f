r"""Rows under whole and half shares in; which day they stand for, a change being gradual, out.

Of the orders of day t a share :math:`\pi_t` stands in its own row and the rest in the next,

.. math:: f_t = \pi_t o_t + (1 - \pi_{t-1})\, o_{t-1}, \qquad \pi_t \in \{0, \tfrac12, 1\},

so that no order is lost however the share moves.  It is always one, always zero, or goes from one
to the other through a half that lasts some rows: it starts at an unknown row, all alike, and ends
after each further row with the same probability, or not within the sample.  ``core.dating`` is the
case of no half.  All paths are summed by one pass forward and one back.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numba as nb
import numpy as np

from attribution.core.dating import DatingPrior
from attribution.core.dating_sums import add_logs

HOLDS = np.array(
    [[1, 0], [0, 1], [1, 1], [0, 0], [0.5, 0.5], [0.5, 1], [1, 0.5], [0.5, 0], [0, 0.5]]
)
"""Shares of its own day's orders and of those of the day before that a row holds (reading, 2); the
first four are ``dating.READINGS``, then half, into it and out of it to the same day, to the other.
"""


@dataclass(frozen=True)
class GradualDating:
    """What every draw says of a dating that changes gradually.

    Attributes
    ----------
    log_marginal : (draw,), log likelihood with the paths of the share integrated out.
    reading : (draw, reading, time), posterior probability of each of ``HOLDS``.
    start : (draw, direction, time), that a change to the same day, or back, starts in this row.
    """

    log_marginal: np.ndarray
    reading: np.ndarray
    start: np.ndarray


def date_gradually(rows: np.ndarray, prior: DatingPrior, length: float) -> GradualDating:
    """Integrate the paths of the share out, exactly.

    Parameters
    ----------
    rows : (reading, draw, time), log likelihood of each row under each of ``HOLDS``; zero for a
        row that says nothing, minus infinity where it cannot be.
    prior : weights of always, never, and of a change, which is gradual.
    length : mean number of rows for which the share is a half, at least one.
    """
    if np.ndim(rows) != 3 or len(rows) != len(HOLDS) or not length >= 1.0:
        raise ValueError(f"log likelihoods {np.shape(rows)}, length {length}: no gradual dating")
    weight = prior.log_weights(rows.shape[2])
    stop = math.log(1.0 / length)
    stay = math.log1p(-1.0 / length) if length > 1.0 else -math.inf
    laid = np.ascontiguousarray(rows.swapaxes(0, 1), float)
    return GradualDating(*_sum(laid, weight, stop, stay))


@nb.njit(cache=True, nogil=True)
def _sum(rows, weight, stop, stay):  # type: ignore[no-untyped-def]
    """Sum over paths in logs, draw by draw; states: same, previous, two halves, two changed."""
    draws, _, time = rows.shape
    # from, to, reading, log weight
    origin = np.array([0, 1, 1, 0, 2, 3, 2, 3, 4, 5])
    target = np.array([0, 1, 2, 3, 2, 3, 4, 5, 4, 5])
    shows = np.array([0, 1, 5, 7, 4, 4, 6, 8, 0, 1])
    cost = np.array([0.0, 0.0, weight[2], weight[3], stay, stay, stop, stop, 0.0, 0.0])
    marginal, reading = np.empty(draws), np.zeros((draws, 9, time))
    start = np.zeros((draws, 2, time))
    ahead, back = np.empty((time, 6)), np.empty((time, 6))
    for s in range(draws):
        ahead[:] = -np.inf
        ahead[0, 0], ahead[0, 1] = rows[s, 0, 0], rows[s, 1, 0]
        for t in range(1, time):
            for k in range(len(cost)):
                step = ahead[t - 1, origin[k]] + cost[k] + rows[s, shows[k], t]
                ahead[t, target[k]] = add_logs(ahead[t, target[k]], step)
        back[:] = -np.inf
        back[time - 1] = 0.0
        back[time - 1, 0], back[time - 1, 1] = weight[0], weight[1]
        for t in range(time - 1, 0, -1):
            for k in range(len(cost)):
                step = back[t, target[k]] + cost[k] + rows[s, shows[k], t]
                back[t - 1, origin[k]] = add_logs(back[t - 1, origin[k]], step)
        total = add_logs(ahead[0, 0] + back[0, 0], ahead[0, 1] + back[0, 1])
        marginal[s] = total
        for first in range(2):
            reading[s, first, 0] = np.exp(ahead[0, first] + back[0, first] - total)
        for t in range(1, time):
            for k in range(len(cost)):
                mass = ahead[t - 1, origin[k]] + cost[k] + rows[s, shows[k], t]
                share = np.exp(mass + back[t, target[k]] - total)
                reading[s, shows[k], t] += share
                if k == 2 or k == 3:
                    start[s, k - 2, t] = share
    return marginal, reading, start
