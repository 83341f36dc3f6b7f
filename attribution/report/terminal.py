"""What a user sees when a fit ends: tables enter, things that rich prints leave."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attribution.report import numbers, tables
from attribution.report.draws import period

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

STYLES = {"holds": "green", "fails": "red", "undecided": "yellow"}


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
) -> Iterator[Any]:
    """Yield the headline, the table of each window, sums that alone are known, and findings."""
    title, estimand = (escape(str(tree.attrs[key])) for key in ("title", "estimand"))
    yield f"\n[bold]{title}[/bold]  (estimand {estimand})"
    for name in windows:
        heading = f"{tree.attrs['outcome']}, log points, window {name}, {period(tree, name)}"
        yield tables.terminal_table(found[name], heading)
    for name, table in found.items():
        if "q05" in table and "p_largest" not in table:
            yield from _sums(name, table)
    yield _findings(manifest.get("findings", ()))
    yield f"\n{escape(headline)}\n"


def _findings(found: Sequence[Mapping[str, Any]]) -> Any:
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


def _sums(name: str, table: pd.DataFrame) -> Iterator[str]:
    yield f"[bold]{name}[/bold]: the parts are correlated below −0.8, so read the sum"
    for row, values in table.iterrows():
        span = numbers.span(values["q05"], values["q95"], 1)
        yield f"  {numbers.label(str(row))}: {numbers.number(values['mean'], 1)}, 90 % {span}"
