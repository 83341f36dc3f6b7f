"""A model of net creations and its data in; what to watch, on a screen or in a folder, out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from attribution.errors import SpecError
from attribution.model import read_model
from attribution.model.flows import FlowsQuestion
from attribution.model.study import StudySpec
from attribution.panel import read_evidence
from attribution.report.answers import grid
from attribution.report.monitor_pictures import pictures
from attribution.report.numbers import number, probability, span
from attribution.report.sheet import csv_text
from attribution.report.style import png_bytes, svg_bytes
from attribution.report.terminal import escape, findings_table
from attribution.results.plain import by_name
from attribution.run import whole, write_json
from attribution.study.monitor import Monitor, monitor

FILES = ("monitor.csv", "monitor.json", "monitor.svg", "monitor.png")
SHOWN = 10
"""Days that a screen shows."""


def watch(model: str, data: Path | None, until: date | None, seed: int) -> Monitor:
    """Watch net creations to the end of the data, or to a day.

    Raises
    ------
    SpecError
        If the model is not of kind ``flows``, or names no basis.
    DataError, EventError
        If the data cannot be used.
    """
    spec = read_model(model)
    if not isinstance(spec, StudySpec) or not isinstance(spec.question, FlowsQuestion):
        raise SpecError(
            f"monitor: model '{spec.name}' is of kind '{spec.kind}'; name one of kind 'flows'"
        )
    return monitor(read_evidence(spec, data), spec.question, seed=seed, until=until)


def lines(found: Monitor) -> Iterator[Any]:
    """Yield the last days and the findings."""
    headings = ["row", "five rows", "organic", "90 %", "inflow", "wider", "flag"]
    yield f"\n[bold]{escape(found.fund)}: inflows without basis expansion[/bold], USD million"
    yield grid("", headings, [_cells(day, row) for day, row in _last(found.table)])
    yield (
        "organic: five rows of net creations, less what returns and the basis explain; then the"
        " probabilities that it is an inflow and that the basis is wider than usual;"
        f" one reading of the basis has an error of {found.basis_error:.0f} basis points"
    )
    yield findings_table([finding.record() for finding in found.findings])


def _last(table: pd.DataFrame) -> list[tuple[str, dict[str, Any]]]:
    shown = table.assign(five=table["published"].rolling(5).sum()).tail(SHOWN)
    days = [f"{day:%Y-%m-%d}" for day in pd.DatetimeIndex(shown.index)]
    rows = [{str(key): value for key, value in row.items()} for row in shown.to_dict("records")]
    return list(zip(days, rows, strict=True))


def _cells(day: str, row: dict[str, Any]) -> tuple[str, list[str]]:
    flag = "" if row["flag"] is pd.NA else "up" if row["flag"] else "no"
    return day, [
        number(row["published"], 0),
        number(row["five"], 0),
        number(row["sum"], 0),
        span(row["sum_q05"], row["sum_q95"], 0),
        probability(row["inflow"]),
        probability(row["wider"]),
        flag or "not read",
    ]


def as_json(found: Monitor) -> str:
    """Return every day and finding as JSON."""
    return json.dumps(_plain(found), indent=2, ensure_ascii=False, allow_nan=False)


def _plain(found: Monitor) -> dict[str, Any]:
    return {
        "fund": found.fund,
        "days": by_name(found.table.set_axis(found.table.index.astype(str))),
        "findings": [finding.record() for finding in found.findings],
        "basis_error": found.basis_error,
        "diagnostics": dict(found.diagnostics),
    }


def write_monitor(found: Monitor, folder: Path) -> list[Path]:
    """Write table, numbers and picture; all of them, or what was there stays."""
    (picture,) = pictures(found.table, found.fund)
    with whole(folder, FILES) as aside:
        sheet = csv_text(found.table, index_label="date")
        (aside / FILES[0]).write_bytes(sheet.encode())
        write_json(_plain(found), aside / FILES[1])
        (aside / FILES[2]).write_bytes(svg_bytes(picture.figure, title=picture.title))
        (aside / FILES[3]).write_bytes(png_bytes(picture.figure, title=picture.title))
    return [folder / name for name in FILES]
