"""Exposures come from earlier days alone; they and each day's slopes are least squares."""

import numpy as np
import pytest

from attribution.errors import DataError
from attribution.studies.slopes.fit import average_slopes, daily_slopes, exposures, lead

BETA = np.array(
    [[0.2, 1.0], [1.5, 0.7], [-0.8, 1.2], [0.0, 0.4], [2.0, 1.6], [-1.2, 0.9], [0.6, 0]]
)


@pytest.fixture
def market():
    """Seven assets, two factors, some returns missing; levels far from zero in the last factor."""
    rng = np.random.default_rng(2)
    factors = rng.standard_normal((260, 2)) * [0.7, 1.1] + [0, 0.05]
    returns = factors @ BETA.T + 0.5 * rng.standard_normal((260, 7))
    returns[rng.random(returns.shape) < 0.05] = np.nan
    factors[17, 1] = np.nan
    return returns, factors


def by_hand(returns, factors, days, asset):
    y, x = returns[days, asset], np.column_stack([np.ones(len(days)), factors[days]])
    kept = np.isfinite(y) & np.isfinite(x).all(1)
    return np.linalg.lstsq(x[kept], y[kept], rcond=None)[0][1:], kept.sum()


@pytest.mark.parametrize("window", [0, 80])
def test_an_exposure_is_the_regression_over_the_days_before(market, window):
    found = exposures(*market, window=window, least=60)
    for day in (70, 120, 259):
        days = np.arange(max(0, day - window) if window else 0, day)
        for asset in range(7):
            expected, count = by_hand(*market, days, asset)
            if count < 60:
                assert np.isnan(found[day, asset]).all()
            else:
                assert found[day, asset] == pytest.approx(expected, abs=1e-10)


def test_no_exposure_knows_its_own_day_or_a_later_one(market):
    returns, factors = market
    base = exposures(returns, factors, window=80, least=60)
    changed, moved = returns.copy(), factors.copy()
    changed[150:] = 1e3
    moved[150:] = -7.0
    other = exposures(changed, moved, window=80, least=60)
    assert np.array_equal(base[:151], other[:151], equal_nan=True)
    assert not np.allclose(base[151], other[151], equal_nan=True)


def test_factors_that_do_not_move_leave_no_exposure(market):
    returns, factors = market
    still = factors.copy()
    still[:, 1] = 2.0
    assert np.isnan(exposures(returns, still, window=0, least=60)).all()


def test_a_days_slopes_are_the_regression_of_its_returns_on_exposures(market):
    returns, factors = market
    beta = exposures(returns, factors, window=80, least=60)
    used = np.array([True] * 6 + [False])
    found = daily_slopes(returns, beta, used)
    for day in (100, 180, 259):
        kept = used & np.isfinite(returns[day]) & np.isfinite(beta[day]).all(1)
        x = np.column_stack([np.ones(kept.sum()), beta[day, kept]])
        expected = np.linalg.lstsq(x, returns[day, kept], rcond=None)[0]
        assert found.slope[day] == pytest.approx(expected, abs=1e-10)
        assert found.assets[day] == kept.sum()
        apart = expected @ [1, *beta[day, 6]]
        assert found.expected[day, 6] == pytest.approx(apart, abs=1e-10)
    assert np.isnan(found.slope[:60]).all()


def test_an_asset_set_apart_does_not_move_the_slopes(market):
    returns, factors = market
    beta = exposures(returns, factors, window=80, least=60)
    used = np.array([True] * 6 + [False])
    changed = returns.copy()
    changed[:, 6] = 50.0
    base, other = (daily_slopes(r, beta, used).slope for r in (returns, changed))
    assert np.array_equal(base, other, equal_nan=True)


def test_the_average_and_its_error_are_those_of_newey_and_west_on_the_daily_slopes(market):
    returns, factors = market
    beta = exposures(returns, factors, window=80, least=60)
    used, lags = np.ones(7, bool), 4
    found = average_slopes(returns, beta, used, names=["a", "b"], lags=lags)
    slope = daily_slopes(returns, beta, used).slope
    slope = slope[np.isfinite(slope).all(1)]
    assert found["mean"].to_numpy() == pytest.approx(slope.mean(0), rel=1e-8)
    gap, days = slope - slope.mean(0), len(slope)
    variance = (gap**2).sum(0)
    for lag in range(1, lags + 1):
        variance = variance + 2 * (1 - lag / (lags + 1)) * (gap[lag:] * gap[:-lag]).sum(0)
    expected = np.sqrt(variance / days / (days - 1))
    assert found["error"].to_numpy() == pytest.approx(expected, rel=1e-6)


def test_known_prices_of_exposure_are_found():
    rng = np.random.default_rng(5)
    days, assets = 1500, 30
    true = rng.standard_normal((assets, 2))
    factors = rng.standard_normal((days, 2)) * 0.6 + [0.10, 0.0]
    returns = factors @ true.T + 0.4 * rng.standard_normal((days, assets))
    beta = exposures(returns, factors, window=0, least=200)
    used = np.ones(assets, bool)
    found = average_slopes(returns, beta, used, names=["a", "b"], lags=3)
    realised = factors[200:].mean(0)
    assert found.loc[["a", "b"], "mean"].to_numpy() == pytest.approx(realised, abs=0.01)
    slope = daily_slopes(returns, beta, used).slope[201:]
    assert np.corrcoef(slope[:, 1], factors[201:, 0])[0, 1] > 0.98


def test_too_few_assets_are_refused():
    rng = np.random.default_rng(6)
    returns, factors = rng.standard_normal((200, 2)), rng.standard_normal((200, 2))
    beta = exposures(returns, factors, window=0, least=60)
    with pytest.raises(DataError, match=r"0 day\(s\) have enough assets"):
        average_slopes(returns, beta, np.ones(2, bool), names=["a", "b"], lags=2)


def test_a_lead_is_found_and_is_of_the_day_before():
    rng = np.random.default_rng(7)
    slope = rng.standard_normal(800)
    outcome = 0.1 * rng.standard_normal(800)
    outcome[1:] += 0.5 * slope[:-1]
    b, error, days = lead(outcome, slope, lags=3)
    assert abs(b - 0.5) < 4 * error
    assert days == 799
    reverse, error, _ = lead(slope, outcome, lags=3)
    assert abs(reverse) < 4 * error
