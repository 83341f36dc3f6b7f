"""The sections of a structural model of one day in; the question that it asks out.

What the price did is split into shocks (drivers, the basis trade, the unexplained rest) and what
the price itself set off (notes, listed gamma, liquidations).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from attribution.model.faults import each, refuse
from attribution.model.grammar import Table
from attribution.model.uncertain import uncertain
from attribution.studies.event.priors import (
    GAMMA_DAYS,
    LAWS,
    BasisPrior,
    Beta,
    GammaPrior,
    ImpactLaws,
    Law,
    LiquidationPrior,
    LogNormal,
    Normal,
    NotesPrior,
    Puts,
    Reported,
)

# Bars within the event's day, as ``[event.bars]`` of a model file names them.

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


# The mechanisms' sections of a model of a day: TOML tables in, typed priors out.


def impact_of(table: Table) -> ImpactLaws:
    """Read the laws of impact and what they are scaled by."""
    table.known(ImpactLaws.__dataclass_fields__)
    return ImpactLaws(
        laws=_laws(table.sub("laws", required=True)),
        exponent=normal(table, "exponent"),
        crossover=table.number("crossover", above=0),
        volume=table.text("volume"),
        volume_multiple=table.number("volume_multiple", above=0),
        window=table.integer("window", at_least=1),
        supply=table.number("supply", above=0),
    )


def _laws(table: Table) -> tuple[Law, ...]:
    table.known(LAWS)
    if not table.values:
        refuse(f"{table.place}: no law; name at least one of {', '.join(LAWS)}")
    rows = [
        (name, table.sub(name).known(("weight", "median", "sd")))
        for name in LAWS
        if name in table.values
    ]
    weights = [row.number("weight", above=0) for _, row in rows]
    return tuple(
        Law(
            name,
            weight / sum(weights),
            LogNormal(row.number("median", above=0), row.number("sd", above=0)),
        )
        for (name, row), weight in zip(rows, weights, strict=True)
    )


def liquidations_of(table: Table) -> LiquidationPrior:
    """Read what a move closes by force."""
    table.known(LiquidationPrior.__dataclass_fields__)
    reported = each(table.many("reported"), _reported)
    if len({one.day for one in reported}) != len(reported):
        refuse(f"{table.place}: two [[reported]] share a day; keep one")
    return LiquidationPrior(
        longs=table.text("longs"),
        shorts=table.text("shorts"),
        open_interest=table.text("open_interest"),
        funding=table.text("funding"),
        carry=table.integer("carry", 0),
        reference=table.number("reference", above=0),
        level=normal(table, "level"),
        base=lognormal(table, "base"),
        power=lognormal(table, "power"),
        spread=lognormal(table, "spread"),
        funding_effect=table.number("funding_effect", above=0),
        multiple=lognormal(table, "multiple"),
        absorbed=_chance(table, "absorbed"),
        edge=table.number("edge", above=0),
        reported=reported,
    )


def _chance(table: Table, key: str) -> float:
    value = table.number(key)
    if not 0.0 <= value < 1.0:
        refuse(f"{table.place}: {key} = {value:g} is no probability from 0 to below 1; correct it")
    return value


def _reported(table: Table) -> Reported:
    table.known(Reported.__dataclass_fields__)
    return Reported(
        table.day("day"),
        table.number("longs", above=0),
        table.number("shorts", above=0),
        table.text("source"),
    )


def gamma_of(table: Table) -> GammaPrior:
    """Read the latent book of listed options."""
    table.known(GammaPrior.__dataclass_fields__)
    found = GammaPrior(
        gross=lognormal(table, "gross"),
        none=table.number("none"),
        all=table.number("all"),
        position=beta(table, "position"),
        width=lognormal(table, "width"),
        days=table.choice("days", GAMMA_DAYS),
    )
    if found.none == found.all or max(abs(found.none), abs(found.all)) > 1.0:
        refuse(
            f"{table.place}: dealers' position runs from {found.none:g} to {found.all:g}; give two"
            " different numbers from -1 to 1"
        )
    return found


def notes_of(table: Table) -> NotesPrior:
    """Read what is believed of structured notes."""
    table.known(NotesPrior.__dataclass_fields__)
    return NotesPrior(
        records=table.text("records"),
        closes=table.text("closes"),
        face=lognormal(table, "face"),
        overlay=beta(table, "overlay"),
        pass_through=lognormal(table, "pass_through"),
        watched=watched(table),
        long_vol=table.number("long_vol", above=0),
        puts=_puts(table.sub("puts", required=True)),
    )


def _puts(table: Table) -> Puts:
    table.known(Puts.__dataclass_fields__)
    found = Puts(
        table.pair("strike"), table.pair("tenor"), table.number("root_time", above=-1e-300)
    )
    if min(found.strike[0], found.tenor[0]) <= 0.0 or found.root_time > 1.0:
        refuse(
            f"{table.place}: a strike or a tenor is not above zero, or root_time above one; give"
            " fractions of the close, years and a probability"
        )
    return found


def basis_of(table: Table) -> BasisPrior:
    """Read the basis trade."""
    table.known(BasisPrior.__dataclass_fields__)
    creations = table.texts("creations")
    if not creations:
        refuse(f"{table.place}: creations names no column; name net creations of funds")
    return BasisPrior(
        basis=table.text("basis"),
        creations=creations,
        unwound=table.number("unwound", above=0),
        arbitrage=beta(table, "arbitrage"),
        leg_ratio=lognormal(table, "leg_ratio"),
        redeemed=beta(table, "redeemed"),
    )


def lognormal(table: Table, key: str) -> LogNormal:
    """Read a log-normal law."""
    law = uncertain(table, key, ("lognormal",), sourced=False)
    return LogNormal(law.first, law.second)


def normal(table: Table, key: str) -> Normal:
    """Read a normal law."""
    law = uncertain(table, key, ("normal",), sourced=False)
    return Normal(law.first, law.second)


def beta(table: Table, key: str) -> Beta:
    """Read a beta law."""
    law = uncertain(table, key, ("beta",), sourced=False)
    return Beta(law.first, law.second)


def watched(table: Table) -> tuple[float, float, float]:
    """Read the three probabilities of how a barrier is observed."""
    law = table.sub("watched", required=True).known(("maturity", "close", "continuous"))
    names = ("maturity", "close", "continuous")
    first, second, third = (law.number(name, above=-1e-300) for name in names)
    if abs(first + second + third - 1.0) > 1e-9:
        refuse(
            f"{law.place}: the probabilities sum to {first + second + third:g}; make them sum to 1"
        )
    return first, second, third


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
