"""The monitor on a screen and in a folder: the same numbers, and refusals in a sentence."""

import json
from datetime import date

import pandas as pd
import pytest

from attribution.errors import DataError, SpecError
from attribution.studies.flows import monitor


@pytest.fixture(scope="module")
def found():
    return monitor.watch("flows", None, date(2026, 3, 31), 5)


def test_it_ends_on_the_day_asked(found):
    assert found.table.index[-1] == pd.Timestamp(2026, 3, 31)
    assert found.diagnostics["max_rhat"] < 1.05


def test_files_and_json_hold_the_same_numbers(found, tmp_path):
    names = {path.name for path in monitor.write_monitor(found, tmp_path / "out")}
    assert names == set(monitor.FILES)
    table = pd.read_csv(tmp_path / "out" / "monitor.csv", index_col="date")
    said = json.loads(monitor.as_json(found))["days"]["2026-03-31"]
    assert said["sum"] == pytest.approx(table.loc["2026-03-31", "sum"], abs=1e-9)
    assert said["sum"] == found.table["sum"].iloc[-1]


def test_a_screen_shows_the_last_days_and_the_findings(found):
    from io import StringIO

    from rich.console import Console

    console = Console(width=100, record=True, file=StringIO())
    for item in monitor.lines(found):
        console.print(item)
    text = console.export_text()
    assert "2026-03-31" in text
    assert f"{found.table['inflow'].iloc[-1]:.2f}" in text
    assert "inflow without basis expansion" in text


def test_one_seed_gives_the_same_table(found):

    earlier = monitor.watch("flows", None, date(2026, 3, 31), 5)
    pd.testing.assert_frame_equal(earlier.table, found.table)


def test_another_kind_of_model_and_days_before_the_data_are_refused():
    with pytest.raises(SpecError, match="kind 'bvar'; name one of kind 'flows'"):
        monitor.watch("bvar", None, None, 5)
    with pytest.raises(DataError, match="no day lies on or before"):
        monitor.watch("flows", None, date(2020, 1, 1), 5)
