"""Bars within a day: instants with their zone, none missing, none silently skipped."""

import numpy as np
import pandas as pd
import pytest

from attribution.errors import DataError
from attribution.panel.bars import bars_between, instant, minutes_between

PLACE = "bars"
NEW_YORK = "16:00 America/New_York"
FIRST, LAST = (pd.Timestamp(f"2026-02-0{day} 21:00", tz="UTC") for day in (4, 5))


def bars(minutes=60, *, zone="UTC", form="%Y-%m-%dT%H:%M:%S%z", before=3, after=3):
    """Closes every so many minutes over the day and some bars on either side."""
    step = pd.Timedelta(minutes=minutes)
    ends = pd.date_range(FIRST - before * step, LAST + after * step, freq=step).tz_convert(zone)
    price = 7e4 * np.exp(-0.001 * np.arange(len(ends)))
    return pd.DataFrame({"close": price, "low": 0.99 * price}, index=ends.strftime(form))


def read(table, *columns, gap=0.0):
    return bars_between(table, columns or ("close",), FIRST, LAST, gap=gap, place=PLACE)


@pytest.mark.parametrize(
    ("day", "clock", "utc"),
    [
        ("2026-02-05", NEW_YORK, "2026-02-05 21:00"),
        ("2026-03-06", NEW_YORK, "2026-03-06 21:00"),
        ("2026-03-09", NEW_YORK, "2026-03-09 20:00"),  # summer time began on the 8th
        ("2026-07-01", "09:30 Asia/Kolkata", "2026-07-01 04:00"),
    ],
)
def test_a_row_is_read_at_the_instant_of_its_clock(day, clock, utc):
    assert instant(pd.Timestamp(day), clock, PLACE) == pd.Timestamp(utc, tz="UTC")


def test_a_day_on_which_summer_time_begins_has_an_hour_less():
    eve, day = (instant(pd.Timestamp(d), NEW_YORK, PLACE) for d in ("2026-03-07", "2026-03-08"))
    assert (day - eve) == pd.Timedelta(hours=23)


@pytest.mark.parametrize("clock", ["none", "America/New_York", "16:00 New York; daily"])
def test_rows_without_a_time_of_day_are_refused(clock):
    with pytest.raises(DataError, match=r"no time of day and zone.*give its card a clock"):
        instant(pd.Timestamp("2026-02-05"), clock, PLACE)


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Tokyo"])
def test_bars_are_the_same_whatever_zone_they_are_written_in(zone):
    found, other = read(bars(zone=zone)), read(bars())
    assert (found.index == other.index).all() and len(found) == 25
    assert (found["close"] == other["close"]).all()
    assert found.index[0] == FIRST and found.index[-1] == LAST


def test_bars_out_of_order_are_put_in_order():
    table = bars()
    assert read(table.sample(frac=1.0, random_state=3)).equals(read(table))


def test_minutes_are_minutes_in_every_resolution():
    ends = pd.date_range("2026-02-04 21:00", periods=3, freq="90min", tz="UTC")
    for unit in ("s", "ms", "us", "ns"):
        assert minutes_between(ends.as_unit(unit)).tolist() == [90.0, 90.0]


@pytest.mark.parametrize("form", ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%H:%M%z", "%Y-%m-%d"])
def test_a_bar_without_its_zone_is_refused(form):
    table = bars(form=form)
    with pytest.raises(DataError, match="names no instant; write its closing time with its offset"):
        read(table)


def test_a_date_that_does_not_exist_is_refused():
    table = bars()
    table.index = ["2026-02-31T10:00:00Z", *table.index[1:]]
    with pytest.raises(DataError, match="a closing time is no date"):
        read(table)


def test_two_bars_of_one_instant_are_refused():
    table = bars()
    again = table.iloc[[5]].set_axis(["2026-02-04T23:00:00+00:00"])
    assert pd.Timestamp(table.index[5]) == pd.Timestamp(again.index[0])
    with pytest.raises(DataError, match="two bars close at 2026-02-04 23:00 UTC; keep one"):
        read(pd.concat([table, again]))


def test_bars_that_do_not_reach_either_close_are_refused():
    with pytest.raises(
        DataError, match="no bar closes at 2026-02-04 21:00 UTC, when the row before"
    ):
        read(bars().iloc[4:])
    with pytest.raises(DataError, match="no bar closes at 2026-02-05 21:00 UTC, when the event's"):
        read(bars().iloc[:-4])
    with pytest.raises(DataError, match="key bars by their closing time"):
        read(bars(minutes=7, before=0, after=0).iloc[1:])


def test_gaps_are_refused_unless_they_are_allowed():
    table = bars().drop(bars().index[[10, 11]])
    with pytest.raises(
        DataError,
        match="between 2026-02-05 03:00 UTC and 2026-02-05 06:00 UTC, 180 minutes where 60 may",
    ):
        read(table)
    assert len(read(table, gap=180.0)) == 23
    with pytest.raises(DataError, match="where 120 may"):
        read(table, gap=120.0)


def test_holes_texts_and_unknown_columns_are_refused():
    table = bars()
    table.iloc[7, 0] = np.nan
    with pytest.raises(DataError, match="'close' is empty at 2026-02-05 01:00 UTC"):
        read(table)
    assert len(read(table, "low")) == 25
    with pytest.raises(DataError, match="'close' holds no numbers"):
        read(table.assign(close="dear"))
    with pytest.raises(DataError, match=r"no column 'closed' .*'close'"):
        read(table, "closed")


def test_holes_outside_the_day_do_no_harm():
    table = bars()
    table.iloc[0, 0] = np.nan
    assert len(read(table)) == 25
