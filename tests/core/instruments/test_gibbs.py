"""The proxy VAR's sampler: right joint law, right limits, and no opinion on names and units."""

from dataclasses import replace

import numpy as np
import pytest

from attribution.core import niw
from attribution.core.instruments.gibbs import ProxyData, sample, start
from attribution.core.instruments.instrument import one_sd, proxy_var
from attribution.core.instruments.model import ProxyDraws, ProxyPrior, prior_draw, simulate
from attribution.core.rotations.haar import haar

IMPACT = np.array([[1.0, -1.0, 0.2], [0.9, 1.0, 0.3], [-0.5, 0.4, 1.0]])
BATCHES = 40


def tight_prior(channel_of, relevance=0.8):
    base = niw.minnesota(
        np.array([1.0, 2.0, 0.5]),
        lags=1,
        constant=True,
        own_lag=np.full(3, 0.3),
        tightness=0.15,
        decay=1.0,
        intercept_scale=1.0,
    )
    base = replace(base, scale=6 * base.scale, dof=11.0)
    of = np.array(channel_of)
    spread = np.array([1.0, 3.0, 0.4])[: len(of)]
    return ProxyPrior(base, of, spread, relevance=relevance, center=0.5)


def statistics(draws, of):
    """Numbers (draw, statistic) that the sign of a column does not touch."""
    h, b = draws.impact, draws.coefficients
    sigma = h @ h.swapaxes(1, 2)
    found = [np.linalg.slogdet(sigma)[1], sigma[:, 0, 1], b[:, 1, 0], b[:, 0, 1], b[:, 1, 0] ** 2]
    found.append(b[:, 2, 1] * h[:, 0, 0] ** 2)
    for j, c in enumerate(of):
        load = draws.loading[:, j]
        found += [np.abs(load), load * h[:, 0, c], np.abs(h[:, 1, c]), draws.center[:, j]]
        found += [np.log(draws.noise[:, j, j]), load**2 * h[:, 0, c] * h[:, 1, c]]
    if len(of) > 1:
        found += [draws.noise[:, 0, 1], draws.loading[:, 0] * draws.loading[:, 1]]
    return np.stack(found, 1)


def geweke(channel_of, sweeps, seed, periods=25):
    """z of successive-conditional against direct means (Geweke 2004)."""
    rng = np.random.default_rng(seed)
    prior, count = tight_prior(channel_of), len(channel_of)
    missing = np.zeros((periods, count), bool)
    missing[:6] = True
    if count > 1:
        missing[6:14, 0] = True
        missing[15:18, -1] = True
    direct = statistics(prior_draw(prior, 100_000, rng), channel_of)
    state, visited = prior_draw(prior, 1, rng), np.empty((sweeps, direct.shape[1]))
    for sweep in range(sweeps):
        series, seen = simulate(
            prior, state, 0, before=np.zeros((1, 3)), periods=periods, constant=True, rng=rng
        )
        seen[missing] = np.nan
        data = ProxyData(*niw.design(series, lags=1), seen)
        state, _ = sample(prior, data, state, draws=1, burn_in=0, thin=1, rng=rng)
        visited[sweep] = statistics(state, channel_of)[0]
    batch = visited.reshape(BATCHES, -1, direct.shape[1]).mean(1)
    error = np.hypot(batch.std(0, ddof=1) / BATCHES**0.5, direct.std(0) / len(direct) ** 0.5)
    return (batch.mean(0) - direct.mean(0)) / error


@pytest.mark.parametrize("channel_of", [(0,), (0, 1, 0)])
def test_sweeps_leave_the_joint_law_of_parameters_and_data_unchanged(channel_of):
    assert np.abs(geweke(channel_of, sweeps=8000, seed=1)).max() < 4.0


@pytest.mark.slow
@pytest.mark.stored
@pytest.mark.parametrize("channel_of", [(0,), (0, 0), (0, 1), (0, 1, 0)])
def test_long_runs_leave_the_joint_law_unchanged(channel_of):
    assert np.abs(geweke(channel_of, sweeps=60_000, seed=2)).max() < 4.0


