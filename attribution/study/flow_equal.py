"""Predictions of asked days, whose draws weigh differently, in; draws that weigh alike out."""

from __future__ import annotations

import numpy as np
import xarray as xr

from attribution.check.asked_rows import BEFORE
from attribution.check.weighted import Weighted
from attribution.core.resample import copies, taken

LEAD = ("chain", "draw", "day")


def equal_days(predicted: xr.Dataset, rng: np.random.Generator) -> dict[str, xr.Dataset]:
    """Make group ``/predictive``: each day's draws as often as they weigh on that day.

    Where a day was fitted, or an earlier one was held out, its draws carry weights.  They are
    resampled once, day by day, so that a plain mean is the prediction; the originals are kept below
    ``/weighted`` with ``log_weight`` and ``copies``.  A place in a chain is then another draw
    on another day, and than in ``/posterior``.
    """
    log_weight = predicted["log_weight"].transpose(*LEAD).to_numpy()
    days = range(log_weight.shape[2])
    weight = [Weighted.of(log_weight[:, :, day]).weight for day in days]
    kept = np.stack([copies(of_day, rng.random()) for of_day in weight], axis=2)
    if (kept == 1).all():
        return {"/predictive": predicted}
    before = predicted.assign(copies=(LEAD, kept))
    equal = predicted.drop_vars("log_weight")
    drawn = [name for name, array in equal.data_vars.items() if set(LEAD) <= set(array.dims)]
    laid = {}
    for name in drawn:
        array = equal[name].transpose(*LEAD, ...)
        parts = [taken(array.to_numpy()[:, :, day], kept[:, :, day]) for day in days]
        laid[name] = array.copy(data=np.stack(parts, axis=2))
    return {"/predictive": equal.assign(laid), BEFORE: before}
