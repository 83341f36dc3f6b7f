"""The section [identification] in; the scheme, and the table of claims if there is one, out."""

from __future__ import annotations

from pathlib import Path

from attribution.model.cell import said
from attribution.model.faults import each, part
from attribution.model.grammar import Table
from attribution.model.restriction import Identification
from attribution.model.scheme import ROTATION_INVARIANT, SCHEMES, Instrument, Scheme
from attribution.model.signs import signs_of
from attribution.model.table import (
    MORE_KEYS,
    TABLE_KEYS,
    extended,
    parse_table,
    read_table,
    refuse_reserved,
)

SCHEME_KEYS = ("scheme", "order", "shocks", "breaks", "instruments", "signs")
DEFAULTS = ("reason", "source")
"""Keys that stand for those of single claims; alone they make no table."""
UNORDERED = ("heteroskedasticity", "non_gaussian")
"""Schemes that need no name for a shock: the data tell the shocks apart, not what they are."""


def identification_of(
    section: Table,
    name: str,
    path: Path | None,
    *,
    variables: tuple[str, ...],
    law: str,
) -> tuple[Scheme, Identification | None]:
    """Type the section; it may hold its table, name a table in a file of its own, or need none.

    Parameters
    ----------
    law : of the errors; one a shock tells shocks apart, and then they need no table.
    """
    named = "table" in section.values
    keys = ("table", *SCHEME_KEYS, *(MORE_KEYS if named else TABLE_KEYS))
    part("keys of identification", lambda: section.known(keys), section)
    table = None
    if named:
        beside = None if path is None else path.parent
        table = extended(read_table(section.text("table"), beside), section)
    elif any(key in TABLE_KEYS and key not in DEFAULTS for key in section.values):
        claims = {key: v for key, v in section.values.items() if key in TABLE_KEYS}
        table = parse_table(Table(section.place, claims), name, path)
    return _scheme(section, variables, law, table), table


def _scheme(
    section: Table, variables: tuple[str, ...], law: str, table: Identification | None
) -> Scheme:
    name = section.choice("scheme", SCHEMES, SCHEMES[0])
    instruments = each(section.many("instruments"), lambda row: _instrument(row, section))
    shocks = section.texts("shocks", ())
    refuse_reserved(shocks, f"{section.place}: shocks:")
    if table is None and not shocks:
        if name == "proxy":
            shocks = tuple(dict.fromkeys(instrument.channel for instrument in instruments))
            refuse_reserved(shocks, f"{section.place}: [[instruments]] channel")
        if name in UNORDERED or (name == SCHEMES[0] and law not in ROTATION_INVARIANT):
            shocks = tuple(f"shock_{number}" for number, _ in enumerate(variables, start=1))
    return Scheme(
        name=name,
        order=section.texts("order", ()),
        shocks=shocks,
        instruments=instruments,
        breaks=section.dates("breaks"),
        signs=signs_of(section.sub("signs")),
    )


def _instrument(table: Table, whole: Table) -> Instrument:
    table.known(("channel", "column", "reason", "start"))
    return Instrument(
        table.text("channel"),
        table.text("column"),
        said(table, "reason", whole),
        table.day("start") if "start" in table.values else None,
    )
