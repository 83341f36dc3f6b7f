"""Runs of any kind in; their answers, each under its own estimand, side by side out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from attribution.compare.answers_figure import answers_figure
from attribution.record import ANSWERS, is_study
from attribution.report.draws import period, windows
from attribution.report.layered import answers_grids
from attribution.report.sheet import csv_text
from attribution.report.style import png_bytes, svg_bytes
from attribution.results import tables
from attribution.results.plain import plain_rows
from attribution.run import Run, whole, write_json

if TYPE_CHECKING:
    from collections.abc import Sequence

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
