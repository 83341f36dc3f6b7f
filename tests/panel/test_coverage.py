"""A sample that cannot answer the question is refused: gaps, ends, lags, twins, constants."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from attribution.errors import DataError, EventError
from attribution.panel import read_panel


@pytest.fixture
def refusal(write):
    """Read the panel of a model and return the error that refuses it."""

    def read(model, rows, kind=DataError, **how):
        with pytest.raises(kind) as refused:
            read_panel(model, write(rows, **how))
        return str(refused.value)

    return read


def test_a_complete_sample_is_accepted(spec, write, rows):
    panel = read_panel(spec(), write(rows))
    assert panel.units == {"price_return": "log points", "share_return": "log points"}
    assert panel.values.index[0] == pd.Timestamp("2025-09-08")
    assert panel.values.notna().all(axis=None)
    prices = rows.set_index("date")["price"].astype(float)
    expected = 100 * np.log(prices["2026-02-05"] / prices["2026-02-04"])
    assert panel.values.loc["2026-02-05", "price_return"] == pytest.approx(expected)


def test_an_unknown_column_is_refused_with_the_nearest_name(spec, rows, refusal):
    assert refusal(spec(variables=("price_return", "share_retrun")), rows) == (
        "toy_model: column 'share_retrun' is not defined in toy.toml (nearest: 'share_return');"
        " define it there or correct the model"
    )


@pytest.mark.parametrize("day", ["2026-01-12", "2026-02-03"])
def test_a_variable_that_ends_before_the_event_is_refused_by_name(spec, rows, refusal, day):
    ended = rows.assign(share=rows["share"].where(rows["date"] <= day))
    assert refusal(spec(), ended, EventError) == (
        f"toy_model: variable 'share_return' ends on {day} in toy.csv, before the event (2026-02-04"
        " to 2026-02-05); supply it, declare it auxiliary, or remove it from the model"
    )
    assert EventError.exit_code == 5


def test_an_auxiliary_series_may_end_before_the_event(spec, write, rows):
    ended = rows.assign(share=rows["share"].where(rows["date"] <= "2026-01-12"))
    model = spec(variables=("price_return",), auxiliary=("share_return",))
    values = read_panel(model, write(ended)).values["share_return"]
    assert values.last_valid_index() == pd.Timestamp("2026-01-12")


def test_a_variable_missing_in_the_event_is_refused(spec, rows, refusal, at):
    gap = at(rows, "2026-02-04", "share", "")
    assert refusal(spec(), gap, EventError) == (
        "toy_model: variable 'share_return' is missing on 2026-02-04, in the event; supply it, or"
        " use a model without it"
    )


def test_a_variable_missing_elsewhere_in_the_sample_is_refused(spec, rows, refusal, at):
    gap = at(rows, "2025-11-12", "share", "")
    assert refusal(spec(), gap) == (
        "toy_model: variable 'share_return' is missing on 2 day(s) of the sample, first 2025-11-12;"
        " supply them, declare it auxiliary, or move the start of the sample"
    )


def test_a_gap_outside_the_sample_does_no_harm(spec, write, rows, at):
    gap = at(rows, "2025-09-03", "share", "")
    assert read_panel(spec(), write(gap)).values.notna().all(axis=None)


def test_a_test_series_may_have_gaps_but_must_exist(spec, write, rows, refusal, at):
    model = spec(tests=("flow",))
    gap = at(rows, "2026-02-05", "flow", "")
    assert read_panel(model, write(gap)).values["flow"].isna().sum() == 1
    assert refusal(model, rows.assign(flow="")) == (
        "toy_model: 'flow' was never observed in the sample; supply it or remove it"
    )


def test_a_variable_never_observed_is_refused(spec, rows, refusal):
    assert refusal(spec(), rows.assign(share="")) == (
        "toy_model: 'share_return' was never observed in the sample; supply it or remove it"
    )


def test_a_predetermined_column_known_too_late_is_refused(spec, rows, refusal):
    assert refusal(spec(exposures=("basis_change",)), rows) == (
        "toy_model: column 'basis_change' of toy.csv is not known before its day, so using it as"
        " pre-determined looks ahead; give it lag = 1 in the card or name another"
    )


def test_a_predetermined_column_must_be_complete(spec, write, rows, refusal, at):
    model = spec(exposures=("lagged_basis",))
    read_panel(model, write(rows))
    assert refusal(model, at(rows, "2025-11-12", "basis", "")) == (
        "toy_model: column 'lagged_basis' is missing on 1 day(s) of the sample, first 2025-11-13;"
        " supply them, or move the start of the sample"
    )


def test_an_event_on_a_weekend_is_refused(spec, rows, refusal):
    model = spec(window=(date(2026, 2, 5), date(2026, 2, 7)))
    assert refusal(model, rows, EventError) == (
        "toy_model: window 'crash' ends on 2026-02-07, a Saturday without a row in toy.csv; move it"
        " to a trading day"
    )


def test_an_event_on_a_holiday_is_refused(spec, rows, refusal):
    model = spec(window=(date(2026, 1, 19), date(2026, 1, 20)))
    assert "window 'crash' starts on 2026-01-19, a Monday without a row" in refusal(
        model, rows, EventError
    )


def test_an_event_after_the_data_is_refused(spec, rows, refusal):
    early = rows[rows["date"] <= "2026-02-03"]
    assert refusal(spec(), early, EventError) == (
        "toy_model: toy.csv ends on 2026-02-03, before the event does (2026-02-05); extend the data"
        " or move the event"
    )


def test_an_event_before_the_sample_is_refused(spec, rows, refusal):
    model = spec(window=(date(2025, 9, 4), date(2025, 9, 9)))
    assert refusal(model, rows, EventError) == (
        "toy_model: window 'crash' starts on 2025-09-04, outside the rows of toy.csv in the sample"
        " (2025-09-08 to 2026-02-13); move the window or extend the data"
    )


def test_an_event_before_its_lags_is_refused(spec, rows, refusal):
    model = spec(window=(date(2025, 9, 10), date(2025, 9, 10)), lags=3)
    assert refusal(model, rows, EventError) == (
        "toy_model: window 'crash' has 2 day(s) of the sample before it, 3 lag(s) need as many;"
        " start the sample earlier"
    )


def test_a_sample_that_the_file_does_not_reach_is_refused(spec, rows, refusal):
    model = spec(sample=(date(2025, 1, 2), date(2026, 2, 13)))
    assert refusal(model, rows) == (
        "toy_model: the sample (2025-01-02 to 2026-02-13) is not covered by toy.csv (2025-09-02 to"
        " 2026-02-13); extend the data or cut the sample"
    )


def test_a_short_sample_is_refused(spec, write, rows, refusal):
    # 26 rows, 2 held out, 2 lags: 22 days where 2 variables need 20
    accepted = spec(sample=(date(2026, 1, 7), date(2026, 2, 12)), lags=2)
    assert len(read_panel(accepted, write(rows)).values) == 26
    model = spec(sample=(date(2026, 1, 12), date(2026, 2, 12)), lags=2)
    assert refusal(model, rows) == (
        "toy_model: toy.csv leaves 19 days for estimation, 2 variables with 2 lag(s) need 20;"
        " extend the sample, or drop variables or lags"
    )


def test_more_lags_than_the_sample_can_carry_are_refused(spec, rows, refusal):
    found = refusal(spec(lags=50, sample=(date(2025, 9, 8), date(2026, 2, 13))), rows)
    assert "2 variables with 50 lag(s) need 103" in found


def test_a_constant_column_is_refused(spec, rows, refusal):
    assert refusal(spec(variables=("price_return", "flow")), rows.assign(flow="7")) == (
        "toy_model: 'flow' is 7 on every day of the sample; remove it from the model or change the"
        " sample"
    )


def test_a_column_that_varies_in_the_event_alone_is_constant(spec, rows, refusal, at):
    moved = at(rows.assign(flow="7"), "2026-02-05", "flow", "900")
    assert "'flow' is 7 on every day" in refusal(spec(variables=("price_return", "flow")), moved)


def test_collinear_columns_are_refused_and_the_pair_is_named(spec, rows, refusal):
    price = rows["price"].astype(float)
    twin = np.char.mod("%.6f", 0.4 * price * np.exp(1e-5 * np.sin(np.arange(len(price)))))
    assert refusal(spec(), rows.assign(share=twin)) == (
        "toy_model: 'price_return' and 'share_return' are collinear (correlation 1.0000); remove"
        " one of the two"
    )


def test_variables_collinear_only_together_are_refused(spec, rows, refusal, card):
    # the third is the sum of the other two to the last digit, no pair is
    third = '[columns.sum]\ntransform = "log_change"\nof = "price"\ntimes = "share"\nscale = 100\n'
    text = card() + "\n" + third + 'unit = "log points"\n'
    model = spec(variables=("price_return", "share_return", "sum"))
    found = refusal(model, rows, card=text)
    assert found.startswith(
        "toy_model: the variables are collinear together (condition number above 1000), '"
    )
    assert found.endswith("' most of all; remove one of the two")
