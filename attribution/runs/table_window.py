"""A saved run in; tables of its windows, responses and shares of variance out; weights honoured."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from attribution.core.moves import chances, leading, log_mean_weight
from attribution.core.weighted_draws import quantile
from attribution.finding import SURE
from attribution.model.spec import UNATTRIBUTED
from attribution.runs.moments import QUANTILES, describe, originals
from attribution.sampling.pareto import LIMIT

if TYPE_CHECKING:
    import xarray as xr

STEADY = 0.8
"""Probability that a sign must keep when a channel's prior importance is halved or doubled."""
TOGETHER = -0.8
"""Posterior correlation of two contributions below which only their sum is known."""


def window_table(tree: xr.DataTree, window: str) -> pd.DataFrame:
    """Summarise the contributions of one window.

    Means add up to the observed move; medians do not.  ``percent``, of a move in log points, is
    the mean times the logarithmic-mean weight (exp(R) − 1) / R, so that per cents add up too;
    ``share`` is the mean over the observed move.  ``coherent`` is the draw nearest to all others,
    where the run holds one: the values of one draw add up.  ``p_largest`` is the probability that
    a row moves the outcome most in the direction in which it moved; what these lack to one is the
    probability that none moves so.

    Returns
    -------
    Rows: channels, ``unattributed``, ``baseline``, ``observed``.  Log points, except
    probabilities, per cents and diagnostics.
    """
    posterior = tree["posterior"].to_dataset().sel(window=window)
    parts = posterior["contribution"].transpose("chain", "draw", "channel")
    names = [str(name) for name in parts["channel"].to_numpy()]
    weight = tree["weights/weight"].to_numpy()
    observed = move_of(tree[f"windows/{window}"].to_dataset())
    draws = _rows(posterior)
    table = describe(draws, weight, _before(tree, window))
    table.index = pd.Index([*names, "baseline"])
    first = leading(parts.to_numpy(), observed)
    table.loc[names, "p_largest"] = chances(first, len(names), weight)
    table["share"] = table["mean"] / observed
    logs = tree.attrs.get("outcome_unit", "log points") == "log points"
    table["percent"] = table["mean"] * (log_mean_weight(observed) if logs else np.nan)
    table["coherent"] = _coherent(tree, draws)
    table["grade"] = _grades(tree, window, table, names)
    table = _with_bounds(tree, window, table)
    table.loc["observed", ["mean", "coherent"]] = observed
    table["grade"] = table["grade"].fillna("")
    return table


def _rows(data: xr.Dataset) -> np.ndarray:
    """Contributions and the baseline of one window, (chain, draw, row)."""
    parts = data["contribution"].transpose("chain", "draw", "channel").to_numpy()
    baseline = data["baseline"].transpose("chain", "draw").to_numpy()
    return np.concatenate([parts, baseline[..., None]], axis=2)


def _before(tree: xr.DataTree, window: str) -> tuple[np.ndarray, np.ndarray] | None:
    """Draws that those of a run were resampled from, and their copies, where it was."""
    found = originals(tree)
    if found is None:
        return None
    return _rows(found.sel(window=window)), found["copies"].to_numpy()


def move_of(data: xr.Dataset) -> float:
    """Observed move of a window: the sum of its days or, in levels, the last day over the eve."""
    seen = data["observed"]
    return float(seen[-1] - data["eve"]) if "eve" in data else float(seen.sum())


def _coherent(tree: xr.DataTree, draws: np.ndarray) -> np.ndarray:
    """Return the values of the draw that the run names, of (chain, draw, quantity)."""
    if "coherent" not in tree:
        return np.full(draws.shape[2], np.nan)
    one = tree["coherent"].to_dataset()
    chosen: np.ndarray = draws[int(one["of_chain"]), int(one["of_draw"])]
    return chosen


