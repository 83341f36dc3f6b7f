"""Where data are found, what fingerprint they have, and that Parquet holds what CSV holds."""

import builtins
import sys

import pandas as pd
import pytest

from attribution.errors import DataError
from attribution.panel import read_frame, read_panel


def refused(name, data):
    with pytest.raises(DataError) as error:
        read_frame(name, data)
    return str(error.value)


def numbers(rows):
    """The toy data as a table of numbers with a proper index of days."""
    table = rows.drop(columns="date").astype(float)
    return table.assign(date=pd.to_datetime(rows["date"]))


@pytest.fixture
def parquet(write, rows, card, tmp_path):
    """Write the toy data as Parquet beside a card that names it."""
    pytest.importorskip("pyarrow")

    def written(table):
        folder = write(rows, card=card(("toy.csv", "toy.parquet")))
        table.to_parquet(folder / "toy.parquet", index=False)
        return folder

    return written


def test_a_folder_or_a_file_names_the_same_data(spec, write, rows):
    folder = write(rows)
    by_folder, by_file = (read_panel(spec(), path) for path in (folder, folder / "toy.csv"))
    assert by_folder.values.equals(by_file.values)
    assert by_folder.digest == by_file.digest
    assert read_panel(spec(), folder / "toy.toml").digest == by_file.digest


def test_one_changed_byte_of_the_data_or_of_the_card_changes_the_digest(spec, write, rows, at):
    first = read_panel(spec(), write(rows))
    again = read_panel(spec(), write(rows))
    cell = rows.set_index("date").loc["2025-10-01", "flow"]
    data = read_panel(spec(), write(at(rows, "2025-10-01", "flow", cell + "0")))
    folder = write(rows)
    with (folder / "toy.toml").open("a") as file:
        file.write("#")
    card = read_panel(spec(), folder)
    assert len(first.digest) == 64
    assert first.digest == again.digest
    assert len({first.digest, data.digest, card.digest}) == 3
    assert first.values.equals(card.values)


def test_a_path_that_does_not_exist_is_refused(tmp_path):
    path = tmp_path / "absent"
    assert refused("toy", path) == f"data '{path}': no such file or folder; check the path"


def test_a_data_set_without_a_card_is_refused_with_the_nearest_name(write, rows):
    folder = write(rows)
    assert refused("toys", folder) == (
        f"data set 'toys': {folder.name}/ has no card toys.toml (nearest: 'toy'); add the card or"
        " correct the name"
    )
    assert refused("dayly", None).startswith(
        "data set 'dayly': the shipped data has no card dayly.toml (nearest: 'daily')"
    )


def test_a_data_file_without_a_card_is_refused(tmp_path, rows):
    rows.to_csv(tmp_path / "lone.csv", index=False)
    assert refused("lone", tmp_path / "lone.csv") == (
        "lone.csv: no card lone.toml beside it; write one that gives the unit, the transform and"
        " the clock of every column"
    )


def test_a_card_without_its_file_is_refused(write, rows):
    folder = write(rows)
    (folder / "toy.csv").unlink()
    assert refused("toy", folder) == (
        "toy.toml: its file toy.csv is not beside it; add it or correct file"
    )


def test_a_card_may_not_point_elsewhere(write, rows, card):
    folder = write(rows, card=card(("toy.csv", "../toy.csv")))
    assert refused("toy", folder) == (
        "toy.toml: file = '../toy.csv' is a path; name a file beside it"
    )


def test_a_file_of_another_kind_is_refused(write, rows):
    folder = write(rows, file="toy.xlsx")
    assert refused("toy", folder / "toy.xlsx") == (
        "toy.xlsx: neither CSV nor Parquet; save it as one of the two"
    )


def test_a_data_set_without_columns_is_no_panel(spec):
    from dataclasses import replace

    model = spec()
    with pytest.raises(DataError) as error:
        read_panel(replace(model, sample=replace(model.sample, panel="notes")))
    assert str(error.value) == (
        "notes.toml: layout 'records' has no columns for a model; name a data set with layout ="
        ' "series"'
    )


def test_parquet_holds_what_csv_holds(spec, write, rows, parquet):
    from_csv = read_panel(spec(), write(rows))
    from_parquet = read_panel(spec(), parquet(numbers(rows)))
    assert from_parquet.values.equals(from_csv.values)
    assert from_parquet.values.index.dtype == from_csv.values.index.dtype


def test_parquet_instants_are_read_on_the_clock(rows, parquet):
    close = pd.to_datetime(rows["date"] + " 16:00").dt.tz_localize("America/New_York")
    folder = parquet(numbers(rows).assign(date=close.dt.tz_convert("UTC")))
    assert read_frame("toy", folder).index.strftime("%Y-%m-%d").to_list() == rows["date"].to_list()


def test_parquet_instants_without_a_zone_are_refused(rows, parquet):
    folder = parquet(numbers(rows).assign(date=pd.to_datetime(rows["date"] + " 16:00")))
    assert refused("toy", folder) == (
        "toy.parquet: 'date' holds the instant '2025-09-02 16:00:00' without a time zone on row 1;"
        " add its offset from UTC, or write days alone"
    )


def test_parquet_truth_values_are_no_numbers(rows, parquet):
    folder = parquet(numbers(rows).assign(flow=True))
    assert refused("toy", folder) == (
        "toy.parquet: column 'flow': holds bool, not numbers; convert it or mark it as text"
    )


def test_a_missing_cell_of_parquet_stays_missing(rows, parquet):
    table = numbers(rows)
    table.loc[3, "flow"] = float("nan")
    assert read_frame("toy", parquet(table))["flow"].isna().sum() == 1


def test_what_only_claims_to_be_parquet_is_refused(write, rows, card):
    pytest.importorskip("pyarrow")
    folder = write(rows, card=card(("toy.csv", "toy.parquet")), file="toy.parquet")
    assert refused("toy", folder) == (
        "toy.parquet: not a Parquet file; write it again, or give CSV"
    )


def test_parquet_without_its_reader_names_the_extra(write, rows, card, monkeypatch):
    folder = write(rows, card=card(("toy.csv", "toy.parquet")), file="toy.parquet")
    found = builtins.__import__

    def without(name, *args, **kwargs):
        if name.split(".")[0] == "pyarrow":
            raise ImportError(name)
        return found(name, *args, **kwargs)

    for name in [name for name in sys.modules if name.split(".")[0] == "pyarrow"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", without)
    assert refused("toy", folder) == ("toy.parquet: reading Parquet needs pyarrow; install it")
