"""Verdicts in; a table, a JSON file and a figure in a folder out."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from attribution.validate.calibration import Verdicts, judge
from attribution.validate.score import Coverage, score
from attribution.validate.task import Outcome

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
    from attribution.validate.figure import ecdf_differences

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
