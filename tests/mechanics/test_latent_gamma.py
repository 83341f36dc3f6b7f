"""Positions that nobody sees: the prior integrates to one, its draws follow it, signs come out."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats
from scipy.integrate import quad

from attribution.errors import DataError
from attribution.mechanics.feedback import loop_gain
from attribution.mechanics.gamma import (
    PUTS_BOUGHT,
    UNKNOWN,
    PositionPrior,
    gamma_of_gain,
    net_gamma,
)


@pytest.mark.parametrize("prior", [PUTS_BOUGHT, UNKNOWN, PositionPrior(-0.2, 0.7, 3, 3)])
def test_the_density_integrates_to_one_over_its_range(prior):
    ends = sorted((prior.none, prior.all))
    assert_allclose(quad(lambda s: np.exp(prior.log_density(s)), *ends)[0], 1.0, rtol=1e-8)
    assert prior.log_density(ends[0] - 0.1) == -np.inf


def test_draws_follow_the_density():
    drawn = PUTS_BOUGHT.draw(4000, np.random.default_rng(5))
    assert drawn.min() >= -1 and drawn.max() <= 0
    assert stats.kstest(-drawn, stats.beta(4, 2).cdf).pvalue > 0.001
    assert_allclose(drawn.mean(), -2 / 3, atol=4 * stats.beta(4, 2).std() / np.sqrt(4000))
    assert_allclose(stats.beta(4, 2).ppf([0.025, 0.975]), [0.28, 0.95], atol=0.005)
    again = PUTS_BOUGHT.draw(4000, np.random.default_rng(5))
    assert (drawn == again).all()


def test_ignorance_of_the_sign_gives_dampening_as_often_as_amplifying():
    rng = np.random.default_rng(1)
    found = net_gamma(800.0, 600.0, UNKNOWN.draw(4000, rng), UNKNOWN.draw(4000, rng))
    assert abs((found < 0).mean() - 0.5) < 4 * 0.5 / np.sqrt(4000)


def test_net_gamma_flips_with_the_positions_and_is_zero_without():
    one = net_gamma(800.0, 600.0, 0.3, -0.7)
    assert one == -net_gamma(800.0, 600.0, -0.3, 0.7)
    assert net_gamma(800.0, 600.0, 0.0, 0.0) == 0.0


def test_the_gamma_of_a_gain_has_that_gain():
    gain = np.array([-2.0, 0.0, 0.5, 0.9])
    assert_allclose(loop_gain(1e-5, gamma_of_gain(gain, 1e-5)), gain, rtol=1e-14)
    assert gamma_of_gain(0.5, 1e-5) < 0.0


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: PositionPrior(0.0, -1.5, 4, 2), "two different numbers from -1 to 1"),
        (lambda: PositionPrior(0.0, 0.0, 4, 2), "two different numbers"),
        (lambda: PositionPrior(0.0, -1.0, 0, 2), "is no distribution"),
        (lambda: net_gamma(1.0, 1.0, 2.0, 0.0), "beyond the open interest"),
        (lambda: gamma_of_gain(0.5, 0.0), "slope is 0.0"),
    ],
)
def test_impossible_positions_are_refused(act, message):
    with pytest.raises(DataError, match=message):
        act()
