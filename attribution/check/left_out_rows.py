"""A saved run of kind ``flows`` in; how rows lie in predictions that leave them out, out."""

from __future__ import annotations

import numpy as np
import xarray as xr
from scipy import stats

from attribution.diagnostics import PARETO_K
from attribution.finding import Finding, verdict_of

WORST = 20
"""Days with the lowest returns that the calibration is looked at on."""


def worst_days(tree: xr.DataTree) -> xr.Dataset:
    """Left-out rows of the focus on the days with the lowest returns, the lowest first."""
    data = tree["pit"].to_dataset()
    order = np.argsort(data["return"].to_numpy(), kind="stable")[:WORST]
    return data.isel(time=order)


def calibration(tree: xr.DataTree) -> Finding:
    """Are the rows of the worst days spread over their predictions as they should be."""
    worst, every = worst_days(tree), tree["pit"].to_dataset()
    focus, k = str(tree["predictive"].attrs["focus"]), every["pareto_k"].to_numpy()
    inside, p = _spread(worst)
    whole, p_whole = _spread(every)
    return Finding(
        name="calibration",
        question=(
            f"On the {worst.sizes['time']} worst days, are {focus}'s rows spread over their"
            " leave-one-out predictions as they should be?"
        ),
        evidence=(
            f"{inside:.0%} lie inside the 90 % interval, Kolmogorov-Smirnov p = {p:.2f}; of all"
            f" {every.sizes['time']} rows {whole:.0%}, p = {p_whole:.2f}; Pareto k at most"
            f" {k.max():.2f}, above {PARETO_K} on {int((k > PARETO_K).sum())} rows; a p that is not"
            " small is no proof"
        ),
        verdict=verdict_of(p),
    )


def _spread(rows: xr.Dataset) -> tuple[float, float]:
    """Share of rows inside the central 90 %, and the p value of a uniform spread.

    A row that may be exactly zero lies anywhere between ``low`` and ``high``, evenly; the distance
    is that of the mean of these laws from the uniform one [czado2009].
    """
    low, high = rows["low"].to_numpy(), rows["high"].to_numpy()
    at = np.unique(np.concatenate([low, high]))
    distance = float(np.abs(_mean_law(at, low, high) - at).max())
    edges = _mean_law(np.array([0.05, 0.95]), low, high)
    return float(edges[1] - edges[0]), float(stats.kstwo.sf(distance, len(low)))


def _mean_law(at: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Mean over rows of the probability (point,) of at most a point."""
    width = np.maximum(high - low, 1e-12)
    found: np.ndarray = np.clip((at[:, None] - low) / width, 0.0, 1.0).mean(axis=1)
    return found
