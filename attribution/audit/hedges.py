"""Which way hedges of structured notes traded, and how large they were: priced, not assumed.

Knock-ins whose filings state face, barrier, initial value and day of maturity are read and priced
as everywhere in the house (:mod:`attribution.panel.note_terms`,
:mod:`attribution.studies.notes.flows`); an initial value fixed on one of two days is either.
A flow is a purchase where positive.  Listed options that a dealer may hold beside are not in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from attribution.audit.sources import Sources
from attribution.audit.tested import Tested, Untestable, by_bound, by_chance
from attribution.errors import SpecError
from attribution.finding import verdict_of
from attribution.mechanics.notes import Doubts, Notes, PricePath, drawn_book
from attribution.panel.note_terms import YEAR, note_terms
from attribution.sampling.diagnostics import mean_with_error
from attribution.studies.notes.flows import hedge_flows

# Could hedges of structured notes have moved the day: their size, and when levels broke.

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


CLOSES = 5
"""Last closes over which a hedge is followed."""


@dataclass(frozen=True)
class NoteHedge:
    """Hedging the notes whose terms are known sold on the day.

    Attributes
    ----------
    price : of the fund.
    vol_low, vol_high : volatility at the notes' maturities on the eve, per cent a year.
    rise_low, rise_high : what the day added to it, points.
    watched_late : prior probability that a barrier is compared at maturity only.
    """

    price: str
    day: date
    vol_low: float
    vol_high: float
    rise_low: float
    rise_high: float
    watched_late: float
    rate: float = 0.04
    draws: int = 2000
    notes: str = "notes"
    data: str = "daily"


@dataclass(frozen=True)
class DeltaAbove:
    """The hedge of a note exceeded ``above`` units a unit, at one of the last closes."""

    price: str
    day: date
    above: float
    vol_low: float
    vol_high: float
    watched_late: float
    rate: float = 0.04
    draws: int = 2000
    notes: str = "notes"
    data: str = "daily"


def note_hedge(ask: NoteHedge, sources: Sources) -> Tested:
    """Price the notes on the eve and at the close; ask for the sign of what the dealer trades."""
    price = sources.column(ask.data, ask.price)
    close = sources.on(price, ask.day)
    eve = sources.before(price, ask.day)
    rng = sources.rng()
    book, path = _priced(ask, sources, price, 2, rng)
    rise = rng.uniform(ask.rise_low, ask.rise_high, ask.draws) / 100.0
    path.vol[..., 1] += rise[:, None]
    flow = 1000.0 * hedge_flows(book, path).total / book.face.sum(axis=-1)
    chance, error = mean_with_error(flow < 0)
    low, high = np.quantile(flow, [0.05, 0.95])
    return by_chance(
        f"hedging the {len(book.names)} knock-ins with known terms from {eve:.2f} to {close:.2f},"
        f" USD million per 1,000 of face: {flow.mean():+.0f} (90 % {low:+.0f} to {high:+.0f}; +"
        f" buys); it sells with probability {chance:.2f}",
        chance,
        error,
    )


def delta_above(ask: DeltaAbove, sources: Sources) -> Tested:
    """Ask how large the hedge of a known note can have been on the way down."""
    price = sources.column(ask.data, ask.price)
    sources.on(price, ask.day)
    book, path = _priced(ask, sources, price, CLOSES, sources.rng())
    held = hedge_flows(book, path).inventory / book.units[..., None]
    largest = np.maximum(held.max(axis=(-2, -1)), 0.0)
    chance, error = mean_with_error(largest > ask.above)
    low, high = np.quantile(largest, [0.05, 0.95])
    return by_chance(
        f"the largest hedge of the {len(book.names)} knock-ins with known terms over the last"
        f" {len(path.time)} closes: {largest.mean():.2f} units a unit (90 % {low:.2f} to"
        f" {high:.2f}); above {ask.above:g} with probability {chance:.2f}",
        chance,
        error,
    )


def _priced(
    ask: NoteHedge | DeltaAbove,
    sources: Sources,
    price: pd.Series,
    closes: int,
    rng: np.random.Generator,
) -> tuple[Notes, PricePath]:
    """Draw the known notes as of the first of the last closes, and volatility along them."""
    seen = price[price.index <= pd.Timestamp(ask.day)].dropna()
    spots = seen.iloc[-closes:]
    if len(spots) < 2:
        raise Untestable(f"'{price.name}' was not observed before {ask.day}")
    terms = note_terms(_known(sources, ask.notes, ask.day), seen, spots.index[1].date())
    doubts = Doubts((ask.watched_late, 0.0, 1.0 - ask.watched_late), total=1.0, spread=0.0)
    book = drawn_book(terms, doubts, ask.draws, rng)
    vol = rng.uniform(ask.vol_low, ask.vol_high, ask.draws) / 100.0
    days = (spots.index - spots.index[0]).days.to_numpy()
    return book, PricePath(
        spot=spots.to_numpy(dtype=float),
        vol=np.repeat(vol[:, None, None], len(spots), axis=-1),
        time=days / YEAR,
        close=np.full(len(spots), True),
        rate=ask.rate,
        carry=ask.rate,
    )


def _known(sources: Sources, notes: str, day: date) -> pd.DataFrame:
    """Return records of the knock-ins, still running, with everything that a price needs."""
    known = knock_ins(sources, notes)
    ends = pd.to_datetime(known["maturity"], errors="coerce", format="%Y-%m-%d")
    known = known.assign(ends=ends).dropna(subset=["ends", "notional_usd", "ibit_initial"])
    known = known[known["ends"] > pd.Timestamp(day)]
    if known.empty:
        raise Untestable("no knock-in has a known level, face, initial value and maturity")
    return sources.frame(notes).loc[known.index]


# Does the hedging of a long option position speed a fall up: priced over strikes and maturities.

STRIKES = np.linspace(0.7, 1.3, 25)
"""Of the price on the eve."""
MATURITIES = np.array([7, 14, 30, 60, 90, 180]) / 365.0
"""Years."""


@dataclass(frozen=True)
class LongOptionHedge:
    r"""Hedges of long options buy in the fall, over strikes and maturities.

    Who is long an option and hedged holds :math:`-\Delta` of the asset against it; over a move that
    is a purchase of :math:`-(\Delta_1 - \Delta_0)`, which falls on the side of the buyers where
    positive.

    Attributes
    ----------
    price, vol : of the asset; implied volatility, percent a year.
    option : ``put`` or ``call``.
    pass_through : share of the day's change of implied volatility that the options follow.
    """

    price: str
    vol: str
    day: date
    option: str = "put"
    pass_through: float = 0.0
    rate: float = 0.04
    data: str = "daily"


def long_option_hedge(ask: LongOptionHedge, sources: Sources) -> Tested:
    """Sum the hedges' trades over a grid of strikes and maturities, each option equally held."""
    from attribution.mechanics.vanilla import vanilla

    if ask.option not in ("put", "call"):
        raise SpecError(f"long_option_hedge: option '{ask.option}' is neither put nor call")
    eve, close = _eve_and_close(sources, ask.data, ask.price, ask.day)
    before, after = (v / 100.0 for v in _eve_and_close(sources, ask.data, ask.vol, ask.day))
    strike, time = np.meshgrid(STRIKES * eve, MATURITIES)
    late = np.maximum(time - 1.0 / 365.0, 0.0)
    moved = before + ask.pass_through * (after - before)
    first = vanilla(ask.option, eve, strike, time, before, ask.rate, ask.rate).delta
    last = vanilla(ask.option, close, strike, late, moved, ask.rate, ask.rate).delta
    trade = -(np.asarray(last) - np.asarray(first))
    share = float((trade > 0).mean())
    return Tested(
        f"price {eve:.2f} to {close:.2f}, volatility {100 * before:.0f} to {100 * moved:.0f} %:"
        f" hedges of long {ask.option}s buy {trade.mean():+.2f} units a unit on average and buy in"
        f" {100 * share:.0f} % of {trade.size} strikes and maturities (strikes 70 to 130 % of the"
        " price, 7 to 180 days)",
        verdict_of(share),
    )


def _eve_and_close(sources: Sources, data: str, name: str, day: date) -> tuple[float, float]:
    column = sources.column(data, name)
    return sources.before(column, day), sources.on(column, day)
