"""Draws of the joint model in; each row of a fund predicted from all other rows out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr

from attribution import compat
from attribution.core.dated_flow import NONE, UNUSED, of_both
from attribution.core.dating import date_rows
from attribution.estimate.flow_dating import readings_of
from attribution.estimate.flow_model import FlowFit


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
    dating = date_rows(found.rows, fit.prior)
    likelihood = dating.log_left_out[:, used]
    chance = _chance_without(dating.reading[..., used], found.rows[..., used], likelihood)
    flow, none = fit.rows.flow[fund, used], fit.rows.status[fund, used] == NONE
    low, high = np.zeros(likelihood.shape), np.zeros(likelihood.shape)
    now, before = (found.orders(of, fit.demand) for of in (used, used - 1))
    nothing = 0.0 * now[0], 0.0 * now[1], np.full(now[2].shape, np.inf)
    for reading, law in enumerate((now, before, of_both(now, before), nothing)):
        weight, (mean, log_scale, log_odds) = chance[:, reading], law
        some = 1.0 / (1.0 + np.exp(log_odds))
        center = found.own[:, used] + mean
        below = some * stdtr(fit.tail[:, fund, None], (flow - center) / np.exp(log_scale))
        zero = 1.0 - some
        low += weight * (below + zero * (flow > 0.0))
        high += weight * (below + zero * ((flow > 0.0) | none))
    lead = fit.lead
    rows = [compat.psis(-likelihood[:, j].reshape(lead)) for j in range(len(used))]
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
        np.isfinite(density[:, 3]), found[:, 3], np.clip(1.0 - found[:, :3].sum(axis=1), 0.0, 1.0)
    )
    return np.asarray(found / found.sum(axis=1, keepdims=True))
