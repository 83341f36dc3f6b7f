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
    own : (draw, time), the pull of the row before.
    covariates : (draw, day), intercept and the answer to what the day brought.
    shared : (draw, day), scale of the demand that all funds share, times the fund's exposure.
    log_scale, log_odds : (draw, day), of the fund's own flows, and of none.
    rows : (reading, draw, time), log likelihood of each row; zero where it is not used.
    """

    own: np.ndarray
    covariates: np.ndarray
    shared: np.ndarray
    log_scale: np.ndarray
    log_odds: np.ndarray
    rows: np.ndarray

    def orders(
        self, day: int | np.ndarray, demand: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Mean, log scale and log odds of none of the orders of some days, (draw,) or (draw, day).

        ``demand`` (draw, day) is that of every day, in the unit of ``shared``.
        """
        mean = self.covariates[:, day] + self.shared[:, day] * demand[:, day]
        return mean, self.log_scale[:, day], self.log_odds[:, day]


def readings_of(fit: FlowFit, fund: int) -> Readings:
    """Return what every draw says of one fund's rows."""
    rows = fit.rows
    log_busy = fit.activity @ rows.activity.T
    own = fit.persistence[:, fund, None] * rows.previous[fund]
    covariates = fit.intercept[:, fund, None] + fit.response[:, fund] @ rows.design[fund].T
    shared = fit.loading[:, fund, None] * np.exp(log_busy)
    log_scale = fit.log_scale[:, fund, None] + log_busy
    log_odds = fit.none[:, fund, None] + fit.none_slope[:, fund, None] * rows.magnitude[fund]
    found = row_log_likelihood(
        rows.flow[fund],
        rows.status[fund],
        own,
        covariates + shared * fit.demand,
        log_scale,
        log_odds,
        fit.tail[:, fund],
    )
    return Readings(own, covariates, shared, log_scale, log_odds, found)


def dating_of(fit: FlowFit, fund: int) -> Dating:
    """Return what every draw says of the dating of one fund; leading axis (draw)."""
    return date_rows(readings_of(fit, fund).rows, fit.prior)
