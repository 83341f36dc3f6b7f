"""A panel's run in; its events among the days that were none, out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from attribution.report.numbers import label, number
from attribution.report.style import INK, OKABE_ITO, PALE, Picture, drawing, panels, zero_line

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BINS = 41
CAPTION = (
    "The coefficient that every day would have had, were the event on it (grey: all days; blue:"
    " days like the event, as shares of these); the line is the"
    " event's own. p is the share of like days at least as far from zero, the event's counted."
)


def pictures(tree: xr.DataTree, tables: Mapping[str, pd.DataFrame]) -> list[Picture]:
    """Draw the placebo distribution of every event under every dating."""
    if "placebo" not in tree.children:
        return []
    return [Picture("placebo_dates", "Events among placebo dates", CAPTION, placebos(tree))]


@drawing
def placebos(tree: xr.DataTree) -> Figure:
    """Draw a histogram for each dating (rows) and event (columns); one scale throughout."""
    data = tree["placebo"].to_dataset()
    events, datings = data["event"].to_numpy(), data["dating"].to_numpy()
    drawn, axes = panels(
        len(events) * len(datings), columns=len(events), row_height=1.45, sharex=True, sharey=True
    )
    every = np.concatenate(
        [data["placebo"].to_numpy().ravel(), data["coefficient"].to_numpy().ravel()]
    )
    edge = float(np.nanmax(np.abs(every))) * 1.02
    bins = np.linspace(-edge, edge, BINS)
    cells = [(dating, event) for dating in datings for event in events]
    for axis, (dating, event) in zip(axes, cells, strict=True):
        _cell(axis, data.sel(dating=dating, event=event), bins)
        axis.set_title(label(f"{event}, {dating}" if len(datings) > 1 else str(event)))
    for axis in axes[-len(events) :]:
        axis.set_xlabel(f"coefficient, {data.attrs['unit']}")
    for axis in axes[:: len(events)]:
        axis.set_ylabel("share of days")
    return drawn


def _cell(axis: Axes, one: xr.Dataset, bins: np.ndarray) -> None:
    values, like = one["placebo"].to_numpy(), one["like"].to_numpy().astype(bool)
    for kept, colour, width in ((np.isfinite(values), PALE, 1.0), (like, OKABE_ITO[0], 0.5)):
        height, _ = np.histogram(values[kept], bins, weights=np.full(kept.sum(), 1 / kept.sum()))
        middle, step = (bins[1:] + bins[:-1]) / 2, bins[1] - bins[0]
        axis.bar(middle, height, width=width * step, color=colour, linewidth=0)
    own = float(one["coefficient"])
    axis.axvline(own, color=OKABE_ITO[3], linewidth=1.6)
    zero_line(axis, vertical=True)
    axis.text(
        0.985,
        0.95,
        f"{number(own, 1)}, p = {float(one['p']):.2f}\n{int(like.sum())} like days",
        transform=axis.transAxes,
        ha="right",
        va="top",
        color=INK,
        fontsize=8,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0, "alpha": 0.8},
    )
