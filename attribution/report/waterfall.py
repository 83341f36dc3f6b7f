"""The waterfall, from what was expected to what was seen: a table enters, a figure leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attribution.report import numbers, tables
from attribution.report.draws import period
from attribution.report.intervals import column, name_rows, whisker
from attribution.report.style import INK, QUIET, colours, drawing, figure, zero_line

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def steps(table: pd.DataFrame) -> dict[str, tuple[float, float]]:
    """Return where each bar starts and ends, log points; the last ends where the data are."""
    found: dict[str, tuple[float, float]] = {}
    here = 0.0
    for name, row in tables.rows(table).items():
        start = 0.0 if name == "observed" else here
        found[name] = (start, start + row["mean"])
        here = found[name][1]
    return found


@drawing
def waterfall(tree: xr.DataTree, table: pd.DataFrame, *, window: str) -> Figure:
    """Draw posterior means as bars that add up to the observed move.

    Parameters
    ----------
    tree : the run; names the outcome and the days.
    table : the window's summary table, log points; every number drawn is a number of the table.
    window : its name.

    Returns
    -------
    A bar from one running sum of means to the next; on it the 50 % (thick) and 90 % (thin)
    intervals of its length; right of it the mean in the unit and, of log points, in per cent.
    """
    tables.checked(table, window)
    rows, bars = tables.rows(table), steps(table)
    drawn = figure(height=0.33 * len(rows) + 1.25)
    axis = drawn.subplots()
    paint = colours(list(rows))
    for place, (name, (start, end)) in enumerate(bars.items()):
        axis.barh(place, end - start, left=start, height=0.66, color=paint[name], zorder=3)
        if name != "observed":
            q05, q25, q75, q95 = (start + rows[name][q] for q in ("q05", "q25", "q75", "q95"))
            whisker(axis, place, (q05, q25, q75, q95))
    _connectors(axis, list(bars.values()))
    zero_line(axis, vertical=True)
    name_rows(axis, list(rows))
    axis.get_yticklabels()[-1].set_fontweight("bold")
    outcome, unit = tree.attrs["outcome"], tree.attrs["outcome_unit"]
    axis.set_xlabel(f"{outcome}, cumulated posterior means, {unit}")
    drawn.suptitle(
        f"{numbers.label(window)}, {period(tree, window)}", x=0.01, ha="left", fontsize=9
    )
    places = tables.decimals(table)
    means = [numbers.number(row["mean"], places) for row in rows.values()]
    cents = [numbers.per_cent(row["percent"], places) for row in rows.values()]
    column(axis, unit, means, offset=52)
    if any(cents):
        column(axis, "per cent", cents, offset=104)
    _legend(drawn)
    return drawn


def _connectors(axis: Axes, bars: list[tuple[float, float]]) -> None:
    """Join the end of each bar to the start of the next, and the last to the observed move."""
    for place, (_, end) in enumerate(bars[:-1]):
        axis.plot([end, end], [place + 0.33, place + 0.67], color=QUIET, linewidth=0.7, zorder=2)
    axis.plot([bars[-1][1]] * 2, [len(bars) - 1.33, len(bars) - 0.67], color=INK, linewidth=0.9)


def _legend(drawn: Figure) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=INK, linewidth=width, label=f"{level} % interval")
        for level, width in ((50, 3.0), (90, 1.1))
    ]
    drawn.legend(handles=handles, loc="outside lower center", ncols=2)
