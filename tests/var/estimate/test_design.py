"""Which days teach the model: nothing of the event, and nothing later, leaks in."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from attribution.errors import DataError, EventError, SpecError
from attribution.model.spec import Event, System, Window
from attribution.var.estimate.bvar import build
from attribution.var.estimate.design import design

FIRST, LAST = pd.Timestamp("2025-09-01"), pd.Timestamp("2025-09-03")


def same(one, two):
    """Whether two dataclasses of arrays hold the same bits."""
    for name, a in vars(one).items():
        b = getattr(two, name)
        if hasattr(a, "__dataclass_fields__"):
            if not same(a, b):
                return False
        elif isinstance(a, np.ndarray):
            if not np.array_equal(a, b, equal_nan=a.dtype.kind == "f"):
                return False
        elif isinstance(a, pd.DatetimeIndex):
            if not a.equals(b):
                return False
        elif a != b:
            return False
    return True


def shaken(values, days):
    """Another history on some days, in every column."""
    moved = values.copy()
    moved.loc[days] = 50.0 - 7.0 * moved.loc[days].fillna(1.0)
    return moved


@pytest.fixture
def values(headline_data):
    return headline_data.values


def test_left_out_the_event_changes_neither_design_nor_density(headline, values):
    spec = headline.spec()
    one = design(spec, values, "out")
    two = design(spec, shaken(values, values.index >= FIRST), "out")
    assert one.rows.time[-1] == pd.Timestamp("2025-08-29")
    for part in ("prior", "rows"):
        assert same(getattr(one, part), getattr(two, part))
    for part in ("center", "sd", "own_scale"):
        assert np.array_equal(getattr(one, part), getattr(two, part))
    assert not same(one.event, two.event)
    assert same(build(spec, one)[1], build(spec, two)[1])


@pytest.mark.parametrize("event_in", ["scale", "in"])
def test_the_event_let_in_changes_rows_but_neither_unit_nor_prior(headline, values, event_in):
    spec = headline.spec()
    one = design(spec, values, event_in)
    two = design(spec, shaken(values, (values.index >= FIRST) & (values.index <= LAST)), event_in)
    assert one.rows.time[-1] == LAST
    assert np.array_equal(one.center, two.center)
    assert np.array_equal(one.sd, two.sd)
    assert same(one.prior, two.prior)
    held = one.rows.time >= FIRST
    assert held.sum() == 3
    assert one.reference == (~held).sum()
    assert np.array_equal(one.rows.response[~held], two.rows.response[~held], equal_nan=True)
    assert not np.array_equal(one.rows.response[held], two.rows.response[held])


@pytest.mark.parametrize("event_in", ["out", "scale", "in"])
def test_no_later_day_is_ever_used(headline, values, event_in):
    spec = headline.spec()
    later = values.index > LAST
    assert later.sum() > 5
    one = design(spec, values, event_in)
    assert same(one, design(spec, shaken(values, later), event_in))
    assert same(one, design(spec, values.loc[~later], event_in))


def test_only_days_of_the_hold_out_have_a_scale_of_their_own_and_only_if_asked(headline, values):
    spec = headline.spec()
    scaled = design(spec, values, "scale")
    assert scaled.own_scale[-3:].tolist() == [0, 1, 2]
    assert (scaled.own_scale[:-3] == -1).all()
    for event_in in ("out", "in"):
        assert (design(spec, values, event_in).own_scale == -1).all()
    plain, own = (design(spec, values, event_in).rows for event_in in ("in", "scale"))
    assert same(plain, own)


def test_rows_are_standardised_by_the_days_before_the_hold_out(headline, values):
    data = design(headline.spec(), values, "out")
    before = values.loc[values.index < FIRST]
    names = list(data.prior.variables)
    assert_allclose(data.center, before[names].mean())
    assert_allclose(data.sd, before[names].std())
    back = data.center + data.sd * data.rows.response
    assert_allclose(back, values.loc[data.rows.time, names], atol=1e-9)  # NaN where NaN
    assert np.isnan(data.rows.response[:, 3]).sum() == 39  # one of forty is a lag only
    assert_allclose(data.rows.regressors[:, 0], 1)
    lagged = values[names[:3]].shift(1).loc[data.rows.time]
    assert_allclose(data.center[:3] + data.sd[:3] * data.rows.regressors[:, 1:], lagged, atol=1e-9)
    assert data.rows.time[0] == values.index[1]


def test_lags_are_laid_out_nearest_first_and_reach_into_the_hold_out(headline, values):
    spec = headline.spec()
    spec = replace(spec, system=replace(spec.system, lags=2))
    data = design(spec, values, "out")
    names = list(spec.system.variables)
    for lag in (1, 2):
        block = data.rows.regressors[:, 1 + 3 * (lag - 1) : 1 + 3 * lag]
        expected = values[names].shift(lag).loc[data.rows.time]
        assert_allclose(data.center[:3] + data.sd[:3] * block, expected, atol=1e-9)
    # the crash is forecast from the eve, whose values are those of the hold-out's first day
    eve = data.event.regressors[1, 1:4]
    assert_allclose(data.center[:3] + data.sd[:3] * eve, values.loc["2025-09-01", names])
    assert data.event.time.tolist() == [FIRST, pd.Timestamp("2025-09-02")]


def test_exposures_mark_the_upper_half_of_the_days_before(headline, values):
    data = design(headline.spec(), values, "out")
    column = data.prior.shocks.index("derisking")
    median = values.loc[values.index < FIRST, "stress"].median()
    marked = values.loc[data.rows.time, "stress"] > median
    assert np.array_equal(data.rows.exposure[:, column], marked.astype(float))
    assert 0.4 < marked.mean() < 0.6
    assert np.delete(data.rows.exposure, column, axis=1).sum() == 0
    before = values.loc[values.index < FIRST, "lagged_level"]
    expected = (values.loc[data.event.time, "lagged_level"] - before.mean()) / before.std()
    assert_allclose(data.event.scale[:, 0], expected)


def test_a_change_of_unit_leaves_the_rows_as_they_are(headline, values):
    spec = headline.spec()
    one, two = (design(spec, v, "in") for v in (values, values.assign(price=values.price * 1000)))
    assert_allclose(two.rows.response, one.rows.response, rtol=1e-9, atol=1e-12)
    assert_allclose(two.event.regressors, one.event.regressors, rtol=1e-9, atol=1e-12)
    assert_allclose(two.sd[0], 1000 * one.sd[0])


def test_a_misspelt_way_of_letting_the_event_in_is_refused(headline, values):
    with pytest.raises(SpecError, match=r"--event-in 'outt': unknown.*'out'.*out, scale, in"):
        design(headline.spec(), values, "outt")


def test_a_hold_out_that_leaves_too_few_days_is_refused(headline, values):
    spec = headline.spec()
    assert len(design(spec, values.iloc[-41:], "out").rows.time) == 30  # 31 days precede
    with pytest.raises(
        EventError, match="30 days precede the hold-out of 2025-09-01, 31 are needed; start"
    ):
        design(spec, values.iloc[-40:], "out")


def test_an_event_without_a_trading_day_is_refused(headline, values):
    sunday = Window("sunday", date(2025, 8, 31), date(2025, 8, 31))
    event = Event("event", "price", (sunday,), (date(2025, 8, 30), date(2025, 9, 3)))
    with pytest.raises(EventError, match=r"no day of the event \(2025-08-31 to 2025-08-31\)"):
        design(headline.spec(event=event), values, "out")


@pytest.mark.parametrize("day", ["2025-06-10", "2025-09-02"])
def test_a_gap_in_the_system_is_refused_by_its_day_and_a_gap_in_an_auxiliary_is_not(
    headline, values, day
):
    holed = values.copy()
    holed.loc[day, "software"] = np.nan
    with pytest.raises(EventError, match=f"no value on {day} or on one of the 1 days before"):
        design(headline.spec(), holed, "out")
    holed = values.copy()
    holed.loc[day, "liquidations"] = np.nan
    data = design(headline.spec(), holed, "in")
    assert np.isnan(data.rows.response[data.rows.time == day, 3]).all()


def test_a_model_without_auxiliary_series_exposures_or_scales_has_empty_columns(headline, values):
    spec = headline.spec(
        cells={k: v for k, v in headline.cells.items() if k[1] != "liquidations"},
        system=System(headline.core, 1),
        exposures=(),
    )
    spec = replace(spec, structural=replace(spec.structural, scale_columns=()))
    data = design(spec, values, "out")
    assert data.rows.scale.shape == (len(data.rows.time), 0)
    assert data.rows.exposure.sum() == 0
    assert data.prior.variables == headline.core


@pytest.mark.parametrize("share", [0.3, 0.7])
def test_an_exposure_of_zeros_and_ones_marks_the_ones_however_many(headline, values, share):
    """Above the median marks no day at all where most days are the largest value."""
    ones = (np.random.default_rng(8).random(len(values)) < share).astype(float)
    data = design(headline.spec(), values.assign(stress=ones), "out")
    marked = pd.Series(ones, values.index).loc[data.rows.time]
    column = data.prior.shocks.index("derisking")
    assert np.array_equal(data.rows.exposure[:, column], marked)


def test_an_exposure_that_never_varies_is_refused(headline, values):
    with pytest.raises(DataError, match="'stress' never varies before the event"):
        design(headline.spec(), values.assign(stress=1.0), "out")
