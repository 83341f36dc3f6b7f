"""A local level with regression: the rotated grid against dense Gaussian algebra."""

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from attribution.studies.counterfactual.level import (
    CONSTANT_SD,
    LevelModel,
    Problem,
    forecast_level,
    sample_level,
    walk_spectrum,
)

ROWS = 40


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(11)
    x = rng.standard_normal((ROWS, 3)) @ np.array([[1.0, 0.4, 0.0], [0.0, 1.0, 0.0], [0, 0, 1.0]])
    level = np.cumsum(0.2 * rng.standard_normal(ROWS))
    y = x @ [0.8, 0.0, -0.3] + level + 0.5 * rng.standard_normal(ROWS)
    return (y - y.mean()) / y.std(), (x - x.mean(0)) / x.std(0)


def dense(y, x, columns, noise, step, precision):
    """Log evidence and posterior mean of coefficients by brute force."""
    z = np.column_stack([np.ones(ROWS), x])[:, columns]
    k = np.minimum.outer(np.arange(ROWS), np.arange(ROWS))
    v = noise**2 * np.eye(ROWS) + step**2 * k
    prior = np.linalg.inv(precision)
    evidence = multivariate_normal(np.zeros(ROWS), v + z @ prior @ z.T).logpdf(y)
    inner = np.linalg.inv(z.T @ np.linalg.solve(v, z) + precision)
    return evidence, inner @ z.T @ np.linalg.solve(v, y), v, k


@pytest.mark.parametrize("rows", [2, 7, 60])
def test_the_sines_are_the_spectrum_of_the_walk(rows):
    values, vectors = walk_spectrum(rows)
    k = np.minimum.outer(np.arange(rows), np.arange(rows))
    assert np.abs(vectors * values @ vectors.T - k).max() < 1e-11
    assert np.abs(vectors.T @ vectors - np.eye(rows)).max() < 1e-12


@pytest.mark.parametrize("slope_sd", [0.7, None])
def test_evidence_and_means_are_those_of_dense_algebra(data, slope_sd):
    y, x = data
    problem = Problem.of(y, x, LevelModel(0.1, 4.0, slope_sd, 1.5))
    noise, step = np.array([0.3, 0.9, 0.5]), np.array([0.02, 0.3, 0.0])
    for columns in problem.subsets:
        mean, _, evidence = problem.moments(columns, noise, step)
        for g in range(3):
            precision = np.zeros((len(columns),) * 2)
            precision[0, 0] = CONSTANT_SD**-2
            if slope_sd is None:
                gram = x.T @ x / ROWS
                slab = 0.5 * (gram + np.diag(np.diag(gram))) / noise[g] ** 2
                precision[1:, 1:] = slab[np.ix_(columns[1:] - 1, columns[1:] - 1)]
            else:
                precision[1:, 1:] = np.eye(len(columns) - 1) / slope_sd**2
            exact = dense(y, x, columns, noise[g], step[g], precision)
            constant = 0.5 * ROWS * np.log(2 * np.pi)
            assert evidence[g] - constant == pytest.approx(exact[0], abs=1e-9)
            assert np.abs(mean[g] - exact[1]).max() < 1e-10


def test_the_last_level_is_the_conditional_normal(data):
    y, x = data
    problem = Problem.of(y, x, LevelModel(0.1, 4.0, 1.0))
    draws = 40_000
    b = np.tile([0.1, 0.7, 0.0, -0.2], (draws, 1))
    found = problem.states(b, np.full(draws, 0.4), np.full(draws, 0.15), np.random.default_rng(1))
    v, k = dense(y, x, np.arange(4), 0.4, 0.15, np.eye(4))[2:]
    signal = 0.15**2 * k
    gap = y - np.column_stack([np.ones(ROWS), x]) @ b[0]
    smooth = signal @ np.linalg.solve(v, gap)
    variance = signal[-1, -1] - signal[-1] @ np.linalg.solve(v, signal[-1])
    assert np.abs(found.fitted[0] - (y - gap + smooth)).max() < 1e-10
    assert found.level.mean() == pytest.approx(smooth[-1], abs=4 * np.sqrt(variance / draws))
    assert found.level.var() == pytest.approx(variance, rel=4 * np.sqrt(2 / draws))


def test_the_grid_finds_the_posterior_of_the_noise(data):
    y, x = data
    model = LevelModel(0.1, 4.0, 1.0)
    problem = Problem.of(y, x, model)
    one, two = (
        a.ravel()
        for a in np.meshgrid(
            np.exp(np.linspace(-4, 1, 220)), np.exp(np.linspace(-5, 0, 220)), indexing="ij"
        )
    )
    weight = problem.log_weight(one, two)[0]
    weight = np.exp(weight - logsumexp(weight))
    found = sample_level(y, x, model, draws=20_000, rng=np.random.default_rng(2))
    for exact, drawn in ((one, found.noise), (two, found.step)):
        mean, sd = weight @ exact, np.sqrt(weight @ exact**2 - (weight @ exact) ** 2)
        assert drawn.mean() == pytest.approx(mean, abs=4 * sd / np.sqrt(20_000) + 0.002 * mean)
        assert drawn.std() == pytest.approx(sd, rel=0.05)


def test_a_control_that_matters_is_in_and_one_that_does_not_is_mostly_out(data):
    y, x = data
    found = sample_level(
        y, x, LevelModel(0.05, 8.0, None, 1.5), draws=4000, rng=np.random.default_rng(3)
    )
    included = (found.coefficients[:, 1:] != 0).mean(0)
    assert included[0] > 0.99
    assert included[1] < 0.5  # below its prior probability


def test_the_forecast_spreads_as_a_walk_does(data):
    y, x = data
    found = sample_level(y, x, LevelModel(0.3, 1e6, 1e-6), draws=20_000,
                         rng=np.random.default_rng(4))  # fmt: skip
    path = forecast_level(found, np.zeros((200, 3)), np.random.default_rng(5))
    grown = path[:, 199].var() - path[:, 0].var()
    assert grown == pytest.approx(199 * 0.3**2, rel=4 * np.sqrt(2 / 20_000))


def test_one_seed_is_one_answer(data):
    y, x = data
    model = LevelModel(0.05, 8.0, None, 1.5)
    first, again, other = (
        sample_level(y, x, model, draws=200, rng=np.random.default_rng(s)) for s in (1, 1, 2)
    )
    assert np.array_equal(first.coefficients, again.coefficients)
    assert not np.array_equal(first.coefficients, other.coefficients)
