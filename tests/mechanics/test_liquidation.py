"""Liquidation prices: both published forms, the account they come from, coin against quote."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from attribution.errors import DataError
from attribution.mechanics.forced_flow import (
    CONTRACTS,
    MAINTENANCE,
    bankruptcy_price,
    cross_margin_price,
    liquidation_price,
)

RNG = np.random.default_rng(14)
ENTRY = RNG.uniform(1e4, 1e5, 300)
LEVER = RNG.uniform(1.5, 50, 300)
RATE = RNG.uniform(0, 0.9, 300) / LEVER
SIDE = RNG.choice([-1.0, 1.0], 300)


def test_the_two_published_formulas_for_a_long():
    # P_e (1 - 1/L + m) of a linear contract, rate on entry; P_e (1 + m) L/(1 + L) inverse, on mark.
    linear = liquidation_price(ENTRY, LEVER, RATE, on="entry")
    assert_allclose(linear, ENTRY * (1 - 1 / LEVER + RATE), rtol=1e-13)
    inverse = liquidation_price(ENTRY, LEVER, RATE, contract="inverse")
    assert_allclose(inverse, ENTRY * (1 + RATE) * LEVER / (1 + LEVER), rtol=1e-13)


@pytest.mark.parametrize("contract", CONTRACTS)
@pytest.mark.parametrize("on", MAINTENANCE)
def test_equity_equals_the_maintenance_margin_there(contract, on):
    at = liquidation_price(ENTRY, LEVER, RATE, SIDE, contract, on)
    reached = (at > 0) & np.isfinite(at)
    assert reached.sum() > 250
    price, entry = at[reached], ENTRY[reached]
    lever, rate, side = LEVER[reached], RATE[reached], SIDE[reached]
    if contract == "linear":  # one coin; margin and profit in the quote currency
        equity = entry / lever + side * (price - entry)
        held = rate * (price if on == "mark" else entry)
        unit = entry
    else:  # contracts worth one unit of the quote currency; margin and profit in coin
        equity = 1 / (entry * lever) + side * (1 / entry - 1 / price)
        held = rate / (price if on == "mark" else entry)
        unit = 1 / entry
    assert_allclose(equity / unit, held / unit, atol=1e-12)


@pytest.mark.parametrize("contract", CONTRACTS)
def test_liquidation_comes_between_entry_and_bankruptcy(contract):
    forced = liquidation_price(ENTRY, LEVER, RATE, SIDE, contract)
    gone = bankruptcy_price(ENTRY, LEVER, SIDE, contract)
    assert ((forced - ENTRY) * SIDE < 0).all()
    assert ((gone - forced) * SIDE <= 0)[np.isfinite(gone)].all()
    assert_allclose(liquidation_price(ENTRY, LEVER, 0.0, SIDE, contract), gone)


def test_an_inverse_long_is_a_linear_short_of_the_quote_currency():
    inverse = liquidation_price(ENTRY, LEVER, RATE, 1.0, "inverse")
    linear = liquidation_price(1 / ENTRY, LEVER, RATE, -1.0, "linear")
    assert_allclose(inverse, 1 / linear, rtol=1e-12)


def test_an_inverse_long_is_liquidated_before_a_linear_one():
    # The collateral falls with the price.
    assert (bankruptcy_price(ENTRY, LEVER, 1.0, "inverse") > bankruptcy_price(ENTRY, LEVER)).all()


def test_more_leverage_brings_the_price_nearer_and_money_scales():
    lever = np.array([2.0, 5.0, 20.0, 100.0])
    assert (np.diff(liquidation_price(7e4, lever, 0.005)) > 0).all()
    assert (np.diff(liquidation_price(7e4, lever, 0.005, -1.0)) < 0).all()
    assert_allclose(
        liquidation_price(3 * ENTRY, LEVER, RATE, SIDE),
        3 * liquidation_price(ENTRY, LEVER, RATE, SIDE),
    )


def test_positions_without_borrowed_money_are_never_liquidated():
    assert bankruptcy_price(7e4, 1.0) == 0.0
    assert liquidation_price(7e4, 0.5, 0.005) == 0.0
    assert bankruptcy_price(7e4, 1.0, -1.0, "inverse") == np.inf
    assert bankruptcy_price(7e4, 0.5, -1.0, "inverse") == np.inf
    assert bankruptcy_price(7e4, 1.0, -1.0) == 14e4  # a linear short can lose more than its margin


def test_one_leg_across_is_one_leg_isolated():
    size = SIDE * 2.5
    cash = 2.5 * ENTRY / LEVER
    found = cross_margin_price(ENTRY[:, None], size[:, None], RATE, cash)
    assert_allclose(found, liquidation_price(ENTRY, LEVER, RATE, SIDE), rtol=1e-11)


def test_a_hedge_across_keeps_the_account_alive_and_more_cash_pushes_the_price_away():
    long = cross_margin_price([7e4, 7e4], [2.0, -1.99], 0.005, 5e3)
    alone = cross_margin_price([7e4], [2.0], 0.005, 5e3)
    assert alone > 6.7e4
    assert not 6e4 < long < 8e4
    cash = np.array([1e3, 5e3, 2e4])
    assert (np.diff(cross_margin_price([7e4], [2.0], 0.005, cash)) < 0).all()


def test_coins_as_collateral_fall_with_the_price():
    quote = cross_margin_price([7e4], [2.0], 0.005, 14e3)
    coin = cross_margin_price([7e4], [2.0], 0.005, 0.0, 14e3 / 7e4)
    assert coin > quote
    equity = 14e3 / 7e4 * coin + 2.0 * (coin - 7e4)
    assert_allclose(equity, 0.005 * 2.0 * coin, rtol=1e-12)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: liquidation_price(7e4, 100.0, 0.01), "not below the margin at entry"),
        (lambda: liquidation_price(7e4, 10.0, -0.01), "below zero"),
        (lambda: liquidation_price(7e4, 10.0, 0.005, 0.5), "neither 1 nor -1"),
        (lambda: liquidation_price(7e4, 0.0, 0.005), "leverage is 0.0"),
        (lambda: liquidation_price(7e4, 5.0, 0.0, 1.0, "lineal"), "nearest: 'linear'"),
        (lambda: liquidation_price(7e4, 5.0, 0.0, on="marks"), "nearest: 'mark'"),
        (lambda: cross_margin_price([np.nan], [1.0], 0.005, 1.0), "entry is nan"),
    ],
)
def test_bad_positions_are_refused_in_one_sentence(act, message):
    with pytest.raises(DataError, match=message) as caught:
        act()
    assert "\n" not in str(caught.value)
