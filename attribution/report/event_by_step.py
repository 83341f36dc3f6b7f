"""The event's day by steps: its path, what each mechanism had added, and what it had traded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from attribution.report.draws import group
from attribution.report.event_players import colours, unit
from attribution.report.numbers import decimals_for, label, number, span
from attribution.report.style import GREY, INK, drawing, fan, figure, zero_line

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TICKS = 4
"""Spaces between the times that the axis of the path names."""


@drawing
def day_by_step(tree: xr.DataTree) -> Figure:
    """Draw the path with and without mechanisms, and below it each mechanism by itself."""
    data = group(tree, "steps")
    names = [str(name) for name in data["mechanism"].to_numpy()]
    paint = colours(names)
    hours = np.r_[0.0, data["hours"].to_numpy()]
    seen = _begun(data["observed"].to_numpy())
    without = _begun(data["without"].transpose("mechanism", "quantile", "step").to_numpy())
    alone = _begun(data["alone"].transpose("quantile", "step").to_numpy())
    flow = _begun(data["flow"].transpose("mechanism", "quantile", "step").to_numpy())
    drawn = figure(height=5.6)
    grid = drawn.add_gridspec(3, len(names), height_ratios=(1.5, 1.0, 1.0))
    _path(drawn.add_subplot(grid[0, :]), tree, hours, seen, alone, without, names)
    for place, name in enumerate(names):
        # a quantile of what was added is the observed path less the other quantile without it
        added = (seen - without[place])[::-1]
        for row, q in ((1, added), (2, flow[place])):
            axis = drawn.add_subplot(grid[row, place])
            fan(axis, hours, q, paint[name])
            axis.plot(hours, q[2], color=paint[name], linewidth=1.4)
            axis.set_title(f"{label(name)}: {_last(q)}", fontsize=8)
            zero_line(axis, vertical=False)
            axis.set_xlim(0.0, hours[-1])
            axis.set_xticks(np.linspace(0.0, hours[-1], 3))
            axis.xaxis.set_major_formatter(lambda value, _: number(value, 0))
            axis.yaxis.set_major_formatter(lambda value, _: f"{value:,.4g}".replace("-", "\u2212"))
            if not place:
                axis.set_ylabel(f"added, {unit(tree)}" if row == 1 else "bought, USD million")
    drawn.supxlabel("hours since the close of the eve", fontsize=8.5)
    return drawn


def _path(
    axis: Axes, tree: xr.DataTree, hours: np.ndarray, seen: np.ndarray, alone: np.ndarray,
    without: np.ndarray, names: list[str],
) -> None:  # fmt: skip
    paint = colours(names)
    fan(axis, hours, alone, GREY)
    axis.plot(hours, alone[2], color=GREY, linewidth=1.2, label="without all three")
    for place, name in enumerate(names):
        line = without[place, 2]
        axis.plot(hours, line, color=paint[name], linewidth=1.0, label=f"without {label(name)}")
    axis.plot(hours, seen, color=INK, linewidth=1.2, label="observed")
    zero_line(axis, vertical=False)
    axis.set_xlim(0.0, hours[-1])
    axis.set_xticks(np.linspace(0.0, hours[-1], TICKS + 1))
    axis.xaxis.set_major_formatter(lambda value, _: number(value, 0))
    axis.set_ylabel(f"since the eve, {unit(tree)}")
    axis.legend(loc="lower left", ncols=2)


def _begun(values: np.ndarray) -> np.ndarray:
    """Put nothing before the first step."""
    return np.concatenate([np.zeros((*values.shape[:-1], 1)), values], axis=-1)


def _last(q: np.ndarray) -> str:
    """Say what it was at the close: median and 90 % interval."""
    low, middle, high = (float(q[i, -1]) for i in (0, 2, 4))
    places = min(decimals_for(max(abs(low), abs(high))), 2)
    return f"{number(middle, places)}\n({span(low, high, places)})"
