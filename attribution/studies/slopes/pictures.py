"""A run of cross-sectional regressions in; its slopes and misses day by day, out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from attribution.report.numbers import label
from attribution.report.style import GREY, INK, OKABE_ITO, Picture, drawing, panels, zero_line

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SLOPES = (
    "What one unit of exposure earned on each day. Band: 90 % of days that are no event. Marks:"
    " events. A slope comes from the assets of one day; the table of event slopes says what leaving"
    " one out does to it."
)
MISSES = (
    "Return of each asset set apart, less what the other assets' returns that day lead to expect"
    " from its exposures. Band: 90 % of days that are no event. Marks: events."
)


def pictures(tree: xr.DataTree, tables: Mapping[str, pd.DataFrame]) -> list[Picture]:
    """Draw daily slopes, and the misses of assets set apart where there are any."""
    found = [Picture("slopes", "Price of exposure, day by day", SLOPES, slopes(tree))]
    if tree["slopes"].sizes["apart"]:
        found.append(Picture("misses", "Returns that others do not explain", MISSES, misses(tree)))
    return found


@drawing
def slopes(tree: xr.DataTree) -> Figure:
    """Draw the slope of every factor over time, one a row."""
    return _rows(tree, "slope", "term", "per unit of exposure", skip="constant")


@drawing
def misses(tree: xr.DataTree) -> Figure:
    """Draw what of each asset set apart the others do not explain, one a row."""
    return _rows(tree, "miss", "apart", "not explained")


def _rows(tree: xr.DataTree, variable: str, dim: str, said: str, skip: str = "") -> Figure:
    data = tree["slopes"].to_dataset()
    names = [name for name in data[dim].to_numpy() if name != skip]
    drawn, axes = panels(len(names), columns=1, row_height=1.6, sharex=True)
    for axis, name in zip(axes, names, strict=True):
        _line(axis, data[variable].sel({dim: name}), data)
        axis.set_title(f"{label(str(name))}, {said}")
        axis.set_ylabel(str(data.attrs["unit"]))
    handles, texts = axes[0].get_legend_handles_labels()
    if handles:
        drawn.legend(handles, texts, loc="outside upper right", ncols=len(handles))
    return drawn


def _line(axis: Axes, values: xr.DataArray, data: xr.Dataset) -> None:
    known = np.isfinite(values.to_numpy())
    days, heights = data["time"].to_numpy()[known], values.to_numpy()[known]
    events = data["day"].to_numpy()
    low, high = np.quantile(heights[~np.isin(days, events)], [0.05, 0.95])
    axis.axhspan(low, high, color=GREY, alpha=0.18, linewidth=0)
    axis.vlines(days, 0, heights, color=INK, linewidth=0.45)
    zero_line(axis, vertical=False)
    for number, (name, day) in enumerate(zip(data["event"].to_numpy(), events, strict=True)):
        axis.plot(
            [day],
            [float(values.sel(time=day))],
            linestyle="",
            marker="oDs^v"[number % 5],
            markersize=5,
            markerfacecolor=OKABE_ITO[(3 + number) % len(OKABE_ITO)],
            markeredgecolor=INK,
            markeredgewidth=0.6,
            label=f"{name}, {np.datetime_as_string(day, 'D')}",
            zorder=4,
        )
    axis.margins(x=0.01)
