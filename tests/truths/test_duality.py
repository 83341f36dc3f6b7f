"""Observed minus re-simulated without shock j is the contribution of j: a second code path."""

import numpy as np
import pytest

from attribution.decompose import decompose


def without(posterior, at, values, first, last, name):
    """Re-simulate a window with one shock at zero: invert the impact, run the VAR day by day."""
    impact, intercept = posterior.impact[at], posterior.intercept[at]
    lags = posterior.lag_coefficients[at]
    inverse = np.linalg.inv(impact)
    j = posterior.shocks.index(name)
    actual = values.to_numpy()
    path = actual.copy()
    for t in range(first, last + 1):
        forecast, counterfactual = intercept.copy(), intercept.copy()
        for lag in range(1, len(lags) + 1):
            forecast += lags[lag - 1] @ actual[t - lag]
            counterfactual += lags[lag - 1] @ path[t - lag]
        shocks = inverse @ (actual[t] - forecast)
        shocks[j] = 0.0
        path[t] = counterfactual + impact @ shocks
    return path[first : last + 1]


@pytest.mark.parametrize(("first", "last"), [(70, 70), (70, 72), (40, 60)])
def test_a_contribution_is_observed_minus_the_path_without_the_shock(world, first, last):
    posterior = world.scattered(11)
    split = decompose(posterior, world.values, world.window(first, last))
    scale = np.abs(split.contribution).sum(-1) + np.abs(split.observed) + 1.0
    for at in np.ndindex(posterior.weight.shape):
        for k, name in enumerate(world.shocks):
            path = without(posterior, at, world.values, first, last, name)
            gap = np.abs(split.observed - path - split.contribution[at][..., k])
            assert (gap <= 1e-10 * scale[at]).all(), name


def test_switching_off_every_shock_leaves_the_baseline(world):
    posterior, first, last = world.scattered(12), 50, 54
    split = decompose(posterior, world.values, world.window(first, last))
    lags = posterior.lag_coefficients
    for at in np.ndindex(posterior.weight.shape):
        path = world.values.to_numpy().copy()
        for t in range(first, last + 1):
            path[t] = posterior.intercept[at] + sum(
                lags[at][lag] @ path[t - 1 - lag] for lag in range(lags.shape[2])
            )
        scale = np.abs(split.contribution[at]).sum(-1) + np.abs(split.observed) + 1.0
        assert (np.abs(path[first : last + 1] - split.baseline[at]) <= 1e-10 * scale).all()
