"""The sections of a structural model of one day in; the question that it asks out.

What the price did is split into shocks (drivers, the basis trade, the unexplained rest) and what
the price itself set off (notes, listed gamma, liquidations).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from attribution.model.event_bars import DayBars, bars_of
from attribution.model.event_priors import (
    BasisPrior,
    GammaPrior,
    ImpactLaws,
    LiquidationPrior,
    NotesPrior,
)
from attribution.model.event_sections import (
    basis_of,
    gamma_of,
    impact_of,
    liquidations_of,
    notes_of,
)
from attribution.model.faults import refuse
from attribution.model.grammar import Table

SECTIONS = (
    "event", "drivers", "noise", "impact", "liquidations", "gamma", "notes", "volatility", "basis",
)  # fmt: skip
"""Sections of a model file of this kind, beside those that every model has."""
AMPLIFIERS = ("notes", "gamma", "liquidations")
"""What answers the price; the players that are no trigger."""
MOVES = ("held_out", "in")
"""Whether the density of moves leaves the named days out."""
BASIS, REST = "basis", "rest"
"""Triggers beside the groups of drivers."""


@dataclass(frozen=True)
class Drivers:
    """A trigger: same-day columns that move the outcome and are taken as not moved by it."""

    name: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Volatility:
    """``column`` of 30-day implied volatility, percent a year; ``slope`` sd of its response.

    The slope is in volatility points for one log point of the outcome, by the side of the move.
    """

    column: str
    slope: float


@dataclass(frozen=True)
class EventQuestion:
    """What made one day's move, and how much of it was the market answering itself.

    Attributes
    ----------
    outcome : column of the move, log points.
    day : the day that is explained; ``placebo`` others that are put to the same questions.
    held_out : whether moves of the named days are taken as given: they were named for their size,
        and a density that has to explain them would call the choice amplification.
    price : column of the price in USD, by which coins become dollars.
    drivers : triggers with columns of their own.
    scale : column of the log scale of noise, known before the day.
    effect : prior sd of the effect of one standard deviation of a driver, log points.
    bars : within the event's day, which is then solved step by step; None: one fixed point.
    """

    outcome: str
    day: date
    placebo: tuple[date, ...]
    held_out: bool
    price: str
    drivers: tuple[Drivers, ...]
    scale: str
    effect: float
    impact: ImpactLaws
    liquidations: LiquidationPrior
    gamma: GammaPrior
    notes: NotesPrior
    volatility: Volatility
    basis: BasisPrior
    bars: DayBars | None = None

    @property
    def named(self) -> tuple[date, ...]:
        """The event's day and the placebo days, in order of time."""
        return tuple(sorted({self.day, *self.placebo}))

    @property
    def triggers(self) -> tuple[str, ...]:
        """Players that start a move."""
        return (*(group.name for group in self.drivers), BASIS, REST)

    @property
    def players(self) -> tuple[str, ...]:
        """Triggers, then amplifiers."""
        return (*self.triggers, *AMPLIFIERS)

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column of the data that is read."""
        forced = self.liquidations
        names = (
            self.outcome,
            self.price,
            *(name for group in self.drivers for name in group.columns),
            self.scale,
            self.impact.volume,
            self.volatility.column,
            *(forced.longs, forced.shorts, forced.open_interest, forced.funding),
            self.basis.basis,
            *self.basis.creations,
            self.notes.closes,
        )
        return tuple(dict.fromkeys(names))

    @property
    def tables(self) -> tuple[str, ...]:
        """Data sets of records that are read beside the rows."""
        return (self.notes.records, *((self.bars.records,) if self.bars else ()))


def question_of(table: Table) -> EventQuestion:
    """Read the sections of a structural model of one day.

    Raises
    ------
    SpecError
        With the file, the key and the remedy.
    """
    event = table.sub("event", required=True).known(
        ("outcome", "price", "day", "placebo", "moves", "bars")
    )
    noise = table.sub("noise", required=True).known(("scale", "effect"))
    vol = table.sub("volatility", required=True).known(("column", "slope"))
    day, placebo = event.day("day"), event.dates("placebo")
    if day in placebo:
        refuse(f"{event.place}: placebo holds the event's own day {day}; remove it there")
    return EventQuestion(
        outcome=event.text("outcome"),
        day=day,
        placebo=placebo,
        held_out=event.choice("moves", MOVES, MOVES[0]) == MOVES[0],
        price=event.text("price"),
        drivers=_drivers(table, event.text("outcome")),
        scale=noise.text("scale"),
        effect=noise.number("effect", above=0),
        impact=impact_of(table.sub("impact", required=True)),
        liquidations=liquidations_of(table.sub("liquidations", required=True)),
        gamma=gamma_of(table.sub("gamma", required=True)),
        notes=notes_of(table.sub("notes", required=True)),
        volatility=Volatility(vol.text("column"), vol.number("slope", above=0)),
        basis=basis_of(table.sub("basis", required=True)),
        bars=bars_of(event.sub("bars")),
    )


def _drivers(table: Table, outcome: str) -> tuple[Drivers, ...]:
    """Read groups of drivers: each named once, no column twice, none the outcome."""
    groups, names, seen = [], {BASIS, REST, *AMPLIFIERS}, {outcome}
    for row in table.many("drivers"):
        row.known(("name", "columns"))
        name, columns = row.text("name"), row.texts("columns")
        if name in names:
            refuse(f"{row.place}: the name '{name}' is taken; choose another")
        if not columns:
            refuse(f"{row.place}: '{name}' has no columns; name at least one")
        for column in columns:
            if column in seen:
                refuse(
                    f"{row.place}: column '{column}' is the outcome or stands in another group;"
                    " name it once"
                )
        groups.append(Drivers(name, columns))
        names.add(name)
        seen.update(columns)
    if not groups:
        refuse(f"{table.place}: no [[drivers]]; add one with a name and its columns")
    return tuple(groups)
