"""Gamma books: oracles by hand, full repricing, the zero of net gamma, signs, double counting."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import brentq
from scipy.stats import norm

from attribution.errors import DataError
from attribution.mechanics.gamma import (
    by_strike_and_expiry,
    calls_long_puts_short,
    chain,
    dollar_gamma,
    gamma_flow,
    hedge_flow,
    less,
    zero_gamma,
)
from attribution.mechanics.vanilla import vanilla

RATES = {"rate": 0.04, "carry": 0.04}


def book(n=60, seed=3):
    rng = np.random.default_rng(seed)
    return chain(
        rng.random(n) < 0.5, rng.choice([30.0, 35.0, 40.0, 45.0, 50.0], n),
        rng.choice([0.05, 0.1, 0.4], n), rng.uniform(0.4, 1.0, n), rng.uniform(0, 5e4, n),
    )  # fmt: skip


def test_dollar_gamma_is_the_textbook_sum():
    one, spot = book(), 41.6
    s = one.vol * np.sqrt(one.time)
    d1 = (np.log(spot / one.strike) + (0.04 + one.vol**2 / 2) * one.time) / s
    by_hand = one.open_interest * 100 * norm.pdf(d1) / (spot * s) * spot**2 / 1e6
    assert_allclose(dollar_gamma(one, 1.0, spot, **RATES), by_hand, rtol=1e-12)
    conventional = 0.01 * dollar_gamma(one, calls_long_puts_short(one), spot, **RATES).sum()
    assert_allclose(conventional, 0.01 * (np.where(one.call, 1, -1) * by_hand).sum(), rtol=1e-12)


def test_a_hedge_flow_is_the_change_of_minus_delta_at_the_new_price():
    one = book()
    rates, later = {"rate": 0.04, "carry": 0.01}, one.time - 1 / 365
    found = hedge_flow(one, -0.6, 41.6, 36.1, **rates, elapsed=1 / 365, vol_rise=0.1)
    for i in range(len(one.strike)):
        option, strike = "call" if one.call[i] else "put", one.strike[i]
        before = vanilla(option, 41.6, strike, one.time[i], one.vol[i], **rates).delta
        after = vanilla(option, 36.1, strike, later[i], one.vol[i] + 0.1, **rates).delta
        assert_allclose(found[i], 0.6 * one.units[i] * (after - before) * 36.1 / 1e6, rtol=1e-9)


def test_gamma_times_move_is_the_limit_of_full_repricing_and_misleads_on_a_crash():
    one = book()
    net = dollar_gamma(one, -1.0, 41.6, **RATES).sum()
    for move, tolerance in ((-1e-4, 1e-3), (-1e-2, 0.1)):
        full = hedge_flow(one, -1.0, 41.6, 41.6 * (1 + move), **RATES).sum()
        assert_allclose(full, gamma_flow(net, move), rtol=tolerance)
    near = chain(False, 41.0, 0.02, 0.6, 1e4)
    crash = hedge_flow(near, -1.0, 41.6, 36.1, **RATES).sum()
    guess = gamma_flow(dollar_gamma(near, -1.0, 41.6, **RATES).sum(), 36.1 / 41.6 - 1)
    assert guess / crash > 1.3  # a put cannot be hedged with more than one unit
    assert crash > -near.units.sum() * 36.1 / 1e6


def test_short_gamma_sells_into_a_fall_and_the_other_sign_flips_every_flow():
    one, ends = book(), np.array([36.1, 45.0])
    short = hedge_flow(one, -1.0, 41.6, ends, **RATES).sum(axis=-1)
    assert short[0] < 0.0 < short[1]
    assert_allclose(hedge_flow(one, 1.0, 41.6, ends, **RATES).sum(axis=-1), -short, rtol=1e-14)
    assert (hedge_flow(one, 0.0, 41.6, ends, **RATES) == 0.0).all()


def test_a_there_and_back_move_leaves_the_inventory_where_it_was():
    one = book()
    down = hedge_flow(one, -1.0, 41.6, 36.1, **RATES) / 36.1
    up = hedge_flow(one, -1.0, 36.1, 41.6, **RATES) / 41.6
    assert_allclose(down + up, 0.0, atol=1e-12)


def test_a_flow_profile_has_a_row_for_each_price_and_a_column_for_each_contract():
    one, ends = book(), np.linspace(30, 50, 7)
    found = hedge_flow(one, -1.0, 41.6, ends, **RATES)
    assert found.shape == (7, 60)
    assert_allclose(found[2], hedge_flow(one, -1.0, 41.6, ends[2], **RATES), rtol=1e-14)


def test_zero_gamma_is_the_root_of_net_gamma_for_every_draw():
    one = chain([True, False], [45.0, 35.0], 0.1, 0.6, [1e4, 1.2e4])
    position = np.array([[1.0, -1.0], [0.7, -0.9], [1.0, 1.0], [0.0, 0.0]])
    found = zero_gamma(one, position, 41.6, **RATES, low=20.0, high=80.0)
    for k in range(2):

        def net(spot, k=k):
            return float(dollar_gamma(one, position[k], spot, **RATES).sum())

        assert_allclose(found[k], brentq(net, 30.0, 60.0), rtol=1e-6)
    assert np.isnan(found[2:]).all()


def test_the_nearest_of_several_zeros_is_returned():
    one = chain(True, [30.0, 40.0, 50.0], 0.02, 0.5, [1e4, 1e4, 1e4])
    position = np.array([-1.0, 1.0, -1.0])
    low = zero_gamma(one, position, 36.0, **RATES, low=25.0, high=60.0)
    high = zero_gamma(one, position, 44.0, **RATES, low=25.0, high=60.0)
    assert 30 < low < 40 < high < 50


def test_contracts_far_from_the_price_whose_gamma_underflows_are_no_zero():
    one = chain(True, 40.0, 1e-3, 0.1, 1e4)
    assert np.isnan(zero_gamma(one, 1.0, 40.0, **RATES, low=1.0, high=1000.0))


def test_the_table_by_strike_and_expiry_keeps_the_total_and_forgets_the_order():
    one = book()
    values = dollar_gamma(one, -1.0, np.array([36.1, 41.6]), **RATES)
    strikes, times, table = by_strike_and_expiry(one, values)
    assert table.shape == (2, len(strikes), len(times))
    assert_allclose(table.sum(axis=(1, 2)), values.sum(axis=1), rtol=1e-12)
    chosen = (one.strike == 35.0) & (one.time == 0.1)
    cell = table[:, list(strikes).index(35.0), list(times).index(0.1)]
    assert_allclose(cell, values[:, chosen].sum(axis=1), rtol=1e-12)
    order = np.random.default_rng(0).permutation(len(one.strike))
    mixed = chain(
        one.call[order], one.strike[order], one.time[order], one.vol[order],
        one.open_interest[order],
    )  # fmt: skip
    assert_allclose(by_strike_and_expiry(mixed, values[:, order])[2], table, rtol=1e-12)


def test_puts_of_an_overlay_are_counted_once():
    one = book()
    overlay = np.where(one.call, 0.0, 0.3 * one.open_interest)
    rest = less(one, overlay)
    apart = less(one, one.open_interest - overlay)
    whole = hedge_flow(one, -1.0, 41.6, 36.1, **RATES).sum()
    parts = [hedge_flow(b, -1.0, 41.6, 36.1, **RATES).sum() for b in (rest, apart)]
    assert_allclose(sum(parts), whole, rtol=1e-12)
    with pytest.raises(DataError, match="fewer than are to be taken out"):
        less(rest, one.open_interest)


def test_units_scale_with_contracts_and_not_with_the_unit_of_currency():
    one = book()
    double = chain(one.call, one.strike, one.time, one.vol, one.open_interest / 2, 200.0)
    assert_allclose(
        hedge_flow(double, -1.0, 41.6, 36.1, **RATES),
        hedge_flow(one, -1.0, 41.6, 36.1, **RATES), rtol=1e-12,
    )  # fmt: skip
    cents = chain(one.call, 100 * one.strike, one.time, one.vol, one.open_interest)
    assert_allclose(
        hedge_flow(cents, -1.0, 4160.0, 3610.0, **RATES),
        100 * hedge_flow(one, -1.0, 41.6, 36.1, **RATES), rtol=1e-9, atol=1e-9,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: chain([True], 40.0, 0.1, 0.5, -1.0), "below zero; put the sign in the position"),
        (lambda: chain([1.0], 40.0, 0.1, 0.5, 1.0), "give booleans"),
        (lambda: chain([], 40.0, 0.1, 0.5, 1.0), "at least one row"),
        (lambda: chain([True, False], [1.0, 2.0, 3.0], 0.1, 0.5, 1.0), "align them"),
        (lambda: chain([True], 0.0, 0.1, 0.5, 1.0), "strike is 0.0; give a number above zero"),
        (lambda: dollar_gamma(book(), -1.5, 40.0, **RATES), "beyond the open interest"),
        (lambda: dollar_gamma(book(), [1.0, 0.5], 40.0, **RATES), "2 numbers for 60 contracts"),
        (lambda: hedge_flow(book(), 1.0, 40.0, 41.0, **RATES, elapsed=0.06), "expires within"),
        (lambda: zero_gamma(book(), 1.0, 40.0, **RATES, low=5.0, high=4.0), "give 0 < low < high"),
    ],
)
def test_bad_books_are_refused_in_one_sentence(act, message):
    with pytest.raises(DataError, match=message) as caught:
        act()
    assert "\n" not in str(caught.value)
