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

from attribution.core.dated_flow import UNUSED, log_density
from attribution.core.dating import CONVENTIONS, date_rows
from attribution.estimate.flow_dating import Readings, readings_of
from attribution.estimate.flow_model import FlowFit

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
    previous : (draw, fund), probability that the row stands for the day before.
    joint : (draw, fund, convention), probability of a convention and of that reading.
    convention : (draw, fund, convention), probability of a convention.
    log_weight : (draw,), log importance weight of the draws; zero where none is needed.
    """

    flow: np.ndarray
    exceedance: np.ndarray
    mean: np.ndarray
    previous: np.ndarray
    joint: np.ndarray
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

    Demand of the day enters its row read as the same day's, and the next read as the day before's.
    """
    found = readings_of(fit, fund)
    rows = [t for t in (day, day + 1) if t < found.same.shape[1]]
    same, previous = found.same.copy(), found.previous.copy()
    same[:, rows] = previous[:, rows] = 0.0
    rest = date_rows(same, previous, fit.prior)
    at_same = _row_on_grid(fit, fund, found, day, day)[:, :, None]
    at_previous = np.broadcast_to(found.previous[:, day, None, None], at_same.shape)
    if day + 1 >= found.same.shape[1]:
        mass = np.log(np.stack([1 - rest.previous[:, day], rest.previous[:, day]], -1) + 1e-300)
        both = np.concatenate([at_same, at_previous], axis=2) + mass[:, None]
        return logsumexp(both, axis=2), np.zeros(both.shape[:2])
    next_same = np.broadcast_to(found.same[:, day + 1, None, None], at_same.shape)
    next_previous = _row_on_grid(fit, fund, found, day, day + 1)[:, :, None]
    to_same, to_previous = rest.switch[:, 0, day + 1], rest.switch[:, 1, day + 1]
    stays = np.clip(1.0 - rest.previous[:, day] - to_previous, 0.0, 1.0)
    lagged = np.clip(rest.previous[:, day] - to_same, 0.0, 1.0)
    mass = np.log(np.stack([stays, to_previous, to_same, lagged], axis=-1) + 1e-300)[:, None]
    after = np.concatenate([next_same, next_previous, next_same, next_previous], axis=2) + mass
    own = np.concatenate([at_same, at_same, at_previous, at_previous], axis=2)
    return logsumexp(after + own, axis=2), logsumexp(after, axis=2)


def _row_on_grid(fit: FlowFit, fund: int, found: Readings, day: int, row: int) -> np.ndarray:
    """Log likelihood (draw, grid) of a row that stands for a day, by that day's demand."""
    rows = fit.rows
    mean = found.own[:, row, None] + found.covariates[:, day, None]
    return log_density(
        float(rows.flow[fund, row]),
        int(rows.status[fund, row]),
        mean + found.shared[:, day, None] * GRID,
        found.log_scale[:, day, None],
        found.log_odds[:, day, None],
        fit.tail[:, fund, None],
    )


def _predict(fit: FlowFit, day: int, log_weight: np.ndarray, rng: np.random.Generator) -> Asked:
    """Draw the rows of a day under both readings, and by the probability of each."""
    rows, draws = fit.rows, len(fit.demand)
    funds = len(rows.flow)
    flow, above, mean = (np.empty((draws, funds, 3)) for _ in range(3))
    lagged = np.empty((draws, funds))
    joint, convention = (np.empty((draws, funds, len(CONVENTIONS))) for _ in range(2))
    for fund in range(funds):
        found = readings_of(fit, fund)
        dating = date_rows(found.same, found.previous, fit.prior)
        lagged[:, fund], convention[:, fund] = dating.previous[:, day], dating.convention
        joint[:, fund, 0], joint[:, fund, 1] = 0.0, dating.convention[:, 1]
        joint[:, fund, 2] = dating.switch[:, 0, day + 1 :].sum(axis=1)
        joint[:, fund, 3] = dating.switch[:, 1, : day + 1].sum(axis=1)
        noise, uniform = rng.standard_t(fit.tail[:, fund]), rng.random(draws)
        published, size = rows.flow[fund, day], rows.size[fund]
        for lag in range(2):
            of = day - lag
            center = found.own[:, day] + found.covariates[:, of]
            center = center + found.shared[:, of] * fit.demand[:, of]
            scale = np.exp(found.log_scale[:, of])
            some = 1.0 / (1.0 + np.exp(found.log_odds[:, of]))  # probability of a flow
            flow[:, fund, lag] = np.where(uniform < some, center + scale * noise, 0.0) * size
            tail = stdtr(fit.tail[:, fund], (center - published) / scale)
            above[:, fund, lag] = some * tail + (1.0 - some) * (published <= 0.0)
            mean[:, fund, lag] = some * center * size
    chance = lagged[:, :, None]
    pick = rng.random((draws, funds)) < lagged
    flow[:, :, 2] = np.where(pick, flow[:, :, 1], flow[:, :, 0])
    for array in (above, mean):
        array[:, :, 2:] = (1.0 - chance) * array[:, :, :1] + chance * array[:, :, 1:2]
    return Asked(flow, above, mean, lagged, joint, convention, log_weight)
