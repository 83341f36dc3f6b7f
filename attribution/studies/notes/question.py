"""A study that asks what hedges of structured notes traded: the sections of its model file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from attribution.model.faults import refuse
from attribution.model.grammar import Table
from attribution.model.uncertain import Uncertain, uncertain

SECTIONS = ("event", "notes", "volatility", "overlay", "market")
WATCHED = ("maturity", "close", "continuous")
"""When a barrier is compared with the price."""


@dataclass(frozen=True)
class Overlay:
    """Listed puts that dealers may sell against the vega of the notes.

    Attributes
    ----------
    ratio : share of the vega that is sold.
    strike : of the puts, as a fraction of the eve's price.
    tenor : of the puts, years.
    root_time : probability that vega counts less by √(tenor/maturity), since volatilities of long
        maturities move less; ``root_time_source`` says whence.
    """

    ratio: Uncertain
    strike: Uncertain
    tenor: Uncertain
    root_time: float
    root_time_source: str


@dataclass(frozen=True)
class BarrierQuestion:
    """What did hedges of notes on a fund trade on a day, and on others beside it.

    Attributes
    ----------
    outcome : column of the fund's close, USD.
    volume : column of its volume, shares.
    day, also : the event's day, and others that are put to the same question.
    material : share of the fund's dollar volume from which a flow counts as large.
    records : data set of the notes.
    face : of all notes outstanding, USD million.
    watched : probabilities of ``WATCHED``; ``watched_source`` says whence.
    position : 1 where dealers are long the holders' puts, -1 where short.
    volatility : column of the 30-day implied volatility, per cent a year.
    level : volatility at the notes' maturities, two years, on the event's eve, per cent a year.
    pass_through : change of that volatility over the change of the 30-day one.
    rate, carry : per year, continuously compounded.
    """

    outcome: str
    volume: str
    day: date
    also: tuple[date, ...]
    material: float
    records: str
    face: Uncertain
    watched: tuple[float, float, float]
    watched_source: str
    position: float
    volatility: str
    level: Uncertain
    pass_through: Uncertain
    overlay: Overlay
    rate: float
    carry: float

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column of the data that it reads, each once."""
        return tuple(dict.fromkeys((self.outcome, self.volume, self.volatility)))

    @property
    def tables(self) -> tuple[str, ...]:
        """Data sets of records that it reads."""
        return (self.records,)

    @property
    def days(self) -> tuple[date, ...]:
        """The event's day, then the others."""
        return (self.day, *self.also)


def question_of(table: Table) -> BarrierQuestion:
    """Read the question.

    Raises
    ------
    SpecError
        With the key and the remedy.
    """
    event = table.sub("event", required=True)
    event.known(("outcome", "volume", "day", "also", "material"))
    day, also = event.day("day"), event.dates("also")
    if day in also:
        refuse(f"{event.place}: also names the event's own day {day}; remove it there")
    notes = table.sub("notes", required=True).known(("records", "face", "watched", "position"))
    vol = table.sub("volatility", required=True).known(("column", "level", "pass_through"))
    market = table.sub("market", required=True).known(("rate", "carry"))
    watched, source = _watched(notes)
    return BarrierQuestion(
        outcome=event.text("outcome"),
        volume=event.text("volume"),
        day=day,
        also=also,
        material=event.number("material", above=0),
        records=notes.text("records"),
        face=uncertain(notes, "face", ("lognormal",)),
        watched=watched,
        watched_source=source,
        position=_between(notes, "position", -1.0, 1.0, 1.0),
        volatility=vol.text("column"),
        level=_positive(vol, "level"),
        pass_through=uncertain(vol, "pass_through"),
        overlay=_overlay(table.sub("overlay", required=True)),
        rate=market.number("rate"),
        carry=market.number("carry"),
    )


def _watched(table: Table) -> tuple[tuple[float, float, float], str]:
    found = table.sub("watched", required=True).known((*WATCHED, "source"))
    first, second, third = (_between(found, name, 0.0, 1.0) for name in WATCHED)
    total = first + second + third
    if abs(total - 1.0) > 1e-9:
        refuse(f"{found.place}: the probabilities sum to {total:g}; make them sum to one")
    return (first, second, third), found.text("source")


def _between(
    table: Table, key: str, low: float, high: float, default: float | None = None
) -> float:
    value = table.number(key) if default is None else table.number(key, default)
    if not low <= value <= high:
        refuse(
            f"{table.place}: {key} = {value:g} does not lie from {low:g} to {high:g}; correct it"
        )
    return value


def _positive(table: Table, key: str) -> Uncertain:
    found = uncertain(table, key, ("uniform", "lognormal"))
    if found.first <= 0.0:
        refuse(f"{table.place}: [{key}]: low = {found.first:g} is not above zero; raise it")
    return found


def _overlay(table: Table) -> Overlay:
    table.known(("ratio", "strike", "tenor", "root_time"))
    root = table.sub("root_time", required=True).known(("probability", "source"))
    return Overlay(
        ratio=uncertain(table, "ratio"),
        strike=_positive(table, "strike"),
        tenor=_positive(table, "tenor"),
        root_time=_between(root, "probability", 0.0, 1.0),
        root_time_source=root.text("source"),
    )
