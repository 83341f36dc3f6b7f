"""The conjugate posterior: direct formulas, moments of draws, no trace of units."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from attribution.core import niw

N, LAGS, DAYS = 3, 2, 60
UNIT = np.array([1.0, 0.02, 500.0])


@pytest.fixture(scope="module")
def series():
    rng = np.random.default_rng(3)
    mix = np.array([[1.0, 0, 0], [0.6, 1.0, 0], [-0.5, 0.3, 1.0]])
    return rng.normal(size=(DAYS, N)) @ mix.T * UNIT + 3 * UNIT


def prior(series, **changes):
    settings = {
        "lags": LAGS,
        "constant": True,
        "own_lag": np.array([0.0, 0.5, 0.9]),
        "tightness": 0.3,
        "decay": 1.5,
        "intercept_scale": 10.0,
    } | changes
    return niw.minnesota(niw.autoregressive_spread(series), **settings)


@pytest.fixture(scope="module")
def updated(series):
    return niw.posterior(prior(series), *niw.design(series, lags=LAGS))


def test_regressors_are_the_constant_then_the_nearest_lag_first(series):
    response, regressors = niw.design(series, lags=LAGS)
    assert regressors.shape == (DAYS - LAGS, 1 + N * LAGS)
    assert_allclose(response[10], series[12])
    assert_allclose(regressors[10], np.concatenate([[1.0], series[11], series[10]]))
    assert niw.design(series, lags=LAGS, constant=False)[1].shape[1] == N * LAGS


def test_the_posterior_is_that_of_the_textbook(series, updated):
    """Against sums of squares written out, in standard units so that inverses keep their digits."""
    before = prior(series)
    y, x = niw.design(series, lags=LAGS)
    precision = before.precision + x.T @ x
    mean = np.linalg.inv(precision) @ (before.precision @ before.mean + x.T @ y)
    scale = (
        before.scale
        + y.T @ y
        + before.mean.T @ before.precision @ before.mean
        - mean.T @ precision @ mean
    )
    size = np.sqrt(np.outer(np.diag(scale), np.diag(scale)))
    assert_allclose(updated.precision, precision)
    assert_allclose(updated.mean, mean, rtol=1e-6, atol=1e-6)
    assert_allclose(updated.scale / size, scale / size, atol=1e-7)
    assert updated.dof == N + 2 + DAYS - LAGS


def test_the_flat_prior_leaves_least_squares_and_its_sum_of_squares(series):
    y, x = niw.design(series, lags=LAGS)
    after = niw.posterior(niw.flat(N, x.shape[1]), y, x)
    beta = np.linalg.lstsq(x, y)[0]
    errors = y - x @ beta
    assert_allclose(after.mean, beta, rtol=1e-6, atol=1e-8)
    assert_allclose(after.scale, errors.T @ errors, rtol=1e-8, atol=1e-8)
    assert after.dof == DAYS - LAGS  # Uhlig's N0 = 0, nu0 = 0


def test_the_minnesota_prior_tightens_with_the_lag_and_expects_the_own_lag(series):
    before, spread = prior(series), niw.autoregressive_spread(series)
    variance = 1 / np.diag(before.precision)
    assert_allclose(variance[0], 100.0)
    for lag in (1, 2):
        block = variance[1 + N * (lag - 1) : 1 + N * lag]
        assert_allclose(block, (0.3 / lag**1.5 / spread) ** 2)
    assert_allclose(before.mean[1 : 1 + N], np.diag([0.0, 0.5, 0.9]))
    assert not before.mean[[0, *range(1 + N, 1 + 2 * N)]].any()
    assert_allclose(before.scale / (before.dof - N - 1), np.diag(spread**2))


def test_rescaling_a_series_rescales_its_posterior_and_nothing_else(series, updated):
    factor = np.array([1000.0, 1.0, 1e-3])
    other = series * factor
    rescaled = niw.posterior(prior(other), *niw.design(other, lags=LAGS))
    size = np.concatenate([[1.0], np.tile(factor, LAGS)])
    assert_allclose(rescaled.mean * size[:, None] / factor, updated.mean, rtol=1e-7, atol=1e-9)
    assert_allclose(rescaled.scale, updated.scale * np.outer(factor, factor), rtol=1e-8)


def test_draws_of_the_covariance_follow_the_inverse_wishart(updated):
    rng, draws = np.random.default_rng(5), 40_000
    factor = niw.draw_factor(updated, draws, rng)
    assert (np.triu(factor, 1) == 0).all()
    assert (np.diagonal(factor, axis1=1, axis2=2) > 0).all()
    sigma = factor @ factor.swapaxes(1, 2)
    nu, scale = updated.dof, updated.scale
    size = np.sqrt(np.outer(np.diag(scale), np.diag(scale)))
    error = sigma.std(0) / np.sqrt(draws) / size
    gap = np.abs(sigma.mean(0) - scale / (nu - N - 1)) / size
    assert (gap < 4.5 * error).all()
    # every marginal block is inverse Wishart: a diagonal entry is inverse gamma
    for i in range(N):
        law = stats.invgamma(0.5 * (nu - N + 1), scale=0.5 * scale[i, i])
        assert stats.kstest(sigma[:, i, i], law.cdf).pvalue > 1e-3
    # det S / det Sigma is a product of independent chi-squares
    log_ratio = np.linalg.slogdet(scale)[1] - np.linalg.slogdet(sigma)[1]
    product = np.log(rng.chisquare(nu - np.arange(N), size=(draws, N))).sum(1)
    assert stats.ks_2samp(log_ratio, product).pvalue > 1e-3


def test_draws_of_the_coefficients_have_the_posterior_moments(updated):
    rng, draws = np.random.default_rng(6), 40_000
    factor = niw.draw_factor(updated, draws, rng)
    drawn = niw.draw_coefficients(updated, factor, rng)
    spread = drawn.std(0)
    assert (np.abs(drawn.mean(0) - updated.mean) < 4.5 * spread / np.sqrt(draws)).all()
    inverse = np.linalg.inv(updated.precision)
    expected = np.outer(np.diag(inverse), np.diag(updated.scale) / (updated.dof - N - 1))
    # sd of a standard deviation over many draws is about 1 / sqrt(2 draws)
    assert_allclose(spread, np.sqrt(expected), rtol=5 / np.sqrt(2 * draws))
    # correlations across regressors and across equations, one of each
    z = (drawn - updated.mean) / spread
    across = inverse[1, 4] / np.sqrt(inverse[1, 1] * inverse[4, 4])
    assert abs((z[:, 1, 0] * z[:, 4, 0]).mean() - across) < 5 / np.sqrt(draws)
    sigma = updated.scale
    between = sigma[0, 1] / np.sqrt(sigma[0, 0] * sigma[1, 1])
    assert abs((z[:, 1, 0] * z[:, 1, 1]).mean() - between) < 5 / np.sqrt(draws)


def test_any_root_of_the_covariance_serves_the_coefficients(updated):
    """Given Sigma, the law of B does not depend on which root carried the noise."""
    draws = 20_000
    factor = np.broadcast_to(niw.draw_factor(updated, 1, np.random.default_rng(1)), (draws, N, N))
    turn = np.linalg.qr(np.random.default_rng(2).normal(size=(N, N)))[0]
    one, two = (
        niw.draw_coefficients(updated, root, np.random.default_rng(7 + i))
        for i, root in enumerate((factor, factor @ turn))
    )
    for r in range(one.shape[1]):
        assert stats.ks_2samp(one[:, r, 1], two[:, r, 1]).pvalue > 1e-4


def test_lags_and_intercept_are_laid_out_for_the_recursion():
    k = 1 + N * LAGS
    coefficients = np.arange(2 * k * N, dtype=float).reshape(2, k, N)
    slopes, intercept = niw.split(coefficients, constant=True)
    assert slopes.shape == (2, LAGS, N, N)
    assert slopes[1, 0, 2, 0] == coefficients[1, 1, 2]  # equation 2, first regressor, lag 1
    assert_allclose(intercept, coefficients[:, 0])
    slopes, intercept = niw.split(coefficients[:, 1:], constant=False)
    assert not intercept.any()
    assert slopes[0, 1, 2, 1] == coefficients[0, 1 + N + 1, 2]


def test_the_evidence_is_prior_times_likelihood_over_posterior(series):
    """Bayes' rule at a point: every constant counts.  In standard units, which scipy needs."""
    before = prior(series / UNIT)
    y, x = niw.design(series / UNIT, lags=LAGS)
    updated = niw.posterior(before, y, x)
    rng = np.random.default_rng(8)
    factor = niw.draw_factor(updated, 1, rng)
    b, sigma = niw.draw_coefficients(updated, factor, rng)[0], factor[0] @ factor[0].T

    def log_density(of):
        normal = stats.matrix_normal(of.mean, np.linalg.inv(of.precision), sigma)
        return normal.logpdf(b) + stats.invwishart(of.dof, of.scale).logpdf(sigma)

    likelihood = stats.multivariate_normal(np.zeros(N), sigma).logpdf(y - x @ b).sum()
    expected = log_density(before) + likelihood - log_density(updated)
    assert_allclose(niw.log_evidence(before, updated), expected, rtol=1e-9)


def test_the_evidence_of_all_days_is_that_of_some_and_of_the_rest_given_them(series, updated):
    before = prior(series)
    y, x = niw.design(series, lags=LAGS)
    midway = niw.posterior(before, y[:20], x[:20])
    parts = niw.log_evidence(before, midway) + niw.log_evidence(midway, updated)
    assert_allclose(parts, niw.log_evidence(before, updated), rtol=1e-9)


def test_a_flat_prior_has_no_evidence(series):
    y, x = niw.design(series, lags=LAGS)
    before = niw.flat(N, x.shape[1])
    with pytest.raises(ValueError, match="improper"):
        niw.log_evidence(before, niw.posterior(before, y, x))
