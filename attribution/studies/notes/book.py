"""A question about notes and its evidence in; draws of all that no source states out.

Terms are drawn once: the same note has the same terms on every day. On a day before its fixing a
note has no face, and what its barrier has seen ends on that day's eve.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import date, timedelta

import numpy as np
import pandas as pd

from attribution.errors import EventError
from attribution.mechanics.notes import AT_MATURITY, Doubts, Notes, NoteTerms, drawn_fixings
from attribution.model.uncertain import Uncertain
from attribution.panel import Evidence
from attribution.panel.note_terms import YEAR, fixing_rows, lows, note_terms
from attribution.studies.notes.question import BarrierQuestion

# A question about notes and its evidence in; a day and its eve, as they were observed, out.

PERCENT = 100.0


@dataclass(frozen=True)
class Day:
    """From the eve's close to the day's, as it was observed.

    Attributes
    ----------
    day, eve : dates of the two rows.
    spot : close of the fund, USD, (2,).
    listed : 30-day implied volatility, fraction a year, (2,).
    volume : dollar volume of the fund, USD million; NaN where it was not observed.
    """

    day: date
    eve: date
    spot: np.ndarray
    listed: np.ndarray
    volume: float

    @property
    def years(self) -> float:
        """Time between the two closes."""
        return (self.day - self.eve).days / YEAR


def day_of(question: BarrierQuestion, evidence: Evidence, day: date, place: str) -> Day:
    """Read a day and its eve, the last row before it with a close and a volatility.

    Raises
    ------
    EventError
        If one of them was not observed.
    """
    rows = evidence.rows[[question.outcome, question.volatility]].dropna()
    stamp = pd.Timestamp(day)
    before = rows[rows.index < stamp]
    if stamp not in rows.index or before.empty:
        what = f"no '{question.outcome}' and '{question.volatility}' on {day}"
        if stamp in rows.index:
            what = f"no row before {day}"
        raise EventError(
            f"{place}: {what} in the sample; name a day that was observed, or widen the sample"
        )
    pair = pd.concat([before.iloc[-1:], rows.loc[[stamp]]])
    close = pair[question.outcome].to_numpy(dtype=float)
    shares = float(evidence.rows[question.volume].loc[stamp])
    return Day(
        day=day,
        eve=before.index[-1].date(),
        spot=close,
        listed=pair[question.volatility].to_numpy(dtype=float) / PERCENT,
        volume=shares * close[1] / 1e6,
    )


SHORT, LONG = 30.0 / 365.0, 2.0
"""Years for which the index of volatility and the level of long-dated volatility stand."""


@dataclass(frozen=True)
class Assumed:
    """Draws of what no source states.

    Attributes
    ----------
    terms : of the notes, with their doubts.
    closes : of the underlying up to the last row of the sample, USD.
    book : notes as of the last row, fields (draw, note).
    fixed : row of ``closes`` on which a note was fixed, (draw, note).
    level : volatility at the notes' maturities on the event's eve, fraction a year, (draw,).
    pass_through : its change over that of the 30-day volatility, (draw,).
    ratio, strike, tenor : of the listed puts, see
        :class:`~attribution.studies.notes.question.Overlay`; (draw,).
    rooted : whether vega counts by root time, (draw,).
    """

    terms: tuple[NoteTerms, ...]
    closes: pd.Series
    book: Notes
    fixed: np.ndarray
    level: np.ndarray
    pass_through: np.ndarray
    ratio: np.ndarray
    strike: np.ndarray
    tenor: np.ndarray
    rooted: np.ndarray

    @property
    def face(self) -> np.ndarray:
        """Face of all notes, USD million, (draw,)."""
        return np.asarray(self.book.face.sum(axis=-1))

    def long_dated(self, listed: np.ndarray, eve: float) -> np.ndarray:
        """Volatility of the notes where the 30-day one is ``listed`` and was ``eve``; (draw, 2)."""
        return np.asarray(self.level[:, None] + self.pass_through[:, None] * (listed - eve))

    def of_puts(self, listed: np.ndarray, eve: float) -> np.ndarray:
        r"""Volatility of the listed puts, (draw, 2).

        With w running from 0 at 30 days to 1 at two years in the logarithm of the tenor, its level
        lies between the two levels, and a change by a power of the tenor between the two changes:

        .. math:: \sigma(T) = (1-w)\,\sigma_{30} + w\,\sigma_{long}
            + \chi^{w}(\text{listed} - \sigma_{30})
        """
        w = (np.log(self.tenor / SHORT) / np.log(LONG / SHORT))[:, None]
        level = (1.0 - w) * eve + w * self.level[:, None]
        return np.asarray(level + self.pass_through[:, None] ** w * (listed - eve))


def assumed(
    question: BarrierQuestion, evidence: Evidence, size: int, rng: np.random.Generator
) -> Assumed:
    """Draw terms of the notes and what the market does not quote.

    Raises
    ------
    DataError
        Records that no rule reads; see :func:`~attribution.panel.note_terms.note_terms`.
    """
    closes = evidence.rows[question.outcome].dropna()
    last = closes.index[-1].date()
    records = evidence.tables[question.records]
    terms = note_terms(records, closes, last + timedelta(days=1))
    doubts = Doubts(question.watched, question.face.first, question.face.second)
    book, which = drawn_fixings(terms, doubts, size, rng)
    book = replace(book, position=question.position * book.position)
    return Assumed(
        terms=terms,
        closes=closes,
        book=book,
        fixed=fixing_rows(terms, which, pd.DatetimeIndex(closes.index)),
        level=drawn(question.level, size, rng) / PERCENT,
        pass_through=drawn(question.pass_through, size, rng),
        ratio=drawn(question.overlay.ratio, size, rng),
        strike=drawn(question.overlay.strike, size, rng),
        tenor=drawn(question.overlay.tenor, size, rng),
        rooted=rng.uniform(size=size) < question.overlay.root_time,
    )


def drawn(belief: Uncertain, size: int, rng: np.random.Generator) -> np.ndarray:
    """Draw a number of which a law is believed, (size,)."""
    a, b = belief.first, belief.second
    if belief.law == "uniform":
        return rng.uniform(a, b, size)
    if belief.law == "beta":
        return rng.beta(a, b, size)
    return a * np.exp(b * rng.standard_normal(size))


def book_on(found: Assumed, day: Day) -> Notes:
    """Return the book as it stood on a day's eve, fields (draw, note)."""
    rows = pd.DatetimeIndex(found.closes.index)
    eve = int(rows.get_indexer(pd.DatetimeIndex([pd.Timestamp(day.eve)]))[0])
    lowest = lows(found.closes.to_numpy(dtype=float))[np.minimum(found.fixed, eve), eve]
    issued = found.fixed <= eve
    seen = issued & (found.book.watched != AT_MATURITY) & (lowest <= found.book.level)
    later = (rows[-1].date() - day.eve).days / YEAR
    return replace(
        found.book,
        face=np.where(issued, found.book.face, 0.0),
        maturity=found.book.maturity + later,
        touched=seen,
    )


def thinned(found: Assumed, most: int) -> Assumed:
    """Keep at most so many draws, evenly spaced."""
    return _taken(found, np.arange(0, len(found.level), -(-len(found.level) // most)))


def repeated(found: Assumed, count: int) -> Assumed:
    """Repeat every draw, for as many prices; draws stay together."""
    return _taken(found, np.repeat(np.arange(len(found.level)), count))


def _taken(found: Assumed, rows: np.ndarray) -> Assumed:
    """Take draws by their numbers."""
    book = {
        field.name: value[rows]
        for field in fields(found.book)
        if np.ndim(value := getattr(found.book, field.name)) == 2
    }
    kept = {
        name: getattr(found, name)[rows]
        for name in ("fixed", "level", "pass_through", "ratio", "strike", "tenor", "rooted")
    }
    return replace(found, book=replace(found.book, **book), **kept)
