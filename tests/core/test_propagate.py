"""The recursion against a brute-force moving-average sum and a companion matrix."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from attribution.core import propagate

EPS = np.finfo(float).eps


def stable(rng, n, lags, radius=0.8):
    """Lag matrices whose companion matrix has the given spectral radius."""
    raw = rng.normal(size=(lags, n, n))
    largest = np.abs(np.linalg.eigvals(companion(raw))).max()
    return raw * np.array([(radius / largest) ** (lag + 1) for lag in range(lags)])[:, None, None]


def companion(coefficients):
    lags, n, _ = coefficients.shape
    matrix = np.eye(lags * n, k=-n)
    matrix[:n] = np.concatenate(list(coefficients), axis=1)
    return matrix


def moving_average(coefficients, horizons):
    """Psi_h as the top-left block of powers of the companion matrix: no recursion over lags."""
    n = coefficients.shape[1]
    step = companion(coefficients)
    return [np.linalg.matrix_power(step, h)[:n, :n] for h in range(horizons)]


@pytest.mark.parametrize("lags", [1, 2, 5])
@pytest.mark.parametrize("days", [1, 4, 30])
def test_contributions_are_the_moving_average_sum_of_past_impulses(lags, days):
    rng = np.random.default_rng(lags * 100 + days)
    coefficients = stable(rng, 3, lags)
    impulses = rng.normal(size=(days, 3, 3)) * [1.0, 20.0, 0.05]
    psi = moving_average(coefficients, days)
    expected = [sum(psi[t - s] @ impulses[s] for s in range(t + 1)) for t in range(days)]
    found = propagate.contributions(coefficients, impulses)
    # each entry is a sum of at most days * n products
    assert_allclose(found, expected, rtol=0, atol=100 * days * 3 * EPS * np.abs(impulses).max())


def test_the_impulses_given_are_left_unchanged():
    rng = np.random.default_rng(1)
    impulses = rng.normal(size=(4, 2, 2))
    kept = impulses.copy()
    propagate.contributions(stable(rng, 2, 1), impulses)
    assert (impulses == kept).all()


def test_responses_are_moving_average_matrices_times_the_impact():
    rng = np.random.default_rng(2)
    coefficients, impact = stable(rng, 4, 3), rng.normal(size=(4, 4)) * [[5], [1], [0.1], [1]]
    expected = np.array(moving_average(coefficients, 13)) @ impact
    assert_allclose(propagate.responses(coefficients, impact, 12), expected, rtol=0, atol=1e4 * EPS)


def test_the_baseline_is_the_companion_forecast_from_the_eve():
    rng = np.random.default_rng(3)
    lags, n = 3, 2
    coefficients, intercept = stable(rng, n, lags), rng.normal(size=n)
    history = rng.normal(size=(lags, n))
    state = history[::-1].ravel()
    expected = []
    for _ in range(8):
        state = companion(coefficients) @ state
        state[:n] += intercept
        expected.append(state[:n].copy())
    found = propagate.baseline(coefficients, intercept, history, 8)
    assert_allclose(found, expected, rtol=0, atol=1e3 * EPS)


def test_residuals_are_what_one_step_forecasts_miss():
    rng = np.random.default_rng(4)
    lags, n, days = 2, 3, 6
    coefficients, intercept = stable(rng, n, lags), rng.normal(size=n)
    path = rng.normal(size=(lags + days, n))
    found = propagate.residuals(coefficients, intercept, path[:lags], path[lags:])
    for day in range(days):
        eve = path[day : day + lags]
        forecast = propagate.baseline(coefficients, intercept, eve, 1)[0]
        assert_allclose(found[day], path[lags + day] - forecast, rtol=0, atol=1e2 * EPS)


@pytest.mark.parametrize("radius", [0.8, 1.0, 1.27])
def test_baseline_and_contributions_reproduce_the_data_even_when_complex_roots_explode(radius):
    rng = np.random.default_rng(5)
    angle = 1.1  # |Re| of the root is below one for every radius here: only |root| tells
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    coefficients = (radius * rotation)[None]
    roots = np.linalg.eigvals(companion(coefficients))
    assert_allclose(np.abs(roots), radius)
    assert (np.abs(roots.real) < 1).all()
    impact = np.array([[2.0, -0.3], [0.7, 30.0]])
    path = rng.normal(size=(26, 2)) * 10
    errors = propagate.residuals(coefficients, np.array([0.1, -3.0]), path[:1], path[1:])
    shocks = np.linalg.solve(impact, errors.T).T
    parts = propagate.contributions(coefficients, impact * shocks[:, None, :])
    base = propagate.baseline(coefficients, np.array([0.1, -3.0]), path[:1], 25)
    size = np.abs(parts).sum(-1) + np.abs(path[1:])
    assert (np.abs(base + parts.sum(-1) - path[1:]) <= 1e-12 * size).all()


def test_every_draw_is_carried_on_its_own():
    rng = np.random.default_rng(6)
    chains, draws, lags, n, days = 2, 3, 2, 3, 5
    coefficients = rng.normal(size=(chains, draws, lags, n, n)) * 0.3
    intercept = rng.normal(size=(chains, draws, n))
    impulses = rng.normal(size=(chains, draws, days, n, n))
    path = rng.normal(size=(lags + days, n))
    together = (
        propagate.contributions(coefficients, impulses),
        propagate.baseline(coefficients, intercept, path[:lags], days),
        propagate.residuals(coefficients, intercept, path[:lags], path[lags:]),
    )
    for at in np.ndindex(chains, draws):
        alone = (
            propagate.contributions(coefficients[at], impulses[at]),
            propagate.baseline(coefficients[at], intercept[at], path[:lags], days),
            propagate.residuals(coefficients[at], intercept[at], path[:lags], path[lags:]),
        )
        for one, many in zip(alone, together, strict=True):
            assert_allclose(many[at], one, rtol=0, atol=1e3 * EPS)
