"""Draws of the joint model in; what its rows say of the dating of each fund out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attribution.core.dated_flow import row_log_likelihood
from attribution.core.dating import Dating, date_rows
from attribution.estimate.flow_model import FlowFit


@dataclass(frozen=True)
class Readings:
    """What a day's orders look like to one fund, and its rows under both readings.

    Attributes
    ----------
    own : (draw, time), intercept and the pull of the row before.
    covariates : (draw, day), the answer to what the day brought.
    shared : (draw, day), scale of the demand that all funds share, times the fund's exposure.
    log_scale, log_odds : (draw, day), of the fund's own flows, and of none.
    same, previous : (draw, time), log likelihood of each row; zero where it is not used.
    """

    own: np.ndarray
    covariates: np.ndarray
    shared: np.ndarray
    log_scale: np.ndarray
    log_odds: np.ndarray
    same: np.ndarray
    previous: np.ndarray


def readings_of(fit: FlowFit, fund: int) -> Readings:
    """Return what every draw says of one fund's rows."""
    rows = fit.rows
    log_busy = fit.activity @ rows.activity.T
    own = fit.intercept[:, fund, None] + fit.persistence[:, fund, None] * rows.previous[fund]
    covariates = fit.response[:, fund] @ rows.design[fund].T
    shared = fit.loading[:, fund, None] * np.exp(log_busy)
    log_scale = fit.log_scale[:, fund, None] + log_busy
    log_odds = fit.none[:, fund, None] + fit.none_slope[:, fund, None] * rows.magnitude[fund]
    same, previous = row_log_likelihood(
        rows.flow[fund],
        rows.status[fund],
        own,
        covariates + shared * fit.demand,
        log_scale,
        log_odds,
        fit.tail[:, fund],
    )
    return Readings(own, covariates, shared, log_scale, log_odds, same, previous)


def dating_of(fit: FlowFit, fund: int) -> Dating:
    """Return what every draw says of the dating of one fund; leading axis (draw)."""
    found = readings_of(fit, fund)
    return date_rows(found.same, found.previous, fit.prior)
