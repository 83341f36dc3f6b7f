"""The event's day in steps: laid between two closes of the rows, on their clock, or refused."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from attribution.errors import DataError, EventError
from attribution.panel import Evidence
from attribution.studies.event.path import path_of
from attribution.studies.event.question import DayBars

COLUMNS = ("close", "low", "high")


def asked(case, *columns, **keys):
    names = dict(zip(COLUMNS, columns or COLUMNS[:1], strict=False))
    return replace(case.question, bars=DayBars("hours", **names, **keys))


@pytest.fixture
def evidence(case, whole_evidence):
    """Hands over bars with the shipped rows."""

    def made(table, **changes):
        given = {"rows": whole_evidence.rows, "clocks": whole_evidence.clocks, **changes}
        tables = {} if table is None else {"hours": table}
        return Evidence("daily", given["rows"], {}, "0", (), tables, given["clocks"])

    return made


def test_steps_end_where_bars_close_and_add_up_to_the_row(case, hours, evidence):
    path = path_of(asked(case), evidence(hours()), case.rows, "m")
    assert len(path.move) == 24 and path.bar.all()
    assert path.move[-1] == case.rows.move[case.rows.event]
    assert path.difference == pytest.approx(0.0, abs=1e-12)
    assert path.zone == "America/New_York" and path.gap == 60.0
    assert path.ends[0] == np.datetime64("2026-02-04T22:00:00")
    assert path.ends[-1] == np.datetime64("2026-02-05T21:00:00")
    assert path.elapsed == pytest.approx(np.arange(1, 25) / 24)
    day = case.rows.drivers[case.rows.event]
    assert path.drivers == pytest.approx(path.elapsed[:, None] * day)
    assert path.volatility is None and path.own == ()


def test_without_bars_there_are_no_steps(case, hours, evidence):
    assert path_of(case.question, evidence(hours()), case.rows, "m") is None


def test_bars_of_a_minute_or_of_the_whole_day_tell_of_the_same_day(case, hours, evidence):
    one, many = (
        path_of(asked(case), evidence(hours(minutes)), case.rows, "m") for minutes in (1440, 5)
    )
    assert len(one.move) == 1 and len(many.move) == 288
    assert one.move[-1] == many.move[-1] and one.elapsed == pytest.approx([1.0])
    assert one.hours[-1] == many.hours[-1] == 24.0


def test_lows_and_highs_beyond_both_closes_are_steps_of_their_own(case, hours, evidence):
    """A falling bar goes through its high first, a rising one through its low."""
    table = hours(720)
    first, last = table.index[2], table.index[3]
    start = table["close"].iloc[1]
    table.loc[first, list(COLUMNS)] = start * np.exp([-0.05, -0.07, 0.02])
    end = table.loc[last, "close"]
    table.loc[last, ["low", "high"]] = end * np.exp([0.0, 0.01])  # a fall to its very low
    path = path_of(asked(case, *COLUMNS), evidence(table), case.rows, "m")
    observed = case.rows.move[case.rows.event]
    assert path.move == pytest.approx([0.02, -0.07, -0.05, observed])
    assert path.bar.tolist() == [False, False, True, True]
    assert path.hours == pytest.approx([4.0, 8.0, 12.0, 24.0])
    table.loc[first, list(COLUMNS)] = start * np.exp([0.05, -0.02, 0.07])
    path = path_of(asked(case, *COLUMNS), evidence(table), case.rows, "m")
    assert path.move[:3] == pytest.approx([-0.02, 0.07, 0.05])


def test_a_clock_difference_is_in_the_first_step_and_told(case, hours, evidence):
    table = hours()
    eve = table.index[1]  # read on another feed, a third of a point lower
    table.loc[eve] *= np.exp(-0.003)
    path = path_of(asked(case), evidence(table), case.rows, "m")
    exact = path_of(asked(case), evidence(hours()), case.rows, "m")
    assert path.difference == pytest.approx(-0.003)
    assert path.move == pytest.approx(exact.move)


def test_bars_that_miss_the_row_by_more_are_refused_with_both_numbers(case, hours, evidence):
    table = hours()
    table.iloc[1] *= np.exp(-0.006)
    said = r"moved by -14\.21 log points on 2026-02-05 by its row and by -13\.61 by bars, more than"
    with pytest.raises(DataError, match=said + r" 0\.5 apart; key bars by their closing time"):
        path_of(asked(case), evidence(table), case.rows, "m")
    assert path_of(asked(case, tolerance=0.7), evidence(table), case.rows, "m").difference < 0.0


def test_bars_stamped_by_their_opening_are_found_out(case, hours, evidence):
    table = hours()
    table["close"] *= np.exp(np.where(np.arange(len(table)) > len(table) - 4, 0.02, 0.0))
    table.index = (pd.DatetimeIndex(table.index) - pd.Timedelta(hours=1)).strftime("%FT%TZ")
    with pytest.raises(DataError, match="key bars by their closing time"):
        path_of(asked(case), evidence(table), case.rows, "m")


def test_a_driver_and_volatility_come_by_bars_of_their_own(case, hours, evidence, whole_evidence):
    rows, day = case.rows, pd.Timestamp(case.question.day)
    table, at = hours(), slice(2, 26)
    daily = whole_evidence.rows
    share = np.r_[0.0, 0.0, np.ones(6) / 6, np.zeros(16)]  # in the morning
    name, dvol = "igv_return", case.question.volatility.column
    table[name], table[dvol] = 0.0, daily[dvol].shift(1)[day]
    table.iloc[at, table.columns.get_loc(name)] = daily.loc[day, name] * share
    level = table.columns.get_loc(dvol)
    table.iloc[at, level] = daily[dvol].shift(1)[day] + daily[dvol].diff()[day] * share.cumsum()
    path = path_of(asked(case), evidence(table), rows, "m")
    assert path.own == (name, dvol)
    column, others = rows.names.index(name), [i for i, n in enumerate(rows.names) if n != name]
    kept = daily.loc[pd.DatetimeIndex(rows.days), name].to_numpy()
    came = (daily.loc[day, name] * share.cumsum() - path.elapsed * kept.mean()) / kept.std()
    assert path.drivers[:, column] == pytest.approx(came)
    assert path.drivers[-1] == pytest.approx(rows.drivers[rows.event])
    assert path.drivers[:, others] == pytest.approx(
        path.elapsed[:, None] * rows.drivers[rows.event][others]
    )
    assert path.volatility == pytest.approx(rows.volatility[rows.event] * share.cumsum())
    for wrong in (name, dvol):
        with pytest.raises(DataError, match=f"'{wrong}' is .* on the day by its row and"):
            changed = table.assign(**{wrong: table[wrong] * np.linspace(1.0, 3.0, len(table))})
            path_of(asked(case), evidence(changed), rows, "m")


def test_what_the_day_needs_and_is_not_there_is_refused(case, hours, evidence, whole_evidence):
    with pytest.raises(DataError, match=r"\[event.bars\] 'hours' is not among the data"):
        path_of(asked(case), evidence(None), case.rows, "m")
    with pytest.raises(DataError, match="read at 'none', which is no time of day"):
        path_of(asked(case), evidence(hours(), clocks={}), case.rows, "m")
    late = whole_evidence.rows.loc[pd.Timestamp(case.question.day) :]
    with pytest.raises(EventError, match="2026-02-05 is the first row; lengthen the sample"):
        path_of(asked(case), evidence(hours(), rows=late), case.rows, "m")
    with pytest.raises(DataError, match="no bar closes at 2026-02-04 21:00 UTC"):
        path_of(asked(case), evidence(hours().iloc[3:]), case.rows, "m")
    with pytest.raises(DataError, match="minutes where 60 may pass"):
        path_of(asked(case), evidence(hours().drop(hours().index[9])), case.rows, "m")


def test_prices_that_cannot_be_are_refused(case, hours, evidence):
    table = hours()
    table.iloc[5, table.columns.get_loc("high")] = table["close"].iloc[5] * 0.99
    with pytest.raises(DataError, match=r"closes at 2026-02-05 01:00 UTC has a price .* outside"):
        path_of(asked(case, *COLUMNS), evidence(table), case.rows, "m")
    table.iloc[5, table.columns.get_loc("close")] = 0.0
    with pytest.raises(DataError, match="not above zero"):
        path_of(asked(case), evidence(table), case.rows, "m")
