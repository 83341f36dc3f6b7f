"""Tables that are no panel, by entity or by record, pass the same checks of their file."""

import pandas as pd
import pytest

from attribution.errors import DataError
from attribution.panel import data_sets, read_frame

LONG = """
schema = 1
title = "Funds"
file = "funds.csv"
layout = "long"
index = "date"
entity = "fund"
clock = "16:00 America/New_York"
calendar = "XNYS"
source = "made up"

[series.close]
unit = "USD"
magnitude = [1, 1000]
"""
RECORDS = """
schema = 1
title = "Notes"
file = "notes.csv"
layout = "records"
index = "id"
clock = "none"
calendar = "none"

[series.barrier]
unit = "USD"

[series.issuer]
type = "text"
"""
FUNDS = [("2026-02-04", "A", "10"), ("2026-02-04", "B", "20"), ("2026-02-05", "A", "11")]
NOTES = [("N1", "43.6", "Bank"), ("N2", "", "")]


@pytest.fixture
def folder(tmp_path):
    """Write both tables with these rows."""

    def written(funds=(), notes=()):
        table = pd.DataFrame([*FUNDS, *funds], columns=["date", "fund", "close"])
        table.to_csv(tmp_path / "funds.csv", index=False)
        table = pd.DataFrame([*NOTES, *notes], columns=["id", "barrier", "issuer"])
        table.to_csv(tmp_path / "notes.csv", index=False)
        (tmp_path / "funds.toml").write_text(LONG)
        (tmp_path / "notes.toml").write_text(RECORDS)
        return tmp_path

    return written


def refused(name, data):
    with pytest.raises(DataError) as error:
        read_frame(name, data)
    return str(error.value)


def test_a_long_table_is_indexed_by_entity_and_day(folder):
    found = read_frame("funds", folder())
    assert found.index.names == ["fund", "time"]
    assert found.loc[("A", pd.Timestamp("2026-02-05")), "close"] == 11.0
    assert found.index.is_monotonic_increasing


def test_an_entity_may_begin_later_but_not_skip_a_day(folder):
    assert len(read_frame("funds", folder([("2026-02-05", "C", "5")]))) == 4
    assert refused("funds", folder([("2026-02-06", "B", "21")])) == (
        "funds.csv: fund 'B': 1 day(s) of the XNYS calendar are missing, first 2026-02-05; add the"
        " rows with empty cells where nothing was observed, or list the days under closed in"
        " funds.toml"
    )


def test_an_entity_that_appears_twice_on_a_day_is_refused(folder):
    assert refused("funds", folder([("2026-02-05", "A", "12")])) == (
        "funds.csv: A 2026-02-05 appears twice with different values (close = 11.0 and 12.0); keep"
        " the right row"
    )


def test_an_entity_out_of_order_is_sorted_and_said(folder):
    (funds, _) = data_sets(folder([("2026-02-03", "A", "12"), ("2026-02-04", "A", "10")]))
    found = read_frame("funds", folder())
    assert funds.repairs == (
        "funds.csv: dropped 1 row(s) repeated value by value (A 2026-02-04)",
        "funds.csv: its rows stood out of order; sorted by time",
    )
    assert found.index.is_monotonic_increasing


def test_units_of_a_long_table_are_checked(folder):
    wild = [("2026-02-06", "A", "9e6"), ("2026-02-05", "B", "9e6"), ("2026-02-06", "B", "9e6")]
    assert "'close' is typically 4.50001e+06, outside 1 to 1000" in refused("funds", folder(wild))


def test_records_keep_their_texts_and_their_gaps(folder):
    found = read_frame("notes", folder())
    assert found.index.to_list() == ["N1", "N2"]
    assert found["issuer"].to_list() == ["Bank", ""]
    assert found["barrier"].isna().to_list() == [False, True]


def test_a_record_without_its_key_is_refused(folder):
    assert refused("notes", folder(notes=[("", "1", "x")])) == (
        "notes.csv: 'id' is empty on row 3; give it a key"
    )


def test_records_that_share_a_key_are_refused(folder):
    assert refused("notes", folder(notes=[("N1", "43.7", "Bank")])) == (
        "notes.csv: N1 appears twice with different values (barrier = 43.6 and 43.7); keep the"
        " right row"
    )


def test_data_sets_are_listed_with_what_was_repaired(folder):
    funds, notes = data_sets(folder([FUNDS[-1]]))
    assert (funds.name, funds.rows, funds.first, funds.last) == (
        *("funds", 3, "2026-02-04", "2026-02-05"),
    )
    assert funds.repairs == ("funds.csv: dropped 1 row(s) repeated value by value (A 2026-02-05)",)
    assert [(c.name, c.unit, c.transform, c.source) for c in funds.columns] == [
        ("close", "USD", "level", "made up")
    ]
    assert (notes.rows, notes.first, notes.last) == (2, "", "")
    assert [(c.name, c.transform) for c in notes.columns] == [
        ("barrier", "level"),
        ("issuer", "text"),
    ]


def test_one_data_file_is_listed_alone(folder):
    (found,) = data_sets(folder() / "funds.csv")
    assert (found.name, found.rows) == ("funds", 3)


def test_a_folder_without_cards_is_refused(tmp_path):
    with pytest.raises(DataError) as error:
        data_sets(tmp_path)
    assert str(error.value) == (
        f"{tmp_path}: a folder without cards; add a card (.toml) for each data file"
    )
