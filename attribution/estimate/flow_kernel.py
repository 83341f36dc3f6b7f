"""Coefficients of net creations in; their log likelihood and its gradient out, dating summed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attribution.core.dated_flow import dated_flow
from attribution.core.dating import DatingPrior
from attribution.estimate.flow_rows import FlowRows

LIMIT = 20.0
"""Log of the largest factor of a day's scale: a step of the sampler's search may ask for more."""


@dataclass(frozen=True)
class FlowKernel:
    """The likelihood of the joint model; arguments in the order of ``value_and_gradient``."""

    rows: FlowRows
    prior: DatingPrior

    def value_and_gradient(
        self,
        intercept: np.ndarray,
        persistence: np.ndarray,
        response: np.ndarray,
        loading: np.ndarray,
        log_scale: np.ndarray,
        activity: np.ndarray,
        demand: np.ndarray,
        none: np.ndarray,
        none_slope: np.ndarray,
        tail: np.ndarray,
    ) -> tuple[float, tuple[np.ndarray, ...]]:
        """Return the log likelihood and its derivative in each argument, in order.

        Parameters
        ----------
        intercept, persistence, loading, log_scale, none, none_slope : (fund,).
        response : (fund, covariate).
        activity : (column,), slopes of the log scale.
        demand : (day,), demand that all funds share, of scale one on a day of usual activity.
        tail : (fund,), degrees of freedom of a fund's own flows.
        """
        rows = self.rows
        log_busy = np.clip(rows.activity @ activity, -LIMIT, LIMIT)
        shared = np.exp(log_busy) * demand
        found = dated_flow(
            rows.flow,
            rows.status,
            persistence[:, None] * rows.previous,
            intercept[:, None]
            + (rows.design @ response[:, :, None])[:, :, 0]
            + loading[:, None] * shared,
            log_scale[:, None] + log_busy,
            none[:, None] + none_slope[:, None] * rows.magnitude,
            tail,
            self.prior,
        )
        d_shared = loading @ found.orders
        return found.value, (
            found.orders.sum(1),
            np.einsum("ft,ft->f", found.row, rows.previous),
            (found.orders[:, None, :] @ rows.design)[:, 0],
            found.orders @ shared,
            found.log_scale.sum(1),
            rows.activity.T @ (found.log_scale.sum(0) + d_shared * shared),
            d_shared * np.exp(log_busy),
            found.log_odds.sum(1),
            np.einsum("ft,ft->f", found.log_odds, rows.magnitude),
            found.tail,
        )
