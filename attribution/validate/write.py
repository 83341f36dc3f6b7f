"""Verdicts in; a table, a JSON file and a figure in a folder out."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from attribution.errors import DataError
from attribution.report.style import GRID, INK, OKABE_ITO, PALE, QUIET, drawing, panels
from attribution.validate.calibration import RANKS, Verdicts, judge
from attribution.validate.task import Outcome
from attribution.validate.uniformity import band, counts

if TYPE_CHECKING:
    from matplotlib.figure import Figure


# Verdicts of a design in; its ECDF differences with simultaneous bands, drawn, out.

COLUMNS, ROW_HEIGHT = 4, 1.25


@drawing
def ecdf_differences(found: Verdicts) -> Figure:
    """One panel a quantity: share of ranks below each cut, minus what uniform ranks would have.

    References
    ----------
    sailynoja2022; modrak2025
    """
    limits = band(found.replications, RANKS + 1)
    low, high = (x / found.replications - limits.cut for x in (limits.low, limits.high))
    drawn, axes = panels(
        len(found.rows), columns=COLUMNS, row_height=ROW_HEIGHT, sharex=True, sharey=True
    )
    for axis, row in zip(axes, found.rows, strict=True):
        share = counts(row.ranks, RANKS + 1) / found.replications
        fails = row.p_value < found.limit
        axis.fill_between(limits.cut, low, high, color=GRID, linewidth=0, step="mid")
        axis.axhline(0.0, color=QUIET, linewidth=0.6)
        axis.step(
            limits.cut,
            share - limits.cut,
            where="mid",
            color=OKABE_ITO[3] if fails else OKABE_ITO[0],
            linewidth=1.1,
        )
        axis.set_title(row.quantity, fontsize=7, color=INK)
        axis.text(
            0.98,
            0.04,
            f"p = {row.p_value:.3f}" if row.p_value >= 0.001 else "p < 0.001",
            transform=axis.transAxes,
            ha="right",
            fontsize=6.5,
            color=QUIET,
        )
        axis.set_xticks([0, 0.5, 1], ["0", "½", "1"])
        axis.spines[["left", "bottom"]].set_color(PALE)
        axis.tick_params(labelsize=6.5)
    reach = 1.15 * max(
        float(np.abs([low, high]).max()),
        *(
            float(np.abs(counts(row.ranks, RANKS + 1) / found.replications - limits.cut).max())
            for row in found.rows
        ),
    )
    for axis in axes:
        axis.set_ylim(-reach, reach)
    drawn.supxlabel("place of the truth in the posterior", fontsize=7.5)
    drawn.supylabel("ECDF minus uniform", fontsize=7.5)
    return drawn


# Records of simulated crashes in; how often intervals and regions held the truth, out.

SURE = 0.9
"""Posterior probability of the wrong direction at which a test series raises the alarm."""
MIXED = 1.05
"""R-hat of a contribution above which a fit counts as refused, as the command line refuses it."""


@dataclass(frozen=True)
class Score:
    """How one channel fared: shares of replications, and errors in the unit of the outcome."""

    channel: str
    covered_50: float
    covered_90: float
    robust_90: float | None
    bias: float
    rmse: float
    width_90: float
    robust_width: float | None


@dataclass(frozen=True)
class Coverage:
    """Scores of a world.

    Attributes
    ----------
    replications, refused : how many crashes were split, how many the program refused.
    right_largest : mean posterior probability of the truly largest channel; None where the truth
        has none.
    alarm : share of crashes that were refused, or where a test series speaks against a label.
    chances : statement -> its posterior probability, mean over crashes.
    """

    name: str
    replications: int
    refused: int
    scores: tuple[Score, ...]
    right_largest: float | None
    alarm: float
    chances: Mapping[str, float] = field(default_factory=dict)


def score(outcome: Outcome) -> Coverage:
    """Score the records of a coverage task.

    Raises
    ------
    DataError
        If there is none.
    """
    used = ~np.isin(outcome.numbers, list(outcome.refused))
    if not used.any():
        raise DataError(f"{outcome.name}: no crash has been split; run some first")
    column = {name: values[used] for name, values in outcome.columns.items()}
    channels = [name.removeprefix("truth ") for name in column if name.startswith("truth ")]
    loud = np.zeros(used.sum(), bool)
    for name, values in column.items():
        if name.startswith("wrong "):
            loud |= values >= SURE
    if "plausibility" in column:
        loud |= column["plausibility"] < 0.5
    if "rhat" in column:
        loud |= column["rhat"] > MIXED
    largest = column.get("right largest")
    return Coverage(
        name=outcome.name,
        replications=int(used.sum()),
        refused=len(outcome.refused),
        scores=tuple(_score(column, channel) for channel in channels),
        right_largest=float(largest.mean()) if largest is not None else None,
        alarm=float(loud.sum() + len(outcome.refused)) / len(outcome.numbers),
        chances={
            name.removeprefix("chance "): float(values.mean())
            for name, values in column.items()
            if name.startswith("chance ")
        },
    )


def _score(column: Mapping[str, np.ndarray], channel: str) -> Score:
    truth = column[f"truth {channel}"]

    def held(low: str, high: str) -> float:
        inside = (column[f"{low} {channel}"] <= truth) & (truth <= column[f"{high} {channel}"])
        return float(inside.mean())

    def width(low: str, high: str) -> float:
        return float((column[f"{high} {channel}"] - column[f"{low} {channel}"]).mean())

    error, robust = column[f"q50 {channel}"] - truth, f"robust low {channel}" in column
    return Score(
        channel=channel,
        covered_50=held("q25", "q75"),
        covered_90=held("q05", "q95"),
        robust_90=held("robust low", "robust high") if robust else None,
        bias=float(error.mean()),
        rmse=float(np.sqrt((error**2).mean())),
        width_90=width("q05", "q95"),
        robust_width=width("robust low", "robust high") if robust else None,
    )


CALIBRATION, COVERAGE = "calibration.json", "coverage.json"
HEAD = ("quantity", "p_value", "mean", "spread", "covered_50", "covered_90")


def summary(found: Verdicts, outcome: Outcome) -> dict[str, object]:
    """Numbers of a design, for JSON."""
    return {
        "design": found.name,
        "settings": dict(outcome.settings),
        "seed": outcome.seed,
        "version": outcome.version,
        "replications": found.replications,
        "refused": found.refused,
        "limit": found.limit,
        "holds": found.holds,
        "quantities": {name: dict(zip(HEAD[1:], row, strict=True)) for name, *row in _rows(found)},
    }


def write(found: Verdicts, outcome: Outcome, folder: Path) -> tuple[Path, ...]:
    """Write ``calibration.json``, ``calibration.csv`` and ``ecdf.{png,svg}`` beside the records."""
    from attribution.report.style import png_bytes, svg_bytes

    pass

    text = json.dumps(summary(found, outcome), indent=1) + "\n"
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerows([HEAD, *([name, *map(_short, row)] for name, *row in _rows(found))])
    drawn, title = ecdf_differences(found), f"Calibration of the design {found.name}"
    files: Mapping[str, bytes] = {
        CALIBRATION: text.encode(),
        "calibration.csv": stream.getvalue().encode(),
        "ecdf.png": png_bytes(drawn, title=title),
        "ecdf.svg": svg_bytes(drawn, title=title),
    }
    paths = []
    for name, content in files.items():
        (folder / name).write_bytes(content)
        paths.append(folder / name)
    return tuple(paths)


def line(found: Verdicts) -> str:
    """One line for the screen."""
    worst = found.smallest
    refused = f", {found.refused} refused" if found.refused else ""
    return (
        f"{found.name:<26} {'holds' if found.holds else 'FAILS':<6} {found.replications:>5}"
        f" replications{refused}; smallest p {worst.p_value:.2g} ({worst.quantity}), limit"
        f" {found.limit:.2g}"
    )


def covered(found: Coverage) -> str:
    """One line for the screen."""
    worst = min(found.scores, key=lambda row: row.covered_90)
    named = found.right_largest
    right = "" if named is None else f" right largest {named:.2f},"
    return (
        f"{found.name:<26} covers {found.replications:>5} crashes; worst 90 % interval holds"
        f" {worst.covered_90:.2f} ({worst.channel}),{right} alarm {found.alarm:.2f}"
    )


def finish(outcome: Outcome, folder: Path) -> tuple[bool, str]:
    """Judge a calibration or score a coverage, write its files, and say what came out.

    Coverage is published, not judged: it holds whatever it is.
    """
    if any(name.startswith("truth ") for name in outcome.columns):
        scored = score(outcome)
        body = {"settings": dict(outcome.settings), "seed": outcome.seed, **asdict(scored)}
        _save(folder / COVERAGE, body)
        return True, covered(scored)
    found = judge(outcome)
    write(found, outcome, folder)
    return found.holds, line(found)


def collect(folder: Path) -> str:
    """Gather the verdicts and scores below a folder into its ``calibration.json``.

    Returns
    -------
    Its text: designs and coverage, each name -> numbers.
    """
    designs, crashes = (
        {
            path.parent.name: json.loads(path.read_text(encoding="utf-8"))
            for path in sorted(folder.glob(f"*/{name}"))
        }
        for name in (CALIBRATION, COVERAGE)
    )
    return _save(folder / CALIBRATION, {"designs": designs, "coverage": crashes})


def _save(path: Path, body: Mapping[str, object]) -> str:
    text = json.dumps(body, indent=1) + "\n"
    path.write_text(text, encoding="utf-8")
    return text


def _rows(found: Verdicts) -> list[tuple[str, float, float, float, float, float]]:
    return [
        (row.quantity, row.p_value, row.mean, row.spread, row.covered[0.5], row.covered[0.9])
        for row in found.rows
    ]


def _short(value: float) -> str:
    return f"{value:.4g}"
