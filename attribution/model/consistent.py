"""Claims of one model in; nothing out, or the two of them that cannot hold together."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import combinations

from attribution.errors import IdentificationError, SpecError
from attribution.model.restriction import (
    OUTCOME,
    SHOCK,
    Cell,
    Identification,
    Narrative,
    Ranking,
    Response,
    VarianceShare,
)
from attribution.model.scheme import ROTATION_INVARIANT
from attribution.model.spec import ModelSpec

# Two claims about one response in; whether any response can satisfy both, out.


def meet(first: Cell, other: Cell) -> bool:
    """Whether two cells speak of one variable at a common horizon, or both of the long run."""
    if first.variable != other.variable or first.long_run != other.long_run:
        return False
    return first.long_run or max(first.first, other.first) <= min(first.last, other.last)


def signs(cell: Cell) -> frozenset[int]:
    """Signs that a cell leaves to the response, in units of what it is measured per."""
    if cell.zero:
        return frozenset({0})
    if cell.low > 0 or (cell.low == 0 and math.isinf(cell.high)):
        return frozenset({1})
    if cell.high < 0 or (cell.high == 0 and math.isinf(cell.low)):
        return frozenset({-1})
    return frozenset({*({0, 1} if cell.high > 0 else {0}), *({0, -1} if cell.low < 0 else {0})})


def mirrored(cell: Cell) -> Cell:
    """Return the cell of a shock with the opposite sign; a ratio to a response stays."""
    if cell.per not in (SHOCK, OUTCOME):
        return cell
    # minus zero is zero: an exact zero stays what it is
    return replace(cell, low=-cell.high + 0.0, high=-cell.low + 0.0)


def apart(first: Cell, other: Cell) -> bool:
    """Whether no response satisfies both of two cells that meet.

    Bounds are compared where both are measured per the same thing, signs wherever they are of the
    response itself; touching at one point is not satisfying both.
    """
    if first.per == other.per and not (first.zero or other.zero):
        return max(first.low, other.low) >= min(first.high, other.high)
    own = {SHOCK, OUTCOME}
    if first.per == other.per or {first.per, other.per} <= own:
        return not signs(first) & signs(other)
    return False


def cells_with_direction(table: Identification, channel: str) -> tuple[Cell, ...]:
    """Cells of a channel, the ratios among them by their sign, and the table's direction as one."""
    cells = list(table.cells_of(channel))
    if table.direction:
        low, high = (0.0, math.inf) if table.direction > 0 else (-math.inf, 0.0)
        cells.append(Cell(channel, table.outcome, low, high, "direction", table.name, per=SHOCK))
    on_impact = {
        cell.variable: min(signs(cell))
        for cell in cells
        if cell.signed and cell.first == 0 and not cell.long_run and cell.per in (SHOCK, OUTCOME)
    }
    for cell in tuple(cells):
        if cell.per in on_impact and len(signs(cell)) == 1:
            low, high = {1: (0.0, math.inf), -1: (-math.inf, 0.0), 0: (0.0, 0.0)}[
                on_impact[cell.per] * min(signs(cell))
            ]
            cells.append(replace(cell, low=low, high=high, per=SHOCK))
    return tuple(cells)


def zero_rows(cells: tuple[Cell, ...]) -> set[tuple[str, int]]:
    """Responses that are exactly zero: variable and horizon, -1 for the long run."""
    return {
        (cell.variable, horizon)
        for cell in cells
        if cell.zero
        for horizon in ((-1,) if cell.long_run else range(cell.first, cell.last + 1))
    }


SLACK = 1e-12
DEMANDING = ("largest", "overwhelming")
MODEST = ("smallest", "negligible")


