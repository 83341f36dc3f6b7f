"""Plug-in responses to an instrument's shock, first stages, and sets that hold if it is weak."""

import numpy as np
import pytest
from scipy.stats import ncx2

from attribution.core import niw
from attribution.core.instruments.event import contribution, plug_in
from attribution.core.instruments.first_stage import first_stage
from attribution.core.instruments.instrument import (
    covariance_of,
    delta_interval,
    moving_average,
    one_sd,
    proxy_var,
    relevance_wald,
    responses,
)

IMPACT = np.array([[1.0, -1.0, 0.0], [0.9, 1.0, 0.3], [-0.5, 0.4, 1.0]])
LAG = np.array([[0.4, 0.1, 0.0], [0.0, 0.3, 0.1], [0.1, 0.0, 0.2]])
PSI = moving_average(LAG[None], 3)
THETA = PSI @ IMPACT[:, 0] / IMPACT[0, 0]
DAYS = 3
WEAK, MIDDLE, STRONG = 0.02, 0.1, 0.6


def simulated(loading, rng, periods=250):
    shocks = rng.standard_normal((periods + 30, 3))
    series = np.zeros((periods + 30, 3))
    for t in range(1, periods + 30):
        series[t] = LAG @ series[t - 1] + IMPACT @ shocks[t]
    instrument = loading * shocks[:, 0] + rng.standard_normal(periods + 30)
    return series[29:], instrument[30:], shocks[30:]


def estimated(series, instrument, hold=0, **settings):
    response, regressors = niw.design(series, lags=1)
    end = len(response) - hold
    var = proxy_var(response[:end], regressors[:end], instrument[:end], constant=True, **settings)
    return var, response[end:], regressors[end:]


def covered(loading, runs, seed, level=0.9):
    """Shares of samples whose sets hold the truth: responses at once, and a contribution."""
    rng = np.random.default_rng(seed)
    hits = np.zeros((3, 3, 2))
    event = np.zeros(2)
    through = np.cumsum(PSI[:DAYS, 1] @ IMPACT[:, 0])[::-1]
    for _ in range(runs):
        series, instrument, shocks = simulated(loading, rng)
        var, response, regressors = estimated(series, instrument, hold=DAYS)
        rows = responses(var, unit=0, horizons=2, level=level)
        for h in range(3):
            for i in range(3):
                hits[h, i] += [
                    THETA[h, i] in rows[h][i].robust,
                    THETA[h, i] in rows[h][i].delta,
                ]
        found = contribution(var, response, regressors, variable=1, level=level).estimate
        truth = through @ shocks[-DAYS:, 0]
        event += [truth in found.robust, truth in found.delta]
    return hits / runs, event / runs


def test_a_long_sample_recovers_the_responses_and_the_scale():
    series, instrument, _ = simulated(STRONG, np.random.default_rng(3), periods=40_000)
    var, *_ = estimated(series, instrument)
    rows = responses(var, unit=0, horizons=3, level=0.999)
    for h, row in enumerate(rows):
        for i, estimate in enumerate(row):
            assert estimate.value == pytest.approx(THETA[h, i], abs=4 * estimate.se + 1e-12)
            assert estimate.robust.low <= estimate.value <= estimate.robust.high
    np.testing.assert_allclose(one_sd(var.gamma, var.covariance), IMPACT[:, 0], atol=0.05)


def test_cumulated_responses_are_sums_with_the_error_of_sums():
    series, instrument, _ = simulated(STRONG, np.random.default_rng(4))
    var, *_ = estimated(series, instrument)
    plain = responses(var, unit=0, horizons=3, level=0.9)
    summed = responses(var, unit=0, horizons=3, level=0.9, cumulate=(1,))
    assert summed[3][1].value == pytest.approx(sum(row[1].value for row in plain))
    assert summed[3][2] == plain[3][2]
    assert summed[3][1].se != plain[3][1].se


def test_a_part_of_the_sample_weighs_as_much_as_it_is():
    rng = np.random.default_rng(5)
    series, instrument, _ = simulated(STRONG, rng, periods=4000)
    partial = np.where(np.arange(4000) < 3000, np.nan, instrument)
    whole, *_ = estimated(series, instrument)
    part, *_ = estimated(series, partial)
    ratio = covariance_of(part.gamma_influence, 0) / covariance_of(whole.gamma_influence, 0)
    assert np.diag(ratio) == pytest.approx(4.0, rel=4 * np.sqrt(8 / 1000))
    seen = np.isfinite(partial)
    np.testing.assert_allclose(
        part.gamma,
        part.errors[seen].T @ (instrument[seen] - instrument[seen].mean()) / seen.sum(),
        rtol=1e-12,
    )


def test_the_influence_of_gamma_is_its_derivative_in_the_weight_of_a_day():
    series, instrument, _ = simulated(STRONG, np.random.default_rng(6))
    response, regressors = niw.design(series, lags=1)
    var = proxy_var(response, regressors, instrument, constant=True)

    def weighted(day, step):
        w = np.ones(len(response))
        w[day] += step
        w /= w.sum()
        moment = regressors.T @ (regressors * w[:, None])
        b = np.linalg.solve(moment, regressors.T @ (response * w[:, None]))
        return (response - regressors @ b).T @ ((instrument - w @ instrument) * w)

    for day in (0, 100, 249):
        slope = (weighted(day, 1e-5) - weighted(day, -1e-5)) / 2e-5 * len(response)
        np.testing.assert_allclose(slope, var.gamma_influence[day], rtol=1e-4, atol=1e-6)


