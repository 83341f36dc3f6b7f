"""Contributions through the window: how each channel's part built up day after day."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from attribution.report import numbers
from attribution.report.draws import band, days, group, longest_window, samples, weights
from attribution.report.style import INK, QUIET, colours, drawing, fan, panels, zero_line

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def cumulated(draws: np.ndarray, *, eve: float | None = None) -> np.ndarray:
    """Return moves since the eve, day by day (axis 1), zero on the eve.

    Running sums of changes or, of levels, what each day is above ``eve``.
    """
    moved = np.cumsum(draws, axis=1) if eve is None else draws - eve
    return np.insert(moved, 0, 0.0, axis=1)


def thinned(labels: list[str]) -> list[str]:
    """Blank out labels, counted from the last, so that at most four are left."""
    every = -(-len(labels) // 4)
    return [t if (len(labels) - 1 - i) % every == 0 else "" for i, t in enumerate(labels)]


@drawing
def through_the_window(tree: xr.DataTree) -> Figure:
    """Draw the cumulated contribution of each channel over the days of the longest window.

    Returns
    -------
    One panel a channel, mean with 50 % and 90 % bands, log points; a last panel with the observed
    path and the baseline.
    """
    window = longest_window(tree)
    data, weight = group(tree, f"windows/{window}"), weights(tree)
    draws = samples(data["contribution"].transpose("chain", "draw", "time", "channel"))
    names = [str(name) for name in data["channel"].to_numpy()]
    paint = colours(names)
    drawn, axes = panels(len(names) + 1, columns=4, row_height=1.55, sharex=True, sharey=True)
    for i, (axis, name) in enumerate(zip(axes, names, strict=False)):
        level = 0.0 if "eve" in data else None
        _path(axis, cumulated(draws[:, :, i], eve=level), weight, colour=paint[name])
        axis.set_title(numbers.wrapped(name, 20))
    _observed(axes[-1], data, weight)
    labels = thinned(["eve", *(f"{day.day} {day:%b}" for day in days(tree, window))])
    for axis in axes:
        zero_line(axis, vertical=False)
        axis.grid(axis="y")
        axis.set_xticks(range(len(labels)), labels=labels, fontsize=7)
        axis.set_xlim(-0.3, len(labels) - 0.7)
        axis.locator_params(axis="y", nbins=6)
    drawn.supxlabel("day, close", fontsize=8.5)
    drawn.supylabel(f"cumulated, {tree.attrs['outcome_unit']}", fontsize=8.5)
    return drawn


def _path(axis: Axes, paths: np.ndarray, weight: np.ndarray, *, colour: str) -> None:
    it, x = band(paths, weight), range(paths.shape[1])
    fan(axis, x, (it.q05, it.q25, None, it.q75, it.q95), colour)
    axis.plot(x, it.mean, color=colour, linewidth=1.6, marker="o", markersize=3)


def _observed(axis: Axes, data: xr.Dataset, weight: np.ndarray) -> None:
    """Draw the observed path, black, and the baseline expected on the eve, dashed."""
    eve = float(data["eve"]) if "eve" in data else None
    path = cumulated(data["observed"].to_numpy()[None], eve=eve)[0]
    base = band(cumulated(samples(data["baseline"]), eve=eve), weight)
    x = range(len(path))
    axis.fill_between(x, base.q05, base.q95, color=QUIET, alpha=0.25, linewidth=0)
    axis.plot(x, base.mean, color=QUIET, linewidth=1.3, linestyle="--")
    axis.plot(x, path, color=INK, linewidth=1.8, marker="o", markersize=3)
    axis.set_title("observed")
    axis.annotate(
        "baseline", (x[-1], base.q95[-1]), xytext=(0, 2), textcoords="offset points", ha="right",
        va="bottom", fontsize=7.5, color=QUIET,
    )  # fmt: skip
