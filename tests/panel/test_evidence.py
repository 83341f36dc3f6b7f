"""The rows of a study: entity by entity, joined by day, cut to the sample; or a frame."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
import pytest

from attribution.errors import DataError
from attribution.model.study import StudySample, StudySpec
from attribution.panel import read_evidence

DAYS = pd.to_datetime(["2026-01-05", "2026-01-06", "2026-01-07"])
LONG = """
schema = 1
title = "Two funds"
file = "funds.csv"
layout = "long"
index = "date"
entity = "fund"
clock = "16:00 America/New_York"
calendar = "XNYS"
source = "made up"
vintage = "final"
refresh = "draw again"

[series.close]
unit = "USD"

[series.flow]
unit = "USD million"

[columns.fund_return]
transform = "log_change"
of = "close"
scale = 100
unit = "log points"
"""
BESIDE = """
schema = 1
title = "Market"
file = "market.csv"
layout = "series"
index = "date"
clock = "16:00 America/New_York"
calendar = "XNYS"
source = "made up"
vintage = "final"
refresh = "draw again"

[series.index]
unit = "points"

[columns.index_change]
transform = "change"
of = "index"
unit = "points"
"""
DEALS = """
schema = 1
title = "Deals"
file = "deals.csv"
layout = "records"
index = "id"
clock = "none"
calendar = "none"
source = "made up"
vintage = "final"
refresh = "draw again"

[series.face]
unit = "USD"
magnitude = [100, 1000000]

