"""Days of rows in; the frequency that they keep, and the rows that it expects and lacks, out.

A lag counts rows, so that a row which is absent without a word makes one step of two.  Days on
which nothing is expected are no gap: weekends, and holidays of a calendar that is known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from attribution.panel.trading_days import PERIODS, SPACING, known_closures

IRREGULAR = 0.2
"""Share of expected rows that are absent, from which rows keep no frequency."""
CLOSURE = 6
"""Weekdays in a row, at most, that a market unknown to us may be closed: New Year in China."""
NONE = "none"
INTRADAY = "intraday"
_WEEK = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True)
class Timeline:
    """What the spacing of rows shows.

    Attributes
    ----------
    frequency : ``yearly``, ``quarterly``, ``monthly``, ``weekly``, ``daily``, ``weekdays``,
        ``intraday``, or ``none`` where rows keep none.
    lost : days of rows that are absent; a lag across one is none.
    closed : weekdays without a row on which no known calendar is closed; taken for holidays of a
        market that is not known, and to be said aloud.
    """

    frequency: str
    lost: pd.DatetimeIndex
    closed: pd.DatetimeIndex

    def within(self, first: pd.Timestamp, last: pd.Timestamp) -> Timeline:
        """Cut to a span of days."""
        lost, closed = (d[(d >= first) & (d <= last)] for d in (self.lost, self.closed))
        return Timeline(self.frequency, lost, closed)


def timeline_of(days: pd.DatetimeIndex) -> Timeline:
    """Read the frequency off increasing days, and list what it lacks."""
    nothing = days[:0]
    if len(days) < 3:
        return Timeline(NONE, nothing, nothing)
    steps = np.diff(days.to_numpy()) / np.timedelta64(1, "D")
    middle = float(np.median(steps))
    if middle < 1:
        return Timeline(INTRADAY, nothing, nothing)
    period = next((name for name, spacing in SPACING.items() if middle >= spacing), NONE)
    if period in PERIODS:
        lost = _periods(days, period)
    elif middle == 7:
        period, lost = "weekly", _weeks(days, steps)
    elif middle == 1:
        return _days(days)
    else:
        lost = None
    if lost is None or len(lost) > IRREGULAR * (len(days) + len(lost)):
        return Timeline(NONE, nothing, nothing)
    return Timeline(period, lost, nothing)


def _periods(days: pd.DatetimeIndex, name: str) -> pd.DatetimeIndex | None:
    """Absent periods, by their first day or, where rows stand there, their last; None if crowded.

    Two rows in one period are no rows of periods.
    """
    found = days.to_period(PERIODS[name])
    if not found.is_unique:
        return None
    absent = pd.period_range(found[0], found[-1], freq=PERIODS[name]).difference(found)
    late = bool((days.day > 15).mean() > 0.5)
    stamps = absent.to_timestamp(how="end" if late else "start").normalize()
    return pd.DatetimeIndex(stamps).as_unit(days.unit)


def _weeks(days: pd.DatetimeIndex, steps: np.ndarray) -> pd.DatetimeIndex:
    """Absent weeks; a row that a holiday moves by a day or two stands for its week."""
    count = np.maximum(np.round(steps / 7).astype(int) - 1, 0)
    after = np.repeat(np.arange(len(count)), count)
    number = np.arange(len(after)) - np.repeat(np.cumsum(count) - count, count) + 1
    return days[after] + pd.to_timedelta(7 * number, unit="D").as_unit(days.unit)


def _days(days: pd.DatetimeIndex) -> Timeline:
    """Absent days of a round-the-clock series, or absent weekdays of one that keeps weekends."""
    weeks = max((days[-1] - days[0]).days / 7.0, 1.0)
    usual = np.flatnonzero(np.bincount(days.day_of_week, minlength=7) >= 0.5 * weeks)
    every = pd.date_range(days[0], days[-1], freq="D", unit=days.unit)
    expected = every[np.isin(every.day_of_week, usual)]
    absent = expected.difference(days)
    nothing = days[:0]
    if len(absent) > IRREGULAR * len(expected):
        return Timeline(NONE, nothing, nothing)
    if len(usual) == 7:
        return Timeline("daily", absent, nothing)
    long = _in_long_runs(absent, expected)
    known = known_closures(days[0].year, days[-1].year)
    closed = absent[~long & ~absent.isin(known)]
    return Timeline("weekdays", absent[long], closed)


def _in_long_runs(absent: pd.DatetimeIndex, expected: pd.DatetimeIndex) -> np.ndarray:
    """Whether each absent day is one of more in a row than a holiday lasts."""
    if not len(absent):
        return np.zeros(0, bool)
    at = expected.get_indexer(absent)
    run = np.cumsum(np.diff(at, prepend=at[0] - 1) != 1)
    long: np.ndarray = np.bincount(run)[run] > CLOSURE
    return long


def in_words(days: pd.DatetimeIndex, most: int = 3) -> str:
    """Name some days, with what day of the week they are."""
    said = [f"{day:%Y-%m-%d} ({_WEEK[day.day_of_week]})" for day in days[:most]]
    return ", ".join(said) + (f" and {len(days) - most} more" if len(days) > most else "")
