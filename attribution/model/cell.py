"""Cells of an identification table: one claim each, with its horizons, its unit and its reason."""

from __future__ import annotations

import math

from attribution.errors import SpecError, nearest
from attribution.limits import whole_number
from attribution.model.faults import each, gathered
from attribution.model.grammar import REQUIRED, Table
from attribution.model.restriction import OUTCOME, SHOCK, Cell

CLAIM_KEYS = ("sign", "at_least", "at_most", "between")
CELL_KEYS = (*CLAIM_KEYS, "center", "horizons", "per", "reason", "source")
SIGNS = {"+": (0.0, math.inf), "-": (-math.inf, 0.0), "0": (0.0, 0.0)}
LONG_RUN = "long_run"
_PERIOD = {"type": "integer", "minimum": 0}
HORIZONS = {
    "description": "a period, a first and a last one, or `long_run`",
    "anyOf": [
        _PERIOD,
        {"type": "array", "items": _PERIOD, "minItems": 2, "maxItems": 2},
        {"const": LONG_RUN},
    ],
    "examples": [0, [0, 5], LONG_RUN],
}
"""JSON Schema of ``horizons``."""


def cells_of(table: Table, names: tuple[str, ...], direction: int) -> tuple[Cell, ...]:
    """Type every cell of a table.

    Parameters
    ----------
    table : the whole identification table, whose reason and source stand for a cell's own.
    names : of the channels.
    direction : sign of the outcome's response, 0 if the table has none; it decides per what a
        cell speaks where it does not say.
    """
    rows = table.sub("cells")
    found = [
        (claim, variable, channel)
        for variable in rows.values
        for channel in rows.sub(variable).values
        for claim in rows.sub(variable).some(channel)
    ]
    return each(found, lambda one: _cell(*one, names=names, direction=direction, whole=table))


def refuse_unknown_channel(place: str, channel: str, names: tuple[str, ...]) -> None:
    """Refuse a claim about a channel that the table does not name."""
    if names and channel not in names:  # without names the table is refused for that
        raise SpecError(
            f"{place}: unknown channel '{channel}'{nearest(channel, names)}; correct it"
        )


def said(table: Table, key: str, whole: Table) -> str:
    """Reason or source of a claim: its own, or else the one given for the whole table."""
    if key not in table.values and key in whole.values:
        return whole.text(key)
    faults = gathered()
    if faults is None:
        return table.text(key)
    own, rows = faults.common.get((whole.place, key), (0, []))
    if key not in table.values and (table.place, key) not in faults.meant:
        rows = [*rows, SpecError(f"{table.place}: key '{key}' is missing; add it")]
        faults.meant.add((table.place, key))
    faults.common[whole.place, key] = own + (key in table.values), rows
    return table.text(key)


def bounds_of(table: Table) -> tuple[float, float]:
    """Low and high end of a claim, of which there is exactly one."""
    claims = [key for key in CLAIM_KEYS if key in table.values]
    if len(claims) != 1:
        raise SpecError(
            f"{table.place}: {len(claims)} claims; give exactly one of sign, at_least, at_most,"
            " between"
        )
    if claims == ["sign"]:
        return SIGNS[table.sign("sign", SIGNS)]
    if claims == ["at_least"]:
        return table.number("at_least"), math.inf
    if claims == ["at_most"]:
        return -math.inf, table.number("at_most")
    low, high = table.pair("between")
    if math.isinf(low) or math.isinf(high):
        raise SpecError(
            f"{table.place}: between = {table.values['between']!r} is open; use at_least, at_most"
            " or sign"
        )
    return low, high


def horizons_of(table: Table) -> tuple[int, int, bool]:
    """First and last period after the shock, and whether the claim is about the long run.

    ``horizons`` is a period, a first and a last one, or ``long_run``; the period of the shock if
    it is left out.
    """
    value = table.raw("horizons", 0, HORIZONS)
    if value == LONG_RUN:
        return 0, 0, True
    ends = value if isinstance(value, list | tuple) else [value, value]
    whole = all(isinstance(end, int) and not isinstance(end, bool) and end >= 0 for end in ends)
    if len(ends) != 2 or not whole or ends[1] < ends[0]:
        raise SpecError(
            f"{table.place}: horizons = {value!r} is not a period such as 0, a first and a last one"
            f" such as [0, 5], or '{LONG_RUN}'; correct it"
        )
    whole_number(ends[1], "horizons", place=f"{table.place}: horizons")
    return ends[0], ends[1], False


def _cell(
    table: Table,
    variable: str,
    channel: str,
    names: tuple[str, ...],
    direction: int,
    whole: Table,
) -> Cell:
    refuse_unknown_channel(table.place, channel, names)
    table.known(CELL_KEYS)
    low, high = bounds_of(table)
    center = table.number("center", REQUIRED) if "center" in table.values else None
    if center is not None and not low <= center <= high:
        raise SpecError(f"{table.place}: center = {center:g} is outside the claim; correct it")
    first, last, long_run = horizons_of(table)
    return Cell(
        channel=channel,
        variable=variable,
        low=low,
        high=high,
        reason=said(table, "reason", whole),
        source=said(table, "source", whole),
        center=center,
        first=first,
        last=last,
        long_run=long_run,
        per=table.text("per") if "per" in table.values else OUTCOME if direction else SHOCK,
    )