def check_consistent(spec: ModelSpec, table: Identification) -> None:
    """Refuse claims that contradict each other, and more zeros than rotations can give.

    Raises
    ------
    SpecError
        If a channel has no claim, or a claim is not read as it is written.
    IdentificationError
        Naming the claims that contradict each other.
    """
    place = f"{spec.name}: table '{table.name}'"
    _check_spoken_of(spec, table, place)
    for channel in table.names:
        for first, other in combinations(cells_with_direction(table, channel), 2):
            if meet(first, other) and apart(first, other):
                raise IdentificationError(
                    f"{place}: '{channel}' on '{first.variable}' is claimed {_words(first)} and"
                    f" {_words(other)}, which no response satisfies; remove one of the two"
                )
    _check_zeros(spec, table, place)
    _check_rankings(table, place)
    _check_shares(table, place)
    _check_narratives(spec, table, place)


def _check_spoken_of(spec: ModelSpec, table: Identification, place: str) -> None:
    """Refuse a channel without a claim, and a reading of narratives that are not there."""
    spoken = {cell.channel for cell in table.cells} | {share.channel for share in table.shares}
    spoken |= {row.channel for row in table.narratives}
    spoken |= {side.channel for row in table.rankings for side in (row.larger, row.smaller)}
    spoken |= {instrument.channel for instrument in spec.scheme.instruments}
    for channel in table.names:
        if channel not in spoken:
            raise SpecError(f"{place}: no claim speaks of channel '{channel}'; add one or drop it")
    if table.reading == "conditional" and not table.narratives:
        raise SpecError(
            f"{place}: reading = 'conditional' is about narratives, and there is none; remove it"
        )


def _check_zeros(spec: ModelSpec, table: Identification, place: str) -> None:
    """Refuse more exact zeros than orthogonal columns can satisfy (rubioramirez2010)."""
    rows = {name: zero_rows(table.cells_of(name)) for name in table.names}
    exact = spec.scheme.name == "restrictions" and spec.errors.law in ROTATION_INVARIANT
    for name, zeros in rows.items():
        if zeros and not exact:
            raise SpecError(
                f"{place}: the exact zero of '{name}' on '{sorted(zeros)[0][0]}' needs scheme"
                f" 'restrictions' and law {', '.join(ROTATION_INVARIANT)}; use bounds, or change"
                " one of the two"
            )
    n = len(spec.system.variables)
    most = sorted(rows, key=lambda name: -len(rows[name]))
    for rank, name in enumerate(most, start=1):
        if len(rows[name]) > n - rank:
            raise IdentificationError(
                f"{place}: '{name}' has {len(rows[name])} exact zeros (each variable and horizon"
                f" counts), at most {n - rank} can hold for the channel that ranks {rank} by their"
                f" number among {n} variables; remove zeros"
            )


def _check_rankings(table: Identification, place: str) -> None:
    """Refuse rankings that run in a circle, and those that the signs of their sides exclude."""
    for row in table.rankings:
        steps = range(row.larger.last - row.larger.first + 1)
        above, below = (
            [_sign_of(table, side, side.first + step) for step in steps]
            for side in (row.larger, row.smaller)
        )
        if not row.absolute and any(a <= 0 < b for a, b in zip(above, below, strict=True) if a):
            raise IdentificationError(
                f"{place}: {_side(row.larger)} is claimed negative and {_side(row.smaller)}"
                " positive, so it cannot be the larger; remove the ranking or one of the signs"
            )
    for first, other in combinations(table.rankings, 2):
        if (first.larger, first.smaller) == (other.smaller, other.larger) and _circular(
            first, other
        ):
            raise IdentificationError(
                f"{place}: {_side(first.larger)} and {_side(first.smaller)} are each claimed to be"
                " the larger; remove one of the two rankings"
            )


def _circular(first: Ranking, other: Ranking) -> bool:
    """Whether two responses that each exceed the other leave no room: signed ones may be below."""
    if first.absolute != other.absolute:
        return False
    factor = first.factor * other.factor
    return factor >= 1 if first.absolute else first.factor == other.factor == 1