[series.terms]
type = "text"
"""


@dataclass(frozen=True)
class Asked:
    columns: tuple = ("flow", "fund_return")
    outcome: str = "flow"


@dataclass(frozen=True)
class AskedWithRecords(Asked):
    tables: tuple = ("deals",)


def spec(columns=("flow", "fund_return"), **sample):
    return StudySpec("toy", "panel", "Toy", (), StudySample(**sample), Asked(columns))


@pytest.fixture
def folder(tmp_path):
    """Write two funds, one of which begins a day later, and a market beside them."""
    (tmp_path / "funds.toml").write_text(LONG)
    (tmp_path / "market.toml").write_text(BESIDE)
    rows = [(day, "A", 10.0 * 2**i, float(i)) for i, day in enumerate(DAYS)]
    rows += [(day, "B", 5.0 * 3**i, -float(i)) for i, day in enumerate(DAYS[1:])]
    frame = pd.DataFrame(rows, columns=["date", "fund", "close", "flow"])
    frame.to_csv(tmp_path / "funds.csv", index=False)
    pd.DataFrame({"date": DAYS, "index": [1.0, 4.0, 9.0]}).to_csv(
        tmp_path / "market.csv", index=False
    )
    return tmp_path


def test_a_derived_column_never_reaches_from_one_entity_into_another(folder):
    rows = read_evidence(spec(panel="funds"), folder).rows["fund_return"]
    assert np.isnan(rows["A"].iloc[0])
    assert np.isnan(rows["B"].iloc[0])
    assert rows["A"].iloc[1:].to_numpy() == pytest.approx(100 * np.log(2))
    assert rows["B"].iloc[1:].to_numpy() == pytest.approx(100 * np.log(3))


def test_columns_beside_are_joined_by_day_for_every_entity(folder):
    asked = ("flow", "index_change")
    found = read_evidence(spec(asked, panel="funds", beside="market"), folder)
    assert found.rows["index_change"]["A"].iloc[1:].tolist() == [3.0, 5.0]
    assert found.rows["index_change"]["B"].tolist() == [3.0, 5.0]
    assert found.units == {"flow": "USD million", "index_change": "points"}
    assert found.entity == "fund"


def test_wide_puts_a_gap_where_an_entity_has_no_row(folder):
    wide = read_evidence(spec(panel="funds"), folder).wide("flow")
    assert list(wide.columns) == ["A", "B"]
    assert np.isnan(wide.loc[DAYS[0], "B"])
    assert wide["A"].tolist() == [0.0, 1.0, 2.0]


def test_the_day_before_the_sample_still_serves_its_first_change(folder):
    found = read_evidence(spec(panel="funds", start=date(2026, 1, 6)), folder)
    assert found.days[0] == DAYS[1]
    assert not np.isnan(found.rows["fund_return"]["A"].iloc[0])


def test_one_changed_byte_changes_the_digest(folder):
    asked = spec(("flow", "index_change"), panel="funds", beside="market")
    before = read_evidence(asked, folder).digest
    text = (folder / "market.csv").read_text()
    (folder / "market.csv").write_text(text.replace("9.0", "9.5"))
    assert read_evidence(asked, folder).digest != before


@pytest.mark.parametrize(
    ("columns", "sample", "message"),
    [
        (("flow", "fund_retrun"), {"panel": "funds"}, "nearest: 'fund_return'"),
        (("flow",), {"panel": "funds", "start": date(2027, 1, 1)}, "no row of funds.csv lies in"),
        (("flow",), {}, "names no panel"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(folder, columns, sample, message):
    with pytest.raises(DataError, match=message):
        read_evidence(spec(columns, **sample), folder)


def test_a_frame_is_used_as_it_stands_and_may_have_no_dates():
    frame = pd.DataFrame({"flow": [1, 2, 3], "region": ["a", "b", "a"]}, index=["x", "y", "z"])
    found = read_evidence(spec(("flow", "region")), frame, {"flow": "USD million"})
    assert found.rows["flow"].tolist() == [1.0, 2.0, 3.0]
    assert found.rows["region"].tolist() == ["a", "b", "a"]
    assert not found.dated
    assert found.units == {"flow": "USD million", "region": "unit"}


def test_a_frame_of_entities_and_days_is_sorted_and_cut():
    index = pd.MultiIndex.from_product([["B", "A"], DAYS[::-1]], names=["fund", "day"])
    frame = pd.DataFrame({"flow": range(6)}, index=index)
    found = read_evidence(spec(("flow",), start=date(2026, 1, 6)), frame)
    assert found.rows.loc["A", "flow"].tolist() == [4.0, 3.0]
    assert found.rows.index.names == ["fund", "time"]


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pd.DataFrame({"flw": [1.0]}), "no column 'flow'"),
        (pd.DataFrame({"flow": [1.0, np.inf]}), "infinite on 1"),
        (pd.DataFrame([[1.0, 2.0]], columns=["flow", "flow"]), "'flow' appears twice"),
        (pd.DataFrame({"flow": [1.0, 2.0]}, index=["a", "a"]), r"row 2 \(a\) stands twice"),
        (pd.DataFrame({"flow": [1.0]}, index=pd.to_datetime(["2026-01-05"], utc=True)), "instants"),
    ],
)
def test_a_frame_that_cannot_be_used_is_refused(frame, message):
    with pytest.raises(DataError, match=message):
        read_evidence(spec(("flow",)), frame)


def test_dates_in_the_sample_need_dated_rows():
    frame = pd.DataFrame({"flow": [1.0, 2.0]})
    with pytest.raises(DataError, match="have none; remove start and end"):
        read_evidence(spec(("flow",), start=date(2026, 1, 1)), frame)


def with_records(tables=("deals",), **sample):
    asked = AskedWithRecords(("flow",), tables=tables)
    return StudySpec("toy", "panel", "Toy", (), StudySample(panel="funds", **sample), asked)


@pytest.fixture
def deals(folder):
    """Write records beside the funds."""
    (folder / "deals.toml").write_text(DEALS)
    text = "id,face,terms\nD1,5000,two years\nD2,,\n"
    (folder / "deals.csv").write_text(text)
    return folder


def test_a_study_without_records_has_none(folder):
    assert read_evidence(spec(panel="funds"), folder).tables == {}


@pytest.mark.parametrize("file", ["", "funds.csv"])
def test_records_come_whole_from_where_the_rows_come_from(deals, file):
    found = read_evidence(with_records(start=DAYS[1].date()), deals / file).tables["deals"]
    assert found.index.tolist() == ["D1", "D2"]
    assert found["face"].iloc[0] == 5000.0
    assert np.isnan(found["face"].iloc[1])
    assert found["terms"].iloc[0] == "two years"


def test_one_changed_byte_of_the_records_changes_the_digest(deals):
    plain = read_evidence(spec(("flow",), panel="funds"), deals).digest
    before = read_evidence(with_records(), deals).digest
    text = (deals / "deals.csv").read_text()
    (deals / "deals.csv").write_text(text.replace("two", "six"))
    assert len({plain, before, read_evidence(with_records(), deals).digest}) == 3


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        (("dels",), "has no card dels.toml .nearest: 'deals'"),
        (("market",), "data set 'market' has layout 'series', and records are asked for"),
    ],
)
def test_records_that_cannot_be_read_are_refused(deals, tables, message):
    with pytest.raises(DataError, match=message):
        read_evidence(with_records(tables), deals)


def test_records_in_another_unit_are_refused(deals):
    text = (deals / "deals.csv").read_text()
    (deals / "deals.csv").write_text(text.replace("5000", "0.005"))
    with pytest.raises(DataError, match="'face' is typically"):
        read_evidence(with_records(), deals)


def test_a_frame_carries_no_records():
    frame = pd.DataFrame({"flow": [1.0, 2.0]})
    with pytest.raises(DataError, match="cannot carry; hand over a folder"):
        read_evidence(with_records(), frame)


def test_a_study_may_name_a_series_as_it_stands(folder):
    found = read_evidence(spec(("index", "index_change"), panel="market"), folder)
    assert found.rows["index"].tolist() == [1.0, 4.0, 9.0]
    assert found.units == {"index": "points", "index_change": "points"}


def test_a_derived_column_hides_the_series_of_its_name(folder):
    card = BESIDE.replace("[columns.index_change]", "[columns.index]")
    (folder / "market.toml").write_text(card)
    found = read_evidence(spec(("index",), panel="market"), folder).rows["index"]
    assert found.iloc[1:].tolist() == [3.0, 5.0]
