"""Could hedges of structured notes have moved the day: their size, and when levels broke."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pandas as pd

from attribution.audit.sources import Sources
from attribution.audit.tested import Tested, Untestable, by_bound

MILLION = 1e6
TERMS = ("barrier_level", "barrier_kind", "notional_usd", "ibit_initial", "maturity")
"""Columns of a ledger of notes."""


@dataclass(frozen=True)
class NoteSize:
    """Hedges of the notes could have been a ``material`` share of the fund's volume of the day.

    Attributes
    ----------
    price, volume : of the fund, in shares a day.
    delta : units sold per unit of face, all at once.
    total : key of the published face of all notes, USD million.
    low : lowest price of the day; zero: the close.
    """

    price: str
    volume: str
    day: date
    total: str
    delta: float
    material: float
    low: float = 0.0
    notes: str = "notes"
    data: str = "daily"


@dataclass(frozen=True)
class FirstBelow:
    """``day`` was the first, from ``since``, on which the price closed below a published level."""

    price: str
    figure: str
    day: date
    since: date
    data: str = "daily"


def note_size(ask: NoteSize, sources: Sources) -> Tested:
    """Bound the hedge flow of the notes by their face, and compare it with the volume."""
    price = sources.column(ask.data, ask.price)
    close = sources.on(price, ask.day)
    eve = sources.before(price, ask.day)
    bottom = ask.low or close
    known = knock_ins(sources, ask.notes)
    crossed = known[(known["barrier_level"] < eve) & (known["barrier_level"] >= bottom)]
    traded = close * sources.on(sources.column(ask.data, ask.volume), ask.day) / MILLION
    if not traded > 0:
        raise Untestable(f"nothing was traded on {ask.day}")
    face = float(crossed["notional_usd"].sum()) / MILLION
    total = sources.figure(ask.total)
    least, most = (100.0 * ask.delta * size / traded for size in (face, total.low))
    needed = 100.0 * ask.material
    verdict = "holds" if least >= needed else "fails" if most < needed else "undecided"
    return Tested(
        f"{len(crossed)} of {len(known)} knock-ins with a known level lay between {eve:.2f} and"
        f" {bottom:.2f}, face {face:.1f} USD million; selling {ask.delta:g} times that is"
        f" {least:.2f} % of the day's {traded:,.0f} USD million, selling as much of every note"
        f" ({total.quoted()}) is {most:.1f} %; the claim needs {needed:g} %",
        verdict,
    )


def first_below(ask: FirstBelow, sources: Sources) -> Tested:
    """Find the day on which a level was first broken at the close."""
    price, figure = sources.column(ask.data, ask.price), sources.figure(ask.figure)
    sources.on(price, ask.day)
    seen = price[(price.index >= pd.Timestamp(ask.since)) & (price < figure.value)]
    if seen.empty:
        return by_bound(f"no close since {ask.since} was below {figure.quoted()}", False)
    first = seen.index[0]
    return by_bound(
        f"the first close since {ask.since} below {figure.quoted()} was {seen.iloc[0]:.2f} on"
        f" {first:%Y-%m-%d}; the claim needs {ask.day}",
        first == pd.Timestamp(ask.day),
    )


def knock_ins(sources: Sources, notes: str) -> pd.DataFrame:
    """Return notes with a known level that are no buffers: a buffer's delta has no jump."""
    found = sources.records(notes, TERMS)
    kind = found["barrier_kind"].astype(str).str.lower()
    return found[found["barrier_level"].notna() & ~kind.str.contains("buffer")]
