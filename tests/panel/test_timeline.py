"""The frequency of rows is read off their spacing; what it lacks is named, holidays are not."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from attribution.panel.timeline import expected_days, timeline_of

XNYS = expected_days("XNYS", date(2000, 1, 3), date(2024, 12, 31))
WEEKDAYS = pd.bdate_range("2022-01-03", periods=300)
DAILY = pd.date_range("2020-01-01", periods=600)
HOURLY = pd.date_range("2020-01-01", periods=600, freq="h")
FRIDAYS = pd.date_range("2010-01-01", periods=500, freq="W-FRI")
TEXT = """2018-01-31 2018-03-21 2018-05-02 2018-06-13 2018-08-01 2018-09-26 2018-11-08 2018-12-19
2019-01-30 2019-03-20 2019-05-01 2019-06-19 2019-07-31 2019-09-18 2019-10-30 2019-12-11 2020-01-29
2020-03-18 2020-04-29 2020-06-10 2020-07-29 2020-09-16"""
MEETINGS = pd.DatetimeIndex(TEXT.split())
"""Days on which a committee of a central bank met: no frequency, and nothing absent."""


@pytest.mark.parametrize(
    ("days", "frequency"),
    [
        (XNYS, "weekdays"),
        (WEEKDAYS, "weekdays"),
        (DAILY[~DAILY.day_of_week.isin([4, 5])], "weekdays"),  # Sunday to Thursday
        (DAILY, "daily"),
        (HOURLY, "intraday"),
        (HOURLY[(HOURLY.hour > 9) & (HOURLY.hour < 17)], "irregular"),
        (FRIDAYS, "weekly"),
        (FRIDAYS.delete(9).insert(9, FRIDAYS[9] - pd.Timedelta(days=1)), "weekly"),
        (pd.date_range("2000-01-31", periods=120, freq="ME"), "monthly"),
        (pd.date_range("2000-01-31", periods=120, freq="BME"), "monthly"),
        (pd.date_range("2000-01-01", periods=60, freq="QS"), "quarterly"),
        (pd.date_range("1960-01-01", periods=60, freq="YS"), "yearly"),
        (MEETINGS, "irregular"),
        (DAILY[np.sort(np.random.default_rng(0).choice(600, 300, replace=False))], "irregular"),
        (WEEKDAYS[:2], "none"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_frequency_is_seen_and_whole_series_lack_nothing(days, frequency):
    line = timeline_of(pd.DatetimeIndex(days))
    assert line.frequency == frequency
    assert not len(line.lost) and not len(line.closed)


@pytest.mark.parametrize(
    ("days", "at"),
    [
        (DAILY, [30]),
        (DAILY, range(30, 130)),
        (HOURLY, [50, 51]),
        (FRIDAYS, [100, 101, 200]),
        (pd.date_range("2000-01-31", periods=120, freq="ME"), [50]),
        (pd.date_range("2000-01-01", periods=60, freq="QS"), [30]),
        (pd.date_range("1960-01-01", periods=60, freq="YS"), [30]),
        (WEEKDAYS, range(100, 107)),  # longer than any holiday
    ],
)
def test_rows_taken_out_are_those_that_are_lost(days, at):
    line = timeline_of(days.delete(list(at)))
    assert line.lost.equals(days[list(at)].as_unit(line.lost.unit))
    assert not len(line.closed)


def test_weekdays_that_no_calendar_closes_are_told_from_holidays():
    line = timeline_of(XNYS.delete(XNYS.get_indexer(pd.to_datetime(["2010-05-12", "2010-05-13"]))))
    assert line.closed.strftime("%Y-%m-%d").to_list() == ["2010-05-12", "2010-05-13"]
    assert not len(line.lost)
    golden = pd.date_range("2022-10-03", "2022-10-07")
    line = timeline_of(WEEKDAYS[~WEEKDAYS.isin(golden)])
    assert line.closed.equals(golden.as_unit(line.closed.unit))


def test_days_on_which_the_exchange_was_closed_by_an_attack_are_known():
    days = XNYS[(XNYS >= "2001-06-01") & (XNYS <= "2001-12-31")]
    attack = pd.date_range("2001-09-11", "2001-09-14")
    line = timeline_of(days[~days.isin(attack)])
    assert not len(line.closed) and not len(line.lost)
