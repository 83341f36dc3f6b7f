"""Contributions of one window under several runs: a comparison enters, a figure leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attribution.compare.comparison import Comparison
from attribution.report.intervals import name_rows, whisker
from attribution.report.style import INK, OKABE_ITO, drawing, figure, zero_line

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MARKERS = ("o", "s", "D", "^", "v", "P")


@drawing
def side_by_side(comparison: Comparison) -> Figure:
    """Draw each row's mean with its 50 % and 90 % intervals, one colour a run.

    Returns
    -------
    One band a channel, with a line for each run that names it.
    """
    from matplotlib.lines import Line2D

    rows, runs = comparison.rows, list(comparison.tables)
    naming = {name: [r for r in runs if name in comparison.tables[r].index] for name in rows}
    drawn = figure(height=(0.13 * max(map(len, naming.values())) + 0.17) * len(rows) + 1.0)
    axis = drawn.subplots()
    step = min(0.27, 0.72 / len(runs))
    looks = {
        run: (OKABE_ITO[i % len(OKABE_ITO)], MARKERS[i % len(MARKERS)])
        for i, run in enumerate(runs)
    }
    for place, name in enumerate(rows):
        for i, run in enumerate(naming[name]):
            row = place + step * (i - (len(naming[name]) - 1) / 2)
            numbers = comparison.tables[run].loc[name, ["mean", "q05", "q25", "q75", "q95"]]
            mean, q05, q25, q75, q95 = (float(x) for x in numbers.to_numpy())
            colour, marker = looks[run]
            whisker(axis, row, (q05, q25, q75, q95), colour=colour)
            axis.plot(
                mean, row, marker=marker, markersize=4.5, color=colour, markerfacecolor="white",
                zorder=6,
            )  # fmt: skip
    handles = [
        Line2D([], [], marker=marker, color=colour, markerfacecolor="white", label=run)
        for run, (colour, marker) in looks.items()
    ]
    zero_line(axis, vertical=True)
    name_rows(axis, rows)
    for place in range(1, len(rows)):
        axis.axhline(place - 0.5, color="#efefef", linewidth=0.6, zorder=0)
    axis.set_xlabel(
        f"contribution to {comparison.outcome}, {comparison.period}, {comparison.unit}", color=INK
    )
    drawn.legend(handles=handles, loc="outside upper left", ncols=min(len(handles), 4))
    return drawn