def generated(loadings, channel_of, periods, seed, noise=None):
    rng = np.random.default_rng(seed)
    shocks = rng.standard_normal((periods + 1, 3))
    series = np.zeros((periods + 1, 3))
    for t in range(1, periods + 1):
        series[t] = 0.3 * series[t - 1] + IMPACT @ shocks[t]
    root = np.eye(len(channel_of)) if noise is None else np.linalg.cholesky(noise)
    seen = np.array(loadings) * shocks[1:, list(channel_of)]
    seen = seen + rng.standard_normal(seen.shape) @ root.T
    return ProxyData(*niw.design(series, lags=1), seen)


def flat_prior(data, channel_of):
    return ProxyPrior(niw.flat(3, 4), np.array(channel_of), np.nanstd(data.instruments, 0))


def drawn(data, channel_of, draws=2000, seed=0, prior=None, thin=4):
    rng = np.random.default_rng(seed)
    prior = flat_prior(data, channel_of) if prior is None else prior
    state = start(prior, data, rng)
    found, accepted = sample(prior, data, state, draws=draws, burn_in=500, thin=thin, rng=rng)
    assert accepted > 0.2
    return signed(found, channel_of)


def signed(draws, channel_of):
    impact, loading = draws.impact.copy(), draws.loading.copy()
    for c in set(channel_of):
        side = np.sign(loading[:, channel_of.index(c)])
        impact[:, :, c] *= side[:, None]
        loading[:, [j for j, one in enumerate(channel_of) if one == c]] *= side[:, None]
    return replace(draws, impact=impact, loading=loading)


@pytest.mark.parametrize("loading", [0.5, 5.0])
def test_a_long_sample_finds_the_plug_in_impact_however_reliable_the_instrument(loading):
    data = generated([loading], (0,), periods=5000, seed=1)
    found = drawn(data, (0,))
    var = proxy_var(data.response, data.regressors, data.instruments[:, 0], constant=True)
    column = found.impact[..., 0]
    np.testing.assert_allclose(
        column.mean(0), one_sd(var.gamma, var.covariance), atol=0.2 * column.std(0).max() + 0.003
    )
    truth = loading**2 / (1 + loading**2)
    assert found.reliability.mean() == pytest.approx(truth, abs=0.05)


def test_two_instruments_with_shared_noise_are_told_from_two_that_agree():
    noise = np.array([[1.0, 0.8], [0.8, 1.0]])
    data = generated([0.6, 0.4], (0, 0), periods=4000, seed=2, noise=noise)
    found = drawn(data, (0, 0))
    np.testing.assert_allclose(found.loading.mean(0), [0.6, 0.4], atol=0.1)
    np.testing.assert_allclose(found.noise.mean(0), noise, atol=0.1)
    np.testing.assert_allclose(found.impact[..., 0].mean(0), IMPACT[:, 0], atol=0.15)


def test_two_channels_have_two_columns_of_unit_shocks():
    data = generated([0.8, 0.8, 0.5], (0, 1, 1), periods=4000, seed=3)
    found = drawn(data, (0, 1, 1))
    np.testing.assert_allclose(found.impact[..., :2].mean(0), IMPACT[:, :2], atol=0.2)
    sigma = found.impact @ found.impact.swapaxes(1, 2)
    back = np.linalg.solve(np.linalg.cholesky(sigma), found.impact)
    np.testing.assert_allclose(
        back @ back.swapaxes(1, 2), np.broadcast_to(np.eye(3), back.shape), atol=1e-10
    )


