"""Monte Carlo error of a mean or a probability, from draws of chains or independent ones."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from attribution.finding import verdict_of
from attribution.sampling import diagnostics
from attribution.sampling.diagnostics import (
    ess_bulk,
    ess_tail,
    mean_with_error,
    weighted_ess_bulk,
    weighted_ess_tail,
)


def chains(rng, persistence, worlds=300, chains=4, draws=500):
    """Stationary autoregressions of mean zero and variance one, (world, chain, draw)."""
    x = np.empty((worlds, chains, draws))
    x[..., 0] = rng.standard_normal((worlds, chains))
    noise = np.sqrt(1.0 - persistence**2) * rng.standard_normal(x.shape)
    for t in range(1, draws):
        x[..., t] = persistence * x[..., t - 1] + noise[..., t]
    return x


@pytest.mark.parametrize("persistence", [0.0, 0.8])
def test_the_error_is_the_spread_of_probabilities_over_runs(persistence):
    """Over many runs of known truth, distances from it in units of the error have sd one."""
    held = chains(np.random.default_rng(1), persistence) > 1.0
    found = np.array([mean_with_error(run) for run in held])
    z = (found[:, 0] - 0.15865525) / found[:, 1]
    assert abs(z.std() - 1.0) < 4.0 / np.sqrt(2.0 * len(z)) + 0.1  # ESS is itself an estimate
    assert abs(z.mean()) < 4.0 / np.sqrt(len(z)) + 0.1


def test_independent_draws_lie_on_one_axis_and_weights_count():
    held = np.arange(400) % 4 == 0
    assert mean_with_error(held) == pytest.approx((0.25, np.sqrt(0.25 * 0.75 / 400)))
    half = np.repeat([1.0, 0.0], 200)
    assert mean_with_error(held, half) == pytest.approx((0.25, np.sqrt(0.25 * 0.75 / 200)))


def test_weights_that_are_equal_leave_no_more_draws_than_there_are():
    """Draws that fill the unit evenly are worth more than their number; weighted draws are not."""
    x = (0.5 * (np.sqrt(5.0) - 1.0) * np.arange(2000).reshape(4, 500)) % 1.0
    assert ess_bulk(x) > 1.1 * x.size
    assert ess_tail(x) > 1.1 * x.size
    assert weighted_ess_bulk(x, np.ones(x.shape)) == pytest.approx(x.size)
    assert weighted_ess_tail(x, np.ones(x.shape)) == pytest.approx(x.size)


def test_what_never_changes_has_no_error():
    assert mean_with_error(np.ones((4, 100), bool)) == (1.0, 0.0)
    assert mean_with_error(np.full((4, 100), 1e6)) == (1e6, 0.0)


@pytest.mark.parametrize(
    ("probability", "error", "verdict"),
    [
        (0.91, 0.0, "holds"),
        (0.91, 0.01, "undecided"),
        (0.93, 0.01, "holds"),
        (0.09, 0.0, "fails"),
        (0.09, 0.01, "undecided"),
        (0.99, float("nan"), "undecided"),
    ],
)
def test_a_verdict_is_clear_of_its_limit_by_two_errors(probability, error, verdict):
    assert verdict_of(probability, error=error) == verdict


def test_our_own_r_hat_and_size_are_those_of_arviz():
    """The split R-hat to rounding; sizes differ by the halving of the chains alone."""
    rng = np.random.default_rng(4)
    noise = rng.standard_normal((4, 2000, 5))
    x = noise.copy()
    for t in range(1, x.shape[1]):
        x[:, t] = np.array([0.0, 0.3, 0.6, 0.8, -0.3]) * x[:, t - 1] + noise[:, t]
    x[0] += 0.05
    theirs = diagnostics._diagnose("rhat", x, method="split")
    assert_allclose(diagnostics.split_rhat(x), theirs, rtol=1e-12)
    size = diagnostics._diagnose("ess", x[..., :4], method="mean")
    assert_allclose(diagnostics.effective_size(x[..., :4]), size, rtol=0.1)
    assert diagnostics.effective_size(x)[4] == x[..., 0].size  # never more than the draws


def test_one_chain_has_an_r_hat_of_its_halves():
    x = np.random.default_rng(5).standard_normal((1, 1000, 1))
    assert diagnostics.split_rhat(x)[0] < 1.01
    x[0, 500:] += 2.0
    assert diagnostics.split_rhat(x)[0] > 1.3
