"""The index: days, or instants that name their zone and stand on the clock."""

from datetime import date
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from attribution.errors import DataError
from attribution.panel import read_frame
from attribution.panel.timeline import expected_days

HEADER = "date,price,share,basis,flow,days\n"


@pytest.fixture
def read(tmp_path, card):
    """Read a file with these index entries under a card with these replacements."""

    def frame(*entries, pairs=()):
        body = "".join(f"{entry},100,40,6,{10 + i},5\n" for i, entry in enumerate(entries))
        (tmp_path / "toy.csv").write_text(HEADER + body)
        (tmp_path / "toy.toml").write_text(card(*pairs))
        return read_frame("toy", tmp_path)

    return frame


@pytest.fixture
def refusal(read):
    def sentence(*entries, pairs=()):
        with pytest.raises(DataError) as refused:
            read(*entries, pairs=pairs)
        return str(refused.value)

    return sentence


def test_the_close_is_21_hours_utc_in_winter_and_20_in_summer(read):
    days = read("2025-10-31T20:00Z", "2025-11-03T21:00Z").index  # summer time ended in between
    assert days.strftime("%Y-%m-%d").to_list() == ["2025-10-31", "2025-11-03"]
    assert days.dtype == "datetime64[us]"
    assert days.name == "time"


def test_instants_with_any_offset_are_the_same_days(read):
    found = read("2026-02-04 16:00-05:00", "2026-02-05T22:00:00+0100", "2026-02-06T21:00:00Z")
    assert found.index.equals(expected_days("XNYS", date(2026, 2, 4), date(2026, 2, 6)))


def test_an_instant_off_the_clock_is_refused(refusal):
    # the fixed hour of UTC that is right in winter is five in the afternoon in summer
    assert refusal("2025-10-31T21:00Z", "2025-11-03T21:00Z") == (
        "toy.csv: row 1 stands at 17:00 America/New_York on 2025-10-31, not at the clock's 16:00;"
        " read every row at that instant or correct the clock"
    )


def test_an_instant_without_a_zone_is_refused(refusal):
    assert refusal("2026-02-05T21:00Z", "2026-02-06T16:00") == (
        "toy.csv: 'date' holds the instant '2026-02-06T16:00' without a time zone on row 2; add its"
        " offset from UTC, or write days alone"
    )


def test_days_mixed_with_instants_are_refused(refusal):
    assert refusal("2026-02-05", "2026-02-06T21:00Z") == (
        "toy.csv: 'date' mixes days (2026-02-05) with instants (2026-02-06T21:00Z); write every row"
        " the same way"
    )


def test_instants_under_a_card_without_a_clock_are_refused(refusal):
    pair = ('clock = "16:00 America/New_York"', 'clock = "none"')
    assert refusal("2026-02-05T21:00Z", pairs=[pair]) == (
        "toy.csv: 'date' holds instants, but toy.toml gives the clock 'none'; name the clock, such"
        " as '16:00 America/New_York'"
    )


@pytest.mark.parametrize("entry", ["05/02/2026", "2026-02-31", "20260205", "2026-02-31T21:00Z"])
def test_what_is_no_date_is_refused(refusal, entry):
    assert refusal(entry) == (
        f"toy.csv: 'date' holds '{entry}' on row 1, which is not a date such as 2026-02-05;"
        " correct it"
    )


def test_a_row_without_a_date_is_refused(refusal):
    assert refusal("2026-02-05", "") == (
        "toy.csv: 'date' holds nothing on row 2, which is not a date such as 2026-02-05; correct it"
    )


def test_two_instants_of_one_day_are_one_row_twice(refusal):
    assert "2026-02-05 appears twice with different values" in refusal(
        "2026-02-05T21:00Z", "2026-02-05T16:00-05:00"
    )


def test_the_exchange_was_closed_on_the_days_it_says():
    # the published holidays, 2024 to 2026
    closed = """2024-01-01 2024-01-15 2024-02-19 2024-03-29 2024-05-27 2024-06-19 2024-07-04
    2024-09-02 2024-11-28 2024-12-25 2025-01-01 2025-01-20 2025-02-17 2025-04-18 2025-05-26
    2025-06-19 2025-07-04 2025-09-01 2025-11-27 2025-12-25 2026-01-01 2026-01-19 2026-02-16
    2026-04-03 2026-05-25 2026-06-19 2026-07-03 2026-09-07 2026-11-26 2026-12-25"""
    weekdays = expected_days("weekdays", date(2024, 1, 1), date(2026, 12, 31))
    trading = expected_days("XNYS", date(2024, 1, 1), date(2026, 12, 31))
    assert weekdays.difference(trading).strftime("%Y-%m-%d").to_list() == closed.split()


def test_a_new_year_on_a_saturday_is_not_kept_and_juneteenth_began_in_2022():
    days = expected_days("XNYS", date(2020, 1, 1), date(2023, 12, 31))
    assert pd.Timestamp("2021-12-31") in days
    assert pd.Timestamp("2021-06-18") in days
    assert pd.Timestamp("2022-06-20") not in days
    assert pd.Timestamp("2023-01-02") not in days
    assert pd.Timestamp("2021-07-05") not in days


def test_a_missing_trading_day_is_refused(refusal):
    assert refusal("2026-02-03", "2026-02-06") == (
        "toy.csv: 2 day(s) of the XNYS calendar are missing, first 2026-02-04; add the rows with"
        " empty cells where nothing was observed, or list the days under closed in toy.toml"
    )


def test_a_day_listed_as_closed_is_not_missed(read):
    pair = ('calendar = "XNYS"', 'calendar = "XNYS"\nclosed = [2026-02-04, 2026-02-05]')
    assert len(read("2026-02-03", "2026-02-06", pairs=[pair])) == 2


def test_a_row_on_a_closed_day_is_refused(refusal):
    assert refusal("2026-02-13", "2026-02-16", "2026-02-17") == (
        "toy.csv: 2026-02-16 is a Monday on which the XNYS calendar is closed; remove the row or"
        " correct calendar in toy.toml"
    )


def test_a_round_the_clock_calendar_expects_weekends(refusal):
    pair = ('calendar = "XNYS"', 'calendar = "daily"')
    assert "2 day(s) of the daily calendar are missing, first 2026-02-07" in refusal(
        "2026-02-06", "2026-02-09", pairs=[pair]
    )


def test_a_missing_month_is_refused_whatever_its_day(read, refusal):
    pair = ('calendar = "XNYS"', 'calendar = "monthly"')
    assert len(read("2025-11-30", "2025-12-31", "2026-01-31", pairs=[pair])) == 3
    assert refusal("2025-11-30", "2026-01-31", pairs=[pair]) == (
        "toy.csv: the monthly calendar expects 2025-12 after 2025-11-30, found 2026-01-31; give"
        " each period one row"
    )


def test_a_calendar_of_none_expects_nothing(read):
    pair = ('calendar = "XNYS"', 'calendar = "none"')
    assert len(read("2026-01-03", "2026-02-06", pairs=[pair])) == 2


def test_the_zone_is_the_card_s_not_the_machine_s(read):
    pair = ('"16:00 America/New_York"', '"08:00 Asia/Singapore"')
    instant = pd.Timestamp("2026-02-06 08:00", tz=ZoneInfo("Asia/Singapore"))
    found = read(instant.tz_convert("UTC").isoformat(), pairs=[pair]).index
    assert found.strftime("%Y-%m-%d").to_list() == ["2026-02-06"]
