"""Identification tables: read cell by cell, each with its reason and its source."""

from __future__ import annotations

import math
from pathlib import Path

from attribution.content import content
from attribution.errors import SpecError, nearest
from attribution.model.grammar import Table, read_toml
from attribution.model.spec import UNATTRIBUTED, Cell, Channel, Identification

KIND = "identification"
RESERVED = (UNATTRIBUTED, "baseline", "observed")
CELL_KEYS = ("sign", "at_least", "at_most", "between", "center", "reason", "source")


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
    """Type an identification table that stands in a file of its own or inside a model file."""
    table.known(("schema", "kind", "outcome", "direction", "channels", "cells"))
    if table.integer("schema", 1, at_least=1) != 1:
        raise SpecError(
            f"{table.place}: schema {table.values['schema']} is unknown; use schema = 1"
        )
    if table.text("kind", KIND) != KIND:
        raise SpecError(f"{table.place}: kind '{table.values['kind']}' is not '{KIND}'; correct it")
    titles = table.sub("channels", required=True)
    for row in RESERVED:
        if row in titles.values:
            raise SpecError(
                f"{table.place}: [channels] '{row}' is a row of every table; rename the channel"
            )
    channels = tuple(Channel(key, titles.text(key)) for key in titles.values)
    direction = table.text("direction")
    if direction not in ("+", "-"):
        raise SpecError(f"{table.place}: direction = {direction!r} is not '+' or '-'; correct it")
    rows = table.sub("cells", required=True)
    cells = tuple(
        _cell(rows.sub(variable).sub(channel), variable, channel, channels)
        for variable in rows.values
        for channel in rows.sub(variable).values
    )
    outcome = table.text("outcome")
    for cell in cells:
        if cell.variable == outcome:
            raise SpecError(
                f"{table.place}: [cells.{outcome}] restricts the outcome, whose response is the"
                " unit of every cell; remove it"
            )
    return Identification(name, path, outcome, 1 if direction == "+" else -1, channels, cells)


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


def _cell(table: Table, variable: str, channel: str, channels: tuple[Channel, ...]) -> Cell:
    names = [c.name for c in channels]
    if channel not in names:
        raise SpecError(
            f"{table.place}: unknown channel '{channel}'{nearest(channel, names)}; correct it"
        )
    table.known(CELL_KEYS)
    low, high = _bounds(table)
    center = table.number("center", math.nan) if "center" in table.values else None
    if center is not None and not low <= center <= high:
        raise SpecError(f"{table.place}: center = {center:g} is outside the claim; correct it")
    return Cell(
        channel=channel,
        variable=variable,
        low=low,
        high=high,
        center=center,
        reason=table.text("reason"),
        source=table.text("source"),
    )


def _bounds(table: Table) -> tuple[float, float]:
    claims = [key for key in ("sign", "at_least", "at_most", "between") if key in table.values]
    if len(claims) != 1:
        raise SpecError(
            f"{table.place}: {len(claims)} claims; give exactly one of sign, at_least, at_most,"
            " between"
        )
    if claims == ["sign"]:
        sign = table.text("sign")
        if sign not in ("+", "-"):
            raise SpecError(f"{table.place}: sign = {sign!r} is not '+' or '-'; correct it")
        return (0.0, math.inf) if sign == "+" else (-math.inf, 0.0)
    if claims == ["at_least"]:
        return table.number("at_least"), math.inf
    if claims == ["at_most"]:
        return -math.inf, table.number("at_most")
    value = table.values["between"]
    numeric = isinstance(value, list) and len(value) == 2
    if not numeric or any(isinstance(v, bool) or not isinstance(v, int | float) for v in value):
        raise SpecError(f"{table.place}: between = {value!r} is not two numbers; correct it")
    low, high = (float(v) for v in value)
    if math.isinf(low) or math.isinf(high):
        raise SpecError(
            f"{table.place}: between = {value!r} is open; use at_least, at_most or sign"
        )
    if not low < high:
        raise SpecError(
            f"{table.place}: between = {value!r} is empty; give the smaller number first"
        )
    return low, high
