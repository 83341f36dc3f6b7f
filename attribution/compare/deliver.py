"""A comparison in; lines on a screen, JSON, or files in a folder out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from attribution.compare.comparison import SUM, Comparison
from attribution.report import numbers
from attribution.report.numbers import csv_text
from attribution.report.style import (
    INK,
    OKABE_ITO,
    drawing,
    figure,
    name_rows,
    png_bytes,
    svg_bytes,
    whisker,
    zero_line,
)
from attribution.report.terminal import escape
from attribution.runs.run import whole, write_json

if TYPE_CHECKING:
    from matplotlib.figure import Figure


# Contributions of one window under several runs: a comparison enters, a figure leaves.

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


FILES = ("comparison.json", "comparison.csv", "robustness.csv", "comparison.svg", "comparison.png")


def write_comparison(comparison: Comparison, folder: Path) -> list[Path]:
    """Write tables, numbers and the figure; all of them, or what was there stays."""
    title = f"{comparison.outcome}, {comparison.period}"
    drawn = side_by_side(comparison)
    with whole(folder, FILES) as aside:
        write_json(plain(comparison), aside / FILES[0])
        long = csv_text(comparison.long(), index=False)
        (aside / FILES[1]).write_bytes(long.encode())
        matrix = csv_text(comparison.robustness(), index_label="channel")
        (aside / FILES[2]).write_bytes(matrix.encode())
        (aside / FILES[3]).write_bytes(svg_bytes(drawn, title=title))
        (aside / FILES[4]).write_bytes(png_bytes(drawn, title=title))
    return [folder / name for name in FILES]


def plain(comparison: Comparison) -> dict[str, Any]:
    """Return every number of a comparison as plain data; what does not exist is left out."""
    return {
        "outcome": comparison.outcome,
        "unit": comparison.unit,
        "period": comparison.period,
        "observed": comparison.observed,
        "runs": {
            run: {
                str(name): {str(k): float(v) for k, v in row.items() if np.isfinite(v)}
                for name, row in table.iterrows()
            }
            for run, table in comparison.tables.items()
        },
        "findings": [finding.record() for finding in comparison.findings],
        "agreement": {name: asdict(one) for name, one in comparison.agreement().items()},
        "largest": {
            run: {"channel": name, "probability": chance}
            for run, (name, chance) in comparison.largest().items()
        },
    }


def as_json(comparison: Comparison) -> str:
    """Return every number of a comparison as JSON."""
    return json.dumps(plain(comparison), indent=2, ensure_ascii=False, allow_nan=False)


def lines(comparison: Comparison) -> Iterator[Any]:
    """Yield the table, the matrix of who is largest, and where the runs agree."""
    move = numbers.number(comparison.observed, 2)
    yield (
        f"\n[bold]{escape(comparison.outcome)}[/bold] moved {move} {escape(comparison.unit)},"
        f" {comparison.period}"
    )
    yield _table(comparison)
    yield _robustness(comparison)
    yield from _agreement(comparison)


def _table(comparison: Comparison) -> Any:
    from rich import box
    from rich.table import Table

    shown = Table(box=box.SIMPLE_HEAD, title="mean (5 % to 95 %), and P(<0)", title_justify="left")
    shown.add_column("")
    for run in comparison.tables:
        shown.add_column(escape(run), justify="right")
    for name in comparison.rows:
        cells = [_cell(t.loc[name]) if name in t.index else "" for t in comparison.tables.values()]
        shown.add_row(escape(numbers.label(name)), *cells)
    sums = [numbers.number(float(t["mean"].sum()), 1) for t in comparison.tables.values()]
    shown.add_row(SUM, *sums, style="bold")
    return shown


def _cell(row: Any) -> str:
    span = numbers.span(row["q05"], row["q95"], 1)
    chance = numbers.probability(row["p_negative"])
    return f"{numbers.number(row['mean'], 1)} ({span})\n[dim]{chance}[/dim]"


def _robustness(comparison: Comparison) -> Any:
    from rich import box
    from rich.table import Table

    matrix = comparison.robustness()
    shown = Table(box=box.SIMPLE_HEAD, title="P(largest)", title_justify="left")
    shown.add_column("")
    for run in matrix.columns:
        shown.add_column(escape(str(run)), justify="right")
    for name, row in matrix.iterrows():
        cells = [numbers.probability(float(value)) for value in row]
        shown.add_row(escape(numbers.label(str(name))), *cells)
    return shown


def _agreement(comparison: Comparison) -> Iterator[str]:
    """Say, a line a channel that more than one run lets move, whether the 50 % intervals overlap.

    Where a run holds a row at zero, that is said, and is no agreement.
    """
    for name, one in comparison.agreement().items():
        if one.runs + len(one.zero) < 2 or name == "baseline":
            continue
        label, still = escape(numbers.label(name)), ", ".join(map(escape, one.zero))
        if one.runs < 2:
            yield f"[dim]no say[/dim]  {label}: zero by construction under {still}"
            continue
        mark = "[green]agree[/green]" if one.overlap else "[yellow]differ[/yellow]"
        yield (
            f"{mark}  {label}: means from"
            f" {numbers.span(one.lowest, one.highest, 1)}; 50 % intervals"
            f" {'share a value' if one.overlap else 'do not all overlap'}"
            + (f"; zero by construction under {still}" if still else "")
        )
    said = ", ".join(
        f"{escape(numbers.label(name))} under {escape(run)} ({numbers.probability(chance)})"
        for run, (name, chance) in comparison.largest().items()
    )
    yield f"largest: {said}"
    for finding in comparison.findings:
        yield f"{finding.verdict}  {escape(finding.name)}: {escape(finding.evidence)}"
