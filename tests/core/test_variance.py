"""Variance shares against forecast errors simulated, summed by hand, and without end."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from attribution.core import propagate
from attribution.core.propagate import long_run, shares
from attribution.core.window import responses

IMPACT = np.array([[1.5, 0.4, -0.2], [-3.0, 20.0, 6.0], [0.01, 0.02, 0.05]])
"""Neither unit nor symmetric: dividing a column by its own effect would change every share."""


def lags(n=3, count=2, seed=0, radius=0.7):
    rng = np.random.default_rng(seed)
    raw = rng.normal(size=(count, n, n))
    step = np.eye(count * n, k=-n)
    step[:n] = np.concatenate(list(raw), axis=1)
    scale = radius / np.abs(np.linalg.eigvals(step)).max()
    return raw * np.array([scale ** (i + 1) for i in range(count)])[:, None, None]


def test_shares_of_the_first_step_are_squared_impacts():
    found = shares(IMPACT[None])
    assert_allclose(found[0], IMPACT**2 / (IMPACT**2).sum(1, keepdims=True), rtol=1e-14)


def test_shares_are_those_of_the_moving_average_summed_by_hand():
    coefficients = lags()
    theta = propagate.responses(coefficients, IMPACT, 7)
    found = shares(theta)
    for h in range(8):
        parts = sum(theta[g] ** 2 for g in range(h + 1))
        whole = np.diag(sum(theta[g] @ theta[g].T for g in range(h + 1)))
        assert_allclose(found[h], parts / whole[:, None], rtol=1e-12)


def test_shares_sum_to_one_whatever_the_number_of_shocks():
    rng = np.random.default_rng(1)
    theta = rng.normal(size=(50, 11, 4, 7)) * 10.0 ** rng.integers(-4, 4, (4, 7))
    found = shares(theta)
    assert (found >= 0).all()
    assert_allclose(found.sum(-1), 1.0, rtol=0, atol=1e-12)


def test_a_share_is_the_part_of_a_simulated_forecast_error_that_one_shock_makes():
    """Forecast errors three steps ahead, made from each shock alone: their variances add up."""
    coefficients, rng = lags(), np.random.default_rng(2)
    theta = propagate.responses(coefficients, IMPACT, 2)
    shocks = rng.normal(size=(3, 200_000, 3))
    parts = np.stack(
        [
            sum(theta[g][:, [k]] * shocks[2 - g, :, k] for g in range(3)).var(axis=1)
            for k in range(3)
        ],
        axis=1,
    )
    assert_allclose(
        shares(theta)[2], parts / parts.sum(1, keepdims=True), atol=4 * np.sqrt(2 / 2e5)
    )


@pytest.mark.parametrize("radius", [0.0, 0.5, 0.95, 0.999])
def test_the_long_run_is_where_shares_settle(radius):
    coefficients = lags(radius=radius)[None]
    out = np.empty((1, 3, 3))
    assert long_run(coefficients, IMPACT[None], out) == 0
    steps = 40 if radius < 0.9 else int(20 / (1 - radius))
    far = shares(responses(coefficients, IMPACT[None], steps))[0, -1]
    assert_allclose(out[0], far, rtol=0, atol=1e-9)
    assert_allclose(out.sum(-1), 1.0, rtol=0, atol=1e-12)


def test_a_scalar_autoregression_has_the_long_run_of_the_geometric_sum():
    """y1 = 0.9 y1(-1) + e1, y2 = y1(-1) + e2: the share of e1 in y2 is 1/(1-0.81) to one."""
    coefficients = np.array([[[[0.9, 0.0], [1.0, 0.0]]]])
    out = np.empty((1, 2, 2))
    long_run(coefficients, np.eye(2)[None], out)
    geometric = 1 / (1 - 0.81)
    assert_allclose(out[0, 1], [geometric / (1 + geometric), 1 / (1 + geometric)], rtol=1e-12)
    assert_allclose(out[0, 0], [1.0, 0.0], atol=1e-14)


@pytest.mark.parametrize("radius", [1.0, 1.02, 3.0])
def test_a_draw_that_is_not_stationary_has_no_long_run(radius):
    both = np.stack([lags(radius=0.5), lags(radius=radius)])
    out = np.empty((2, 3, 3))
    assert long_run(both, np.stack([IMPACT] * 2), out) == 1
    assert np.isfinite(out[0]).all() and np.isnan(out[1]).all()
