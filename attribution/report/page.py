"""One self-contained page: a run, its tables and its figures enter, a text of HTML leaves."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple

from attribution.core.moves import simple_return
from attribution.report import cells as tables
from attribution.report import numbers
from attribution.report.answers import answer_cells
from attribution.report.comparison import event_in_names
from attribution.report.draws import (
    band,
    channels,
    event_in_draws,
    event_in_weights,
    has,
    period,
    windows,
)
from attribution.report.learned import contraction_table
from attribution.runs import ANSWERS, has_coalitions, is_study

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from jinja2 import Template

VERDICTS = {name: name for name in ("holds", "fails", "undecided", "untestable")}
PROVENANCE = ("created", "seed", "sampler", "settings", "versions", "digests", "checks")
KNOWN_TABLES = ("ledger",)
PIXELS_PER_POINT = 96 / 72
LEAST, MOST = 0.78, 1.1  # of its natural width
Cells = list[tuple[str, list[str]]]


class Grid(NamedTuple):
    """A table on paper: a caption, headings each with what it means, rows of a name and cells."""

    caption: str
    headings: list[tuple[str, str]]
    rows: Cells


class Inline(NamedTuple):
    """A figure on the page."""

    name: str
    title: str
    caption: str
    svg: str
    window: str


class Window(NamedTuple):
    """What the page says about one window."""

    name: str
    period: str
    observed: str
    figures: list[tuple[int, Inline]]
    grids: list[Grid]


def page(
    tree: xr.DataTree,
    manifest: Mapping[str, Any],
    summaries: Mapping[str, pd.DataFrame],
    figures: Sequence[Inline],
) -> str:
    """Render the report.

    Parameters
    ----------
    tree : the run.
    manifest : its record: ``headline``, ``findings``, ``deviations`` and the provenance; what is
        absent is not shown.
    summaries : a summary table for each window, and any further tables; one named ``ledger``
        joins the identification ledger.
    figures : inline figures, in their order.
    """
    named = windows(tree)
    unit = str(tree.attrs["outcome_unit"])
    numbered = list(enumerate(figures, start=1))
    shown = [
        _window(tree, summaries[name], name, [(n, it) for n, it in numbered if it.window == name])
        for name in named
    ]
    return _template().render(
        run=tree.attrs,
        manifest=manifest,
        windows=shown,
        study=is_study(tree),
        layers=has_coalitions(tree),
        logs=unit == tables.LOG_POINTS,
        has_bounds=any(tables.has_bounds(summaries[name]) for name in named),
        ledger=_ledger(tree, summaries),
        event_in=_event_in(tree, named[0]) if has(tree, "event_in") else None,
        others=[
            _answers(t) if n == ANSWERS else _free(numbers.label(n), t)
            for n, t in summaries.items()
            if n not in (*named, *KNOWN_TABLES)
        ],
        figures=[(n, it) for n, it in numbered if not it.window],
        findings=[_finding(finding) for finding in manifest.get("findings", ())],
        deviations=list(manifest.get("deviations", ())),
        provenance=_provenance(manifest),
    )


def inline(svg: bytes, *, name: str) -> str:
    """Return a figure's SVG as a part of a page.

    What only a file of its own needs is cut, and every identifier is prefixed with the name of
    the figure, so that no two figures of a page share one. The figure shrinks and grows with the
    page only as far as its words stay easy to read; a narrower page scrolls it sideways.
    """
    text = svg.decode("utf-8")
    text = text[text.index("<svg") :]
    text = re.sub(r"\s*<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', text)
    text = re.sub(r'href="#([^"]+)"', rf'href="#{name}-\1"', text)
    text = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", text)
    text = text.replace("*{stroke", f"#{name} *{{stroke")
    width = float(text.split('width="', 1)[1].split("pt", 1)[0]) * PIXELS_PER_POINT
    shape = f"min-width: {LEAST * width:.0f}px; max-width: {MOST * width:.0f}px"
    return text.replace("<svg ", f'<svg id="{name}" role="img" style="{shape}" ', 1).strip()


def _template() -> Template:
    from jinja2 import Environment, StrictUndefined

    source = files("attribution.report").joinpath("template.html.j2").read_text(encoding="utf-8")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["words"] = numbers.label
    return environment.from_string(source)


def _window(
    tree: xr.DataTree, table: pd.DataFrame, name: str, figures: list[tuple[int, Inline]]
) -> Window:
    tables.checked(table, name)
    unit = str(tree.attrs["outcome_unit"])
    grids = [_grid(f"Contributions, {unit}", table, tables.RESULT)]
    if tables.has_bounds(table):
        grids.append(_grid(f"Bounds, {unit}", table, tables.ROBUST))
    grids.append(_grid("Spread, Monte Carlo error and convergence", table, tables.PRECISION))
    move = float(table["mean"]["observed"])
    simple = numbers.per_cent(simple_return(move), 1)
    observed = f"{numbers.number(move, 2)} {unit}"
    observed += f" ({simple})" if simple and unit == tables.LOG_POINTS else ""
    return Window(name, period(tree, name), observed, figures, grids)


def _grid(caption: str, table: pd.DataFrame, columns: tuple[tables.Column, ...]) -> Grid:
    """Set a summary table; a row or a column with nothing to say is left out."""
    said = tables.cells(table, columns)
    kept = [i for i in range(len(columns)) if any(cells[i] for _, cells in said)]
    rows = [(numbers.label(n), [cells[i] for i in kept]) for n, cells in said if any(cells)]
    return Grid(caption, [(columns[i].heading, columns[i].title) for i in kept], rows)


def _free(caption: str, table: pd.DataFrame) -> Grid:
    if "q16" in table:
        headings = [
            (f"{column.removeprefix('q').lstrip('0')} %" if column[0] == "q" else column, "")
            for column in map(str, table.columns)
        ]
        rows = [(numbers.label(name), cells) for name, cells in tables.band_cells(table)]
        return Grid(caption, headings, rows)
    headings = [(numbers.label(str(column)), "") for column in table.columns]
    return Grid(caption, headings, tables.free_cells(table))


def _answers(table: pd.DataFrame) -> Grid:
    headings, rows = answer_cells(table)
    return Grid("Answers", [(heading, "") for heading in headings], rows)


def _ledger(tree: xr.DataTree, summaries: Mapping[str, pd.DataFrame]) -> list[Grid]:
    found = []
    told = "ledger" in summaries
    for name in windows(tree) if has(tree, "prior") and not told else ():
        taught = contraction_table(tree, name)
        rows = [
            (numbers.label(str(channel)), [numbers.number(float(value), 2) for value in values])
            for channel, values in zip(taught.index, taught.to_numpy(), strict=True)
        ]
        headings = [(numbers.label(str(column)), "") for column in taught.columns]
        unit = tree.attrs["outcome_unit"]
        caption = f"Contributions, window {numbers.label(name)}; sd in {unit}"
        found.append(Grid(caption, headings, rows))
    if told:
        found.append(_free("What each contribution rests on", summaries["ledger"]))
    return found


def _event_in(tree: xr.DataTree, window: str) -> Grid:
    """Tabulate the mean and the 90 % interval for every way to use the event."""
    draws = event_in_draws(tree, window)
    ways = event_in_weights(tree)
    said = event_in_names(tree)
    bands = {way: band(draws[way], weight) for way, weight in ways.items()}
    rows = [
        (
            numbers.label(name),
            [
                f"{numbers.number(it.mean[i], 1)} ({numbers.span(it.q05[i], it.q95[i], 1)})"
                for it in bands.values()
            ],
        )
        for i, name in enumerate(channels(tree))
    ]
    unit = tree.attrs["outcome_unit"]
    caption = f"Window {numbers.label(window)}: mean and 90 % interval, {unit}"
    return Grid(caption, [(said[way], "") for way in ways], rows)


def _finding(finding: Mapping[str, Any]) -> dict[str, str]:
    chance, error = finding.get("probability"), float(finding.get("error") or 0.0)
    about = f" \N{PLUS-MINUS SIGN} {numbers.number(error, 2)}" if error >= 0.005 else ""
    return {
        "name": str(finding["name"]),
        "question": str(finding["question"]),
        "evidence": str(finding["evidence"]),
        "verdict": str(finding["verdict"]),
        "kind": VERDICTS.get(str(finding["verdict"]), "other"),
        "probability": "" if chance is None else numbers.probability(float(chance)) + about,
    }


def _provenance(manifest: Mapping[str, Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the record of the run as sections of names and values."""
    alone = [(key, manifest[key]) for key in PROVENANCE if _is_scalar(manifest.get(key))]
    found = [("run", [(key, _plain(value)) for key, value in alone])] if alone else []
    for key in PROVENANCE:
        value = manifest.get(key)
        if isinstance(value, Mapping):
            found.append((key, [(str(name), _plain(item)) for name, item in value.items()]))
    return found


def _is_scalar(value: object) -> bool:
    return value is not None and not isinstance(value, Mapping)


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{k} {_plain(v)}" for k, v in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_plain(v) for v in value)
    return str(value)


def grid_of(tree: xr.DataTree, found: Mapping[str, pd.DataFrame]) -> Grid:
    """Set the table that answers first: contributions to a window, answers, or responses."""
    named = windows(tree)
    if named:
        caption = f"Contributions, {tree.attrs['outcome_unit']}, window {numbers.label(named[0])}"
        return _grid(caption, tables.checked(found[named[0]], named[0]), tables.RESULT)
    name = next(iter(found))
    return _answers(found[name]) if name == ANSWERS else _free(numbers.label(name), found[name])
