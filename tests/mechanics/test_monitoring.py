"""A barrier watched at dates: the shift against backward induction without simulation."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from attribution.mechanics.barrier import barrier
from attribution.mechanics.digital import OVERSHOOT, shifted_barrier
from attribution.mechanics.vanilla import vanilla

SPOT, STRIKE, TIME, VOL, RATE, DATES = 100.0, 100.0, 0.2, 0.3, 0.1, 50


def knock_out_call(level):
    """Backward induction over the dates on Gauss-Legendre nodes above the barrier."""
    dt = TIME / DATES
    step = stats.norm((RATE - VOL**2 / 2) * dt, VOL * np.sqrt(dt))
    nodes, weights = np.polynomial.legendre.leggauss(240)
    low, high = np.log(level), np.log(SPOT) + 9 * VOL * np.sqrt(TIME)
    x = low + (nodes + 1) * (high - low) / 2
    kernel = step.pdf(x - x[:, None]) * weights * (high - low) / 2 * np.exp(-RATE * dt)
    # The last step is a call that lives if it ends above the barrier, smooth in its start.
    value = vanilla("call", np.exp(x), STRIKE, dt, VOL, RATE, RATE).value
    for _ in range(DATES - 2):
        value = kernel @ value
    first = step.pdf(x - np.log(SPOT)) * weights * (high - low) / 2 * np.exp(-RATE * dt)
    return first @ value


def test_the_constant_is_the_mean_overshoot():
    assert_allclose(OVERSHOOT, 0.5825971579390107, rtol=1e-14)


@pytest.mark.parametrize("level", [85.0, 90.0, 93.0, 96.0])
def test_the_shifted_barrier_reproduces_fifty_dates(level):
    exact = knock_out_call(level)
    watched = barrier("down_out_call", SPOT, STRIKE, level, TIME, VOL, RATE, RATE).value
    moved = shifted_barrier("down", level, VOL, TIME / DATES)
    shifted = barrier("down_out_call", SPOT, STRIKE, moved, TIME, VOL, RATE, RATE).value
    assert abs(shifted - exact) < 2e-3
    assert abs(shifted - exact) < 0.08 * abs(watched - exact)


def test_a_barrier_moves_away_from_spot_and_not_at_all_without_interval():
    assert (
        shifted_barrier("down", 40.0, 0.5, 1 / 252)
        < 40.0
        < shifted_barrier("up", 40.0, 0.5, 1 / 252)
    )
    assert_allclose(shifted_barrier("up", [40.0, 50.0], 0.5, 0.0), [40.0, 50.0])
