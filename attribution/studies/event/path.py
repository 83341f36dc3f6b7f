"""Bars within the event's day in; the day's path in steps, and what of the day has come by each.

A step ends where a bar closes and, if lows and highs are given, at those that lie beyond both its
ends: a falling bar goes through its high first, a rising one through its low, in thirds of its
time.  What bars and the day's row disagree about, the clock difference, is in the first step, so
that the steps add up to the row.  Whatever has no bars of its own comes in proportion to time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from attribution.errors import DataError, EventError
from attribution.panel import Evidence
from attribution.panel.bars import bars_between, instant, minutes_between
from attribution.studies.event.question import DayBars, EventQuestion
from attribution.studies.event.rows import EventRows

POINTS = 100.0
"""Log points in one log unit."""
MISS = 0.1
"""Daily standard deviations by which the bars of a driver or of volatility may miss its day."""


@dataclass(frozen=True)
class DayPath:
    """The event's day in steps; arrays are (step,) unless said otherwise.

    Attributes
    ----------
    ends : instants in UTC without their zone, datetime64[s].
    bar : whether a bar closes there; else it is a bar's low or high.
    move : log units since the eve's close; the last is the day's row.
    hours : since the eve's close.
    drivers : standardised values so far, (step, driver).
    volatility : change of implied volatility so far, fraction; None: its surprise comes with time.
    own : columns that come by their own bars.
    difference : what the first step has of the row that the bars have not, log units.
    gap : minutes between the two closes that lie furthest apart.
    zone : of the rows' clock.
    """

    ends: np.ndarray
    bar: np.ndarray
    move: np.ndarray
    hours: np.ndarray
    drivers: np.ndarray
    volatility: np.ndarray | None
    own: tuple[str, ...]
    difference: float
    gap: float
    zone: str

    @property
    def elapsed(self) -> np.ndarray:
        """Share of the day's time that has passed, (step,)."""
        found: np.ndarray = self.hours / self.hours[-1]
        return found


def path_of(
    question: EventQuestion, evidence: Evidence, rows: EventRows, place: str
) -> DayPath | None:
    """Lay the bars of the event's day between the closes of its row and the row before.

    Returns
    -------
    None where the model names no bars.

    Raises
    ------
    EventError
        If the event has no row before its own.
    DataError
        If bars do not cover the day, or disagree with its row by more than they may.
    """
    asked = question.bars
    if asked is None:
        return None
    place = f"{place}: [event.bars] '{asked.records}'"
    if asked.records not in evidence.tables:
        raise DataError(f"{place} is not among the data; hand over a folder that has it")
    index = pd.DatetimeIndex(evidence.rows.index)
    at = int(index.searchsorted(pd.Timestamp(question.day)))
    if not at:
        raise EventError(f"{place}: {question.day} is the first row; lengthen the sample")
    clock = evidence.clocks.get(question.outcome, "none")
    first, last = (instant(index[k], clock, place) for k in (at - 1, at))
    records = evidence.tables[asked.records]
    own = _own(question, records)
    names = (*asked.columns, *own)
    bars = bars_between(records, names, first, last, gap=asked.gap, place=place)
    prices = _prices(bars, asked, place)
    where, log = _points(prices)
    day = float(rows.move[rows.event])
    difference = day - float(log[-1])
    if abs(difference) * POINTS > asked.tolerance:
        raise DataError(
            f"{place}: {question.outcome} moved by {POINTS * day:+.2f} log points on"
            f" {question.day} by its row and by {POINTS * log[-1]:+.2f} by bars, more than"
            f" {asked.tolerance:g} apart; key bars by their closing time, correct the clock of the"
            f" rows ('{clock}'), or raise tolerance if feeds differ so much"
        )
    count = np.arange(len(bars))
    hours = np.interp(where, count, np.r_[0.0, np.cumsum(minutes_between(bars.index))]) / 60.0
    elapsed = hours / hours[-1]
    values = {name: np.interp(where, count, _so_far(bars[name], name, question)) for name in own}
    return DayPath(
        ends=np.datetime64(first.tz_localize(None), "s")
        + np.round(3600.0 * hours).astype("timedelta64[s]"),
        bar=where == np.round(where),
        move=np.r_[log[:-1] + difference, day],
        hours=hours,
        drivers=_drivers(evidence, rows, elapsed, values, place),
        volatility=_volatility(question, rows, values, place),
        own=own,
        difference=difference,
        gap=float(minutes_between(bars.index).max()),
        zone=clock.split(" ", 1)[1],
    )


