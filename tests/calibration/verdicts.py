"""What is written of a calibration: a table, a JSON file and a figure in its folder."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from calibration.ranks import RANKS, Verdicts, judge
from calibration.uniformity import band, counts

from attribution.report.style import (
    GRID,
    INK,
    OKABE_ITO,
    PALE,
    QUIET,
    drawing,
    panels,
    png_bytes,
    svg_bytes,
)
from attribution.validate import coverage
from attribution.validate.coverage import CALIBRATION
from attribution.validate.runner import Outcome

if TYPE_CHECKING:
    from matplotlib.figure import Figure


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


def finish(outcome: Outcome, folder: Path) -> tuple[bool, str]:
    """Judge a calibration, or score a coverage, write its files, and say what came out."""
    if any(name.startswith("truth ") for name in outcome.columns):
        return coverage.finish(outcome, folder)
    found = judge(outcome)
    write(found, outcome, folder)
    return found.holds, line(found)


def _rows(found: Verdicts) -> list[tuple[str, float, float, float, float, float]]:
    return [
        (row.quantity, row.p_value, row.mean, row.spread, row.covered[0.5], row.covered[0.9])
        for row in found.rows
    ]


def _short(value: float) -> str:
    return f"{value:.4g}"
