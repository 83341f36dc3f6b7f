"""The draw in the midst of all others, against the sum over all pairs."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from attribution.core.weighted_draws import coherent_draw


def by_pairs(draws, weight):
    """Expected absolute loss of every draw, N squared."""
    gaps = np.abs(draws[:, None] - draws[None]).sum(2)
    return gaps @ (weight / weight.sum())


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_the_sorted_loss_is_the_loss_over_all_pairs(seed, ties):
    rng = np.random.default_rng(seed)
    draws = rng.standard_t(3, (200, 4)) * [1.0, 10.0, 0.1, 1.0]
    draws = draws.round(0) if ties else draws
    weight = rng.exponential(size=200) * (rng.random(200) > 0.3)
    chosen, loss = coherent_draw(draws, weight)
    expected = by_pairs(draws, weight)
    assert_allclose(loss, expected, rtol=1e-10)
    assert weight[chosen] > 0
    assert_allclose(loss[chosen], expected[weight > 0].min(), rtol=1e-12)


def test_of_one_quantity_it_is_the_median():
    draws = np.random.default_rng(4).normal(size=(301, 1))
    chosen, _ = coherent_draw(draws, np.ones(301))
    assert draws[chosen, 0] == np.median(draws)


def test_a_weight_of_two_is_a_draw_twice():
    rng = np.random.default_rng(5)
    draws, weight = rng.normal(size=(80, 3)), rng.integers(0, 4, 80)
    chosen, loss = coherent_draw(draws, weight.astype(float))
    again, repeated = coherent_draw(np.repeat(draws, weight, axis=0), np.ones(weight.sum()))
    assert (np.repeat(draws, weight, axis=0)[again] == draws[chosen]).all()
    assert_allclose(np.repeat(loss, weight), repeated, rtol=1e-10)


def test_a_heavy_draw_takes_the_middle_to_itself():
    draws = np.array([[0.0, 0.0], [1.0, 1.0], [9.0, -9.0]])
    assert coherent_draw(draws, np.array([0.1, 0.1, 0.8]))[0] == 2
    assert coherent_draw(draws, np.array([0.4, 0.4, 0.2]))[0] in (0, 1)
