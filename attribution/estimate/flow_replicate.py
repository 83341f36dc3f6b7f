"""Draws of the joint model in; replicated rows of a fund out, for checks of the fit."""

from __future__ import annotations

import numpy as np

from attribution.core.dated_flow import UNUSED, of_both
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
    reading = draw_paths(found.rows, fit.prior, rng)[:, used]
    now, before = (found.orders(of, fit.demand) for of in (used, used - 1))
    laws = [np.stack(part) for part in zip(now, before, of_both(now, before), strict=True)]
    mean, log_scale, log_odds = (
        np.take_along_axis(part, np.minimum(reading, 2)[None], axis=0)[0] for part in laws
    )
    noise = rng.standard_t(np.broadcast_to(fit.tail[:, fund, None], reading.shape))
    some = np.where(reading == 3, 0.0, 1.0 / (1.0 + np.exp(log_odds)))
    flow = np.where(
        rng.random(reading.shape) < some,
        found.own[:, used] + mean + np.exp(log_scale) * noise,
        0,
    )
    return used, flow * fit.rows.size[fund]
