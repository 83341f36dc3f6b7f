"""Draws inside rare sets: their probability and their distribution where both are known."""

from math import factorial

import numpy as np
import pytest
from scipy import stats

from attribution.core.rotations.ellipse import draw_inside
from attribution.errors import IdentificationError


def ordered(states):
    """Violation of z_1 < z_2 < ... < z_n."""
    return np.max(states[:, :-1] - states[:, 1:], axis=1)


@pytest.fixture(scope="module")
def sorted_draws():
    rng = np.random.default_rng(3)
    return draw_inside(ordered, [4, 3], particles=1000, draws=4, sweeps=10, rng=rng)


def test_every_draw_is_inside(sorted_draws):
    assert (ordered(sorted_draws.states.reshape(-1, 7)) <= 0).all()


def test_the_probability_of_an_ordering_is_one_over_its_permutations(sorted_draws):
    # log of a product of seven parts near 0.2 of 1,000 particles each: sd about 0.17
    assert sorted_draws.log_probability == pytest.approx(-np.log(factorial(7)), abs=0.5)


def test_ordered_normals_are_order_statistics(sorted_draws):
    rng = np.random.default_rng(4)
    truth = np.sort(rng.standard_normal((200_000, 7)), axis=1)
    own = sorted_draws.states[:, -1]
    se = own.std(0) / np.sqrt(len(own) / 3)  # particles descend from common ancestors
    assert np.abs(own.mean(0) - truth.mean(0)).max() < 4 * se.max()
    for column in range(7):
        assert stats.ks_2samp(own[::3, column], truth[:, column]).pvalue > 1e-3


def test_a_common_set_is_sampled_like_the_normal_it_cuts():
    rng = np.random.default_rng(5)
    half = draw_inside(lambda z: -z[:, 0], [2], particles=2000, draws=2, sweeps=5, rng=rng)
    assert half.log_probability == pytest.approx(np.log(0.5), abs=0.1)
    assert stats.kstest(half.states[:, -1, 0], stats.halfnorm.cdf).pvalue > 1e-3
    assert stats.kstest(half.states[:, -1, 1], stats.norm.cdf).pvalue > 1e-3


def test_an_empty_set_is_refused():
    rng = np.random.default_rng(6)
    with pytest.raises(IdentificationError, match="contradict the data"):
        draw_inside(lambda z: 1.0 + (z**2).sum(1), [2], particles=100, draws=1, sweeps=2, rng=rng)
