"""One contribution said several ways: with and without the event, under one prior and under all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from attribution.report import cells, numbers
from attribution.report.draws import band, channels, event_in_draws, event_in_weights, group, period
from attribution.report.style import (
    GREY,
    INK,
    colours,
    column,
    drawing,
    figure,
    name_rows,
    whisker,
    zero_line,
)
from attribution.sampling.diagnostics import PARETO_K

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARKERS = ("o", "s", "D", "^")


def reliability(name: str, pareto_k: float) -> str:
    """Name a way to use the event, with the tail index of its weights when it was reweighted."""
    if not np.isfinite(pareto_k):
        return name
    warning = ", not reliable" if pareto_k > PARETO_K else ""
    return f"{name} (k = {pareto_k:.2f}{warning})"


def event_in_names(tree: xr.DataTree) -> dict[str, str]:
    """Return, for every way to use the event, how it is named on paper."""
    k = group(tree, "event_in")["pareto_k"]
    return {str(n): reliability(str(n), float(k.sel(event_in=n))) for n in k["event_in"].to_numpy()}


@drawing
def event_in_comparison(tree: xr.DataTree, *, window: str) -> Figure:
    """Draw each contribution with the event left out of, scaled in, and kept in the estimate.

    Returns
    -------
    A mean with 50 % and 90 % intervals for each, log points, side by side in one row a channel.
    """
    from matplotlib.lines import Line2D

    draws, names = event_in_draws(tree, window), channels(tree)
    ways = event_in_weights(tree)
    said = event_in_names(tree)
    paint = colours(names)
    drawn = figure(height=0.52 * len(names) + 1.1)
    axis = drawn.subplots()
    offsets = np.linspace(-0.27, 0.27, len(ways))
    for (way, weight), offset, marker in zip(ways.items(), offsets, MARKERS, strict=False):
        it = band(draws[way], weight)
        for row, name in enumerate(names):
            ends = (it.q05[row], it.q25[row], it.q75[row], it.q95[row])
            whisker(axis, row + offset, ends, colour=paint[name])
            _dot(axis, it.mean[row], row + offset, marker, colour=paint[name])
    _rows(axis, tree, window, names)
    handles = [
        Line2D(
            [], [], marker=marker, linestyle="", color=INK, markerfacecolor="white", label=said[way]
        )
        for way, marker in zip(ways, MARKERS, strict=False)
    ]
    drawn.legend(handles=handles, loc="outside upper right", ncols=len(handles))
    return drawn


@drawing
def robust_bounds(tree: xr.DataTree, table: pd.DataFrame, *, window: str) -> Figure:
    """Draw the interval under the uniform prior on rotations beside the bounds under all priors.

    Returns
    -------
    A pale bar, the robust bounds; on it the mean and intervals of the one prior; a dashed line
    where that prior puts every channel if nothing is known; right of it the identification
    strength. All in log points.
    """
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    cells.checked(table, window)
    rows = {n: row for n, row in cells.rows(table).items() if np.isfinite(row["robust_lower"])}
    paint = colours(list(rows))
    drawn = figure(height=0.36 * len(rows) + 1.4)
    axis = drawn.subplots()
    for place, (name, row) in enumerate(rows.items()):
        low, high = row["robust_lower"], row["robust_upper"]
        axis.barh(place, high - low, left=low, height=0.62, color=paint[name], alpha=0.3, zorder=2)
        whisker(axis, place, (row["q05"], row["q25"], row["q75"], row["q95"]), colour=paint[name])
        _dot(axis, row["mean"], place, "o", colour=paint[name])
    level = float(group(tree, "robust")["dilution"].sel(window=window))
    axis.axvline(level, color=INK, linewidth=1.0, linestyle=(0, (4, 2)), zorder=3)
    _rows(axis, tree, window, list(rows))
    strength = [numbers.number(row["identification_strength"], 2) for row in rows.values()]
    column(axis, "identification\nstrength", strength, offset=58)
    handles = [
        Line2D([], [], color=GREY, marker="o", linewidth=2, label="Haar prior: mean, 50 %, 90 %"),
        Patch(color=GREY, alpha=0.3, label="all priors: bounds"),
        Line2D([], [], color=INK, linestyle=(0, (4, 2)), label="Haar prior, nothing restricted"),
    ]
    drawn.legend(handles=handles, loc="outside lower center", ncols=3)
    return drawn


def _dot(axis: Axes, x: float, row: float, marker: str, *, colour: str) -> None:
    axis.plot(x, row, marker=marker, markersize=5, color=colour, markerfacecolor="white", zorder=6)


def _rows(axis: Axes, tree: xr.DataTree, window: str, names: list[str]) -> None:
    zero_line(axis, vertical=True)
    name_rows(axis, names)
    outcome, unit = tree.attrs["outcome"], tree.attrs["outcome_unit"]
    axis.set_xlabel(f"contribution to {outcome}, {period(tree, window)}, {unit}")
