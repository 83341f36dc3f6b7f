"""A run and its tables in; files in a folder, or lines on a screen, out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attribution.report.terminal import closing
from attribution.report.write import write_report
from attribution.results import opening, results, windows
from attribution.run import RESULTS, Run, save_run, whole, write_json

if TYPE_CHECKING:
    import pandas as pd

Tables = Mapping[str, "pd.DataFrame"]


def write_run(run: Run, found: Tables, folder: Path, *, report: bool) -> None:
    """Write everything aside, then move it into place, so that a folder is of one run."""
    with whole(folder) as aside:
        if report:
            draw_report(run, found, aside)
        save_run(run, aside)
        write_json(results(run, found), aside / RESULTS)


def draw_report(run: Run, found: Tables, folder: Path) -> list[Path]:
    """Draw tables, figures and the page of a run; return the paths written."""
    manifest = {**run.manifest, "headline": opening(run, found)}
    return write_report(run.tree, manifest, found, folder)


def lines(run: Run, found: Tables, *, every: bool) -> Iterator[Any]:
    """Yield what a terminal shows of a run: its first window, or every one."""
    named = windows(run.tree)
    shown = named if every else named[:1]
    yield from closing(run.tree, run.manifest, found, shown, opening(run, found))


def as_json(run: Run, found: Tables) -> str:
    """Return the numbers of a run as JSON."""
    return json.dumps(results(run, found), indent=2, ensure_ascii=False)
