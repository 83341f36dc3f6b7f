"""Which way hedges of structured notes traded, and how large they were: priced, not assumed.

Knock-ins whose filings state face, barrier, initial value and day of maturity are read and priced
as everywhere in the house (:mod:`attribution.panel.note_terms`,
:mod:`attribution.mechanics.note_flows`); an initial value fixed on one of two days is either.
A flow is a purchase where positive.  Listed options that a dealer may hold beside are not in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from attribution.audit.notes import knock_ins
from attribution.audit.sources import Sources
from attribution.audit.tested import Tested, Untestable, by_chance
from attribution.diagnostics import mean_with_error
from attribution.mechanics.note_draws import Doubts, drawn_book
from attribution.mechanics.note_flows import hedge_flows
from attribution.mechanics.notes import Notes, PricePath
from attribution.panel.note_terms import YEAR, note_terms

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
