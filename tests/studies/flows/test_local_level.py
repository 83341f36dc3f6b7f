"""Changes of a level that is seen with error: the smoother against its exact posterior."""

import numpy as np
import pytest

from attribution.studies.flows.true_basis import Observed, smooth

N = 40
LARGE = 1e6
"""Degrees of freedom at which true changes are normal."""


def simulated(rng, *, n=N, tau=1.0, size=2.0, gap=None):
    unit = rng.uniform(0.3, 1.0, n + 1)
    level = np.cumsum(np.concatenate([[0.0], tau * rng.standard_normal(n)]))
    seen = level + np.sqrt(size * unit) * rng.standard_normal(n + 1)
    follows = np.ones(n, bool)
    follows[0] = False
    if gap is not None:
        follows[gap] = False
    return Observed(np.diff(seen), unit[1:], unit[:-1], follows), np.diff(level)


def covariance(seen, tau, size):
    matrix = np.diag(tau**2 + size * (seen.now + seen.before))
    for t in range(1, len(seen.change)):
        if seen.follows[t]:
            matrix[t, t - 1] = matrix[t - 1, t] = -size * seen.before[t]
    return matrix


@pytest.mark.parametrize("gap", [None, 17])
def test_true_changes_have_the_moments_of_the_exact_normal_posterior(gap):
    """Given tau (its draws are averaged over), E and Var by the formulas of the normal law."""
    seen, _ = simulated(np.random.default_rng(3), gap=gap)
    draws = 20_000
    found = smooth(seen, draws=draws, rng=np.random.default_rng(4), size=2.0, dof=LARGE)
    means, seconds = [], []
    for tau in found.tau[:: draws // 200]:
        gain = tau**2 * np.linalg.inv(covariance(seen, tau, 2.0))
        means.append(gain @ seen.change)
        seconds.append(np.diag(tau**2 * np.eye(N) - tau**2 * gain) + means[-1] ** 2)
    mean = np.mean(means, 0)
    sd = np.sqrt(np.mean(seconds, 0) - mean**2)
    assert found.true.mean(0) == pytest.approx(mean, abs=6 * sd.max() / np.sqrt(draws / 20))
    assert found.true.std(0) == pytest.approx(sd, rel=0.1)


def test_the_size_of_the_error_is_recovered():
    rng = np.random.default_rng(5)
    seen, _ = simulated(rng, n=800, size=2.0)
    found = smooth(seen, draws=2000, rng=rng, dof=LARGE)
    low, high = np.quantile(found.size, [0.005, 0.995])
    assert low < 2.0 < high
    assert high - low < 1.5


def test_intervals_of_true_changes_cover_them():
    rng = np.random.default_rng(6)
    seen, true = simulated(rng, n=800)
    found = smooth(seen, draws=2000, rng=rng, dof=LARGE)
    low, high = np.quantile(found.true, [0.05, 0.95], axis=0)
    assert ((low < true) & (true < high)).mean() == pytest.approx(0.9, abs=0.035)


def test_a_jump_that_is_taken_back_is_an_error_and_one_that_stays_is_not():
    seen, _ = simulated(np.random.default_rng(7), n=300, tau=0.5, size=1.0)
    back, stays = seen.change.copy(), seen.change.copy()
    back[150:152] = [4.0, -4.0]
    stays[150:152] = [4.0, 0.0]
    taken, kept = (
        smooth(
            Observed(change, seen.now, seen.before, seen.follows),
            draws=2000,
            rng=np.random.default_rng(8),
            size=1.0,
        )
        .true[:, 150]
        .mean()
        for change in (back, stays)
    )
    assert taken < 0.5 * kept


def test_without_error_the_true_changes_are_the_observed_ones():
    seen, _ = simulated(np.random.default_rng(9))
    found = smooth(seen, draws=50, rng=np.random.default_rng(1), size=1e-12)
    assert found.true == pytest.approx(np.tile(seen.change, (50, 1)), abs=1e-4)


def test_one_seed_reproduces_the_draws():
    seen, _ = simulated(np.random.default_rng(2))
    one, other = (smooth(seen, draws=20, rng=np.random.default_rng(1)) for _ in range(2))
    assert np.array_equal(one.true, other.true)
