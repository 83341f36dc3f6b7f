"""The focus fund's regression: its rows, its terms, and what it says of rows it has not seen."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from attribution.errors import DataError
from attribution.studies.flows.dating import DatingPrior
from attribution.studies.flows.focus_rows import (
    average,
    difference,
    fit_focus,
    focus_setup,
    log_score,
    term_values,
    usual_size,
)
from attribution.studies.flows.leave_future_out import foresee, left_out
from attribution.studies.flows.question import FlowsQuestion, Mechanism, Term
from attribution.studies.flows.rows import FlowData

TIME, SWITCH, EVENT = 240, 200, slice(170, 172)
DIP = Mechanism("dip", "dip", (Term("r", "below", -3.0, sign=1),), scale=100.0, reason="-")


def question(**changes):
    made = FlowsQuestion(
        net_creation="f",
        fund_return="fund_return",
        focus="A",
        hold_out=(date(2024, 8, 26), date(2024, 8, 27)),
        asked=(date(2024, 8, 26),),
        benchmark=(-1.0, 1.0),
        volume="v",
        crash=2.0,
    )
    return replace(made, **changes)


def world(seed=4, boost=0.0):
    """Two funds; the first is dated a day late until ``SWITCH`` and is bought on large falls."""
    rng = np.random.default_rng(seed)
    days = pd.bdate_range("2024-01-01", periods=TIME)
    r = 2.0 * rng.standard_t(5, TIME)
    r[EVENT.start] = -7.0
    order = 40.0 + 60.0 * r + boost * (r < -3.0)
    late = np.arange(TIME) < SWITCH
    before = np.concatenate([[0.0], order[:-1]])
    own = np.where(late, before, order) + 40.0 * rng.standard_t(5, TIME)
    other = 30.0 * r + 30.0 * rng.standard_normal(TIME)
    own[60] = 0.0
    covariates = {"v": rng.standard_normal(TIME), "r": r, "b": rng.standard_normal(TIME)}
    held = np.zeros(TIME, bool)
    held[EVENT] = True
    flow = np.stack([own, other], axis=1)
    return FlowData(days, ("A", "B"), 0, flow, np.stack([r, r], axis=1), covariates, held)


@pytest.fixture(scope="module")
def data():
    return world()


@pytest.fixture(scope="module")
def setup(data):
    return focus_setup(question(), data, ())


@pytest.fixture(scope="module")
def fit(setup):
    return fit_focus(setup, draws=1200, rng=np.random.default_rng(0))


def test_rows_that_say_nothing_are_left_out(setup):
    used = setup.rows.used
    assert not used[:2].any()  # the day before has no return of the day before it
    assert not used[60]  # no flow: another factor of the likelihood
    assert not used[EVENT].any()
    assert not used[EVENT.stop]  # its row before would tell of the event
    assert used.sum() == TIME - 2 - 1 - 2 - 1


def test_a_row_read_as_the_day_before_has_that_days_regressors(setup, data):
    fall = setup.names.index("fall")
    same, previous = setup.rows.x[:, :, fall]
    assert np.allclose(previous[1:], same[:-1])
    own = setup.names.index("own row before")
    assert np.array_equal(setup.rows.x[0, :, own], setup.rows.x[1, :, own])
    assert np.allclose(setup.rows.x[0, 5, own] * setup.size, data.flow[4, 0])


def test_the_held_out_rows_change_nothing_that_is_fitted(data):
    odd = data.flow.copy()
    odd[EVENT, 0] = 1e5
    one = focus_setup(question(), data, (DIP,))
    two = focus_setup(question(), replace(data, flow=odd), (DIP,))
    assert one.size == two.size
    used = one.rows.used
    assert np.array_equal(used, two.rows.used)
    assert np.array_equal(one.rows.x[:, used], two.rows.x[:, used])
    assert np.array_equal(one.rows.y[used], two.rows.y[used])


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        (Term("x"), [-1.75, 0.25, -1.75, 3.25]),
        (Term("x", "falls"), [-2.0, 0.0, -2.0, 0.0]),
        (Term("x", "rises"), [0.0, 0.0, 0.0, 3.0]),
        (Term("x", "below", -1.0), [1.0, 0.0, 1.0, 0.0]),
        (Term("x", "signed", times="w"), [-1.0, 0.0, -2.0, 3.0]),
        (Term("x", "falls", times="w"), [0.0, 0.0, -2.0 * np.log(2), 0.0]),
        (Term("x", "rises", lag=1), [np.nan, 0.0, 0.0, 0.0]),
        (Term("x", "falls", days=2), [np.nan, -2.0, -2.0, -2.0]),
        (Term("x", "falls", since=date(2024, 1, 3)), [0.0, 0.0, -2.0, 0.0]),
        (Term(form="constant", since=date(2024, 1, 3)), [0.0, 0.0, 1.0, 1.0]),
    ],
)
def test_a_term_is_what_its_form_says(term, expected):
    covariates = {
        "x": np.array([-2.0, 0.0, -2.0, 3.0]),
        "w": np.log([1.0, 5.0, 2.0, 3.0]),
    }
    days = pd.bdate_range("2024-01-01", periods=4)
    flow = np.ones((4, 1))
    toy = FlowData(days, ("A",), 0, flow, flow, covariates, np.zeros(4, bool))
    assert np.allclose(term_values(term, question(), toy), expected, equal_nan=True)


def test_a_missing_day_enters_at_the_mean_and_is_counted(data):
    gaps = data.covariates["b"].copy()
    gaps[20:44] = np.nan
    found = focus_setup(
        question(),
        replace(data, covariates=data.covariates | {"b": gaps}),
        (Mechanism("m", "m", (Term("b"),), scale=1.0, reason="-"),),
    )
    assert found.imputed == {"m: b": pytest.approx(0.1)}
    column = found.rows.x[0, :, found.terms][0]
    assert np.allclose(column[20:44], 0.0, atol=1e-12)


def test_the_usual_size_is_the_root_mean_square_where_not_zero():
    values = np.array([0.0, 3.0, 4.0, 0.0, np.nan, 100.0])
    inside = np.array([True, True, True, True, True, False])
    assert usual_size(values, inside) == pytest.approx(np.sqrt(12.5))


def test_a_term_that_is_zero_on_every_day_is_refused(data):
    never = Mechanism("m", "m", (Term("r", "below", -99.0),), scale=1.0, reason="-")
    with pytest.raises(DataError, match="mechanism m: r below -99: it is zero or missing"):
        focus_setup(question(), data, (never,))


def test_too_few_rows_are_refused(data):
    flow = data.flow.copy()
    flow[:, 0] = np.where(np.arange(TIME) < 30, flow[:, 0], 0.0)
    with pytest.raises(DataError, match="40 are needed"):
        focus_setup(question(), replace(data, flow=flow), ())


def test_the_change_of_convention_is_found(fit):
    previous = fit.dating().previous.mean(axis=0)
    assert (previous[: SWITCH - 5] > 0.9).all()
    assert (previous[SWITCH + 5 :] < 0.1).all()
    assert fit.diagnostics["max_rhat"] < 1.05


def test_scaling_every_flow_scales_what_is_found_and_moves_densities_by_its_log(data, fit):
    big = replace(data, flow=data.flow * 1000.0)
    other = fit_focus(focus_setup(question(), big, ()), draws=1200, rng=np.random.default_rng(0))
    assert np.allclose(other.draws.beta, fit.draws.beta)
    rows = data.held_out
    one, two = log_score(fit, rows), log_score(other, rows)
    assert two.value == pytest.approx(one.value - 2 * np.log(1000.0))
    assert two.error == pytest.approx(one.error)


def test_a_score_is_the_log_of_the_mean_density_over_readings_and_draws(fit, data):
    """By hand, for one row: each draw's two densities, weighted as all other rows read the row."""
    row = np.arange(TIME) == EVENT.start
    weight = fit.dating().previous[:, EVENT.start]
    size = fit.setup.size
    each = []
    for reading in (0, 1):
        mean = fit.setup.rows.x[reading, EVENT.start] @ fit.draws.beta.T
        scale = np.exp(fit.setup.rows.z[reading, EVENT.start] @ fit.draws.gamma.T)
        law = stats.t(fit.draws.nu, mean * size, scale * size)
        each.append(law.pdf(data.flow[EVENT.start, 0]))
    expected = np.log(((1 - weight) * each[0] + weight * each[1]).mean())
    assert log_score(fit, row).value == pytest.approx(expected, abs=1e-9)


