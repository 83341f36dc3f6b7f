"""What a user sees when a fit ends: tables enter, things that rich prints leave."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attribution.report import cells as tables
from attribution.report import numbers
from attribution.report.answers import terminal_study
from attribution.report.draws import period
from attribution.report.numbers import THIN
from attribution.runs import ANSWERS

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

_BANDS = ("q16", "q84", "q05", "q95")
STYLES = {"holds": "green", "fails": "red", "undecided": "yellow", "untestable": "cyan"}


def escape(text: str) -> str:
    """Keep square brackets of a user's own words from being read as styles."""
    from rich.markup import escape as escaped

    return escaped(text)


def closing(
    tree: xr.DataTree,
    manifest: Mapping[str, Any],
    found: Mapping[str, pd.DataFrame],
    windows: Sequence[str],
    headline: str,
    *,
    every: bool = True,
    findings: bool = True,
) -> Iterator[Any]:
    """Yield the headline, the table of each window, sums that alone are known, and findings.

    Of a study, its answers and further tables take the place of windows.

    Parameters
    ----------
    every : whether a study's further tables are shown.
    findings : whether every finding, or the few that matter most.
    """
    said = manifest.get("findings", ())
    if ANSWERS in found:
        yield f"\n[bold]{escape(str(tree.attrs['title']))}[/bold]\n\n{escape(headline)}\n"
        yield from terminal_study(found if every else {ANSWERS: found[ANSWERS]})
        if not every and len(found) > 1:
            more = len(found) - 1
            yield f"[dim]further tables ({more}): attribution summary RUN, or the report[/dim]\n"
        yield from _findings(said, every=findings)
        return
    title, estimand = (escape(str(tree.attrs[key])) for key in ("title", "estimand"))
    yield f"\n[bold]{title}[/bold]" + (f"  (estimand {estimand})" if windows else "")
    yield f"\n{escape(headline)}\n"
    for name in windows:
        outcome, unit = tree.attrs["outcome"], tree.attrs["outcome_unit"]
        heading = f"{outcome}, {unit}, window {name}, {period(tree, name)}"
        yield tables.terminal_table(found[name], heading)
    for name, table in found.items():
        if "p_negative" in table and "p_largest" not in table:
            yield from _sums(name, table)
    if not windows:
        outcome, unit = tree.attrs["outcome"], tree.attrs["outcome_unit"]
        yield _bands(found["responses"], f"response of {outcome}, {unit}")
        yield _bands(found["variance shares"], f"share of the forecast error variance of {outcome}")
    yield from _findings(said, every=findings)


FEW = 5
"""Findings of the closing view."""
ORDER = ("fails", "undecided", "untestable", "holds")
"""Verdicts, those first that change how a result is read."""


def mattering(found: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Put failures first, then what is open, then what holds; those of a verdict stay in order."""
    return sorted(found, key=lambda finding: ORDER.index(str(finding["verdict"])))


def _findings(found: Sequence[Mapping[str, Any]], *, every: bool) -> Iterator[Any]:
    if every or len(found) <= FEW:
        yield findings_table(found if every else mattering(found))
        return
    ordered = mattering(found)
    yield findings_table(ordered[:FEW])
    rest = [str(finding["verdict"]) for finding in ordered[FEW:]]
    counts = ", ".join(f"{rest.count(one)} {one}" for one in ORDER if one in rest)
    what = "finding" if len(rest) == 1 else "findings"
    yield f"[dim]and {len(rest)} {what} more ({counts}): --findings, or the report[/dim]"


def findings_table(found: Sequence[Mapping[str, Any]]) -> Any:
    """Set the findings as verdict, name and evidence."""
    from rich.table import Table

    shown = Table(box=None, show_header=False, padding=(0, 1))
    shown.add_column(no_wrap=True)
    shown.add_column(ratio=1)
    for finding in found:
        verdict = str(finding["verdict"])
        text = f"[bold]{escape(str(finding['name']))}[/bold]: {escape(str(finding['evidence']))}"
        shown.add_row(f"[{STYLES[verdict]}]{verdict}[/{STYLES[verdict]}]", text)
    return shown


def _bands(table: pd.DataFrame, heading: str) -> Any:
    """Set a table of channel and horizon: its middle, and its 68 % and 90 % bands.

    Channels that never move the outcome are left out.
    """
    from rich import box
    from rich.table import Table

    middle = "mean" if "mean" in table else "median"
    shown = Table(box=box.SIMPLE_HEAD)
    shown.add_column("")
    for column in ("horizon", middle, *(f"{q}{THIN}%" for q in (16, 84, 5, 95))):
        shown.add_column(column, justify="right", no_wrap=True)
    before = ""
    for name, cells in tables.band_cells(table[[middle, *_BANDS]]):
        channel = tables.channel_of(name)
        horizon = name.rpartition(", ")[2]
        shown.add_row("" if channel == before else escape(numbers.label(channel)), horizon, *cells)
        before = channel
    return tables.headed(shown, heading, f"{middle}s and bands are taken horizon by horizon")


def _sums(name: str, table: pd.DataFrame) -> Iterator[str]:
    yield f"[bold]{escape(name)}[/bold]: the parts are correlated below −0.8, so read the sum"
    for row, values in table.iterrows():
        span = numbers.span(values["q05"], values["q95"], 1)
        named = escape(numbers.label(str(row)))
        yield f"  {named}: {numbers.number(values['mean'], 1)}, 90 % {span}"
