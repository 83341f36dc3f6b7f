"""The recursive VAR: settings, sample, bootstrap."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from attribution.decompose import decompose
from attribution.errors import DataError, SpecError
from attribution.model import read_model
from attribution.model.restriction import Identification
from attribution.model.spec import Event, ModelSpec, Sample, System, Window
from attribution.var.estimate.var import estimate_var

NAMES = ("software", "volatility", "price")
WINDOW = Window("crash", date(2025, 12, 1), date(2025, 12, 2))


@pytest.fixture(scope="module")
def values():
    """Three series in different units, a crash in the window, 260 business days of 2025."""
    rng = np.random.default_rng(7)
    days = pd.bdate_range("2025-01-01", periods=260, name="time")
    impact = np.array([[1.0, 0, 0], [-4.0, 9.0, 0], [0.8, -0.5, 2.0]])
    lags = np.array([[0.1, 0.0, 0.1], [-1.0, 0.3, -0.2], [0.2, 0.0, -0.1]])
    path = np.zeros((260, 3))
    for t in range(1, 260):
        path[t] = [0.1, 0.0, 0.2] + lags @ path[t - 1] + impact @ rng.normal(size=3)
    frame = pd.DataFrame(path, days, list(NAMES))
    frame.loc["2025-12-01":"2025-12-02", "price"] -= 12.0
    return frame


def spec(*, lags=2, constant=True, variables=NAMES, identification=None):
    return ModelSpec(
        name="toy",
        kind="var",
        title="",
        references=(),
        sample=Sample("none", date(2025, 1, 1), date(2025, 12, 31)),
        event=Event("event", "price", (WINDOW,), (WINDOW.start, WINDOW.end)),
        system=System(variables, lags, constant=constant),
        identification=identification,
    )


@pytest.mark.parametrize("constant", [True, False])
def test_estimates_are_least_squares_and_the_impact_is_the_lower_cholesky_factor(values, constant):
    fit = estimate_var(spec(constant=constant), values, draws=4, seed=1)
    sample = values.loc[: pd.Timestamp("2025-11-28")].to_numpy()
    blocks = [np.ones((len(sample) - 2, 1))] if constant else []
    x = np.hstack([*blocks, sample[1:-1], sample[:-2]])
    y = sample[2:]
    beta = np.linalg.lstsq(x, y)[0]
    errors = y - x @ beta
    assert_allclose(fit.residuals.to_numpy(), errors, atol=1e-10)
    point = fit.point
    assert_allclose(point.lag_coefficients[0, 0, 1], beta[-3:].T, atol=1e-10)
    assert_allclose(point.intercept[0, 0], beta[0] if constant else np.zeros(3), atol=1e-10)
    covariance = errors.T @ errors / (len(y) - x.shape[1])
    impact = point.impact[0, 0]
    assert_allclose(impact @ impact.T, covariance, rtol=1e-10)
    assert (np.triu(impact, 1) == 0).all()
    assert (np.diag(impact) > 0).all()
    inverse = np.linalg.inv(x.T @ x)
    assert_allclose(
        fit.standard_errors, np.sqrt(np.outer(np.diag(inverse), np.diag(covariance))), rtol=1e-8
    )


def test_shocks_and_channels_are_named_after_the_variables(values):
    fit = estimate_var(spec(), values, draws=8, seed=1)
    for posterior in (fit.posterior, fit.point):
        assert posterior.variables == posterior.shocks == posterior.channels == NAMES
    assert fit.posterior.impact.shape == (4, 2, 3, 3)
    assert fit.posterior.lag_coefficients.shape == (4, 2, 2, 3, 3)
    assert fit.point.impact.shape == (1, 1, 3, 3)
    assert (fit.posterior.weight == 1).all()


def test_with_the_event_out_no_day_from_the_event_on_is_used(values):
    shaken = values.copy()
    shaken.loc["2025-12-01":] *= -50.0
    one, two = (estimate_var(spec(), frame, draws=8, seed=1) for frame in (values, shaken))
    assert one.residuals.index[-1] == pd.Timestamp("2025-11-28")
    assert np.array_equal(one.posterior.impact, two.posterior.impact)


def test_with_the_event_in_the_sample_runs_to_its_end(values):
    out, all_in = (
        estimate_var(spec(), values, draws=4, seed=1, event_in=how) for how in ("out", "in")
    )
    assert all_in.residuals.index[-1] == values.index[-1]
    # the crash trains the variance that is asked to explain it
    assert all_in.covariance[2, 2] > out.covariance[2, 2]


def test_leading_days_without_a_series_are_left_out(values):
    late = values.copy()
    late.iloc[:5, 1] = np.nan
    fit = estimate_var(spec(), late, draws=4, seed=1)
    assert fit.residuals.index[0] == values.index[7]


def test_one_seed_gives_one_set_of_draws_and_another_seed_another(values):
    one, same, other = (estimate_var(spec(), values, draws=8, seed=s) for s in (5, 5, 6))
    assert np.array_equal(one.posterior.impact, same.posterior.impact)
    assert not np.array_equal(one.posterior.impact, other.posterior.impact)
    sequence = estimate_var(spec(), values, draws=8, seed=np.random.SeedSequence(5))
    assert np.array_equal(one.posterior.impact, sequence.posterior.impact)


def test_a_bootstrap_replicate_is_a_regenerated_sample_estimated_again(values):
    """Replicate by hand, day by day and equation by equation, from the same resampled days."""
    fit = estimate_var(spec(), values, draws=4, seed=9)
    sample = values.loc[: pd.Timestamp("2025-11-28")].to_numpy()
    days = len(fit.residuals)
    errors = fit.residuals.to_numpy() * np.sqrt(days / (days - 7))
    picks = np.random.default_rng(9).integers(days, size=(4, days))
    point = fit.point
    for draw in range(4):
        path = list(sample[:2])
        for t in range(days):
            path.append(
                point.intercept[0, 0]
                + point.lag_coefficients[0, 0, 0] @ path[-1]
                + point.lag_coefficients[0, 0, 1] @ path[-2]
                + errors[picks[draw, t]]
            )
        path = np.array(path)
        x = np.hstack([np.ones((days, 1)), path[1:-1], path[:-2]])
        beta = np.linalg.lstsq(x, path[2:])[0]
        left = path[2:] - x @ beta
        chain = fit.posterior.lag_coefficients[draw, 0]
        assert_allclose(chain[0], beta[1:4].T, atol=1e-9)
        assert_allclose(chain[1], beta[4:].T, atol=1e-9)
        impact = fit.posterior.impact[draw, 0]
        assert_allclose(impact @ impact.T, left.T @ left / (days - 7), rtol=1e-9)


def test_the_spread_of_the_bootstrap_is_the_sampling_error_of_the_coefficients(values):
    fit = estimate_var(spec(lags=1), values, draws=2000, seed=2)
    spread = fit.posterior.lag_coefficients[:, :, 0].std((0, 1))
    ratio = spread / fit.standard_errors[1:].T
    # 2,000 draws estimate a standard deviation to 1.6 %; 225 days make the asymptotic one inexact
    # by about 1/sqrt(2 T) = 4.7 %: nine ratios within four joint standard errors
    assert (np.abs(ratio - 1) < 4 * np.hypot(0.016, 0.047)).all()


@pytest.mark.parametrize("variable", range(3))
def test_rescaling_a_series_by_a_thousand_tells_the_same_story(values, variable):
    factor = np.ones(3)
    factor[variable] = 1000.0
    one, two = (
        decompose(estimate_var(spec(), frame, draws=40, seed=3).posterior, frame, WINDOW)
        for frame in (values, values * factor)
    )
    size = np.abs(one.contribution).max()
    assert_allclose(
        two.contribution / factor[:, None], one.contribution, rtol=0, atol=1e-8 * float(size)
    )


def test_the_first_shocks_do_not_depend_on_the_order_of_later_variables(values):
    """Recursive identification: what is ordered after a shock leaves its contribution alone."""
    turned = ("software", "price", "volatility")
    splits = [
        decompose(
            estimate_var(spec(variables=v), values, draws=4, seed=3).point, values, WINDOW
        ).cumulated("price")[0][0, 0]
        for v in (NAMES, turned)
    ]
    assert_allclose(splits[0][0], splits[1][0], rtol=1e-8)
    assert abs(splits[0][2] - splits[1][1]) > 1e-3  # the order is the identification


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("scale", "no scale of its own for the event days; use --event-in out or in"),
        ("outt", "event-in is 'outt'; use out or in .nearest: 'out'"),
    ],
)
def test_an_event_treatment_least_squares_does_not_have_is_refused(values, how, message):
    with pytest.raises(SpecError, match=f"model 'toy': .*{message}"):
        estimate_var(spec(), values, draws=4, seed=1, event_in=how)


def test_a_table_the_recursive_order_would_ignore_is_refused(values):
    table = Identification("signs", None, "price", -1, (), ())
    with pytest.raises(SpecError, match="would ignore the table 'signs'"):
        estimate_var(spec(identification=table), values, draws=4, seed=1)


@pytest.mark.parametrize(("draws", "enough"), [(10, 12), (0, 4), (-3, 4)])
def test_draws_that_do_not_fill_the_chains_are_refused_with_a_number_that_does(
    values, draws, enough
):
    with pytest.raises(SpecError, match=f"{draws} draws do not fill 4 .* ask for {enough}$"):
        estimate_var(spec(), values, draws=draws, seed=1)


def test_a_gap_inside_the_sample_is_refused_by_name_and_day(values):
    holed = values.copy()
    holed.iloc[40, 1] = np.nan
    with pytest.raises(DataError, match=f"'volatility': no value on {values.index[40]:%Y-%m-%d}"):
        estimate_var(spec(), holed, draws=4, seed=1)


def test_degenerate_samples_are_refused_by_name(values):
    with pytest.raises(DataError, match="column 'volatility': it is constant"):
        estimate_var(spec(), values.assign(volatility=1.0), draws=4, seed=1)
    twin = values.assign(volatility=3 * values["software"] - values["price"])
    with pytest.raises(DataError, match="software, volatility, price: they are collinear"):
        estimate_var(spec(), twin, draws=4, seed=1)
    with pytest.raises(DataError, match="column 'volatility': the data lack it"):
        estimate_var(spec(), values.drop(columns="volatility"), draws=4, seed=1)
    with pytest.raises(DataError, match="10 complete days for 7 coefficients an equation"):
        estimate_var(spec(), values.iloc[:10], draws=4, seed=1)
    with pytest.raises(DataError, match="0 complete days"):
        estimate_var(spec(), values.assign(price=np.nan), draws=4, seed=1)


def test_the_shipped_model_is_a_recursive_var_of_its_outcome():
    shipped = read_model("var")
    assert shipped.kind == "var"
    assert shipped.identification is None
    assert shipped.event.outcome in shipped.system.variables
    names = shipped.system.variables
    rng = np.random.default_rng(0)
    days = pd.bdate_range(shipped.sample.start, shipped.sample.end, name="time")
    noise = pd.DataFrame(rng.normal(size=(len(days), len(names))), days, list(names))
    fit = estimate_var(replace(shipped), noise, draws=8, seed=0)
    for window in shipped.event.windows:
        split = decompose(fit.posterior, noise, window)
        assert split.channels == (*names, "unattributed")