def _sign_of(table: Identification, side: Response, horizon: int) -> int:
    """Sign that the cells leave to one response; 0 if they leave more than one."""
    at = Cell(
        side.channel,
        side.variable,
        -1.0,
        1.0,
        reason="",
        source="",
        first=horizon,
        last=horizon,
        long_run=side.long_run,
    )
    left = frozenset({-1, 1})
    for cell in cells_with_direction(table, side.channel):
        if meet(cell, at) and cell.per in (SHOCK, OUTCOME):
            left &= signs(cell)
    return min(left) if len(left) == 1 else 0


def _side(side: Response) -> str:
    return f"'{side.channel}' on '{side.variable}'"


def _check_shares(table: Identification, place: str) -> None:
    """Refuse bounds on shares of one variance that exclude each other or exceed the whole."""
    floors: dict[tuple[str, int], dict[str, float]] = {}
    for share in table.shares:
        floor = floors.setdefault((share.variable, share.horizon), {})
        floor[share.channel] = max(share.low, floor.get(share.channel, 0.0))
    for (variable, horizon), floor in floors.items():
        if sum(floor.values()) > 1 + SLACK:
            raise IdentificationError(
                f"{place}: the shares of '{variable}' at horizon {horizon} are at least"
                f" {sum(floor.values()):g} together ({', '.join(floor)}), more than the whole;"
                " lower one"
            )
    for first, other in combinations(table.shares, 2):
        if _same_share(first, other) and max(first.low, other.low) > min(first.high, other.high):
            raise IdentificationError(
                f"{place}: two bounds on the share of '{first.channel}' in '{first.variable}' at"
                f" horizon {first.horizon} exclude each other; remove one"
            )


def _same_share(first: VarianceShare, other: VarianceShare) -> bool:
    return (first.channel, first.variable, first.horizon) == (
        other.channel,
        other.variable,
        other.horizon,
    )


def _check_narratives(spec: ModelSpec, table: Identification, place: str) -> None:
    for row in (*table.narratives, *table.asked):
        if not spec.sample.start <= row.start <= row.end <= spec.sample.end:
            raise SpecError(
                f"{place}: the narrative of '{row.channel}' ({row.start} to {row.end}) is not"
                f" inside the sample ({spec.sample.start} to {spec.sample.end}); correct it"
            )
        first, last = spec.event.hold_out
        if row.imposed and not row.inside_event and row.start <= last and row.end >= first:
            raise SpecError(
                f"{place}: the narrative of '{row.channel}' ({row.start} to {row.end}) touches the"
                f" days held out for the event ({first} to {last}), so what is asked would be"
                " assumed; move it, or say inside_event = true"
            )
    alone = len(spec.system.variables) == 2
    for one, other in combinations(table.narratives, 2):
        if _exclude(one, other, alone=alone):
            raise IdentificationError(
                f"{place}: '{one.channel}' is {one.claim} and '{other.channel}' is"
                f" {other.claim} from {one.start} to {one.end}, which no shocks satisfy; remove"
                " one of the two"
            )


def _exclude(first: Narrative, other: Narrative, *, alone: bool) -> bool:
    """Whether two narratives cannot both hold; ``alone``: a channel has one rival only.

    The largest of many contributions may still be smaller than the sum of all others, so
    ``largest`` and ``negligible`` exclude each other only where there is a single other.
    """
    if (first.start, first.end, first.to) != (other.start, other.end, other.to):
        return False
    claims = {first.claim, other.claim}
    if first.channel != other.channel:
        both = [row.claim in DEMANDING for row in (first, other)]
        return all(both) or claims == {"smallest"}
    if claims == {"between"}:
        return max(first.low, other.low) >= min(first.high, other.high)
    if claims == {"positive", "negative"}:
        return True
    if claims == {"largest", "negligible"}:
        return alone
    return bool(claims & set(DEMANDING)) and bool(claims & set(MODEST))


def _words(cell: Cell) -> str:
    """Write a claim with its horizons."""
    if cell.long_run:
        return f"'{cell.claim}' in the long run"
    if cell.last == cell.first:
        return f"'{cell.claim}' at horizon {cell.first}"
    return f"'{cell.claim}' at horizons {cell.first} to {cell.last}"
