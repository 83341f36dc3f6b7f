r"""Two log likelihoods of each row in; which day the rows stand for out, every path summed.

A row stands for its own day (lag 0, "same day") or for the day before (lag 1, "previous day").
The rows of one series follow one of four conventions: always the same day, always the previous
day, or a single switch, from one to the other or back, before an unknown row :math:`s`:

.. math::
    p(y) = w_0 \prod_t p_0(y_t) + w_1 \prod_t p_1(y_t)
         + \frac{w_s}{2 (T - 1)} \sum_{s=1}^{T-1} \Bigl[
           \prod_{t < s} p_1(y_t) \prod_{t \ge s} p_0(y_t)
         + \prod_{t < s} p_0(y_t) \prod_{t \ge s} p_1(y_t) \Bigr]

Orders are lost by no switch.  With :math:`\pi_t` the share of a day's orders that its own row
reports, 0 or 1 here, row t holds

.. math:: f_t = \pi_t o_t + (1 - \pi_{t-1})\, o_{t-1},

so that the first row after a switch to the same day holds the orders of both days, and the first
after a switch to the previous day none: :math:`p_0` and :math:`p_1` give way there to the
likelihoods of those, ``both`` and ``neither``.

Cumulative sums of the log-likelihood ratio give all :math:`2T` paths in one pass.  A row that says
nothing (missing, or held out) has the same log likelihood, such as zero, under every reading; the
paths then say how it is dated from the other rows alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from attribution.core.dating_sums import draw_walk, sum_in_logs, sum_paths

CONVENTIONS = ("same day", "previous day", "previous to same day", "same to previous day")
"""What the rows of a series stand for; the last two are switches."""
READINGS = ("same day", "previous day", "both days", "neither day")
"""What one row stands for; the last two only where a series switches."""
SAFE = 500.0
"""Largest log-likelihood ratio of one row for which sums need no logarithms."""


@dataclass(frozen=True)
class DatingPrior:
    """Prior weights of the conventions; they need not add up to one.

    Attributes
    ----------
    same, previous : of rows that always stand for their own day, or for the day before.
    switch : of a single switch; its directions and its rows share it equally.
    """

    same: float = 1.0
    previous: float = 1.0
    switch: float = 1.0

    def __post_init__(self) -> None:
        weights = (self.same, self.previous, self.switch)
        if not all(math.isfinite(w) and w >= 0.0 for w in weights) or sum(weights) <= 0.0:
            raise ValueError(f"weights {weights} are not a prior")

    @property
    def probability(self) -> np.ndarray:
        """Prior probability of each of ``CONVENTIONS``."""
        weights = np.array([self.same, self.previous, self.switch / 2, self.switch / 2])
        probability: np.ndarray = weights / weights.sum()
        return probability

    def log_weights(self, rows: int) -> np.ndarray:
        """Log prior weight of one path of each convention; a switch needs two rows."""
        weights = self.probability
        if rows < 2:
            weights = np.append(weights[:2], (0.0, 0.0))
            if weights.sum() == 0.0:
                raise ValueError("one row cannot hold a switch")
            weights = weights / weights.sum()
        else:
            weights[2:] /= rows - 1
        with np.errstate(divide="ignore"):
            found: np.ndarray = np.log(weights)
        return found


@dataclass(frozen=True)
class Dating:
    """What every draw says of the dating of one or more series.

    Attributes
    ----------
    log_marginal : (...), log likelihood with the dating integrated out.
    convention : (..., convention), posterior probability of each of ``CONVENTIONS``.
    previous : (..., time), posterior probability that a row stands for the day before alone; the
        derivative of ``log_marginal`` by the row's log likelihood under that reading.
    switch : (..., direction, time), posterior probability that the first row after a switch is
        this one, to the same day (it holds both days) and to the previous day (it holds neither);
        zero at the first row.
    log_left_out : (..., time), log likelihood of a row given all others, its dating learnt from
        the others alone.
    """

    log_marginal: np.ndarray
    convention: np.ndarray
    previous: np.ndarray
    switch: np.ndarray
    log_left_out: np.ndarray

    @property
    def reading(self) -> np.ndarray:
        """Posterior probability of each of ``READINGS``, (..., reading, time)."""
        turned = self.switch
        same = np.clip(1.0 - self.previous - turned.sum(axis=-2), 0.0, 1.0)
        return np.concatenate([np.stack([same, self.previous], axis=-2), turned], axis=-2)


def date_rows(rows: np.ndarray, prior: DatingPrior) -> Dating:
    """Integrate the dating out, exactly.

    Parameters
    ----------
    rows : (reading, ..., time), log likelihood of each row under each of ``READINGS``, minus
        infinity where it cannot be; axes in between, such as draws and series, are free.

    Returns
    -------
    See ``Dating``.
    """
    zero, one, turn = _laid(rows)
    apart = np.abs(one - zero).max(initial=0.0) if zero.size else 0.0
    apart = max(apart, np.where(np.isfinite(turn), np.abs(turn), 0.0).max(initial=0.0))
    sums = sum_paths if apart < SAFE else sum_in_logs
    found = sums(zero, one, turn, prior.log_weights(zero.shape[1]))
    lead, time = np.shape(rows)[1:-1], np.shape(rows)[-1]
    marginal, convention, lagged, switch, left_out = found
    return Dating(
        log_marginal=marginal.reshape(lead),
        convention=convention.reshape(*lead, len(CONVENTIONS)),
        previous=lagged.reshape(*lead, time),
        switch=switch.reshape(*lead, 2, time),
        log_left_out=left_out.reshape(*lead, time),
    )


def log_marginal(rows: np.ndarray, prior: DatingPrior) -> np.ndarray:
    """Return the log likelihood (...) with the dating integrated out."""
    return date_rows(rows, prior).log_marginal


def draw_paths(rows: np.ndarray, prior: DatingPrior, rng: np.random.Generator) -> np.ndarray:
    """Draw one path of the dating from its posterior, for every index but reading and time.

    Returns
    -------
    (..., time), the place in ``READINGS`` of what a row stands for.
    """
    zero, one, turn = _laid(rows)
    uniform = rng.random(len(zero))
    paths: np.ndarray = draw_walk(zero, one, turn, prior.log_weights(zero.shape[1]), uniform)
    return paths.reshape(np.shape(rows)[1:])


def _laid(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two contiguous matrices (series, time), and what a first row adds to them after a switch."""
    if np.ndim(rows) < 2 or len(rows) != len(READINGS) or np.shape(rows)[-1] < 1:
        raise ValueError(f"log likelihoods {np.shape(rows)} are not those of {READINGS}")
    flat = np.asarray(rows, float).reshape(len(READINGS), -1, np.shape(rows)[-1])
    turn = np.ascontiguousarray((flat[2:] - flat[:2]).swapaxes(0, 1))
    return np.ascontiguousarray(flat[0]), np.ascontiguousarray(flat[1]), turn