def test_no_density_exceeds_its_peak(fit, data):
    assert (fit.gain(data.held_out, peak=True) >= fit.gain(data.held_out)).all()


def test_the_joint_score_is_the_first_rows_and_then_the_seconds_given_it(fit, data):
    """In every draw the rows are independent given how they are read."""
    first, second = (np.arange(TIME) == i for i in range(EVENT.start, EVENT.stop))
    joint = fit.gain(data.held_out)
    apart = fit.gain(first) + fit.gain(second)
    sure = np.abs(fit.dating().previous[:, EVENT].min(axis=1) - 1.0) < 1e-6
    assert sure.any()
    assert np.allclose(joint[sure], apart[sure], atol=1e-4)


def test_a_monte_carlo_error_is_that_of_repeated_runs():
    rng = np.random.default_rng(0)
    scores = [average(rng.normal(size=400), 2, 1, 1.0) for _ in range(300)]
    spread = np.std([score.value for score in scores])
    assert np.mean([score.error for score in scores]) == pytest.approx(spread, rel=0.2)
    assert difference(scores[0], scores[0]).value == 0.0


def test_predictions_ahead_by_weights_are_those_of_fits_to_the_rows_before(setup):
    """The weighted draws against a fit for every single row."""
    found = foresee(setup, rows=12, draws=2000, rng=np.random.default_rng(1))
    assert found.refits < 12
    assert (found.shape[np.isfinite(found.shape)] < 0.7).all()
    each = []
    for place in found.rows:
        before = setup.rows.used & (np.arange(TIME) < place)
        fitted = fit_focus(
            replace(setup, rows=setup.rows.only(before)), draws=600, rng=np.random.default_rng(2)
        )
        each.append(log_score(fitted, np.arange(TIME) == place).value)
    assert np.allclose(found.density, each, atol=0.15)
    assert found.density.sum() == pytest.approx(sum(each), abs=0.5)


