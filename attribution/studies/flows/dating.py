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

import numba as nb
import numpy as np

# Two log likelihoods of each row in; sums over the paths of ``attribution.studies.flows.dating``
# out.
#
# Log weights are those of one path of each convention.  With the log-likelihood ratio of the rows
# before each, every path is one exponential.  ``turn`` (series, direction, time) is what the first
# row after a switch, which stands for both days or for neither, adds to the reading of those
# after.


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


CONVENTIONS = ("same day", "previous day", "previous to same day", "same to previous day")
"""What the rows of a series stand for; the last two are switches."""
GRADUAL = tuple(f"{name}, gradually" for name in CONVENTIONS[2:])
"""Switches in which half of a day's orders are a day late for some rows
(``studies.flows.gradual``)."""
HALF = 20.0
"""Mean number of rows, a month of them, for which half the orders of a fund stand a day late."""
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
    gradual : share of the weight of a switch that is of gradual ones, zero to one.
    """

    same: float = 1.0
    previous: float = 1.0
    switch: float = 1.0
    gradual: float = 0.0

    def __post_init__(self) -> None:
        weights = (self.same, self.previous, self.switch)
        if not all(math.isfinite(w) and w >= 0.0 for w in weights) or sum(weights) <= 0.0:
            raise ValueError(f"weights {weights} are not a prior")
        if not 0.0 <= self.gradual <= 1.0:
            raise ValueError(f"share {self.gradual} of gradual switches is not in [0, 1]")

    @property
    def conventions(self) -> tuple[str, ...]:
        """Names of the conventions that ``probability`` is of."""
        return CONVENTIONS + GRADUAL if self.gradual else CONVENTIONS

    @property
    def probability(self) -> np.ndarray:
        """Prior probability of each of ``conventions``."""
        weights = np.array([self.same, self.previous, self.switch / 2, self.switch / 2])
        if self.gradual:
            weights = np.append(weights, weights[2:] * self.gradual)
            weights[2:4] *= 1.0 - self.gradual
        probability: np.ndarray = weights / weights.sum()
        return probability

    def log_weights(self, rows: int) -> np.ndarray:
        """Log prior weight of one path of each convention; a switch needs two rows.

        Of a gradual one, of its paths that start in one row.
        """
        weights = self.probability
        if rows < 2:
            weights = np.append(weights[:2], np.zeros(len(weights) - 2))
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
    convention : (..., convention), posterior probability of each of the prior's ``conventions``.
    previous : (..., time), posterior probability that a row stands for the day before alone; the
        derivative of ``log_marginal`` by the row's log likelihood under that reading.
    switch : (..., direction, time), posterior probability that the first row after a switch is
        this one, to the same day (it holds both days) and to the previous day (it holds neither);
        zero at the first row; the first row of half a day's orders where it is gradual.
    log_left_out : (..., time), log likelihood of a row given all others, its dating learnt from
        the others alone.
    shown : (..., reading, time), posterior probability of each of ``gradual.HOLDS``, where the
        prior knows gradual switches.
    """

    log_marginal: np.ndarray
    convention: np.ndarray
    previous: np.ndarray
    switch: np.ndarray
    log_left_out: np.ndarray
    shown: np.ndarray | None = None

    @property
    def reading(self) -> np.ndarray:
        """Posterior probability of each of ``READINGS``, or ``shown``, (..., reading, time)."""
        if self.shown is not None:
            return self.shown
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
    See ``Dating``.  Priors that know gradual switches are ``gradual.date_either``'s.
    """
    _refuse_gradual(prior)
    return date_by(rows, prior.log_weights(np.shape(rows)[-1]))


def _refuse_gradual(prior: DatingPrior) -> None:
    if prior.gradual:
        raise ValueError("the prior knows gradual switches; sum its paths by core.gradual")


def date_by(rows: np.ndarray, weight: np.ndarray) -> Dating:
    """Do the same by the log weight of one path of each of ``CONVENTIONS``, of any sum."""
    zero, one, turn = _laid(rows)
    apart = np.abs(one - zero).max(initial=0.0) if zero.size else 0.0
    apart = max(apart, np.where(np.isfinite(turn), np.abs(turn), 0.0).max(initial=0.0))
    sums = sum_paths if apart < SAFE else sum_in_logs
    found = sums(zero, one, turn, weight)
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
    _refuse_gradual(prior)
    return draw_by(rows, prior.log_weights(np.shape(rows)[-1]), rng)


def draw_by(rows: np.ndarray, weight: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Do the same by the log weight of one path of each of ``CONVENTIONS``."""
    zero, one, turn = _laid(rows)
    uniform = rng.random(len(zero))
    paths: np.ndarray = draw_walk(zero, one, turn, weight, uniform)
    return paths.reshape(np.shape(rows)[1:])


def _laid(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two contiguous matrices (series, time), and what a first row adds to them after a switch."""
    if np.ndim(rows) < 2 or len(rows) != len(READINGS) or np.shape(rows)[-1] < 1:
        raise ValueError(f"log likelihoods {np.shape(rows)} are not those of {READINGS}")
    flat = np.asarray(rows, float).reshape(len(READINGS), -1, np.shape(rows)[-1])
    turn = np.ascontiguousarray((flat[2:] - flat[:2]).swapaxes(0, 1))
    return np.ascontiguousarray(flat[0]), np.ascontiguousarray(flat[1]), turn
