"""What a card says: the columns of a data file, and the columns that may be derived from them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

CALENDARS = ("XNYS", "weekdays", "daily", "weekly", "monthly", "quarterly", "yearly", "none")
LAYOUTS = ("series", "long", "records")
TYPES = ("number", "text")
CHANGE, LEVEL = "change", "level"
"""What adds up over days, and what moves by its last value over its first."""


@dataclass(frozen=True)
class Series:
    """A raw column of the file: what was measured, in which unit, at which clock, and by whom.

    ``magnitude`` bounds the median of the absolute values: a file in decimals where the card says
    points falls outside it.  ``repeats`` marks series that may stand still without being stale;
    ``known_ahead`` marks calendar facts, known before the day they describe.
    """

    name: str
    unit: str
    type: str
    clock: str
    source: str
    vintage: str
    refresh: str
    note: str
    magnitude: tuple[float, float] | None
    repeats: bool
    known_ahead: bool


@dataclass(frozen=True)
class Column:
    """A column that a model may name, and how it is made from the raw series.

    The quantity is ``of``, multiplied by ``times`` and divided by ``over``; the transform is
    applied to it, then ``scale``, then a shift by ``lag`` rows (or forward by ``lead``).  With
    ``expiry`` (a series of days to expiry) it is empty under ``min_days`` and on the day of a roll,
    and never differenced across either; ``annualised`` multiplies by 365 over those days.
    ``stated`` says whether the card writes the transform or leaves the column as it stands.
    """

    name: str
    transform: str
    unit: str
    of: str = ""
    times: str = ""
    over: str = ""
    scale: float = 1.0
    lag: int = 0
    lead: int = 0
    expiry: str = ""
    min_days: float = 0.0
    annualised: bool = False
    window: int = 0
    threshold: float = 0.0
    start: date | None = None
    confirmed: tuple[date, ...] = ()
    note: str = ""
    stated: bool = True

    @property
    def measure(self) -> str:
        """What a value is: ``change``, ``level``, or empty where the card does not say.

        A column as it stands may hold either; a deviation or an indicator is neither.
        """
        if self.transform in ("change", "log_change"):
            return CHANGE
        told = self.transform == "log_level" or (self.transform == "level" and self.stated)
        return LEVEL if told else ""

    @property
    def inputs(self) -> tuple[str, ...]:
        """Raw series that the column is made from, each once."""
        named = (self.of, self.times, self.over, self.expiry)
        return tuple(dict.fromkeys(name for name in named if name))

    @property
    def quoted(self) -> tuple[str, ...]:
        """Raw series whose values enter, the calendar of ``expiry`` aside."""
        return tuple(dict.fromkeys(name for name in (self.of, self.times, self.over) if name))

    @property
    def logged(self) -> bool:
        """Whether a logarithm is taken, so that every quoted value must be positive."""
        return self.transform.startswith("log_")

    @property
    def reach(self) -> int:
        """Rows before its own that a value needs."""
        back = 1 if self.transform in ("change", "log_change") else self.window
        return back + self.lag


@dataclass(frozen=True)
class Card:
    """What a data file holds: one clock, one calendar, a description of every column.

    An empty ``calendar`` is taken from the rows.  ``unit``, where there is one, stands for the unit
    of whatever names none, and then a column of the file needs no description of its own.
    """

    name: str
    path: Path
    title: str
    file: str
    layout: str
    index: str
    entity: str
    clock: str
    calendar: str
    closed: tuple[date, ...]
    licence: str
    source: str
    vintage: str
    refresh: str
    note: str
    series: dict[str, Series]
    columns: dict[str, Column]
    unit: str = ""

    @property
    def close(self) -> tuple[str, str]:
        """Time of day and IANA zone of the clock; an empty text for what it does not name."""
        return close_of(self.clock)

    def clock_of(self, name: str) -> str:
        """Clock of a column: that of the first series whose quotes enter it."""
        made = self.columns.get(name)
        quoted = made.quoted if made is not None else (name,)
        return self.series[quoted[0]].clock if quoted else "none"

    def known_before(self, column: Column) -> bool:
        """Whether a value of ``column`` is known before the day (the row) it stands on."""
        return column.lag > 0 or all(self.series[name].known_ahead for name in column.inputs)


def close_of(clock: str) -> tuple[str, str]:
    """Time of day and IANA zone that a clock names; an empty text for what it does not."""
    found = re.fullmatch(r"(?:(\d\d:\d\d) )?([A-Za-z][\w+\-/]*)", clock)
    if found is None or clock == "none":
        return "", ""
    return found.group(1) or "", found.group(2)
