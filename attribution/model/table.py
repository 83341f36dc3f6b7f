"""Identification tables: channels, and claims about them with a reason and a source each."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date
from pathlib import Path

from attribution.content import content
from attribution.errors import SpecError, nearest
from attribution.model.cell import bounds_of, cells_of, horizons_of, refuse_unknown_channel, said
from attribution.model.faults import each, part
from attribution.model.grammar import Table, read_toml
from attribution.model.restriction import (
    CLAIMS,
    OUTCOME,
    READINGS,
    Channel,
    Identification,
    Narrative,
    Ranking,
    Response,
    VarianceShare,
)
from attribution.model.spec import UNATTRIBUTED

# Claims beyond single responses: rankings, shares of variance, and dated narratives, typed.

RANKING_KEYS = ("larger", "smaller", "factor", "absolute", "reason", "source")
RESPONSE_KEYS = ("channel", "variable", "horizons")
SHARE_KEYS = (
    *("channel", "variable", "horizon"),
    *("between", "at_least", "at_most", "reason", "source"),
)
NARRATIVE_KEYS = (
    *("channel", "claim", "date", "dates", "window", "to", "between"),
    *("inside_event", "imposed", "reason", "source"),
)
SIGNED = ("positive", "negative")


def rankings_of(table: Table, names: tuple[str, ...]) -> tuple[Ranking, ...]:
    """Type every ranking of a table."""
    return each(table.many("rankings"), lambda row: _ranking(row, names, table))


def shares_of(table: Table, names: tuple[str, ...]) -> tuple[VarianceShare, ...]:
    """Type every bound on a share of variance."""
    return each(table.many("variance_shares"), lambda row: _share(row, names, table))


def narratives_of(table: Table, names: tuple[str, ...]) -> tuple[Narrative, ...]:
    """Type every narrative; one with a list of dates stands for one on each."""
    rows = each(table.many("narratives"), lambda row: _narratives(row, names, table))
    return tuple(narrative for row in rows for narrative in row)


def _ranking(table: Table, names: tuple[str, ...], whole: Table) -> Ranking:
    table.known(RANKING_KEYS)
    larger, smaller = (
        _response(table.sub(key, required=True), names) for key in ("larger", "smaller")
    )
    lengths = [side.last - side.first for side in (larger, smaller)]
    if lengths[0] != lengths[1] or larger.long_run != smaller.long_run:
        raise SpecError(
            f"{table.place}: its two sides span different horizons, and they are compared one by"
            " one; give both as many"
        )
    if larger == smaller:
        raise SpecError(f"{table.place}: it compares a response with itself; correct one side")
    return Ranking(
        larger=larger,
        smaller=smaller,
        factor=table.number("factor", 1.0, above=0),
        absolute=table.flag("absolute", False),
        reason=said(table, "reason", whole),
        source=said(table, "source", whole),
    )


def _response(table: Table, names: tuple[str, ...]) -> Response:
    table.known(RESPONSE_KEYS)
    channel = table.text("channel")
    refuse_unknown_channel(table.place, channel, names)
    return Response(channel, table.text("variable"), *horizons_of(table))


def _share(table: Table, names: tuple[str, ...], whole: Table) -> VarianceShare:
    table.known(SHARE_KEYS)
    channel = table.text("channel")
    refuse_unknown_channel(table.place, channel, names)
    low, high = bounds_of(table)
    ends = [end for end in (low, high) if math.isfinite(end)]
    if any(not 0 <= end <= 1 for end in ends):
        raise SpecError(
            f"{table.place}: a share of variance lies between 0 and 1, found {ends}; correct it"
        )
    return VarianceShare(
        channel=channel,
        variable=table.text("variable"),
        horizon=table.integer("horizon"),
        low=max(low, 0.0),
        high=min(high, 1.0),
        reason=said(table, "reason", whole),
        source=said(table, "source", whole),
    )


def _narratives(table: Table, names: tuple[str, ...], whole: Table) -> list[Narrative]:
    table.known(NARRATIVE_KEYS)
    channel, claim = table.text("channel"), table.choice("claim", CLAIMS)
    refuse_unknown_channel(table.place, channel, names)
    spans = _days(table)
    if claim in SIGNED and ("to" in table.values or any(start != end for start, end in spans)):
        raise SpecError(
            f"{table.place}: claim '{claim}' speaks of the shock on one date; give date, without to"
        )
    if ("between" in table.values) != (claim == "between"):
        raise SpecError(
            f"{table.place}: claim '{claim}' and between do not go together; give between with"
            ' claim = "between" and only there'
        )
    low, high = table.pair("between") if claim == "between" else (-math.inf, math.inf)
    return [
        Narrative(
            channel=channel,
            claim=claim,
            start=start,
            end=end,
            to=None if claim in SIGNED else table.text("to"),
            low=low,
            high=high,
            reason=said(table, "reason", whole),
            source=said(table, "source", whole),
            inside_event=table.flag("inside_event", False),
            imposed=table.flag("imposed", True),
        )
        for start, end in spans
    ]


def _days(table: Table) -> list[tuple[date, date]]:
    """First and last date: one ``date``, each of a list of ``dates``, or a ``window`` of two."""
    if sum(key in table.values for key in ("date", "dates", "window")) != 1:
        raise SpecError(f"{table.place}: it needs a date, dates or a window; give one of the three")
    if "date" in table.values:
        return [(table.day("date"), table.day("date"))]
    if "dates" in table.values:
        listed = table.dates("dates")
        if not listed:
            raise SpecError(f"{table.place}: dates is an empty list; name a date")
        return [(day, day) for day in listed]
    first, last = table.days("window", 2)
    if last < first:
        raise SpecError(f"{table.place}: window ends before it starts; swap the two dates")
    return [(first, last)]


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
    direction = table.sign("direction", ("+", "-"), "")
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
