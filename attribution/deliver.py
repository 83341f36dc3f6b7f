"""A run and its tables in; files in a folder, or lines on a screen, out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attribution.report.terminal import closing, escape
from attribution.report.write import render_report, write_report
from attribution.results import opening, results, windows
from attribution.run import (
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


def lines(run: Run, found: Tables, *, every: bool) -> Iterator[Any]:
    """Yield what a terminal shows of a run: its first window, or every one."""
    if run.unconverged:
        yield f"\n[bold]unconverged[/bold]: {escape(run.unconverged)}"
        return
    named = windows(run.tree)
    shown = named if every else named[:1]
    yield from closing(run.tree, run.manifest, found, shown, opening(run, found))


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