def _own(question: EventQuestion, records: pd.DataFrame) -> tuple[str, ...]:
    """Columns of the records that are called as a driver or as implied volatility."""
    asked = [name for group in question.drivers for name in group.columns]
    return tuple(name for name in (*asked, question.volatility.column) if name in records)


def _prices(bars: pd.DataFrame, asked: DayBars, place: str) -> np.ndarray:
    """Prices (bar, close or close, low and high); low and high enclose the close."""
    found = bars[list(asked.columns)].to_numpy(dtype=float)
    wrong = ~(found > 0.0).all(axis=1)
    if found.shape[1] == 3:
        wrong |= (found[:, 1] > found[:, 0]) | (found[:, 2] < found[:, 0])
    if wrong.any():
        at = bars.index[int(wrong.argmax())]
        raise DataError(
            f"{place}: the bar that closes at {at:%Y-%m-%d %H:%M} UTC has a price that is not above"
            " zero, or a close outside its low and high; correct it"
        )
    return found


def _points(prices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places of the steps, in bars since the eve's close, and log moves there, (step,)."""
    log = np.log(prices / prices[0, 0])
    close, count = log[:, 0], len(log) - 1
    if prices.shape[1] == 1:
        return np.arange(1.0, count + 1.0), close[1:]
    start, end, low, high = close[:-1], close[1:], log[1:, 1], log[1:, 2]
    falls = end < start
    against, along = np.where(falls, high, low), np.where(falls, low, high)
    each = np.stack([against, along, end], axis=1)
    beyond = (each < np.minimum(start, end)[:, None]) | (each > np.maximum(start, end)[:, None])
    beyond[:, 2] = True
    where = np.arange(count)[:, None] + np.array([1.0, 2.0, 3.0]) / 3.0
    return where[beyond], each[beyond]


def _so_far(bars: pd.Series, name: str, question: EventQuestion) -> np.ndarray:
    """Return what of a column has come by each close: a level's change, a driver's sum."""
    values = bars.to_numpy(dtype=float)
    if name == question.volatility.column:
        return np.asarray((values - values[0]) / 100.0)
    return np.asarray(np.cumsum(np.r_[0.0, values[1:]]))


def _settled(so_far: np.ndarray, day: float, sd: float, name: str, place: str) -> np.ndarray:
    """Let a column end at its day's value, the difference in the first step, or refuse it."""
    if abs(so_far[-1] - day) > MISS * sd:
        raise DataError(
            f"{place}: '{name}' is {day:g} on the day by its row and {so_far[-1]:g} by bars;"
            " correct the bars, or rename their column so that it comes in proportion to time"
        )
    return np.asarray(np.r_[so_far[:-1] + day - so_far[-1], day])


def _drivers(
    evidence: Evidence, rows: EventRows, elapsed: np.ndarray, values: Mapping[str, np.ndarray],
    place: str,
) -> np.ndarray:  # fmt: skip
    """Standardised drivers so far (step, driver); the mean of all days comes with time."""
    found: np.ndarray = elapsed[:, None] * rows.drivers[rows.event]
    kept = evidence.rows.loc[pd.DatetimeIndex(rows.days)]
    for column, name in enumerate(rows.names):
        if name in values:
            days = kept[name].to_numpy(dtype=float)
            mean, sd = days.mean(), days.std()
            came = _settled(values[name], float(days[rows.event]), float(sd), name, place)
            found[:, column] = (came - elapsed * mean) / sd
    return found


def _volatility(
    question: EventQuestion, rows: EventRows, values: Mapping[str, np.ndarray], place: str
) -> np.ndarray | None:
    """Change of implied volatility so far (step,), where bars bring it."""
    name = question.volatility.column
    if name not in values:
        return None
    day = float(rows.volatility[rows.event])
    return _settled(values[name], day, rows.units.volatility, name, place)