def transitory(tree: xr.DataTree) -> pd.DataFrame:
    """Compare the first window with the longest one that starts on the same day.

    Hedging should revert, information should not: ``reverted`` is one minus the ratio of the two
    mean contributions, left out where the first is below one log point; ``p_reverts`` is the
    probability that the longer window gives back a part of the first.

    Returns
    -------
    Rows: channels and ``unattributed``; empty if no window is longer than the first.
    """
    names = [str(name) for name in tree["posterior/window"].to_numpy()]
    span = {name: tree[f"windows/{name}/time"].to_numpy() for name in names}
    first = names[0]
    same = [name for name in names if span[name][0] == span[first][0]]
    longest = max(same, key=lambda name: len(span[name]))
    if len(span[longest]) == len(span[first]):
        return pd.DataFrame()
    parts = tree["posterior"].to_dataset()["contribution"].transpose("chain", "draw", ...)
    weight = tree["weights/weight"].to_numpy().ravel()
    channels = [str(name) for name in parts["channel"].to_numpy()]
    one, other = (
        parts.sel(window=name).to_numpy().reshape(-1, len(channels)) for name in (first, longest)
    )
    means = [np.average(draws, axis=0, weights=weight) for draws in (one, other)]
    back = np.average(np.sign(one) * (other - one) < 0, axis=0, weights=weight)
    table = pd.DataFrame({first: means[0], longest: means[1]}, index=channels)
    moved = table[first].where(table[first].abs() >= 1.0)
    table["reverted"] = 1.0 - table[longest] / moved
    table["p_reverts"] = back
    return table


def together(tree: xr.DataTree, window: str) -> pd.DataFrame:
    """Sum two channels that the posterior cannot tell apart, in rows like the table's."""
    parts = tree["posterior"].to_dataset()["contribution"].sel(window=window)
    parts = parts.transpose("chain", "draw", "channel")
    names = [str(name) for name in parts["channel"].to_numpy()]
    weight = tree["weights/weight"].to_numpy()
    flat = parts.to_numpy().reshape(-1, len(names))
    spread = np.cov(flat.T, aweights=weight.ravel())
    size = np.sqrt(np.diag(spread))
    tied = [
        (i, j)
        for i in range(len(names))
        for j in range(i)
        if UNATTRIBUTED not in (names[i], names[j]) and spread[i, j] < TOGETHER * size[i] * size[j]
    ]
    sums = [parts.to_numpy()[..., i] + parts.to_numpy()[..., j] for i, j in tied]
    if not sums:
        return pd.DataFrame(columns=["mean", "sd", *QUANTILES, "p_negative"])
    table = describe(np.stack(sums, axis=2), weight)
    table.index = pd.Index([f"{names[j]} + {names[i]}" for i, j in tied])
    return table[["mean", "sd", *QUANTILES, "p_negative"]]


def _with_bounds(tree: xr.DataTree, window: str, table: pd.DataFrame) -> pd.DataFrame:
    for column in ("robust_lower", "robust_upper", "identification_strength"):
        table[column] = np.nan
    if "robust" not in tree:
        return table
    robust = tree["robust"].to_dataset().sel(window=window)
    weight = _bound_weight(robust)
    for name in robust["channel"].to_numpy():
        one = robust.sel(channel=name)
        table.loc[str(name), "robust_lower"] = float(one["lower"].weighted(weight).mean())
        table.loc[str(name), "robust_upper"] = float(one["upper"].weighted(weight).mean())
        table.loc[str(name), "identification_strength"] = float(one["identification_strength"])
    return table


def _bound_weight(robust: xr.Dataset) -> xr.DataArray:
    """Weights of the draws that have bounds, which are draws of their own; alike if not said."""
    found: xr.DataArray = (
        robust["weight"] if "weight" in robust else (robust["lower"].isel(channel=0) * 0.0 + 1.0)
    )
    return found


