"""The report on disk: written aside as a whole, then moved; a failure leaves the old one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attribution.errors import DataError, nearest
from attribution.model.names import file_name
from attribution.report import tables as text
from attribution.report.draws import windows
from attribution.report.figures import pictures
from attribution.report.page import Inline, inline, page
from attribution.report.sheet import csv_text
from attribution.report.style import png_bytes, svg_bytes
from attribution.run import REPORT, whole

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr


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
