"""The chain of scales: nothing left out but scales, recovery of what made the data, no units."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from attribution.core import niw
from attribution.core.laws import scaled

N, DAYS = 3, 400
MIX = np.array([[1.0, 0, 0], [0.6, 0.8, 0], [-0.5, 0.3, 1.0]])
NOBODY = np.array([], dtype=np.int64)
STUDENT = scaled.ScaleLaw(None)
VOLATILE = scaled.ScaleLaw(volatility_scale=0.3)


def prior_of(series):
    return niw.minnesota(
        niw.autoregressive_spread(series),
        lags=1,
        constant=True,
        own_lag=np.zeros(N),
        tightness=0.3,
        decay=1.0,
        intercept_scale=10.0,
    )


def whitened(series):
    return scaled.whiten(prior_of(series), *niw.design(series, lags=1))


def simulated(scales, rng):
    path = np.zeros((DAYS + 1, N))
    for t in range(DAYS):
        path[t + 1] = 0.3 * path[t] + scales[t] * (MIX @ rng.standard_normal(N))
    return path


def swept(series, law, listed=NOBODY, *, seed=0, burn_in=300, draws=1500, thin=2):
    chain = scaled.ScaleChain(len(series) - 1, law, listed, np.random.default_rng(seed))
    data = whitened(series)
    chain.sweep(data, 1, thin=burn_in)
    return data, chain.sweep(data, draws, thin=thin)


@pytest.fixture(scope="module")
def calm():
    return simulated(np.ones(DAYS), np.random.default_rng(1))


@pytest.fixture(scope="module")
def persistent():
    """Two long swings of a common volatility, and what they made of the data."""
    rng = np.random.default_rng(4)
    states = scaled.ScaleLaw().draw_scales(np.array([np.inf, 0.97, 0.25]), DAYS, rng)[0]
    states -= states.mean()
    return states, simulated(np.exp(0.5 * states), rng)


def test_with_every_scale_at_one_draws_are_those_of_the_conjugate_posterior(calm):
    data, states = swept(calm, scaled.ScaleLaw(), burn_in=1, draws=8000, thin=1)
    factor, b = data.restore(states.roots, states.turns)
    after = niw.posterior(prior_of(calm), *niw.design(calm, lags=1))
    error = 4.5 / np.sqrt(len(b))
    assert (states.scales == 1.0).all()
    assert (np.abs(b.mean(0) - after.mean) < error * b.std(0)).all()
    spread = np.sqrt(
        np.outer(
            np.diag(np.linalg.inv(after.precision)), np.diag(after.scale) / (after.dof - N - 1)
        )
    )
    assert_allclose(b.std(0), spread, rtol=5 / np.sqrt(2 * len(b)))
    sigma = factor @ factor.swapaxes(1, 2)
    expected = after.scale / (after.dof - N - 1)
    assert (np.abs(sigma.mean(0) - expected) < error * sigma.std(0)).all()


def test_the_degrees_of_freedom_and_the_wild_days_are_found():
    rng = np.random.default_rng(2)
    scales = np.sqrt(0.5 * 4.0 / rng.gamma(2.0, size=DAYS))
    _, states = swept(simulated(scales, rng), STUDENT)
    low, high = np.quantile(states.parameters[:, 0], [0.01, 0.99])
    assert low < 4.0 < high < 10.0
    assert np.corrcoef(np.log(states.scales).mean(0), np.log(scales))[0, 1] > 0.7


def test_calm_data_have_many_degrees_of_freedom(calm):
    _, states = swept(calm, STUDENT)
    assert np.quantile(states.parameters[:, 0], 0.05) > 8.0


def test_a_given_dof_stays_as_given(calm):
    _, states = swept(calm, scaled.ScaleLaw(5.0), draws=50)
    assert (states.parameters[:, 0] == 5.0).all()


def test_a_persistent_volatility_is_found(persistent):
    truth, series = persistent
    _, states = swept(series, VOLATILE, burn_in=1000, draws=2000, thin=5)
    assert np.corrcoef(2 * np.log(states.scales).mean(0), truth)[0, 1] > 0.85
    for column, value in ((1, 0.97), (2, 0.25)):
        low, high = np.quantile(states.parameters[:, column], [0.005, 0.995])
        assert low < value < high
    inside = (np.quantile(2 * np.log(states.scales), [0.05, 0.95], axis=0) - truth) * [[1], [-1]]
    assert (inside < 0).all(0).mean() > 0.8


def test_chains_from_dispersed_starts_agree(persistent):
    chains = [swept(persistent[1], VOLATILE, seed=s, burn_in=1000, thin=5)[1] for s in (1, 2)]
    one, two = (np.log(states.scales).mean(0) for states in chains)
    assert np.abs(one - two).max() < 0.12
    sigma = [np.log(states.parameters[:, 2]).mean() for states in chains]
    assert abs(sigma[0] - sigma[1]) < 0.25


def test_an_outlier_is_found_where_it_is_listed(calm):
    series, listed = calm.copy(), np.array([100, 200])
    series[101] += 12.0 * MIX @ np.array([0.0, 1.0, 1.0])
    _, states = swept(series, scaled.ScaleLaw(), listed)
    far, near = states.outlier_scales.mean(0)
    assert far > 4.0
    assert near < 2.0
    assert (states.outlier_scales >= 1.0).all()
    assert_allclose(states.scales[:, listed], states.outlier_scales)
    assert (np.delete(states.scales, listed, 1) == 1.0).all()


@pytest.mark.parametrize("law", [STUDENT, VOLATILE])
def test_units_do_not_touch_the_draws(calm, law):
    """One seed: the same chain, in other units."""
    size = np.array([1000.0, 1.0, 1e-3])
    draws = []
    for series in (calm, calm * size):
        data, states = swept(series, law, burn_in=5, draws=5)
        draws.append((*data.restore(states.roots, states.turns), states.scales))
    (factor, b, scales), (other, c, again) = draws
    assert_allclose(other / size[:, None], factor, rtol=1e-6, atol=1e-9)
    assert_allclose(c * np.array([1.0, *size])[:, None] / size, b, rtol=1e-5, atol=1e-7)
    assert_allclose(again, scales, rtol=1e-6)


def test_the_chain_goes_on_where_it_stopped(calm):
    data = whitened(calm)
    whole, parts = (
        scaled.ScaleChain(DAYS, VOLATILE, np.array([7]), np.random.default_rng(3)) for _ in "ab"
    )
    once = whole.sweep(data, 6)
    twice = [parts.sweep(data, 2), parts.sweep(data, 4)]
    assert_allclose(np.concatenate([s.roots for s in twice]), once.roots, rtol=1e-12)
    assert_allclose(np.concatenate([s.scales for s in twice]), once.scales, rtol=1e-12)


def test_collinear_levels_cost_no_digits():
    """Random walks far from nought: whitened moments of prior and data add up to the identity."""
    rng = np.random.default_rng(9)
    series = 1e4 + np.cumsum(rng.standard_normal((DAYS + 1, N)) @ MIX.T, axis=0)
    data = whitened(series)
    k = len(data.center)
    total = data.moments + data.rows.T @ data.rows
    assert_allclose(total[:k, :k], np.eye(k), atol=1e-6)
    assert_allclose(total[:k, k:], 0.0, atol=1e-5)
    assert_allclose(total[k:, k:] / (data.dof + DAYS), np.eye(N), atol=1e-6)
