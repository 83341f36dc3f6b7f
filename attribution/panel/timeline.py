"""Days of rows in; the frequency that they keep, and the rows that it expects and lacks, out.

A lag counts rows, so that a row which is absent without a word makes one step of two.  Days on
which nothing is expected are no gap: weekends, and holidays of a calendar that is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

# A calendar's name in; the days on which rows must stand out.

MONDAY, THURSDAY = 0, 3
JUNETEENTH = 2022
"""First year in which the New York Stock Exchange kept 19 June."""

PERIODS = {"weekly": "W", "monthly": "M", "quarterly": "Q", "yearly": "Y"}
"""Calendars that expect one row a period, on whatever day of it."""
SPACING = {"yearly": 360, "quarterly": 85, "monthly": 27}
"""Days between two rows, at least, in the middle of a file's rows."""


def calendar_of(days: pd.DatetimeIndex) -> str:
    """Calendar that the spacing of the rows shows: yearly, quarterly, monthly, or else none."""
    if len(days) < 3:
        return "none"
    middle = float(np.median(np.diff(days.to_numpy()) / np.timedelta64(1, "D")))
    return next((name for name, spacing in SPACING.items() if middle >= spacing), "none")


def expected_days(calendar: str, first: date, last: date) -> pd.DatetimeIndex:
    """Days from ``first`` to ``last`` on which the calendar expects a row.

    ``XNYS`` follows the holiday rules of the New York Stock Exchange; single closures, such as a
    day of mourning, belong under ``closed`` in the card.
    """
    if calendar == "daily":
        return pd.date_range(first, last, freq="D", unit="us")
    days = pd.date_range(first, last, freq="B", unit="us")
    if calendar == "weekdays":
        return days
    closed = [day for year in range(first.year, last.year + 1) for day in _closures(year)]
    return days[~days.isin(pd.DatetimeIndex(closed))]


SINGLE = """1985-09-27 1994-04-27 2001-09-11 2001-09-12 2001-09-13 2001-09-14 2004-06-11
2007-01-02 2012-10-29 2012-10-30 2018-12-05 2025-01-09"""
"""Closures of the New York Stock Exchange that no rule gives: storms, mourning, an attack."""
FIXED = ((1, 1), (5, 1), (12, 24), (12, 25), (12, 26), (12, 31))
"""Month and day of holidays that many exchanges keep on the day itself."""


def known_closures(first: int, last: int) -> pd.DatetimeIndex:
    """Days of some years on which an exchange may be closed without a question.

    The holidays of the New York Stock Exchange, its single closures, and those that are common
    elsewhere: Easter Monday, and the fixed ones.
    """
    years = range(first, last + 1)
    days = [day for year in years for day in _closures(year)]
    days += [_easter(year) + timedelta(days=1) for year in years]
    days += [date(year, month, day) for year in years for month, day in FIXED]
    return pd.DatetimeIndex(days).union(pd.DatetimeIndex(SINGLE.split()))


def _closures(year: int) -> list[date]:
    """Holidays of the New York Stock Exchange in a year, on the day they are kept."""
    new_year = date(year, 1, 1)
    days = [
        _nth(year, 1, MONDAY, 3),  # Martin Luther King
        _nth(year, 2, MONDAY, 3),  # Washington
        _easter(year) - timedelta(days=2),  # Good Friday
        _nth(year, 6, MONDAY, 1) - timedelta(days=7),  # Memorial Day: the last Monday of May
        _kept(date(year, 7, 4)),
        _nth(year, 9, MONDAY, 1),  # Labor Day
        _nth(year, 11, THURSDAY, 4),  # Thanksgiving
        _kept(date(year, 12, 25)),
    ]
    if new_year.weekday() != 5:  # on a Saturday it would close the old year, and is not kept
        days.append(_kept(new_year))
    if year >= JUNETEENTH:
        days.append(_kept(date(year, 6, 19)))
    return days


def _kept(day: date) -> date:
    """Friday for a Saturday, Monday for a Sunday."""
    return day + timedelta(days={5: -1, 6: 1}.get(day.weekday(), 0))


def _nth(year: int, month: int, weekday: int, n: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (n - 1))