def test_the_error_of_a_sum_of_predictions_is_that_of_repeated_runs(setup):
    runs = [
        foresee(setup, rows=10, draws=200, rng=child)
        for child in np.random.default_rng(3).spawn(24)
    ]
    spread = np.std([run.density.sum() for run in runs], ddof=1)
    typical = np.sqrt(np.mean([run.error**2 for run in runs]))
    assert typical == pytest.approx(spread, rel=0.4)


def test_leaving_one_out_agrees_with_a_fit_without_the_row(setup, fit):
    density, shape = left_out(fit)
    places = np.flatnonzero(setup.rows.used)
    assert (shape < 0.7).all()
    for place in places[[10, 100, -3]]:
        rest = setup.rows.used & (np.arange(TIME) != place)
        fitted = fit_focus(
            replace(setup, rows=setup.rows.only(rest)), draws=1200, rng=np.random.default_rng(5)
        )
        alone = log_score(fitted, np.arange(TIME) == place)
        at = np.flatnonzero(places == place)[0]
        assert density[at] == pytest.approx(alone.value, abs=0.1 + 4 * alone.error)


def test_what_is_known_of_a_reading_outweighs_the_rows(setup, data):
    same = setup.known(data.held_out, 0)
    fitted = fit_focus(same, draws=400, rng=np.random.default_rng(0))
    assert fitted.dating().previous[:, EVENT].max() < 1e-12
    fixed = setup.dated(DatingPrior(0.0, 1.0, 0.0))
    path = fit_focus(fixed, draws=100, rng=np.random.default_rng(0)).draws.path
    assert (path == 1).all()
