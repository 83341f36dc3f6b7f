r"""Draws of the joint model and a day in; the rows that it would bring, by dating, out.

A row is predicted from the rows before it and from fitted rows after it, never from its own day.
A day that was fitted is taken out of the posterior, and held-out days before the asked one are put
into it, both by weights of the draws.  Demand :math:`u_d` of the day itself is summed out on a
grid, since its own rows would tell it too well for a weight:

.. math::
    w = \frac{\int p(u) \prod_i p(y_i \mid u, \theta)\, du \text{ without the rows of } d}
             {\int p(u) \prod_i p(y_i \mid u, \theta)\, du \text{ with them}}

and :math:`u_d` is drawn anew from what is left.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import logsumexp, stdtr

from attribution.sampling import engine
from attribution.studies.flows.dated_flow import NONE, UNUSED, log_density, of_held
from attribution.studies.flows.gradual import HOLDS, date_either, joint_chances, pair_chances
from attribution.studies.flows.model import FlowFit, Readings, readings_of

GRID = np.sinh(np.linspace(-3.2, 3.2, 65))
"""Demand at which its density is evaluated; dense in the middle, and out to twelve scales."""


@dataclass(frozen=True)
class Asked:
    """What the model says of one day's rows.

    Attributes
    ----------
    flow : (draw, fund, reading), draws of the rows, USD million; readings: same day, previous day,
        and either by its probability.
    exceedance : (draw, fund, reading), probability of at least the published row.
    mean : (draw, fund, reading), mean of a row given the draw, USD million.
    previous : (draw, fund), probability that the row stands for the day before alone; ``both`` that
        it stands for both days; ``halves`` that it holds half of a day's orders, or of two.
    joint : (draw, fund, convention), probability of a convention and of the previous day's reading;
        ``tail`` of a convention and of at least the published row.
    convention : (draw, fund, convention), probability of a convention.
    log_weight : (draw,), log importance weight of the draws; zero where none is needed.
    """

    flow: np.ndarray
    exceedance: np.ndarray
    mean: np.ndarray
    previous: np.ndarray
    both: np.ndarray
    halves: np.ndarray
    joint: np.ndarray
    tail: np.ndarray
    convention: np.ndarray
    log_weight: np.ndarray


def ask(fit: FlowFit, day: int, rng: np.random.Generator) -> Asked:
    """Predict the rows of a day.

    Parameters
    ----------
    day : position of the day; it and the day before it are in the sample.
    """
    rows, held = fit.rows, fit.rows.data.held_out
    status, log_weight = rows.status.copy(), np.zeros(len(fit.demand))
    if held[day]:
        for before in np.flatnonzero(held[:day]).tolist():
            status[:, before] = rows.published[:, before]
            fit, change = _with_rows(fit, status, before, rng)
            log_weight += change
    else:
        fit, change = _without_rows(fit, status, day, rng)
        log_weight += change
        status[:, day] = UNUSED
    return _predict(_using(fit, status), day, log_weight, rng)


def _using(fit: FlowFit, status: np.ndarray) -> FlowFit:
    """Return the same draws, with other rows in use."""
    return replace(fit, rows=replace(fit.rows, status=status))


def _with_rows(
    fit: FlowFit, status: np.ndarray, day: int, rng: np.random.Generator
) -> tuple[FlowFit, np.ndarray]:
    """Add the rows of a day: the log weight that they give, and demand of that day drawn anew."""
    known, blank = day_evidence(_using(fit, status), day)
    return _redrawn(fit, day, known, rng), logsumexp(known, axis=1) - logsumexp(blank, axis=1)


def _without_rows(
    fit: FlowFit, status: np.ndarray, day: int, rng: np.random.Generator
) -> tuple[FlowFit, np.ndarray]:
    """Take the rows of a day out, as ``_with_rows`` puts them in."""
    known, blank = day_evidence(_using(fit, status), day)
    return _redrawn(fit, day, blank, rng), logsumexp(blank, axis=1) - logsumexp(known, axis=1)


def _redrawn(fit: FlowFit, day: int, log_mass: np.ndarray, rng: np.random.Generator) -> FlowFit:
    """Draw demand of a day from its mass on the grid, evenly inside a cell."""
    mass = np.exp(log_mass - logsumexp(log_mass, axis=1, keepdims=True))
    cell = (rng.random((len(mass), 1)) > np.cumsum(mass, axis=1)).sum(axis=1)
    cell = np.minimum(cell, len(GRID) - 1)
    edges = np.concatenate([GRID[:1], (GRID[1:] + GRID[:-1]) / 2, GRID[-1:]])
    demand = fit.demand.copy()
    demand[:, day] = edges[cell] + rng.random(len(cell)) * (edges[cell + 1] - edges[cell])
    return replace(fit, demand=demand)


def day_evidence(fit: FlowFit, day: int) -> tuple[np.ndarray, np.ndarray]:
    """Log mass of demand of a day on the grid, given the rows of other days and with its own.

    Returns
    -------
    With the rows of the day, without them: (draw, grid), up to one constant a draw.
    """
    nu = fit.demand_tail[:, None]
    width = np.gradient(GRID)
    with np.errstate(invalid="ignore"):  # without shared demand its law is normal, and idle
        law = np.where(np.isinf(nu), -(GRID**2) / 2, -(nu + 1) / 2 * np.log1p(GRID**2 / nu))
    prior = law + np.log(width)
    known, blank = prior.copy(), prior.copy()
    for fund in range(len(fit.rows.flow)):
        own, without = _fund_evidence(fit, fund, day)
        known += own
        blank += without
    return known, blank


def _fund_evidence(fit: FlowFit, fund: int, day: int) -> tuple[np.ndarray, np.ndarray]:
    """Log likelihood of a fund's rows on the grid of a day's demand, with that day's row and not.

    Demand of the day enters its own row, or the next, or at a switch both or neither of them.
    """
    found = readings_of(fit, fund)
    rows = [t for t in (day, day + 1) if t < found.rows.shape[2]]
    blank = found.rows.copy()
    blank[:, :, rows] = 0.0
    here = [_row_on_grid(fit, fund, found, day, day, reading) for reading in range(len(blank))]
    if len(rows) == 1:
        rest = date_either(blank, fit.prior).reading  # (draw, reading, time)
        mass = np.log(rest[:, :, day, None] + 1e-300)
        own = np.stack(np.broadcast_arrays(*here), axis=1) + mass
        return logsumexp(own, axis=1), np.zeros((len(mass), len(GRID)))
    after = [_row_on_grid(fit, fund, found, day, day + 1, reading) for reading in range(len(blank))]
    shape = (blank.shape[1], len(GRID))
    with_row, without = np.full(shape, -np.inf), np.full(shape, -np.inf)
    for (place, following), chance in pair_chances(blank, fit.prior, day).items():
        mass = np.log(chance + 1e-300)[:, None] + after[following]
        without = np.logaddexp(without, mass)
        with_row = np.logaddexp(with_row, mass + here[place])
    return with_row, without


def _row_on_grid(
    fit: FlowFit, fund: int, found: Readings, day: int, row: int, reading: int
) -> np.ndarray:
    """Log likelihood (draw, grid) of a row under a reading, by demand of a day in or near it."""
    own, before = HOLDS[reading]
    if (own if row == day else before) == 0.0:
        return found.rows[reading, :, row, None]  # the day's demand is not in it
    rows = fit.rows

    def orders(of: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        mean, log_scale, log_odds = (part[:, None] for part in found.orders(of, fit.demand))
        if of == day:
            mean = found.covariates[:, day, None] + found.shared[:, day, None] * GRID
        return mean, log_scale, log_odds

    first, last = (row if own else row - 1), (row - 1 if before else row)
    mean, log_scale, log_odds = of_held(orders(first), orders(last), reading)
    return log_density(
        float(rows.flow[fund, row]),
        int(rows.status[fund, row]),
        found.own[:, row, None] + mean,
        log_scale,
        log_odds,
        fit.tail[:, fund, None],
    )


def _predict(fit: FlowFit, day: int, log_weight: np.ndarray, rng: np.random.Generator) -> Asked:
    """Draw the rows of a day under either reading, and by the probability of each."""
    rows, draws = fit.rows, len(fit.demand)
    funds = len(rows.flow)
    flow, above, mean = (np.empty((draws, funds, 3)) for _ in range(3))
    lagged, both, halves = (np.empty((draws, funds)) for _ in range(3))
    conventions = len(fit.prior.conventions)
    joint, far, convention = (np.empty((draws, funds, conventions)) for _ in range(3))
    for fund in range(funds):
        found = readings_of(fit, fund)
        dating = date_either(found.rows, fit.prior)
        chance = dating.reading[:, :, day]
        lagged[:, fund], both[:, fund] = chance[:, 1], chance[:, 2]
        halves[:, fund] = chance[:, 4:].sum(axis=1)
        convention[:, fund] = dating.convention
        noise, uniform = rng.standard_t(fit.tail[:, fund]), rng.random(draws)
        published, size = rows.flow[fund, day], rows.size[fund]
        now, before = (found.orders(of, fit.demand) for of in (day, day - 1))
        drawn, centers, each = (np.zeros(chance.shape) for _ in range(3))
        for reading in range(chance.shape[1]):
            law = of_held(now, before, reading)
            center, scale = found.own[:, day] + law[0], np.exp(law[1])
            some = 1.0 / (1.0 + np.exp(law[2]))  # probability of a flow
            drawn[:, reading] = np.where(uniform < some, center + scale * noise, 0.0)
            tail = stdtr(fit.tail[:, fund], (center - published) / scale)
            each[:, reading] = some * tail + (1.0 - some) * (published <= 0.0)
            centers[:, reading] = some * center
        pick = (rng.random((draws, 1)) > np.cumsum(chance, axis=1)).sum(axis=1)
        picked = drawn[np.arange(draws), np.minimum(pick, chance.shape[1] - 1)]
        flow[:, fund] = np.column_stack([drawn[:, :2], picked]) * size
        above[:, fund] = np.column_stack([each[:, :2], (chance * each).sum(1)])
        together = joint_chances(found.rows, fit.prior, day)
        joint[:, fund], far[:, fund] = together[:, :, 1], (together * each[:, None]).sum(2)
        mean[:, fund] = np.column_stack([centers[:, :2], (chance * centers).sum(1)]) * size
    return Asked(flow, above, mean, lagged, both, halves, joint, far, convention, log_weight)


# Draws of the joint model in; each row of a fund predicted from all other rows out.


@dataclass(frozen=True)
class LeftOut:
    """A fund's fitted rows, each held against its prediction from all other rows.

    Attributes
    ----------
    row : (row,), positions of the rows.
    log_likelihood : (draw, row), of each row, its dating learnt from the others.
    low, high : (row,), predictive probability below the row, and at or below it; they differ where
        the row is an exact zero.
    pareto_k : (row,), reliability of leaving the row out by weights; above 0.7 it is not.
    """

    row: np.ndarray
    log_likelihood: np.ndarray
    low: np.ndarray
    high: np.ndarray
    pareto_k: np.ndarray


def left_out(fit: FlowFit, fund: int) -> LeftOut:
    """Predict every fitted row of a fund from the others, by importance weights of the draws.

    References
    ----------
    vehtari2024
    """
    used = np.flatnonzero(fit.rows.status[fund] != UNUSED)
    found = readings_of(fit, fund)
    dating = date_either(found.rows, fit.prior)
    likelihood = dating.log_left_out[:, used]
    chance = _chance_without(dating.reading[..., used], found.rows[..., used], likelihood)
    flow, none = fit.rows.flow[fund, used], fit.rows.status[fund, used] == NONE
    low, high = np.zeros(likelihood.shape), np.zeros(likelihood.shape)
    now, before = (found.orders(of, fit.demand) for of in (used, used - 1))
    for reading in range(len(found.rows)):
        weight, (mean, log_scale, log_odds) = chance[:, reading], of_held(now, before, reading)
        some = 1.0 / (1.0 + np.exp(log_odds))
        center = found.own[:, used] + mean
        below = some * stdtr(fit.tail[:, fund, None], (flow - center) / np.exp(log_scale))
        zero = 1.0 - some
        low += weight * (below + zero * (flow > 0.0))
        high += weight * (below + zero * ((flow > 0.0) | none))
    lead = fit.lead
    rows = [engine.psis(-likelihood[:, j].reshape(lead)) for j in range(len(used))]
    share = np.stack([np.exp(weight).ravel() for weight, _ in rows], axis=1) / len(likelihood)
    return LeftOut(
        row=used,
        log_likelihood=likelihood,
        low=(share * low).sum(axis=0),
        high=(share * high).sum(axis=0),
        pareto_k=np.array([k for _, k in rows]),
    )


def _chance_without(reading: np.ndarray, rows: np.ndarray, left_out: np.ndarray) -> np.ndarray:
    """Probability of each reading of a row (draw, reading, row), learnt from the others alone.

    What a flow excludes, that it stands for neither day, is what the other readings leave.
    """
    density = rows.swapaxes(0, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.exp(np.log(reading) + left_out[:, None] - density)
    found = np.where(np.isfinite(density), found, 0.0)
    found[:, 3] = np.where(
        np.isfinite(density[:, 3]),
        found[:, 3],
        np.clip(1.0 - np.delete(found, 3, axis=1).sum(axis=1), 0.0, 1.0),
    )
    return np.asarray(found / found.sum(axis=1, keepdims=True))
