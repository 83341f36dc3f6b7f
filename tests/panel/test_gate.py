"""Files and frames pass one gate: any order is the same order, and a gap is never one step."""

import numpy as np
import pandas as pd
import pytest
from made_up import noise

from attribution.errors import DataError, EventError
from attribution.model import model_from
from attribution.panel import panel_of, read_evidence, read_panel

DAYS = pd.bdate_range("2022-01-03", periods=260, name="date")
MODEL = """
schema = 1
kind = "svar"
title = "t"
[sample]
start = 2022-01-04
end = 2022-12-30
[event]
name = "e"
outcome = "y"
[[event.windows]]
name = "w"
start = 2022-11-02
end = 2022-11-08
[system]
variables = ["x", "y"]
lags = 2
[identification]
scheme = "recursive"
"""
SLOPE = """
schema = 1
kind = "iv"
title = "t"
methods = ["2sls"]
[sample]
[errors]
covariance = "robust"
[[equations]]
name = "e"
outcome = "y"
endogenous = ["x"]
instruments = ["z"]
lagged = { y = 1 }
reason = "r"
"""
PATH = """
schema = 1
kind = "projection"
title = "t"
[sample]
[event]
outcome = "y"
[projection]
variables = ["x", "y"]
impulse = "x"
lags = 1
horizons = 2
"""
CARD = """
schema = 1
index = "date"
unit = "points"
[columns]
x = { transform = "change" }
y = { transform = "change" }
z = { transform = "change" }
"""


@pytest.fixture
def frame():
    return noise(DAYS, seed=1)


@pytest.fixture
def spec():
    return model_from(MODEL, "toy")


@pytest.fixture
def write(tmp_path):
    def written(frame, card=CARD):
        frame.to_csv(tmp_path / "d.csv")
        (tmp_path / "d.toml").write_text(card)
        return tmp_path / "d.csv"

    return written


def shuffled(frame):
    return frame.sample(frac=1.0, random_state=3)


@pytest.mark.parametrize("order", [shuffled, lambda frame: frame.iloc[::-1]])
def test_rows_in_any_order_are_the_same_rows(frame, spec, write, order):
    one, other = panel_of(frame, spec), panel_of(order(frame), spec)
    assert one.values.equals(other.values) and one.digest == other.digest
    assert other.repairs == ("the data frame: its rows stood out of order; sorted by time",)
    assert one.repairs == ()
    seen = read_panel(spec, write(frame))
    assert read_panel(spec, write(order(frame))).values.equals(seen.values)
    study = model_from(SLOPE, "toy")
    assert read_evidence(study, order(frame)).rows.equals(read_evidence(study, frame).rows)


def test_numbered_rows_are_ordered_by_the_dates_beside_them(frame):
    study = model_from(SLOPE, "toy")
    beside = shuffled(frame).reset_index()
    found = read_evidence(study, beside).rows
    assert found.equals(read_evidence(study, frame).rows)


def test_a_weekday_lost_in_the_window_or_its_lags_is_refused_and_elsewhere_counted(
    frame, spec, write
):
    for day in ("2022-10-31", "2022-11-01", "2022-11-04"):
        less = frame.drop(pd.Timestamp(day))
        for read in (lambda f: panel_of(f, spec), lambda f: read_panel(spec, write(f))):
            with pytest.raises(EventError) as refused:
                read(less)
            assert f"lack {day}" in str(refused.value) and "add the row" in str(refused.value)
    for day in ("2022-05-04", "2022-10-28", "2022-11-09"):
        for panel in (
            panel_of(frame.drop(pd.Timestamp(day)), spec),
            read_panel(spec, write(frame.drop(pd.Timestamp(day)))),
        ):
            (line,) = panel.repairs
            assert "1 weekday(s) of the sample have no row and are no holiday of a known" in line
            assert day in line


def test_holidays_are_no_gaps(frame, spec):
    kept = frame.drop(pd.to_datetime(["2022-04-15", "2022-07-04", "2022-11-24", "2022-12-26"]))
    assert panel_of(kept, spec).repairs == ()


def test_what_the_card_lists_as_closed_is_no_gap_in_a_window(frame, spec, write):
    card = CARD.replace(
        'unit = "points"', 'unit = "points"\ncalendar = "weekdays"\nclosed = [2022-11-04]'
    )
    assert read_panel(spec, write(frame.drop(pd.Timestamp("2022-11-04")), card)).repairs == ()


def test_a_long_gap_is_refused_in_the_sample_and_does_no_harm_before_it(frame, spec, write):
    hole = frame.drop(DAYS[100:110])
    for read in (lambda: panel_of(hole, spec), lambda: read_panel(spec, write(hole))):
        with pytest.raises(DataError, match="lacks 10 of its weekdays rows in the sample"):
            read()
    late = model_from(MODEL.replace("2022-01-04", "2022-06-15"), "toy")
    assert len(panel_of(hole, late).values) == len(DAYS[DAYS >= "2022-06-15"])