def test_an_instrument_of_noise_leaves_the_direction_uniform_and_sigma_alone():
    data = generated([0.0], (0,), periods=300, seed=4)
    hidden = replace(data, instruments=np.where(np.arange(300)[:, None] < 290, np.nan, 0.0))
    hidden.instruments[290:, 0] = np.random.default_rng(5).standard_normal(10)
    found = drawn(hidden, (0,), draws=4000)
    sigma = found.impact @ found.impact.swapaxes(1, 2)
    root = np.linalg.cholesky(sigma)
    direction = np.linalg.solve(root, found.impact)[..., 0]
    closed = niw.posterior(niw.flat(3, 4), data.response, data.regressors)
    factor = niw.draw_factor(closed, 4000, np.random.default_rng(6))
    expected = factor @ factor.swapaxes(1, 2)
    error = expected.std(0) * np.sqrt(2 / 3500)
    assert (np.abs(sigma.mean(0) - expected.mean(0)) < 4 * error).all()
    uniform = haar(3, 4000, np.random.default_rng(7))[..., 0]
    assert np.abs(direction).mean() == pytest.approx(np.abs(uniform).mean(), abs=0.03)


def test_posterior_draws_do_not_depend_on_units_or_on_the_sign_of_an_instrument():
    data = generated([0.5], (0,), periods=400, seed=8)
    one = drawn(data, (0,), draws=400)
    unit = np.array([1.0, 1000.0, 0.01])
    scaled = ProxyData(
        data.response * unit,
        data.regressors * np.append(1.0, unit),
        1000.0 * data.instruments,
    )
    other = drawn(scaled, (0,), draws=400)
    np.testing.assert_allclose(other.impact[..., 0], one.impact[..., 0] * unit, rtol=1e-6)
    np.testing.assert_allclose(other.loading, 1000 * one.loading, rtol=1e-6)
    flipped = replace(data, instruments=-data.instruments)
    mirrored = drawn(flipped, (0,), draws=4000)
    long = drawn(data, (0,), draws=4000)
    error = long.impact[..., 0].std(0).max() / np.sqrt(1500)
    np.testing.assert_allclose(
        mirrored.impact[..., 0].mean(0), -long.impact[..., 0].mean(0), atol=4 * np.sqrt(2) * error
    )


def test_the_order_of_variables_does_not_matter():
    data = generated([0.5], (0,), periods=400, seed=9)
    order = [2, 0, 1]
    turned = ProxyData(data.response[:, order], data.regressors[:, [0, 3, 1, 2]], data.instruments)
    one = drawn(data, (0,), draws=4000).impact[:, order, 0]
    other = drawn(turned, (0,), draws=4000, seed=1).impact[..., 0]
    error = one.std(0) / np.sqrt(1500)
    assert (np.abs(one.mean(0) - other.mean(0)) < 4 * np.sqrt(2) * error).all()
    np.testing.assert_allclose(one.std(0), other.std(0), rtol=0.1)


def test_one_seed_gives_the_same_draws():
    data = generated([0.5], (0,), periods=200, seed=10)
    one, other = drawn(data, (0,), draws=50), drawn(data, (0,), draws=50)
    np.testing.assert_array_equal(one.impact, other.impact)


def test_priors_that_make_no_sense_are_refused():
    base = niw.flat(3, 4)
    with pytest.raises(ValueError, match="without a gap"):
        ProxyPrior(base, np.array([0, 2]), np.ones(2))
    with pytest.raises(ValueError, match="positive spread"):
        ProxyPrior(base, np.array([0]), np.zeros(1))
    with pytest.raises(ValueError, match="more channels"):
        ProxyPrior(base, np.arange(4), np.ones(4))
    with pytest.raises(ValueError, match="flat prior"):
        prior_draw(ProxyPrior(base, np.array([0]), np.ones(1)), 2, np.random.default_rng(0))


def test_the_implied_prior_of_reliability_reaches_both_ends():
    prior = replace(tight_prior((0,)), relevance=0.5)
    share = prior_draw(prior, 20_000, np.random.default_rng(0)).reliability
    assert isinstance(prior_draw(prior, 2, np.random.default_rng(0)), ProxyDraws)
    assert np.quantile(share, 0.05) < 0.01
    assert 0.1 < np.median(share) < 0.3
    assert np.quantile(share, 0.95) > 0.6
