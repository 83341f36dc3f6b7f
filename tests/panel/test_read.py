"""Reading a model's panel passes every check of its series, and what is read keeps its order."""

from dataclasses import replace
from datetime import date

import pytest

from attribution.errors import DataError, EventError
from attribution.panel import read_panel


@pytest.fixture
def refusal(write):
    def read(model, rows, **how):
        with pytest.raises(DataError) as refused:
            read_panel(model, write(rows, **how))
        return str(refused.value)

    return read


def test_a_basis_in_decimals_is_refused(spec, rows, refusal):
    decimals = rows.assign(basis=(rows["basis"].astype(float) / 100).map("{:.5f}".format))
    found = refusal(spec(variables=("price_return", "basis_change")), decimals)
    assert found.startswith("toy.csv: 'basis' is typically 0.05")
    assert "outside 0.5 to 500 that toy.toml expects of percent a year" in found


def test_a_series_that_the_model_does_not_read_is_left_alone(spec, write, rows):
    decimals = rows.assign(basis="0.05")
    assert len(read_panel(spec(), write(decimals)).values)


def test_a_price_of_zero_is_refused(spec, rows, refusal, at):
    assert refusal(spec(), at(rows, "2025-11-12", "share", "0")) == (
        "toy.csv: 'share' is 0 on 2025-11-12, and 'share_return' takes its logarithm; correct the"
        " value or empty the cell"
    )


def test_a_split_is_refused_until_the_card_confirms_it(spec, write, rows, refusal, card):
    share = rows["share"].astype(float)
    split = rows.assign(share=share.where(rows["date"] < "2025-11-12", share / 10).map(str))
    assert refusal(spec(), split).startswith("toy.csv: 'share_return' moves by -90 % on 2025-11-12")
    pair = ('of = "share"\nscale = 100', 'of = "share"\nscale = 100\nconfirmed = [2025-11-12]')
    assert len(read_panel(spec(), write(split, card=card(pair))).values)


def test_a_split_outside_the_sample_does_no_harm(spec, write, rows):
    share = rows["share"].astype(float)
    split = rows.assign(share=share.where(rows["date"] < "2025-09-04", share / 10).map(str))
    assert len(read_panel(spec(), write(split)).values)


def test_a_sample_that_ends_after_the_file_is_refused(spec, rows, refusal):
    assert refusal(spec(sample=(date(2025, 9, 8), date(2026, 3, 2))), rows) == (
        "toy_model: the sample (2025-09-08 to 2026-03-02) is not covered by toy.csv (2025-09-02 to"
        " 2026-02-13); extend the data or cut the sample"
    )


def test_a_sample_may_begin_and_end_on_closed_days(spec, write, rows):
    # a Saturday, and the Monday of Washington's birthday after the file's last Friday
    found = read_panel(spec(sample=(date(2025, 9, 6), date(2026, 2, 16))), write(rows))
    ends = found.values.index[[0, -1]].strftime("%Y-%m-%d").to_list()
    assert ends == ["2025-09-08", "2026-02-13"]


def test_a_sample_that_needs_a_day_before_the_file_is_refused(spec, rows, refusal):
    assert refusal(spec(sample=(date(2025, 9, 2), date(2026, 2, 13))), rows) == (
        "toy_model: variable 'price_return' is missing on 1 day(s) of the sample, first 2025-09-02;"
        " supply them, declare it auxiliary, or move the start of the sample"
    )


def test_columns_stand_in_the_order_of_the_model(spec, write, rows):
    model = spec(variables=("share_return", "price_return"), exposures=("lagged_basis",))
    panel = read_panel(model, write(rows))
    assert tuple(panel.values.columns) == model.columns
    assert list(panel.values.columns) == ["price_return", "share_return", "lagged_basis"]
    assert panel.units["lagged_basis"] == "percent a year"


def test_the_first_day_of_the_sample_uses_the_day_before_it(spec, write, rows):
    panel = read_panel(spec(), write(rows))
    assert panel.values.iloc[0].notna().all()


def test_a_column_that_looks_forward_needs_the_day_after_the_event(spec, write, rows, card):
    text = (
        card() + '\n[columns.next_flow]\ntransform = "level"\nof = "flow"\nlead = 1\nunit = "USD"\n'
    )
    model = spec(
        variables=("price_return", "next_flow"), window=(date(2026, 2, 12), date(2026, 2, 13))
    )
    with pytest.raises(EventError) as refused:
        read_panel(model, write(rows, card=text))
    assert "variable 'next_flow' is missing on 2026-02-13, in the event" in str(refused.value)


def test_a_panel_out_of_order_cannot_exist(spec, write, rows):
    panel = read_panel(spec(), write(rows))
    with pytest.raises(DataError) as refused:
        replace(panel, values=panel.values.iloc[::-1])
    assert str(refused.value) == "panel 'toy': its days do not increase; sort them"


def test_a_panel_with_a_column_without_a_unit_cannot_exist(spec, write, rows):
    panel = read_panel(spec(), write(rows))
    with pytest.raises(DataError) as refused:
        replace(panel, units={"price_return": "log points"})
    assert str(refused.value) == "panel 'toy': columns and units differ; give each its unit"
