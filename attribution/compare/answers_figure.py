"""Answers of several runs in one unit each: their table enters, a figure leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attribution.report.intervals import name_rows
from attribution.report.layered import question_of
from attribution.report.style import INK, OKABE_ITO, QUIET, drawing, figure, zero_line

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@drawing
def answers_figure(table: pd.DataFrame) -> Figure:
    """Draw each answer's mean and 90 % interval; one panel a unit, one colour a run.

    Answers to one question (``question: name``) stand below its words.

    Parameters
    ----------
    table : columns run, answer, mean, q05, q95, unit.
    """
    from matplotlib.lines import Line2D

    units = list(dict.fromkeys(table["unit"]))
    lines = {unit: _lines(table[table["unit"] == unit]) for unit in units}
    sizes = [len(each) for each in lines.values()]
    runs = list(dict.fromkeys(table["run"]))
    colour = {run: OKABE_ITO[i % len(OKABE_ITO)] for i, run in enumerate(runs)}
    drawn = figure(height=0.22 * sum(sizes) + 0.75 * len(units) + 0.5)
    axes = drawn.subplots(len(units), 1, squeeze=False, height_ratios=[n + 1.5 for n in sizes])
    for axis, unit in zip(axes[:, 0], units, strict=True):
        for place, (_, row) in enumerate(lines[unit]):
            if row is not None:
                _interval(axis, place, row, colour[row["run"]])
        zero_line(axis, vertical=True)
        name_rows(axis, [name for name, _ in lines[unit]])
        for text, (_, row) in zip(axis.get_yticklabels(), lines[unit], strict=True):
            if row is None:
                text.set(color=QUIET, style="italic")
        axis.set_xlabel(unit, color=INK)
    handles = [
        Line2D([], [], marker="o", color=tint, markerfacecolor="white", label=run)
        for run, tint in colour.items()
    ]
    drawn.legend(handles=handles, loc="outside upper left", ncols=min(len(handles), 5))
    return drawn


def _lines(rows: pd.DataFrame) -> list[tuple[str, pd.Series | None]]:
    """Name every line from the top: a question, without a number, and below it its answers.

    Answers of a run to one question stand together, wherever its table has them.
    """
    below: dict[tuple[str, str], list[tuple[str, pd.Series | None]]] = {}
    for _, row in rows.iterrows():
        question, name = question_of(str(row["answer"]))
        head: list[tuple[str, pd.Series | None]] = [(question, None)] if question else []
        below.setdefault((str(row["run"]), question), head).append((name, row))
    return [line for lines in below.values() for line in lines]


def _interval(axis: Axes, place: float, row: pd.Series, colour: str) -> None:
    axis.plot([row["q05"], row["q95"]], [place, place], color=colour, linewidth=1.6)
    axis.plot(row["mean"], place, "o", color=colour, markerfacecolor="white", markersize=4.5)
