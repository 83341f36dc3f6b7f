"""The draws of a saved run in; a refusal if its parts no longer add up to the move."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

from attribution.errors import DataError
from attribution.posterior import ADDITIVITY

PARTS = ("contribution", "baseline")
AGAIN = "fit the model again"


def refuse_unsound(tree: xr.DataTree, path: Path) -> None:
    r"""Refuse draws that are not finite, or whose parts do not sum to what was observed.

    .. math:: \Big|\sum_k c_k + b - y\Big| \le 10^{-10} \max\Big(1, |y| + \sum_k |c_k|\Big)

    for every draw: of each window, its move, and of each of its days, its value.

    Raises
    ------
    DataError
        Naming the window.
    """
    if "/weights" in tree.groups:
        weight = tree["weights/weight"].to_numpy()
        if not (np.isfinite(weight).all() and (weight >= 0).all() and weight.any()):
            raise DataError(f"{path}: weights are not finite and non-negative; {AGAIN}")
    moves = tree["posterior"].to_dataset() if "/posterior" in tree.groups else xr.Dataset()
    if not set(PARTS) <= set(moves.data_vars):
        return  # a study's, or a run without an event
    for window in map(str, moves["window"].to_numpy()):
        days = tree[f"windows/{window}"].to_dataset()
        seen, eve = days["observed"].to_numpy(), float(days["eve"]) if "eve" in days else None
        move = seen.sum() if eve is None else seen[-1] - eve
        scale = 0.0 if eve is None else abs(eve)
        _additive(moves.sel(window=window), np.asarray(move), scale, f"{path}: window '{window}'")
        if set(PARTS) <= set(days.data_vars):
            _additive(days, seen, 0.0, f"{path}: window '{window}', day by day")


def _additive(parts: xr.Dataset, observed: np.ndarray, scale: float, place: str) -> None:
    """Compare contributions (chain, draw[, time], channel) and baselines with the data."""
    own = [str(dim) for dim in parts["baseline"].dims if dim not in ("chain", "draw")]
    lead = ("chain", "draw", *own)
    each = parts["contribution"].transpose(*lead, "channel").to_numpy()
    base = parts["baseline"].transpose(*lead).to_numpy()
    if not (np.isfinite(each).all() and np.isfinite(base).all() and np.isfinite(observed).all()):
        raise DataError(f"{place}: a draw is not a finite number; {AGAIN}")
    size = np.abs(each).sum(-1) + np.abs(observed) + scale
    gap = np.abs(each.sum(-1) + base - observed) / np.maximum(1.0, size)
    if not (gap <= ADDITIVITY).all():
        raise DataError(
            f"{place}: contributions and baseline miss the observed move by {gap.max():.1e} of"
            f" their scale; {AGAIN}"
        )
