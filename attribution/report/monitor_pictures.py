"""The table of a monitor in; its picture out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from attribution.report.picture import Picture
from attribution.report.style import GREY, INK, OKABE_ITO, drawing, figure, zero_line

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHOWN = 130
"""Last days that are drawn: half a year."""
SURE, EVEN = 0.9, 0.5
CAPTION = (
    "Above: five-day net creation as published (line) and the part that neither returns nor the"
    " basis explain (bands: 50 and 90 % of its posterior). Below: the probability that this part is"
    " an inflow, and that the basis is wider than it usually becomes in five days; it is read with"
    " error, so it is seldom sure. Green days carry the flag: an inflow with probability above 0.9"
    " while the basis is more likely narrower; where its line breaks the basis was not read."
)


def pictures(table: pd.DataFrame, fund: str = "") -> list[Picture]:
    """Draw the last half year of a monitor's table."""
    name = f"{fund} net creation" if fund else "net creation"
    return [Picture("monitor", "Inflows without basis expansion", CAPTION, watched(table, name))]


@drawing
def watched(table: pd.DataFrame, name: str) -> Figure:
    """Draw the organic part with its bands over the two probabilities."""
    last = table.tail(SHOWN)
    drawn = figure(height=4.4)
    above, below = drawn.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    _flow(above, last, table["published"].rolling(5).sum().tail(SHOWN))
    above.set_ylabel(f"five-day {name},\nUSD million")
    _probability(below, last)
    for axis in (above, below):
        _flags(axis, last)
    handles, texts = above.get_legend_handles_labels()
    more, names = below.get_legend_handles_labels()
    drawn.legend(handles + more, texts + names, loc="outside upper left", ncols=3)
    return drawn


def _flow(axis: Axes, last: pd.DataFrame, published: pd.Series) -> None:
    days, colour = last.index, OKABE_ITO[0]
    axis.fill_between(
        days, last["sum_q05"], last["sum_q95"], color=colour, alpha=0.18, linewidth=0,
        label="organic, 90 %",
    )  # fmt: skip
    axis.fill_between(
        days, last["sum_q25"], last["sum_q75"], color=colour, alpha=0.4, linewidth=0,
        label="organic, 50 %",
    )  # fmt: skip
    axis.plot(days, published, color=INK, linewidth=1.1, label="published")
    zero_line(axis, vertical=False)


def _probability(axis: Axes, last: pd.DataFrame) -> None:
    read = last["wider"].where(last["readings"] >= 3)
    axis.plot(last.index, last["inflow"], color=OKABE_ITO[0], linewidth=1.2, label="P(inflow)")
    axis.plot(last.index, read, color=OKABE_ITO[3], linewidth=1.2, label="P(basis wider)")
    for level in (SURE, EVEN):
        axis.axhline(level, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
    axis.set_ylim(-0.03, 1.03)
    axis.set_yticks([0.0, EVEN, SURE], ["0", "0.5", "0.9"])
    axis.set_ylabel("probability")


def _flags(axis: Axes, last: pd.DataFrame) -> None:
    """Shade flagged days, each up to the next row."""
    place = last.index.to_numpy("datetime64[D]").astype(float)  # as matplotlib counts days
    flag = last["flag"].fillna(False).astype(bool).to_numpy()
    ends = np.append(place[1:], place[-1] + 1.0)
    axis.broken_barh(
        list(zip(place[flag], (ends - place)[flag], strict=True)),
        (0.0, 1.0),
        transform=axis.get_xaxis_transform(),
        facecolor=OKABE_ITO[2],
        alpha=0.18,
        linewidth=0,
        label="flag" if axis.get_ylabel() == "probability" else None,
    )
