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


def closing(
    tree: xr.DataTree,
    manifest: Mapping[str, Any],
    found: Mapping[str, pd.DataFrame],
    windows: Sequence[str],
    headline: str,
) -> Iterator[Any]:
    """Yield the headline, the table of each window, sums that alone are known, and findings."""
    yield f"\n[bold]{tree.attrs['title']}[/bold]  (estimand {tree.attrs['estimand']})"
    for name in windows:
        heading = f"{tree.attrs['outcome']}, log points, window {name}, {period(tree, name)}"
        yield tables.terminal_table(found[name], heading)
    for name, table in found.items():
        if name not in (*windows, "ledger") and "p_largest" not in table:
            yield from _sums(name, table)
    for finding in manifest.get("findings", ()):
        style = STYLES[str(finding["verdict"])]
        yield (
            f"[{style}]{finding['verdict']:>9}[/{style}]  {finding['name']}: {finding['evidence']}"
        )
    yield f"\n{headline}\n"


def _sums(name: str, table: pd.DataFrame) -> Iterator[str]:
    yield f"[bold]{name}[/bold]: the parts are correlated below −0.8, so read the sum"
    for row, values in table.iterrows():
        span = numbers.span(values["q05"], values["q95"], 1)
        yield f"  {numbers.label(str(row))}: {numbers.number(values['mean'], 1)}, 90 % {span}"
