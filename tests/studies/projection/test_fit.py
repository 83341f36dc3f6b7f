"""Local projections: against statsmodels, against a VAR, and with an instrument."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from attribution.model import model_from
from attribution.panel import Evidence
from attribution.studies.projection.event import path_of, project_event
from attribution.studies.projection.fit import project
from attribution.studies.projection.rows import (
    bandwidth,
    projection_design,
    projection_rows,
    response_at,
)

LAG = np.array([[0.5, 0.1, 0.0], [0.2, 0.3, 0.1], [0.1, 0.4, 0.2]])
IMPACT = np.array([[1.0, 0.0, 0.0], [0.5, 1.2, 0.0], [-0.3, 0.8, 0.9]])
NAMES = ("a", "x", "y")
MODEL = {
    "schema": 1,
    "kind": "projection",
    "title": "a projection",
    "sample": {},
    "event": {"outcome": "y"},
    "projection": {"impulse": "x", "variables": list(NAMES), "lags": 1, "horizons": 6},
}


def simulated(rows, seed, extra=0):
    rng = np.random.default_rng(seed)
    shocks = rng.standard_normal((rows + 50, 3))
    y = np.zeros((rows + 50, 3))
    for t in range(1, rows + 50):
        y[t] = LAG @ y[t - 1] + IMPACT @ shocks[t]
    days = pd.bdate_range("2020-01-01", periods=rows, name="time")
    frame = pd.DataFrame(y[50:], days, list(NAMES))
    if extra:
        frame["z"] = shocks[50:, 1] + rng.standard_normal(rows)
    return frame


def asked(**settings):
    model = {**MODEL, "projection": {**MODEL["projection"], **settings}}
    return model_from(model).question


def designed(question, frame):
    evidence = Evidence("frame", frame[list(question.columns)], {}, "")
    rows = projection_rows(question, evidence, "model 'm'")
    return rows, projection_design(question, rows)


def truth(horizons):
    power, out = np.eye(3), []
    for _ in range(horizons + 1):
        out.append(power @ IMPACT[:, 1] / IMPACT[1, 1])
        power = LAG @ power
    return np.array(out)


@pytest.mark.parametrize("errors", ["newey_west", "lag_augmented"])
def test_on_impact_projection_and_var_are_one_number(errors):
    question = asked(errors=errors)
    found = project(question, designed(question, simulated(300, 1))[1])
    assert np.abs(found.response[0] - found.var[0]).max() < 1e-11
    assert found.response[0, 0] == 0.0
    assert found.error[0, 0] == 0.0
    assert found.response[0, 1] == 1.0


def test_projections_and_var_agree_within_standard_errors_and_at_short_horizons_closely():
    question = asked(errors="newey_west", lags=4, horizons=12)
    near, far = [], []
    for seed in range(6):
        found = project(question, designed(question, simulated(3000, seed))[1])
        gap = np.abs(found.response - found.var)[1:]
        ratio = gap / found.error[1:]
        near.append(ratio[:4])
        far.append(ratio[4:])
    # with p lags the two estimate the same up to horizon p and differ by less than sampling error
    assert np.mean(near) < 0.35
    assert np.mean(near) < 0.5 * np.mean(far)
    assert np.mean(np.array(far) < 2) > 0.9


@pytest.mark.parametrize("errors", ["newey_west", "lag_augmented"])
def test_bands_cover_the_true_responses(errors):
    question = asked(errors=errors)
    inside = []
    for seed in range(40):
        found = project(question, designed(question, simulated(250, 100 + seed))[1])
        free = found.error > 0
        inside.append((np.abs(found.response - truth(6)) < 1.645 * found.error)[free])
    assert np.mean(inside) == pytest.approx(0.9, abs=0.045)  # dependent over horizons and series


def test_the_joint_law_of_horizons_has_the_errors_of_statsmodels():
    frame = simulated(200, 2)
    for errors in ("newey_west", "lag_augmented"):
        question = asked(errors=errors, horizons=0)
        design = designed(question, frame)[1]
        path = path_of(question, design, range(1), cumulative=False)
        found = project(question, design)
        assert path.response[0] == pytest.approx(found.response[0, 2], abs=1e-12)
        assert np.sqrt(path.covariance[0, 0]) == pytest.approx(found.error[0, 2], rel=1e-9)
    question = asked(errors="lag_augmented")
    design = designed(question, frame)[1]
    path, found = (
        path_of(question, design, range(7), cumulative=True),
        project(replace(question, cumulative=True), design),
    )
    assert np.abs(path.response - found.response[:, 2]).max() < 1e-11
    assert np.abs(np.sqrt(np.diag(path.covariance)[:7]) - found.error[:, 2]).max() < 1e-10


def test_the_reading_of_news_has_the_errors_of_statsmodels():
    question = asked(errors="lag_augmented")
    design = designed(question, simulated(200, 3))[1]
    path = path_of(question, design, range(1), cumulative=True)
    fit = sm.OLS(design.impulse[2:], design.controls[2:]).fit(cov_type="HC1")
    assert np.abs(path.reading - fit.params).max() < 1e-11
    assert np.abs(np.sqrt(np.diag(path.covariance)[1:]) - fit.bse).max() < 1e-11


def test_cumulated_responses_are_sums():
    series = np.arange(10.0) ** 2
    total = response_at(series, 3, lags=2, cumulative=True)
    assert total.tolist() == [series[t : t + 4].sum() for t in range(2, 7)]
    assert response_at(series, 3, lags=2, cumulative=False).tolist() == series[5:].tolist()
    assert bandwidth(10, 400) == 10
    assert bandwidth(0, 400) == 5


def test_rescaling_a_series_rescales_its_responses_alone():
    frame, question = simulated(200, 4), asked()
    one = project(question, designed(question, frame)[1])
    two = project(question, designed(question, frame * [10.0, 1.0, 100.0])[1])
    assert np.allclose(two.response, one.response * [10.0, 1.0, 100.0], rtol=1e-8, atol=1e-10)
    assert np.allclose(two.error, one.error * [10.0, 1.0, 100.0], rtol=1e-8, atol=1e-10)
    assert two.scale == pytest.approx(one.scale)


def by_instrument(**settings):
    model = {
        **MODEL,
        "projection": {**MODEL["projection"], **settings},
        "instrument": {"column": "z", "reason": "the shock with error"},
    }
    return model_from(model).question


def test_an_instrument_finds_the_responses_whatever_the_order():
    frame = simulated(4000, 5, extra=1)
    first = by_instrument()
    found = project(first, designed(first, frame)[1])
    free = found.error > 0
    assert np.abs((found.response - truth(6))[free] / found.error[free]).max() < 3.5
    assert found.first_stage.min() > 100
    assert np.isnan(found.var).all()
    other = by_instrument(variables=["y", "x", "a"])
    again = project(other, designed(other, frame)[1])
    assert np.abs(again.response[:, ::-1] - found.response).max() < 1e-9


def test_a_useless_instrument_has_a_small_first_stage():
    frame = simulated(400, 6, extra=1)
    frame["z"] = np.random.default_rng(1).standard_normal(400)
    question = by_instrument()
    assert project(question, designed(question, frame)[1]).first_stage.max() < 10


def test_an_instrument_that_is_nearly_the_impulse_is_least_squares():
    frame = simulated(300, 7)
    question = by_instrument(variables=["x", "a", "y"])
    # nearly a copy: an exact one would be collinear with the impulse's own lags
    frame["z"] = frame["x"] + 1e-3 * np.random.default_rng(2).standard_normal(300)
    found = project(question, designed(question, frame)[1])
    plain = asked(variables=["x", "a", "y"])
    ordinary = project(plain, designed(plain, frame)[1])
    assert np.abs(found.response - ordinary.response).max() < 0.02


def windowed(frame, days):
    """The last days held out, and asked about as one window and as the first alone."""
    held = frame.index[-days:]
    model = {
        **MODEL,
        "sample": {"start": frame.index[0].date(), "end": held[-1].date()},
        "event": {
            "name": "e",
            "outcome": "y",
            "windows": [
                {"name": "all", "start": held[0].date(), "end": held[-1].date()},
                {"name": "first", "start": held[0].date(), "end": held[0].date()},
            ],
        },
    }
    return model_from(model).question


def test_what_a_window_owes_is_responses_times_observed_news():
    frame = simulated(400, 8)
    question = windowed(frame, 3)
    rows, design = designed(question, frame)
    assert rows.used == 397
    event = project_event(question, rows, design, draws=4000, seed=1)
    path = path_of(question, design, range(3), cumulative=True)
    news = frame["x"].to_numpy()[-3:] - design.every[-3:] @ path.reading
    assert event.innovation == pytest.approx(news)
    expected = path.response[2] * news[0] + path.response[1] * news[1] + path.response[0] * news[2]
    assert event.point["all"] == pytest.approx(expected, abs=1e-12)
    assert event.point["first"] == pytest.approx(path.response[0] * news[0], abs=1e-12)
    # the delta method for one day: response and reading err independently of each other
    variance = path.covariance[0, 0] * news[0] ** 2
    variance += path.response[0] ** 2 * (
        design.every[-3] @ path.covariance[3:, 3:] @ design.every[-3]
    )
    assert event.draws["first"].std() == pytest.approx(np.sqrt(variance), rel=0.1)


def test_days_held_out_do_not_move_the_estimate():
    frame = simulated(400, 9)
    question = windowed(frame, 3)
    before = project(question, designed(question, frame)[1])
    frame.iloc[-3:] += 100.0
    after = project(question, designed(question, frame)[1])
    assert np.array_equal(before.response, after.response)


def test_the_whole_move_is_owed_to_a_series_that_is_all_there_is():
    frame = simulated(400, 10)
    frame["y"] = 2.0 * frame["x"] + 1e-6 * frame["y"]
    question = windowed(frame, 1)
    rows, design = designed(question, frame)
    event = project_event(question, rows, design, draws=400, seed=1)
    forecast = (
        design.every[-1]
        @ np.linalg.lstsq(design.controls[2:], frame["y"].to_numpy()[2:-1], rcond=None)[0]
    )
    news = frame["y"].iloc[-1] - forecast
    assert event.point["all"] == pytest.approx(news, abs=1e-4)


def test_an_event_owes_to_an_instrument_that_is_nearly_the_impulse_what_it_owes_to_the_impulse():
    frame = simulated(400, 11)
    frame["z"] = frame["x"] + 1e-4 * np.random.default_rng(2).standard_normal(400)
    plain = windowed(frame, 3)
    plain = replace(plain, variables=("x", "a", "y"))
    instrument = replace(plain, instrument=by_instrument().instrument)
    rows, design = designed(plain, frame)
    one = project_event(plain, rows, design, draws=400, seed=1)
    rows, design = designed(instrument, frame)
    two = project_event(instrument, rows, design, draws=400, seed=1)
    assert two.point["first"] == pytest.approx(one.point["first"], abs=0.15)
    assert two.point["all"] == pytest.approx(one.point["all"], abs=0.3)