def _easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (the anonymous algorithm of 1876)."""
    golden, century, rest = year % 19, year // 100, year % 100
    moon = (19 * golden + century - century // 4 - (8 * century + 13) // 25 + 15) % 30
    week = (32 + 2 * (century % 4) + 2 * (rest // 4) - moon - rest % 4) % 7
    late = (golden + 11 * moon + 22 * week) // 451
    month, day = divmod(moon + week - 7 * late + 114, 31)
    return date(year, month, day + 1)


REGULAR = 0.8
"""Share of the steps from row to row that are one period, from which rows keep a frequency."""
ROUND_THE_CLOCK = 0.98
"""The same of rows within a day, whose nights and weekends would be no gaps."""
FEW = 20
"""Rows under which nothing is said of how regular they are."""
CLOSURE = 6
"""Weekdays in a row, at most, that a market unknown to us may be closed: New Year in China."""
NONE, IRREGULAR, INTRADAY = "none", "irregular", "intraday"
_WEEK = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True)
class Timeline:
    """What the spacing of rows shows.

    Attributes
    ----------
    frequency : ``yearly``, ``quarterly``, ``monthly``, ``weekly``, ``daily``, ``weekdays``,
        ``intraday``, ``irregular``, or ``none`` where nothing is expected.
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
    period = next((name for name, spacing in SPACING.items() if middle >= spacing), NONE)
    if period in PERIODS:
        found = days.to_period(PERIODS[period])
        apart = np.diff(found.astype("int64").to_numpy())
        regular, lost = float(np.mean(apart == 1)), _periods(days, found)
    elif middle == 7:  # a row that a holiday moves by a day or two stands for its week
        period, count = "weekly", np.round(steps / 7)
        regular, lost = float(np.mean(count == 1)), _between(days, count, pd.Timedelta(days=7))
    elif middle == 1:
        return _days(days)
    elif middle < 1:
        period, count = INTRADAY, np.round(steps / middle)
        even = float(np.mean(np.abs(steps / middle - 1) < 0.01))
        regular = 1.0 if even >= ROUND_THE_CLOCK else 0.0
        lost = _between(days, count, pd.Timedelta(days=middle))
    else:
        regular, lost = 0.0, nothing
    if regular < REGULAR:
        return Timeline(_none_of(days), nothing, nothing)
    return Timeline(period, lost, nothing)


def _periods(days: pd.DatetimeIndex, found: pd.PeriodIndex) -> pd.DatetimeIndex:
    """Absent periods, by their first day or, where rows stand there, their last."""
    absent = pd.period_range(found[0], found[-1], freq=found.freq).difference(found)
    late = bool((days.day > 15).mean() > 0.5)
    stamps = absent.to_timestamp(how="end" if late else "start").normalize()
    return pd.DatetimeIndex(stamps).as_unit(days.unit)


def _between(days: pd.DatetimeIndex, steps: np.ndarray, step: pd.Timedelta) -> pd.DatetimeIndex:
    """Rows absent between neighbours that stand so many steps apart."""
    count = np.maximum(steps.astype(int) - 1, 0)
    after = np.repeat(np.arange(len(count)), count)
    number = np.arange(len(after)) - np.repeat(np.cumsum(count) - count, count) + 1
    return pd.DatetimeIndex(days[after] + pd.to_timedelta(number * step).as_unit(days.unit))


def _days(days: pd.DatetimeIndex) -> Timeline:
    """Absent days of a round-the-clock series, or absent weekdays of one that keeps weekends."""
    weeks = max((days[-1] - days[0]).days / 7.0, 1.0)
    seen = np.bincount(days.day_of_week, minlength=7)
    usual = np.flatnonzero(seen >= 0.5 * min(weeks, float(np.median(np.sort(seen)[-5:]))))
    every = pd.date_range(days[0], days[-1], freq="D", unit=days.unit)
    expected = every[np.isin(every.day_of_week, usual)]
    absent, nothing = expected.difference(days), days[:0]
    steps = np.diff(expected.get_indexer(days.intersection(expected)))
    if len(usual) < 5 or np.mean(steps == 1) < REGULAR:
        return Timeline(_none_of(days), nothing, nothing)
    if len(usual) == 7:
        return Timeline("daily", absent, nothing)
    long = _in_long_runs(absent, expected)
    known = known_closures(days[0].year, days[-1].year)
    closed = absent[~long & ~absent.isin(known)]
    return Timeline("weekdays", absent[long], closed)


def _none_of(days: pd.DatetimeIndex) -> str:
    return IRREGULAR if len(days) >= FEW else NONE


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
