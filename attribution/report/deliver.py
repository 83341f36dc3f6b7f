"""A run and its tables in; files in a folder, or lines on a screen, out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attribution.errors import DataError, nearest
from attribution.model.names import file_name
from attribution.report import cells as text
from attribution.report.draws import windows
from attribution.report.figures import pictures
from attribution.report.numbers import csv_text
from attribution.report.page import Inline, inline, page
from attribution.report.results import opening, results
from attribution.report.style import png_bytes, svg_bytes
from attribution.report.terminal import closing, escape
from attribution.runs.run import (
    REPORT,
    RESULTS,
    RUN,
    UNCONVERGED,
    Run,
    holds_run,
    put_run,
    save_run,
    whole,
    write_json,
)

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr


# The report on disk: written aside as a whole, then moved; a failure leaves the old one.


def write_report(
    tree: xr.DataTree,
    manifest: Mapping[str, Any],
    tables: Mapping[str, pd.DataFrame],
    out: Path,
) -> list[Path]:
    """Write ``tables/*.csv``, ``figures/*.svg`` and ``*.png``, and ``report.html`` into a folder.

    Parameters
    ----------
    tree : the run.
    manifest : its record; see :func:`attribution.report.page.page`.
    tables : a summary table for each window, by its name; any further table is added to the page.
    out : the folder, made if it does not exist; files of other names are left alone.

    Returns
    -------
    The paths written.

    Raises
    ------
    DataError
        If a window has no table, or two tables share a file name.
    """
    _refuse_missing(tree, tables)
    with whole(out, REPORT) as aside:
        names = render_report(tree, manifest, tables, aside)
    return [out / name for name in names]


def _refuse_missing(tree: xr.DataTree, tables: Mapping[str, pd.DataFrame]) -> None:
    for name in windows(tree):
        if name not in tables:
            raise DataError(
                f"report: window '{name}' has no summary table{nearest(name, tables)};"
                " make it with summary.window_table"
            )
        text.checked(tables[name], name)


def render_report(
    tree: xr.DataTree, manifest: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], new: Path
) -> list[str]:
    """Write every file of a report below a folder that is given; return names relative to it."""
    _refuse_missing(tree, tables)
    names: list[str] = []

    def put(name: str, data: bytes) -> None:
        if name in names:
            raise DataError(f"report: two tables or windows share the file {name}; rename one")
        path = new / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        names.append(name)

    for name, table in tables.items():
        sheet = csv_text(table, index_label="name")
        put(f"tables/{file_name(name)}.csv", sheet.encode("utf-8"))
    inlined = []
    for picture in pictures(tree, tables):
        stem = file_name(picture.name)
        svg = svg_bytes(picture.figure, title=picture.title)
        put(f"figures/{stem}.svg", svg)
        put(f"figures/{stem}.png", png_bytes(picture.figure, title=picture.title))
        drawing = inline(svg, name=stem)
        inlined.append(Inline(stem, picture.title, picture.caption, drawing, picture.window))
    put("report.html", page(tree, manifest, tables, inlined).encode("utf-8"))
    return names


Tables = Mapping[str, "pd.DataFrame"]


def write_run(run: Run, found: Tables, folder: Path, *, report: bool) -> None:
    """Write everything aside, then switch, so that a folder is of one run."""
    with whole(folder, RUN) as aside:
        if report:
            render_report(run.tree, _opened(run, found), found, aside)
        put_run(run, aside)
        write_json(results(run, found), aside / RESULTS)


def write_unconverged(run: Run, folder: Path) -> Path:
    """Keep draws that failed, and no number of them; beside a run that converged, not over it.

    Returns
    -------
    The folder that was written: ``folder``, or that name with ``-unconverged`` after it.
    """
    place = folder.with_name(f"{folder.name}-{UNCONVERGED}") if holds_run(folder) else folder
    save_run(run, place)
    return place


def draw_report(run: Run, found: Tables, folder: Path) -> list[Path]:
    """Draw tables, figures and the page of a run; return the paths written."""
    return write_report(run.tree, _opened(run, found), found, folder)


def _opened(run: Run, found: Tables) -> dict[str, Any]:
    return {**run.manifest, "headline": opening(run, found)}


def lines(run: Run, found: Tables, *, every: bool, findings: bool = True) -> Iterator[Any]:
    """Yield what a terminal shows of a run.

    Parameters
    ----------
    every : whether of every window and table, or of the first.
    findings : whether every one, or those that matter most.
    """
    if run.unconverged:
        yield f"\n[bold]unconverged[/bold]: {escape(run.unconverged)}"
        return
    named = windows(run.tree)
    shown = named if every else named[:1]
    said = opening(run, found)
    yield from closing(run.tree, run.manifest, found, shown, said, every=every, findings=findings)


def as_json(run: Run, found: Tables) -> str:
    """Return the numbers of a run as JSON."""
    said = _failed(run) if run.unconverged else results(run, found)
    return json.dumps(said, indent=2, ensure_ascii=False)


def _failed(run: Run) -> dict[str, Any]:
    """Say what a run is of and why it has no numbers."""
    return {
        "model": run.manifest["model"],
        UNCONVERGED: run.unconverged,
        "diagnostics": dict(run.manifest["diagnostics"]),
    }
