"""What a saved run says, weights honoured: a tree of draws enters, arrays leave."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from attribution.errors import DataError, nearest

if TYPE_CHECKING:
    import xarray as xr

BAND = (0.05, 0.25, 0.75, 0.95)


class Band(NamedTuple):
    """Mean, median and the 50 % and 90 % intervals; each with the dims of one draw."""

    mean: np.ndarray
    median: np.ndarray
    q05: np.ndarray
    q25: np.ndarray
    q75: np.ndarray
    q95: np.ndarray


def group(tree: xr.DataTree, name: str) -> xr.Dataset:
    """Return one group of the run.

    Raises
    ------
    DataError
        If the run lacks it.
    """
    try:
        return tree[name].to_dataset()
    except KeyError:
        known = [path.lstrip("/") for path in tree.groups]
        raise DataError(
            f"run: group '/{name}' is missing{nearest(name, known)}; fit the model again"
        ) from None


def has(tree: xr.DataTree, name: str) -> bool:
    """Say whether the run has a group."""
    return f"/{name}" in tree.groups


def samples(array: xr.DataArray) -> np.ndarray:
    """Return draws as (sample, ...), chain after chain."""
    values = array.transpose("chain", "draw", ...).to_numpy()
    return values.reshape(-1, *values.shape[2:])


def weights(tree: xr.DataTree) -> np.ndarray:
    """Return the weight of every draw, (sample,), summing to one.

    Raises
    ------
    DataError
        If a weight is negative or not finite, or all are zero.
    """
    weight = samples(group(tree, "weights")["weight"]).astype(float)
    if not np.isfinite(weight).all() or (weight < 0).any() or weight.sum() <= 0:
        raise DataError(
            "run: /weights holds weights that are negative, not finite or all zero;"
            " fit the model again"
        )
    return np.asarray(weight / weight.sum())


def band(values: np.ndarray, weight: np.ndarray) -> Band:
    """Summarise draws (sample, ...) under weights (sample,)."""
    mean = np.tensordot(weight, values, axes=(0, 0))
    q = np.quantile(values, (0.5, *BAND), axis=0, weights=weight, method="inverted_cdf")
    return Band(mean, *q)


def windows(tree: xr.DataTree) -> list[str]:
    """Return the names of the windows, in the order of the run; none where it has no event."""
    if not has(tree, "posterior") or "window" not in tree["posterior"].coords:
        return []
    return [str(name) for name in group(tree, "posterior")["window"].to_numpy()]


def channels(tree: xr.DataTree) -> list[str]:
    """Return the channels, ``unattributed`` last."""
    return [str(name) for name in group(tree, "posterior")["channel"].to_numpy()]


def days(tree: xr.DataTree, window: str) -> pd.DatetimeIndex:
    """Return the days of a window."""
    return pd.DatetimeIndex(group(tree, f"windows/{window}")["time"].to_numpy())


def period(tree: xr.DataTree, window: str) -> str:
    """Say when a window begins and ends, as a reader writes it."""
    first, last = days(tree, window)[[0, -1]]
    return f"{first:%Y-%m-%d}" if first == last else f"{first:%Y-%m-%d} to {last:%Y-%m-%d}"


def longest_window(tree: xr.DataTree) -> str:
    """Return the window of most days, the first of equals."""
    return max(windows(tree), key=lambda name: len(days(tree, name)))


def contribution(tree: xr.DataTree, window: str) -> np.ndarray:
    """Return (sample, channel), the sum over the days of the window."""
    return samples(group(tree, "posterior")["contribution"].sel(window=window))


def event_in_draws(tree: xr.DataTree, window: str) -> dict[str, np.ndarray]:
    """Return, for every way to use the event, contributions (sample, channel) of a window.

    Those of a fit of its own where the run holds one, else the run's draws, to be reweighted.
    """
    found = group(tree, "event_in")
    own = found["contribution"].sel(window=window) if "contribution" in found else None
    return {
        str(name): contribution(tree, window) if own is None else samples(own.sel(event_in=name))
        for name in found["event_in"].to_numpy()
    }


def event_in_weights(tree: xr.DataTree) -> dict[str, np.ndarray]:
    """Return, for every way to use the event, the weight of every draw, (sample,), sum one."""
    log_weight = group(tree, "event_in")["log_weight"]
    base = weights(tree)
    found = {}
    for name in log_weight["event_in"].to_numpy():
        shift = samples(log_weight.sel(event_in=name))
        weight = base * np.exp(shift - shift.max())
        found[str(name)] = weight / weight.sum()
    return found
