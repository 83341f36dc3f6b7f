"""Draws of the joint model in; each row of a fund predicted from all other rows out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr

from attribution import compat
from attribution.core.dated_flow import NONE, UNUSED
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
    dating = date_rows(found.same, found.previous, fit.prior)
    likelihood = dating.log_left_out[:, used]
    chance = _chance_without(dating.previous[:, used], found.same[:, used], found.previous[:, used])
    flow, none = fit.rows.flow[fund, used], fit.rows.status[fund, used] == NONE
    low, high = np.zeros(chance.shape), np.zeros(chance.shape)
    for lag, weight in enumerate((1.0 - chance, chance)):
        of = used - lag
        center = found.own[:, used] + found.covariates[:, of]
        center = center + found.shared[:, of] * fit.demand[:, of]
        some = 1.0 / (1.0 + np.exp(found.log_odds[:, of]))
        below = some * stdtr(
            fit.tail[:, fund, None], (flow - center) / np.exp(found.log_scale[:, of])
        )
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


def _chance_without(previous: np.ndarray, same: np.ndarray, lagged: np.ndarray) -> np.ndarray:
    """Probability that a row stands for the day before, learnt from the other rows alone."""
    top = np.maximum(same, lagged)
    as_previous = previous * np.exp(top - lagged)
    as_same = (1.0 - previous) * np.exp(top - same)
    found: np.ndarray = as_previous / (as_previous + as_same)
    return found
