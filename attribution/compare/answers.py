"""Runs of any kind in; their answers, each under its own estimand, side by side out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from attribution.report.answers import answers_grids, question_of
from attribution.report.draws import period, windows
from attribution.report.numbers import csv_text
from attribution.report.results import plain_rows
from attribution.report.run_tables import tables
from attribution.report.style import (
    INK,
    OKABE_ITO,
    QUIET,
    drawing,
    figure,
    name_rows,
    png_bytes,
    svg_bytes,
    zero_line,
)
from attribution.runs import ANSWERS, is_study
from attribution.runs.run import Run, whole, write_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


# Answers of several runs in one unit each: their table enters, a figure leaves.


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


SHOWN = ("run", "answer", "mean", "sd", "q05", "q95", "unit", "estimand")
FILES = ("answers.json", "answers.csv", "answers.svg", "answers.png")
NUMBERS = ("mean", "sd", "q05", "q95")


@dataclass(frozen=True)
class Answers:
    """What runs of several kinds answer.

    Attributes
    ----------
    table : one line an answer: the run, its name there, mean, sd, q05, q95, unit and estimand.
    """

    table: pd.DataFrame


def has_study(runs: Mapping[str, Run]) -> bool:
    """Whether a run is of a study, so that no decomposition is shared by all."""
    return any(is_study(run.tree) for run in runs.values())


def answers_of(runs: Mapping[str, Run]) -> Answers:
    """Collect the answers of every run: a study's own, and a VAR's contributions by window.

    Each keeps its estimand: a contribution of a shock, a coefficient and a distance from a
    counterfactual are different questions, and equal numbers are no confirmation of each other.
    """
    parts = []
    for name, run in runs.items():
        found = tables(run)
        one = found[ANSWERS] if is_study(run.tree) else _of_windows(run, found)
        one = one.rename_axis("answer").reset_index().assign(run=name)
        parts.append(one[list(SHOWN)])
    return Answers(pd.concat(parts, ignore_index=True))


def _of_windows(run: Run, found: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Contributions to the first window of a VAR; nothing where no event was asked about."""
    named = windows(run.tree)
    if not named:
        return pd.DataFrame(columns=[*NUMBERS, "unit", "estimand"])
    first, outcome = named[0], run.tree.attrs["outcome"]
    table = found[first].drop(index="observed")[list(NUMBERS)]
    said = f"S: shock contribution to {outcome}, {period(run.tree, first)}"
    return table.assign(unit=run.tree.attrs["outcome_unit"], estimand=said)


def answers_json(answers: Answers) -> str:
    """Return every answer as JSON."""
    return json.dumps(plain_rows(answers.table), indent=2, ensure_ascii=False, allow_nan=False)


def answers_lines(answers: Answers) -> Iterator[Any]:
    """Yield the answers, a table a run."""
    for run, rows in _by_run(answers):
        yield from answers_grids(run, rows)
    yield "Estimands differ between runs: the numbers answer different questions and do not add up."


def write_answers(answers: Answers, folder: Path) -> list[Path]:
    """Write table, numbers and figure; all of them, or what was there stays."""
    drawn = answers_figure(answers.table)
    with whole(folder, FILES) as aside:
        write_json({"answers": plain_rows(answers.table)}, aside / FILES[0])
        (aside / FILES[1]).write_bytes(csv_text(answers.table, index=False).encode())
        (aside / FILES[2]).write_bytes(svg_bytes(drawn, title="answers"))
        (aside / FILES[3]).write_bytes(png_bytes(drawn, title="answers"))
    return [folder / name for name in FILES]


def _by_run(answers: Answers) -> Sequence[tuple[str, pd.DataFrame]]:
    table = answers.table
    return [
        (str(run), table[table["run"] == run].set_index("answer").drop(columns="run"))
        for run in dict.fromkeys(table["run"])
    ]
