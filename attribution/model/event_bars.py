"""Bars within the event's day, as ``[event.bars]`` of a model file names them."""

from __future__ import annotations

from dataclasses import dataclass

from attribution.model.faults import refuse
from attribution.model.grammar import Table

TOLERANCE = 0.5
"""Log points by which bars may miss the day's move: feeds differ by less, other clocks by more."""


@dataclass(frozen=True)
class DayBars:
    """Records of bars, one a row, keyed by the time at which the bar closes, with its zone.

    Attributes
    ----------
    records : data set.
    close, low, high : columns of prices; ``low`` and ``high`` both or neither (empty).
    tolerance : log points by which the bars' move may differ from the day's.
    gap : minutes that may lie between two closes; zero: those of the commonest bar.
    """

    records: str
    close: str
    low: str = ""
    high: str = ""
    tolerance: float = TOLERANCE
    gap: float = 0.0

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of prices that are read."""
        return tuple(name for name in (self.close, self.low, self.high) if name)


def bars_of(table: Table) -> DayBars | None:
    """Read where the bars are; None where the section is left out.

    Raises
    ------
    SpecError
        A low without a high or the reverse, or one column named twice.
    """
    table.known(DayBars.__dataclass_fields__)
    if not table.values:
        return None
    found = DayBars(
        records=table.text("records"),
        close=table.text("close"),
        low=table.text("low", ""),
        high=table.text("high", ""),
        tolerance=table.number("tolerance", TOLERANCE, above=0),
        gap=table.number("gap", 0.0, above=-1e-300),
    )
    if bool(found.low) != bool(found.high):
        refuse(f"{table.place}: low and high belong together; name both or neither")
    if len(set(found.columns)) != len(found.columns):
        refuse(f"{table.place}: close, low and high share a column; name three")
    return found
