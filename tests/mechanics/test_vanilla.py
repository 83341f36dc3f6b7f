"""European calls and puts: parity, exchange of asset and cash, limits and refusals."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from attribution.errors import DataError
from attribution.mechanics.vanilla import vanilla

RNG = np.random.default_rng(11)
SPOT, STRIKE = RNG.uniform(20, 200, (2, 500))
TIME, VOL, RATE = RNG.uniform(0.01, 4, 500), RNG.uniform(0.05, 1.5, 500), RNG.uniform(0, 0.1, 500)
CARRY = RATE - RNG.uniform(-0.05, 0.1, 500)
MARKET = (TIME, VOL, RATE, CARRY)


def test_call_less_put_is_the_discounted_forward_with_every_greek():
    gap = vanilla("call", SPOT, STRIKE, *MARKET) - vanilla("put", SPOT, STRIKE, *MARKET)
    forward = SPOT * np.exp((CARRY - RATE) * TIME)
    bond = STRIKE * np.exp(-RATE * TIME)
    assert_allclose(gap.value, forward - bond, rtol=1e-12, atol=1e-12)
    assert_allclose(gap.delta, forward / SPOT, rtol=1e-12)
    for name in ("gamma", "vega", "vanna", "volga"):
        assert_allclose(getattr(gap, name), 0.0, atol=1e-10)
    assert_allclose(gap.theta, -(CARRY - RATE) * forward - RATE * bond, rtol=1e-9, atol=1e-9)


def test_a_call_on_the_asset_is_a_put_on_cash():
    call = vanilla("call", SPOT, STRIKE, *MARKET).value
    put = vanilla("put", STRIKE, SPOT, TIME, VOL, RATE - CARRY, -CARRY).value
    assert_allclose(call, put, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("option", ["call", "put"])
def test_greeks_are_the_derivatives_of_the_price(option, slope):
    found = vanilla(option, SPOT, STRIKE, *MARKET)

    def at(name, spot=0.0, vol=0.0, time=0.0):
        moved = (SPOT + spot, STRIKE, TIME + time, VOL + vol, RATE, CARRY)
        return getattr(vanilla(option, *moved), name)

    far, near = 2e-3 * SPOT * VOL * np.sqrt(TIME), 1e-2 * VOL
    assert_allclose(found.delta, slope(lambda h: at("value", spot=h), far), atol=1e-9)
    assert_allclose(found.gamma, slope(lambda h: at("delta", spot=h), far), atol=1e-9)
    assert_allclose(found.vega, slope(lambda h: at("value", vol=h), near), atol=1e-7)
    assert_allclose(found.vanna, slope(lambda h: at("delta", vol=h), near), atol=1e-8)
    assert_allclose(found.volga, slope(lambda h: at("vega", vol=h), near), rtol=1e-7, atol=1e-6)
    clock = slope(lambda h: at("value", time=h), 1e-3 * TIME)
    assert_allclose(found.theta, -clock, rtol=1e-8, atol=1e-7)


def test_prices_scale_with_the_unit_of_currency_and_gamma_against_it():
    once = vanilla("put", SPOT, STRIKE, *MARKET)
    scaled = vanilla("put", 1000 * SPOT, 1000 * STRIKE, *MARKET)
    powers = {"value": 1, "delta": 0, "gamma": -1, "vega": 1, "vanna": 0, "volga": 1, "theta": 1}
    for name, power in powers.items():
        expected = getattr(once, name) * 1000.0**power
        assert_allclose(getattr(scaled, name), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("time", "vol"), [(0.0, 0.5), (1.0, 0.0), (0.0, 0.0)])
def test_without_time_or_volatility_the_payoff_at_the_forward_remains(time, vol):
    spot = np.array([40.0, 50.0, 60.0])
    found = vanilla("put", spot, 50.0, time, vol, 0.03, 0.0)
    bond = np.exp(-0.03 * time)
    assert_allclose(found.value, bond * np.array([10.0, 0.0, 0.0]), atol=1e-12)
    assert_allclose(found.delta, -bond * np.array([1.0, 0.5, 0.0]), atol=1e-12)
    assert all(np.isfinite(part).all() for part in found.parts())


def test_the_limit_is_what_small_volatilities_approach():
    spot = np.array([40.0, 49.0, 51.0, 60.0])
    for carry in (-0.04, 0.0, 0.06):
        limit = vanilla("call", spot, 50.0, 1.0, 0.0, 0.05, carry)
        small = vanilla("call", spot, 50.0, 1.0, 1e-5, 0.05, carry)
        for one, other in zip(limit.parts(), small.parts(), strict=True):
            assert_allclose(one, other, atol=1e-12)


def test_numbers_broadcast_and_keep_their_order():
    grid = vanilla("call", SPOT[:4, None], STRIKE[:3], 0.5, 0.6, 0.04, 0.04)
    assert grid.value.shape == (4, 3)
    alone = vanilla("call", SPOT[2], STRIKE[1], 0.5, 0.6, 0.04, 0.04)
    assert grid.vanna[2, 1] == alone.vanna


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"vol": -0.2}, "vol is -0.2; give zero or a positive number"),
        ({"time": [0.5, -1.0]}, r"time is -1.0 at \[1\]; give zero or a positive number"),
        ({"spot": np.nan}, "spot is nan; give a finite number"),
        ({"strike": 0.0}, "strike is 0.0; give a number above zero"),
        ({"rate": np.inf}, "rate is inf; give a finite number"),
        ({"carry": "much"}, "carry is 'much'; give numbers"),
        ({"spot": [1.0, 2.0], "vol": [0.1, 0.2, 0.3]}, "do not broadcast"),
        ({"option": "putt"}, "option is 'putt'; use a known one .nearest: 'put'"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(change, message):
    given = {"option": "put", "spot": 40.0, "strike": 50.0, "time": 1.0, "vol": 0.5,
             "rate": 0.04, "carry": 0.04}  # fmt: skip
    with pytest.raises(DataError, match=message) as caught:
        vanilla(**(given | change))
    assert "\n" not in str(caught.value)
