"""A basis trade moves the basis and the share count; the common price only by a difference."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from attribution.errors import DataError
from attribution.mechanics.basis import unwind

RNG = np.random.default_rng(10)
SIZE = RNG.normal(0, 1000, 300)
SPOT, FUTURE = RNG.lognormal(np.log(5e-6), 0.5, (2, 300))
SHARE = RNG.uniform(0, 1, 300)


def test_with_full_arbitrage_and_equal_impacts_no_price_moves_but_shares_do():
    found = unwind(SIZE, SPOT, SPOT, 1.0, 1.0, 38.5)
    for part in (found.spot, found.future, found.basis):
        assert (part == 0.0).all()
    assert_allclose(found.shares, -SIZE / 38.5)


def test_the_trade_has_no_delta():
    found = unwind(SIZE, SPOT, FUTURE, SHARE, 0.5, 38.5)
    assert (found.spot_flow + found.future_flow == 0.0).all()


def test_the_basis_is_the_difference_of_the_two_returns():
    found = unwind(SIZE, SPOT, FUTURE, SHARE, 0.5, 38.5)
    assert_allclose(found.basis, found.future - found.spot, rtol=1e-9, atol=1e-15)
    assert (found.basis * SIZE >= 0).all()  # closing always widens it


def test_full_arbitrage_leaves_the_difference_of_impacts_in_one_common_price():
    found = unwind(1000.0, 8e-6, 5e-6, 1.0, 1.0, 38.5)
    assert_allclose([found.spot, found.future], -3e-3)
    assert found.basis == 0.0
    flipped = unwind(1000.0, 5e-6, 8e-6, 1.0, 1.0, 38.5)
    assert_allclose(flipped.spot, 3e-3)  # the sign is not "down"


def test_without_arbitrage_each_leg_moves_alone():
    found = unwind(1000.0, 8e-6, 5e-6, 0.0, 0.0, 38.5)
    assert_allclose([found.spot, found.future, found.basis], [-8e-3, 5e-3, 13e-3])
    assert found.shares == 0.0


def test_building_the_trade_undoes_closing_it_and_nothing_does_nothing():
    close = unwind(SIZE, SPOT, FUTURE, SHARE, 0.4, 38.5)
    build = unwind(-SIZE, SPOT, FUTURE, SHARE, 0.4, 38.5)
    for name in ("spot", "future", "basis", "shares"):
        assert_allclose(getattr(close, name), -getattr(build, name))
        assert getattr(unwind(0.0, 8e-6, 5e-6, 0.3, 0.5, 38.5), name) == 0.0


def test_closing_predicts_redemptions_the_opposite_of_creations():
    assert unwind(1000.0, 8e-6, 5e-6, 0.7, 0.3, 38.5).shares < 0.0
    assert_allclose(unwind(1000.0, 0, 0, 0, 0.3, 38.5).shares * 38.5, -300.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"passed_on": 1.2}, "passed_on is no share"),
        ({"redeemed": -0.1}, "redeemed is no share"),
        ({"spot_impact": -1e-6}, "impact is below zero"),
        ({"nav": 0.0}, "nav is 0.0"),
        ({"size": np.nan}, "size is nan"),
    ],
)
def test_bad_trades_are_refused(change, message):
    given = {"size": 1e3, "spot_impact": 1e-6, "future_impact": 1e-6, "passed_on": 0.5,
             "redeemed": 0.5, "nav": 38.5}  # fmt: skip
    with pytest.raises(DataError, match=message):
        unwind(**(given | change))
