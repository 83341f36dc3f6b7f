"""Draws of the joint model in; replicated rows of a fund out, for checks of the fit."""

from __future__ import annotations

import numpy as np

from attribution.core.dated_flow import UNUSED
from attribution.core.dating import draw_paths
from attribution.estimate.flow_dating import readings_of
from attribution.estimate.flow_model import FlowFit


def replicate(fit: FlowFit, fund: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw every fitted row of a fund anew, one step ahead of the published row before it.

    The dating is drawn with its posterior probability, and the demand of each day is that of the
    draw.

    Returns
    -------
    Positions of the rows (row,), and rows (draw, row), USD million.
    """
    used = np.flatnonzero(fit.rows.status[fund] != UNUSED)
    found = readings_of(fit, fund)
    lag = draw_paths(found.same, found.previous, fit.prior, rng)[:, used]
    draw, of = np.arange(len(lag))[:, None], used - lag
    orders = found.covariates + found.shared * fit.demand
    center = found.own[:, used] + orders[draw, of]
    noise = rng.standard_t(np.broadcast_to(fit.tail[:, fund, None], lag.shape))
    some = 1.0 / (1.0 + np.exp(found.log_odds[draw, of]))
    flow = np.where(
        rng.random(lag.shape) < some, center + np.exp(found.log_scale[draw, of]) * noise, 0
    )
    return used, flow * fit.rows.size[fund]