def test_too_many_weekdays_without_a_row_are_no_holidays(frame, spec):
    some = np.random.default_rng(2).choice(200, 32, replace=False)
    with pytest.raises(DataError, match="more than holidays explain"):
        panel_of(frame.drop(DAYS[np.sort(some)]), spec)


@pytest.mark.parametrize("freq", ["MS", "ME", "QS", "W-FRI", "D"])
def test_an_absent_period_is_refused(frame, freq):
    days = pd.date_range("1980-01-01", periods=len(frame), freq=freq)
    text = MODEL[: MODEL.index("[event]")] + MODEL[MODEL.index("[system]") :]
    text = text.replace("2022-01-04", f"{days[0]:%Y-%m-%d}").replace(
        "2022-12-30", f"{days[-1]:%Y-%m-%d}"
    )
    spec = model_from(text, "toy")
    whole = frame.set_axis(days)
    assert panel_of(whole, spec).repairs == ()
    with pytest.raises(DataError, match=r"lacks 1 of its .* no lag may cross a gap"):
        panel_of(whole.drop(days[40]), spec)


def test_no_change_is_taken_across_a_gap(frame, write):
    weekly = frame.set_axis(pd.date_range("2015-01-02", periods=len(frame), freq="W-FRI")).cumsum()
    study = model_from(SLOPE.replace("[sample]", '[sample]\npanel = "d"'), "toy")
    path = write(weekly.drop(weekly.index[50]).rename_axis("date"))
    found = read_evidence(study, path.parent)
    whole = weekly.diff()
    assert np.isnan(found.rows["x"].iloc[[50, 51]]).all()
    kept = np.delete(np.arange(len(frame)), [0, 50, 51])
    assert found.rows["x"].iloc[kept].to_numpy() == pytest.approx(whole["x"].iloc[kept])
    (line,) = found.repairs
    assert "1 of its weekly rows are absent, 2015-12-18 (Friday)" in line


def test_a_lag_does_not_cross_a_gap_of_one_entity(frame):
    days = DAYS[:40]
    rows = [(name, day) for name in ("a", "b") for day in days]
    index = pd.MultiIndex.from_tuples(rows, names=["firm", "day"])
    numbers = np.arange(80.0)
    panel = pd.DataFrame({"x": numbers, "y": numbers**2, "z": -numbers}, index)
    study = model_from(SLOPE, "toy")
    less = panel.drop(("b", days[20]))
    found = read_evidence(study, less)
    assert len(found.rows) == 80
    assert np.isnan(found.rows.loc[("b", days[20]), "y"])
    lag = found.rows["y"].groupby(level=0).shift(1)
    assert np.isnan(lag.loc[("b", days[21])])
    assert read_evidence(study, shuffled(less)).rows.equals(found.rows)


def test_entities_that_are_numbers_are_named_as_a_model_names_them():
    index = pd.MultiIndex.from_product([[7, "b"], DAYS[:5]], names=["firm", "day"])
    panel = pd.DataFrame({name: np.arange(10.0) for name in "xyz"}, index)
    found = read_evidence(model_from(SLOPE, "toy"), panel.iloc[::-1])
    assert found.rows.loc["7", "x"].tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]


def test_numbers_of_rows_are_sorted_and_one_that_is_skipped_is_a_gap(frame):
    study = model_from(PATH, "toy")
    numbered = frame.reset_index(drop=True)
    numbered.index = pd.Index(np.arange(len(frame)))
    found = read_evidence(study, shuffled(numbered).drop(60))
    assert found.rows.drop(60).equals(numbered.drop(60)[list(found.rows)])
    assert found.rows.loc[60].isna().all()


def test_every_instant_of_the_last_day_is_in_the_sample(frame):
    study = model_from(
        SLOPE.replace("[sample]", "[sample]\nstart = 2022-01-03\nend = 2022-06-30"), "toy"
    )
    closes = frame.set_axis(DAYS + pd.Timedelta(hours=16))
    assert read_evidence(study, closes).days[-1] == pd.Timestamp("2022-06-30")
    hours = pd.date_range("2022-06-20", periods=len(frame), freq="h")
    assert read_evidence(study, frame.set_axis(hours)).rows.index[-1] == pd.Timestamp(
        "2022-06-30 19:00"
    )


def test_a_long_window_is_no_shortage_where_nothing_is_left_out(frame):
    text = MODEL.replace("2022-11-02", "2022-01-06").replace("2022-11-08", "2022-12-28")
    text += "[prior]\nflat = true\n"
    spec = model_from(text, "toy")
    with pytest.raises(DataError, match="days for estimation"):
        panel_of(frame, spec)
    assert len(panel_of(frame, spec, left_out=False).values) == 259
