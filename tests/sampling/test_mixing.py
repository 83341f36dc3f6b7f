"""Effective sizes of chains whose autocorrelation is known."""

import numpy as np
import pytest

from attribution.sampling.diagnostics import effective_size, split_rhat


def autoregression(rho, chains, length, seed):
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(chains, length, 3))
    path = noise.copy()
    for t in range(1, length):
        path[:, t] = rho * path[:, t - 1] + np.sqrt(1 - rho**2) * noise[:, t]
    return path


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9])
def test_the_size_is_that_of_the_autoregression(rho):
    found = effective_size(autoregression(rho, 4, 20_000, 1))
    expected = 80_000 * (1 - rho) / (1 + rho)
    # the estimate's own error is about 7 % at rho = 0.9
    assert np.abs(found / expected - 1).max() < 0.25


def test_chains_that_disagree_are_worth_little_and_say_so():
    draws = autoregression(0.0, 4, 500, 2)
    assert (split_rhat(draws) < 1.01).all()
    draws[0] += 3.0
    assert (effective_size(draws) < 20).all()
    assert (split_rhat(draws) > 1.2).all()


def test_a_chain_that_drifts_disagrees_with_itself():
    draws = autoregression(0.0, 1, 500, 3) + np.linspace(0, 4, 500)[None, :, None]
    assert (split_rhat(draws) > 1.2).all()


def test_too_few_draws_give_no_answer():
    draws = autoregression(0.0, 4, 3, 4)
    assert np.isnan(effective_size(draws)).all()
    assert np.isnan(split_rhat(draws)).all()
