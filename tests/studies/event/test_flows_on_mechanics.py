"""The event study's flows are those of the mechanics, to the bit as the study wrote them itself."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.integrate import quad
from scipy.special import erf

from attribution.mechanics.basis import spot_move, unwind
from attribution.mechanics.forced_flow import power_flow
from attribution.mechanics.gamma import bell_flow, gamma_flow
from attribution.studies.event import flows

RNG = np.random.default_rng(3)
MOVE = np.concatenate([[0.0, 1e-6, -0.4], 0.08 * RNG.standard_normal(60)])
DRAW = {
    "gross_gamma": np.exp(6.0 + RNG.standard_normal((20, 1))),
    "gamma_width": 0.05 + 0.2 * RNG.random((20, 1)),
    "dealer_position": RNG.uniform(-1.0, 1.0, (20, 1)),
    "power_long": 1.0 + RNG.random((20, 1)),
    "power_short": 1.0 + RNG.random((20, 1)),
    "liquidation_multiple": RNG.random((20, 1)),
    "absorbed": (RNG.random((20, 1)) < 0.3).astype(float),
    "arbitrage": RNG.random((20, 1)),
    "leg_ratio": np.exp(0.3 * RNG.standard_normal((20, 1))),
}


def test_the_hedge_of_listed_options_is_that_of_a_book_with_a_bell():
    scale = np.exp(0.1 * RNG.standard_normal(len(MOVE)))
    height, width = DRAW["gross_gamma"] * scale, DRAW["gamma_width"]
    area = width * np.sqrt(0.5 * np.pi) * erf(MOVE / (width * np.sqrt(2.0)))
    assert_array_equal(
        flows.gamma_flow(DRAW, scale, MOVE), -DRAW["dealer_position"] * height * area
    )


def test_liquidations_are_forced_orders_whose_levels_follow_a_power():
    level = {side: np.exp(3.0 + RNG.standard_normal((20, 1))) for side in ("long", "short")}
    forced = 0.0
    for side, sign in (("long", -1.0), ("short", 1.0)):
        against = np.maximum(sign * MOVE, 0.0) / 0.1
        forced = forced + sign * level[side] * against ** DRAW[f"power_{side}"]
    net = DRAW["liquidation_multiple"] * (1.0 - DRAW["absorbed"])
    assert_array_equal(flows.liquidation_flow(DRAW, 0.1, level, MOVE), net * forced)


def test_an_unwinding_moves_spot_as_its_two_legs_do():
    closed = 1e3 * RNG.standard_normal((20, 5))
    assert_array_equal(
        flows.unwinding_flow(DRAW, closed), -(1.0 - DRAW["arbitrage"] * DRAW["leg_ratio"]) * closed
    )
    both = unwind(closed, 1e-5, 2e-5, DRAW["arbitrage"], 0.5, 40.0)
    assert_array_equal(both.spot, spot_move(closed, 1e-5, 2e-5, DRAW["arbitrage"]))


@pytest.mark.parametrize("move", [-0.3, -0.01, 0.0, 0.2])
def test_a_bell_s_flow_is_the_sum_of_its_gamma_along_the_way(move):
    whole, _ = quad(lambda x: 0.7 * 800.0 * np.exp(-0.5 * (x / 0.12) ** 2), 0.0, move)
    assert bell_flow(0.7, 800.0, 0.12, move) == pytest.approx(-whole, abs=1e-9)
    small = 1e-5 * np.sign(move)
    assert bell_flow(0.7, 800.0, 0.12, small) == pytest.approx(
        gamma_flow(0.7 * 800.0, small), rel=1e-8
    )


def test_longs_are_sold_in_falls_and_shorts_bought_in_rises():
    assert power_flow(50.0, -0.1, 0.1, 1.7, 1.0) == -50.0
    assert power_flow(50.0, 0.1, 0.1, 1.7, -1.0) == 50.0
    assert power_flow(50.0, 0.1, 0.1, 1.7, 1.0) == power_flow(50.0, -0.1, 0.1, 1.7, -1.0) == 0.0
