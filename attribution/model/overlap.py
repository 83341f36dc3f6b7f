"""Two claims about one response in; whether any response can satisfy both, out."""

from __future__ import annotations

import math
from dataclasses import replace

from attribution.model.restriction import OUTCOME, SHOCK, Cell, Identification


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
