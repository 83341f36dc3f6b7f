"""Greeks of barrier options: the derivatives of the price, and the equation that prices obey."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from attribution.mechanics.barrier import KINDS, barrier

ALL = sorted(KINDS)


def nudged(kind, book, **more):
    """A Greek by name, with spot, volatility or time moved."""

    def at(name, **moves):
        moved = book | {key: book[key] + move for key, move in moves.items()}
        return getattr(barrier(kind, **moved, **more), name)

    return at


@pytest.mark.parametrize("kind", ALL)
def test_greeks_are_the_derivatives_of_the_price(kind, options, slope):
    book = options(kind)
    found, at = barrier(kind, **book, rebate=3.0), nudged(kind, book, rebate=3.0)
    # Central differences may not cross the barrier.
    spread = book["spot"] * book["vol"] * np.sqrt(book["time"])
    far = np.minimum(2e-2 * spread, 0.4 * np.abs(book["spot"] - book["level"]))
    near = 1e-2 * book["vol"]
    clock = 1e-2 * book["time"]
    assert_allclose(found.delta, slope(lambda h: at("value", spot=h), far), atol=1e-8)
    assert_allclose(found.gamma, slope(lambda h: at("delta", spot=h), far), atol=1e-8)
    assert_allclose(found.vega, slope(lambda h: at("value", vol=h), near), atol=1e-6)
    assert_allclose(found.vanna, slope(lambda h: at("delta", vol=h), near), atol=1e-6)
    assert_allclose(found.volga, slope(lambda h: at("vega", vol=h), near), rtol=1e-6, atol=1e-5)
    assert_allclose(found.theta, -slope(lambda h: at("value", time=h), clock), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("kind", ALL)
def test_at_the_barrier_they_are_the_derivatives_from_the_live_side(kind, options, slope, onward):
    book = options(kind)
    book["spot"] = book["level"]
    eta = KINDS[kind][0]
    live = {"touched": False, "rebate": 3.0}
    found, at = barrier(kind, **book, **live), nudged(kind, book, **live)
    step = eta * 1e-2 * book["spot"] * book["vol"] * np.sqrt(book["time"])
    assert_allclose(found.delta, slope(lambda h: at("value", spot=h), step, onward), atol=1e-6)
    assert_allclose(found.gamma, slope(lambda h: at("delta", spot=h), step, onward), atol=1e-6)


@pytest.mark.parametrize("kind", ALL)
def test_they_satisfy_the_equation_of_black_and_scholes(kind, options):
    book = options(kind, 4000, seed=3)
    found = barrier(kind, **book, rebate=3.0)
    spot, vol = book["spot"], book["vol"]
    curve = 0.5 * vol**2 * spot**2 * found.gamma
    rest = found.theta + book["carry"] * spot * found.delta + curve - book["rate"] * found.value
    assert_allclose(rest / spot, 0.0, atol=1e-13)


@pytest.mark.parametrize("kind", ALL)
def test_the_live_side_at_the_barrier_is_worth_what_the_touch_pays(kind, options):
    book = options(kind)
    book["spot"] = book["level"]
    live = barrier(kind, **book, rebate=3.0, touched=False)
    touch = barrier(kind, **book, rebate=3.0)
    assert_allclose(live.value, touch.value, rtol=1e-10, atol=1e-10)
    assert np.abs(live.delta - touch.delta).max() > 0.05


def test_the_dealers_put_gains_delta_towards_the_barrier_and_loses_it_in_volatility():
    spot = np.linspace(39.0, 44.0, 50)
    found = barrier("down_in_put", spot, 55.0, 38.5, 0.25, 0.5, 0.04, 0.04)
    assert (found.gamma > 0.0).all()
    assert (found.vanna > 0.0).all()
    assert found.delta.min() < -1.1
