"""A calendar's name in; the days on which rows must stand out."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd

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
