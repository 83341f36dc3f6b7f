"""Claims beyond single responses: rankings, shares of variance, and dated narratives, typed."""

from __future__ import annotations

import math
from datetime import date

from attribution.errors import SpecError
from attribution.model.cell import bounds_of, horizons_of, refuse_unknown_channel, said
from attribution.model.faults import each
from attribution.model.grammar import Table
from attribution.model.restriction import (
    CLAIMS,
    Narrative,
    Ranking,
    Response,
    VarianceShare,
)

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
