"""A data frame becomes a panel: any dates, any frequency, and the refusals that a file meets."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from attribution.errors import DataError, EventError
from attribution.model import model_from
from attribution.panel import panel_of

MONTHS = pd.period_range("1990-01", "1999-12", freq="M")
MODEL = """
schema = 1
kind = "svar"
title = "Toy"

[sample]
start = "1990-01"
end = "1999-12"

[system]
variables = ["output", "prices"]
lags = 2

[identification]
scheme = "recursive"
"""
EVENT = """
[event]
name = "June 1995"
outcome = "prices"

[[event.windows]]
name = "june"
start = "1995-06"
end = "1995-06"
"""


@pytest.fixture
def model():
    """Read the toy model; keywords replace parts of its text."""

    def read(text=MODEL, **parts):
        for old, new in parts.items():
            text = text.replace(old, new)
        return model_from(text, "toy_model")

    return read


@pytest.fixture
def frame():
    rng = np.random.default_rng(1)
    steps = rng.standard_normal((len(MONTHS), 3)).cumsum(0)
    return pd.DataFrame(steps, index=MONTHS, columns=["prices", "spare", "output"])


def refused(frame, spec, kind=DataError, **more):
    with pytest.raises(kind) as error:
        panel_of(frame, spec, **more)
    return str(error.value)


@pytest.mark.parametrize(
    "indexed",
    [
        lambda frame: frame,
        lambda frame: frame.set_index(frame.index.to_timestamp()),
        lambda frame: frame.set_index(frame.index.strftime("%Y-%m")),
        lambda frame: frame.set_index(frame.index.strftime("%Ym%m")),
        lambda frame: frame.set_index(frame.index.to_timestamp().strftime("%Y-%m-%d")),
        lambda frame: frame.rename_axis("month").reset_index(),
        lambda frame: frame.reset_index(drop=True).assign(when=frame.index.to_timestamp()),
        lambda frame: frame.reset_index(drop=True).assign(Date=frame.index.strftime("%Y-%m")),
    ],
    ids=["periods", "stamps", "labels", "m", "days", "column", "when", "Date"],
)
def test_dates_may_stand_in_the_index_or_in_a_column(frame, model, indexed):
    panel = panel_of(indexed(frame), model())
    assert list(panel.values) == ["output", "prices"]
    assert panel.values.index[[0, -1]].strftime("%Y-%m-%d").to_list() == [
        "1990-01-01",
        "1999-12-01",
    ]
    assert np.array_equal(panel.values["prices"], frame["prices"])
    assert panel.values.index.dtype == "datetime64[us]"


@pytest.mark.parametrize("freq", ["D", "W-SUN", "M", "Q-DEC", "Y-DEC"])
def test_any_frequency_will_do(frame, model, freq):
    days = pd.period_range("1990-01-01", periods=len(frame), freq=freq)
    end = days[-1].start_time.date()
    panel = panel_of(frame.set_index(days), model(**{'"1999-12"': f"{end}"}))
    assert len(panel.values) == len(frame)


def test_what_stands_at_the_end_of_a_month_stays_there(frame, model):
    ends = frame.set_index(frame.index.to_timestamp(how="end").normalize())
    days = panel_of(ends, model(**{'"1999-12"': "1999-12-31"})).values.index
    assert days[-1] == pd.Timestamp("1999-12-31")


def test_units_are_given_or_are_units(frame, model):
    assert panel_of(frame, model()).units == {"output": "unit", "prices": "unit"}
    panel = panel_of(frame, model(), {"prices": "percent"})
    assert panel.units == {"output": "unit", "prices": "percent"}
    assert panel.card.columns["prices"].unit == "percent"
    assert refused(frame, model(), units={"price": "percent"}) == (
        "toy_model: units name 'price', which the model does not read (nearest: 'prices'); correct"
        " it"
    )


def test_the_fingerprint_is_that_of_what_was_read(frame, model):
    one, other = panel_of(frame, model()), panel_of(frame.assign(spare=0.0), model())
    assert one.digest == other.digest
    frame.loc[MONTHS[5], "prices"] += 1e-9
    assert panel_of(frame, model()).digest != one.digest


def test_the_sample_cuts_the_frame_and_must_be_in_it(frame, model):
    part = model(**{'"1999-12"': '"1995-12"'})
    assert len(panel_of(frame, part).values) == 72
    late = model(**{'"1999-12"': '"2005-12"'})
    assert refused(frame, late) == (
        "toy_model: the sample (1990-01-01 to 2005-12-01) is not covered by the data frame"
        " (1990-01-01 to 1999-12-01); extend the data or cut the sample"
    )


@pytest.mark.parametrize(
    ("spoilt", "sentence"),
    [
        (
            lambda f: f.drop(columns="prices").assign(price=1.0),
            "the data frame has no column 'prices' (nearest: 'price'); add it or correct the model",
        ),
        (
            lambda f: f.assign(prices=f["prices"].astype(str)),
            "the data frame: column 'prices' holds str, not numbers; convert it",
        ),
        (
            lambda f: f.assign(prices=f["prices"].where(f.index != MONTHS[6], np.inf)),
            "the data frame: column 'prices' is infinite on 1990-07-01; correct it, or make it"
            " missing",
        ),
        (
            lambda f: f.assign(prices=f["prices"].where(f.index != MONTHS[6])),
            "toy_model: variable 'prices' is missing on 1 day(s) of the sample, first 1990-07-01;"
            " supply them, declare it auxiliary, or move the start of the sample",
        ),
        (
            lambda f: pd.concat([f, f.iloc[-1:]]),
            "the data frame: row 121 (1999-12-01) stands twice; keep one row of each label",
        ),
        (
            lambda f: f.reset_index(drop=True),
            "the data frame: its index holds no dates and no column does; set the column of dates"
            " as index",
        ),
        (
            lambda f: f.reset_index(drop=True).assign(date=1, time=2),
            "the data frame: its index holds no dates and columns date, time do; set the column of"
            " dates as index",
        ),
        (
            lambda f: f.set_index(f.index.to_timestamp().tz_localize("UTC")),
            "the data frame: its dates are instants in UTC; convert them to days, with tz_convert"
            " to the zone in which rows are read, then tz_localize(None) and normalize()",
        ),
        (
            lambda f: f.set_index(["a"] * len(f) + f.index.astype(str)),
            "the data frame: 'index' holds 'a1990-01' on row 1, which is not a date such as"
            " 2026-02-05; correct it",
        ),
        (
            lambda f: f.iloc[:0],
            "the data frame has no rows or no columns; hand over the observations",
        ),
        (
            lambda f: f.rename(columns={"spare": "prices"}),
            "the data frame: column 'prices' appears twice; remove or rename one",
        ),
    ],
)
def test_a_frame_that_cannot_be_used_is_refused(frame, model, spoilt, sentence):
    found = refused(spoilt(frame), model())
    assert found.replace("holds object,", "holds str,") == sentence


def test_what_is_no_frame_is_refused(frame, model):
    assert refused(frame["prices"], model()) == (
        "toy_model: Series is no data frame; hand over a pandas DataFrame"
    )


def test_an_event_without_a_row_names_the_nearest_one(frame, model):
    ends = frame.set_index(frame.index.to_timestamp(how="end").normalize())
    spec = model(MODEL + EVENT, **{'"1999-12"': "1999-12-31"})
    assert refused(ends, spec, EventError) == (
        "toy_model: window 'june' starts on 1995-06-01, without a row in the data frame; rows are"
        " monthly, the nearest is 1995-05-31"
    )


@pytest.mark.parametrize(
    ("day", "sentence"),
    [
        (
            date(1995, 6, 2),
            "toy_model: an outlier stands on 1995-06-02, without a row in the data frame; rows are"
            " monthly, the nearest is 1995-06-01",
        ),
        (
            date(1990, 2, 1),
            "toy_model: an outlier stands on 1990-02-01, one of the first 2 rows of the sample,"
            " whose shocks are not estimated; move it or start the sample earlier",
        ),
    ],
)
def test_an_outlier_must_stand_on_a_row_that_is_estimated(frame, model, day, sentence):
    spec = model()
    spec = replace(spec, errors=replace(spec.errors, outliers=(day,)))
    assert refused(frame, spec) == sentence


def test_levels_that_share_a_trend_are_not_collinear(frame, model):
    trend = 0.05 * np.arange(len(frame))
    levels = frame.assign(
        output=0.01 * frame["output"] + trend, prices=frame["prices"] / 99 + trend
    )
    assert np.corrcoef(levels["output"], levels["prices"])[0, 1] > 0.995
    assert len(panel_of(levels, model()).values) == len(frame)


def test_a_proper_prior_may_have_more_lags_than_the_sample_identifies(frame, model):
    short = frame.iloc[:20]
    text = MODEL.replace("lags = 2", "lags = 12").replace('"1999-12"', '"1991-08"')
    assert len(panel_of(short, model(text)).values) == 20
    flat = text + "\n[prior]\nflat = true\n"
    assert "2 variables with 12 lag(s) need 27" in refused(short, model(flat))


@pytest.mark.parametrize("size", [1e-200, 1e-300, 1e200])
def test_a_unit_whose_squares_are_no_numbers_is_said_to_be_one(frame, model, size):
    """It is no collinearity, which is what vanished or infinite squares look like."""
    with pytest.raises(DataError, match=r"'output' moves by .*the square of that; give it in an"):
        panel_of(frame.assign(output=frame["output"] * size), model())
    assert panel_of(frame.assign(output=frame["output"] * 1e-100), model()).values.shape[1] == 2