def test_newey_west_adds_the_weighted_autocovariances():
    noise = np.random.default_rng(7).standard_normal((500, 2))
    smooth = noise[1:] + noise[:-1]
    zero, lagged = covariance_of(smooth, 0), covariance_of(smooth, 1)
    product = smooth[1:].T @ smooth[:-1] / len(smooth) ** 2
    np.testing.assert_allclose(lagged, zero + 0.5 * (product + product.T), rtol=1e-12)


def test_signs_and_units_of_an_instrument_change_nothing():
    series, instrument, _ = simulated(MIDDLE, np.random.default_rng(8))
    one, *_ = estimated(series, instrument)
    for factor in (-1.0, 1000.0):
        other, *_ = estimated(series, factor * instrument)
        assert relevance_wald(other, 0) == pytest.approx(relevance_wald(one, 0))
        here = responses(one, unit=0, horizons=2, level=0.9)[2][1]
        there = responses(other, unit=0, horizons=2, level=0.9)[2][1]
        assert there.value == pytest.approx(here.value)
        assert there.robust.low == pytest.approx(here.robust.low)


def test_a_variable_in_other_units_only_changes_its_own_contribution():
    series, instrument, _ = simulated(MIDDLE, np.random.default_rng(9))
    var, response, regressors = estimated(series, instrument, hold=DAYS)
    one = contribution(var, response, regressors, variable=1, level=0.9)
    unit = np.array([1.0, 1000.0, 0.01])
    var, response, regressors = estimated(series * unit, -instrument, hold=DAYS)
    other = contribution(var, response, regressors, variable=1, level=0.9)
    assert other.estimate.value == pytest.approx(1000 * one.estimate.value, rel=1e-9)
    assert other.estimate.se == pytest.approx(1000 * one.estimate.se, rel=1e-9)
    assert other.estimate.robust.low == pytest.approx(1000 * one.estimate.robust.low, rel=1e-3)
    assert other.possible.high == pytest.approx(1000 * one.possible.high, rel=1e-9)


def test_an_instrument_of_noise_excludes_no_contribution_that_is_possible():
    rng = np.random.default_rng(10)
    series, _, _ = simulated(0.0, rng)
    instrument = rng.standard_normal(250)
    found = contribution(*estimated(series, instrument, hold=DAYS), variable=1, level=0.999)
    assert found.silent
    assert found.estimate.robust.low <= found.possible.low
    assert found.estimate.robust.high >= found.possible.high


def test_first_stage_statistics_agree_with_statsmodels():
    sm = pytest.importorskip("statsmodels.api")
    rng = np.random.default_rng(11)
    z = rng.standard_normal((120, 2))
    x = z @ [0.3, -0.2] + rng.standard_normal(120) * (1 + np.abs(z[:, 0]))
    ours = first_stage(x, z)
    theirs = sm.OLS(x, sm.add_constant(z)).fit()
    assert ours.f == pytest.approx(theirs.fvalue)
    assert ours.r2_adjusted == pytest.approx(theirs.rsquared_adj)
    for kind in ("HC0", "HC1"):
        robust = sm.OLS(x, sm.add_constant(z)).fit(cov_type=kind, use_f=True)
        assert getattr(ours, f"f_{kind.lower()}") == pytest.approx(float(robust.fvalue))
    np.testing.assert_allclose(ours.t_robust, robust.tvalues[1:])


def test_the_effective_f_of_one_instrument_is_its_robust_f_against_23():
    rng = np.random.default_rng(12)
    z = rng.standard_normal((200, 1))
    found = first_stage(0.5 * z[:, 0] + rng.standard_normal(200), z)
    assert found.f_effective == pytest.approx(found.f_hc0)
    assert found.f_critical == pytest.approx(ncx2.ppf(0.95, 1, 10))
    assert found.f_critical == pytest.approx(23.1, abs=0.05)


@pytest.mark.parametrize("loading", [WEAK, STRONG])
def test_robust_sets_cover_however_weak_the_instrument_is(loading):
    runs = 100
    hits, event = covered(loading, runs, seed=20)
    room = 3 * np.sqrt(0.9 * 0.1 / runs)
    assert (hits[..., 0] >= 0.9 - room).all()
    assert event[0] >= 0.9 - room


def test_delta_intervals_of_a_contribution_miss_too_often_if_the_instrument_is_weak():
    runs, rng, hits = 600, np.random.default_rng(22), 0
    through = np.cumsum(PSI[:DAYS, 1] @ IMPACT[:, 0])[::-1]
    for _ in range(runs):
        series, instrument, shocks = simulated(WEAK, rng)
        value, se = plug_in(*estimated(series, instrument, hold=DAYS), variable=1)
        hits += through @ shocks[-DAYS:, 0] in delta_interval(value, se, 0.9)
    assert hits / runs < 0.9 - 3 * np.sqrt(0.9 * 0.1 / runs)


@pytest.mark.slow
@pytest.mark.stored
@pytest.mark.parametrize("loading", [WEAK, MIDDLE, STRONG])
def test_robust_sets_cover_in_a_thousand_samples(loading):
    runs = 1000
    hits, event = covered(loading, runs, seed=21)
    room = 3 * np.sqrt(0.9 * 0.1 / runs)
    assert (hits[..., 0] >= 0.9 - room).all()
    if loading == STRONG:
        np.testing.assert_allclose(hits[:, 1:, 0], 0.9, atol=room)
    np.testing.assert_allclose(hits[0, 1, 0], 0.9, atol=0.1)
    assert event[0] >= 0.9 - room
    if loading == WEAK:
        assert event[1] < 0.9 - room