def _grades(tree: xr.DataTree, window: str, table: pd.DataFrame, names: list[str]) -> pd.Series:
    """Grade the claim that a channel's contribution has its sign.

    ``robust`` if it holds for every prior on rotations in 90 % of draws, of which the bound that no
    rotation can pass stays clear of zero by more than the run's margin; ``model-based`` if its
    posterior probability is 90 % and its sign stands when the priors move (their power-scaling
    sensitivity is below 0.05, or the sign keeps a probability of 80 % when any channel's prior
    importance is halved or doubled); ``prior-driven`` otherwise: the data do not tell.
    """
    grade = pd.Series("", index=table.index, dtype=object)
    sensitivity = tree["ledger"].to_dataset() if "ledger" in tree else None
    robust = tree["robust"].to_dataset().sel(window=window) if "robust" in tree else None
    rotated = robust is not None or tree.attrs.get("scheme") == "restrictions"
    certified = robust is not None and "clear" in robust  # runs of earlier versions are not
    for name in names:
        if name == UNATTRIBUTED:
            continue
        p = float(table["p_negative"][name])
        sure = max(p, 1 - p) >= SURE
        calm = not rotated  # a uniform prior on rotations is never updated by the data
        if sensitivity is not None:
            one = sensitivity.sel(window=window, channel=name)
            calm = float(one["elasticities"]) < LIMIT or float(one["recentred"]) >= STEADY
        held = False
        if certified and robust is not None and name in robust["channel"].to_numpy():
            one = robust.sel(channel=name)
            clear = one["clear"] > one["margin"]
            sides = (clear & (one["upper"] < 0), clear & (one["lower"] > 0))
            weight = _bound_weight(robust)
            held = max(float(side.weighted(weight).mean()) for side in sides) >= SURE
        grade[name] = "robust" if held else "model-based" if sure and calm else "prior-driven"
    return grade


# A saved run in; tables of its responses and of the shares of shocks in variances out.

BANDS = {"median": 0.5, "q16": 0.16, "q84": 0.84, "q05": 0.05, "q95": 0.95}
SHOWN = (0, 1, 2, 4, 8, 12, 20, 40)
"""Horizons that a table shows, with the last; a run holds every one."""


def horizons_shown(last: int) -> list[int]:
    """Choose the horizons of a table, wider apart the farther they are."""
    return [*(h for h in SHOWN if h < last), last]


def response_table(tree: xr.DataTree, variable: str) -> pd.DataFrame:
    """Tabulate the response of a variable to one scale of each shock, horizon by horizon.

    Returns
    -------
    Rows: channel and horizon.  Median and the 68 % and 90 % bands, unit of the variable; they
    are pointwise, so a row need not be of the draw that another row is of.
    """
    data = tree["responses"].to_dataset()["response"].sel(variable=variable)
    return _bands(tree, data, BANDS)


def variance_table(tree: xr.DataTree, variable: str) -> pd.DataFrame:
    """Tabulate the share of each channel in the forecast error variance of a variable.

    Horizon h is the error of the forecast h + 1 periods ahead.

    Returns
    -------
    Rows: channel and horizon.  ``mean``, which adds up to one over channels, median and the 68 %
    and 90 % bands, which do not.
    """
    data = tree["fevd"].to_dataset()["share"].sel(variable=variable)
    return _bands(tree, data, BANDS, mean=True)


def _bands(
    tree: xr.DataTree, data: xr.DataArray, bands: dict[str, float], *, mean: bool = False
) -> pd.DataFrame:
    weight = tree["weights/weight"].to_numpy().ravel()
    weight = weight / weight.sum()
    horizons = horizons_shown(int(data["horizon"][-1]))
    shown = data.sel(horizon=horizons).transpose("chain", "draw", "channel", "horizon").to_numpy()
    flat = shown.reshape(weight.size, -1)
    names = [
        f"{channel}, {horizon}" for channel in data["channel"].to_numpy() for horizon in horizons
    ]
    found = quantile(flat, weight, np.array(list(bands.values())))
    table = pd.DataFrame(found.T, names, list(bands))
    if mean:
        table.insert(0, "mean", weight @ flat)
    return table
