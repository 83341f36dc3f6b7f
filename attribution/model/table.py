"""Identification tables: channels, and claims about them with a reason and a source each."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from attribution.content import content
from attribution.errors import SpecError, nearest
from attribution.model.cell import cells_of
from attribution.model.claims import narratives_of, rankings_of, shares_of
from attribution.model.faults import part
from attribution.model.grammar import Table, read_toml
from attribution.model.restriction import OUTCOME, READINGS, Channel, Identification
from attribution.model.spec import UNATTRIBUTED

KIND = "identification"
RESERVED = (UNATTRIBUTED, "baseline", "observed")
MORE_KEYS = ("rankings", "variance_shares", "narratives", "reading", "reason", "source")
"""What a model file may add to a table that stands in a file of its own."""
TABLE_KEYS = ("schema", "kind", "outcome", "direction", "channels", "cells", *MORE_KEYS)
DIRECTIONS = {"": 0, "+": 1, "-": -1}


def read_table(name: str, beside: Path | None = None) -> Identification:
    """Read the identification table ``name``.

    Parameters
    ----------
    name : the stem of a shipped table, or a path, relative to the folder ``beside``.

    Raises
    ------
    SpecError
        With the file and the key, if the table cannot be accepted.
    """
    path = _find(name, beside)
    return parse_table(Table(path.name, read_toml(path)), path.stem, path)


def parse_table(table: Table, name: str, path: Path | None) -> Identification:
    """Type an identification table that stands in a file of its own or inside a model file.

    Its ``outcome`` is empty if it names none.
    """
    table.known(TABLE_KEYS)
    if table.integer("schema", 1, at_least=1) != 1:
        raise SpecError(
            f"{table.place}: schema {table.values['schema']} is unknown; use schema = 1"
        )
    if table.text("kind", KIND) != KIND:
        raise SpecError(f"{table.place}: kind '{table.values['kind']}' is not '{KIND}'; correct it")
    direction = table.text("direction", "")
    if direction not in DIRECTIONS or ("direction" in table.values and not direction):
        raise SpecError(f"{table.place}: direction = {direction!r} is not '+' or '-'; correct it")
    outcome = table.text("outcome", "")
    if direction and not outcome:
        raise SpecError(f"{table.place}: direction speaks of no outcome; add outcome")
    none: tuple[Channel, ...] = ()
    channels = part("channels", lambda: _channels(table), none)
    names = tuple(channel.name for channel in channels)
    cells = cells_of(table, names, DIRECTIONS[direction])
    narratives = narratives_of(table, names)
    for cell in cells:
        if cell.variable == outcome and cell.per == OUTCOME and cell.first == 0:
            raise SpecError(
                f"{table.place}: [cells.{outcome}] restricts the outcome, whose response is the"
                " unit of every cell; remove it"
            )
    return Identification(
        name=name,
        path=path,
        outcome=outcome,
        direction=DIRECTIONS[direction],
        channels=channels,
        cells=cells,
        rankings=rankings_of(table, names),
        shares=shares_of(table, names),
        narratives=tuple(row for row in narratives if row.imposed),
        reading=table.choice("reading", READINGS, READINGS[0]),
        asked=tuple(row for row in narratives if not row.imposed),
    )


def extended(base: Identification, table: Table) -> Identification:
    """Add the claims that a model file makes beside the table that it names."""
    narratives = narratives_of(table, base.names)
    return replace(
        base,
        rankings=(*base.rankings, *rankings_of(table, base.names)),
        shares=(*base.shares, *shares_of(table, base.names)),
        narratives=(*base.narratives, *(row for row in narratives if row.imposed)),
        reading=table.choice("reading", READINGS, base.reading),
        asked=(*base.asked, *(row for row in narratives if not row.imposed)),
    )


def refuse_reserved(names: tuple[str, ...], place: str) -> None:
    """Refuse channels that are named as a row of every result."""
    for row in RESERVED:
        if row in names:
            raise SpecError(f"{place} '{row}' is a row of every table; rename the channel")


def _channels(table: Table) -> tuple[Channel, ...]:
    titles = table.sub("channels", required=True)
    refuse_reserved(tuple(titles.values), f"{table.place}: [channels]")
    if not titles.values:
        raise SpecError(f"{table.place}: [channels] is empty; name at least one channel")
    return tuple(Channel(key, titles.text(key)) for key in titles.values)


def _find(name: str, beside: Path | None) -> Path:
    if name.endswith(".toml"):
        path = (beside or Path()) / name
        if not path.is_file():
            raise SpecError(f"identification table '{name}': no such file; check the path")
        return path
    folder = content("models") / "tables"
    path = folder / f"{name}.toml"
    if not path.is_file():
        known = [file.stem for file in folder.glob("*.toml")]
        raise SpecError(
            f"identification table '{name}': unknown{nearest(name, known)}; name a shipped table or"
            " a file ending in .toml"
        )
    return path
