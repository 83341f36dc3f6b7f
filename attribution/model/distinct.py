"""The channels of a table in; nothing out, or the two that could trade their labels."""

from __future__ import annotations

from itertools import combinations, product

from attribution.errors import IdentificationError
from attribution.model.overlap import apart, cells_with_direction, meet, mirrored, zero_rows
from attribution.model.restriction import Cell, Identification
from attribution.model.spec import ModelSpec


def check_distinct(spec: ModelSpec, table: Identification) -> None:
    """Refuse two channels whose claims one shock could satisfy, whichever its sign.

    An exact zero that only one of the two has keeps them apart: the other's response is almost
    surely not zero.  So does a ranking, a share of variance, a narrative or an instrument that
    speaks of one of them alone.

    Raises
    ------
    IdentificationError
        Naming the first such pair.

    References
    ----------
    rubioramirez2010
    """
    cells = {name: cells_with_direction(table, name) for name in table.names}
    for first, other in combinations(table.names, 2):
        if _beyond_cells(spec, table, first) != _beyond_cells(spec, table, other):
            continue
        if zero_rows(cells[first]) != zero_rows(cells[other]):
            continue
        mirror = tuple(mirrored(cell) for cell in cells[other])
        if _kept_apart(cells[first], cells[other]) and _kept_apart(cells[first], mirror):
            continue
        raise IdentificationError(
            f"{spec.name}: table '{table.name}': one shock, or the same shock with its sign turned,"
            f" satisfies every claim on '{first}' and on '{other}', so they could trade labels; add"
            " claims on one variable and horizon that exclude each other, or report the two as one"
        )


def _kept_apart(first: tuple[Cell, ...], other: tuple[Cell, ...]) -> bool:
    return any(meet(one, two) and apart(one, two) for one, two in product(first, other))


def _beyond_cells(spec: ModelSpec, table: Identification, channel: str) -> set[tuple[object, ...]]:
    """Return what else speaks of a channel, in words that two channels may share."""
    found: set[tuple[object, ...]] = {
        ("instrument", instrument.column)
        for instrument in spec.scheme.instruments
        if instrument.channel == channel
    }
    for row in table.narratives:
        if row.channel == channel:
            found.add(("narrative", row.claim, row.start, row.end, row.to, row.low, row.high))
    for share in table.shares:
        if share.channel == channel:
            found.add(("share", share.variable, share.horizon, share.low, share.high))
    for number, ranking in enumerate(table.rankings):
        for side in ("larger", "smaller"):
            if getattr(ranking, side).channel == channel:
                found.add(("ranking", number, side))
    return found
