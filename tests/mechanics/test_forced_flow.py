"""Forced selling along a path against a loop, and published totals as an interval."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.integrate import quad

from attribution.errors import DataError
from attribution.mechanics.feedback import Flows, fixed_point
from attribution.mechanics.forced_flow import (
    Positions,
    forced_by_move,
    forced_flow,
    interval_log_likelihood,
    liquidation_price,
    positions,
    vanished,
)
from attribution.mechanics.impact import linear

ENTRIES, LEVERS = np.array([70e3, 75e3, 80e3, 95e3]), np.array([2.0, 5.0, 10.0, 20.0])


def longs(coins=5000.0):
    return positions(
        ENTRIES, [1, 2, 2, 1], LEVERS, [4, 3, 2, 1], coins=coins, spot=73e3, maintenance=0.005
    )


def by_loop(book, path):
    """Walk the path position by position."""
    flow = np.zeros(len(path))
    for level, coins in zip(book.level, book.coins, strict=True):
        for t, price in enumerate(path):
            if book.side * (price - level) <= 0:
                flow[t] -= book.side * coins * price / 1e6 if t else 0.0
                break
    return flow


@pytest.mark.parametrize("side", [1, -1])
def test_forced_flow_is_what_a_loop_over_positions_finds(side):
    rng = np.random.default_rng(3)
    level = 70e3 * np.exp(-side * np.abs(rng.normal(0.02, 0.08, 200)))
    book = Positions(level, rng.uniform(0, 50, 200), side)
    paths = 70e3 * np.exp(np.cumsum(rng.normal(0, 0.02, (5, 40)), axis=1))
    found = forced_flow(book, paths)
    assert_allclose(found, [by_loop(book, path) for path in paths], rtol=1e-12, atol=1e-12)
    assert (side * found <= 0).all() and (found[:, 0] == 0).all()
    order = rng.permutation(200)
    mixed = forced_flow(Positions(level[order], book.coins[order], side), paths)
    assert_allclose(mixed, found, rtol=1e-12, atol=1e-12)


def test_a_price_that_comes_back_closes_nothing_again():
    found = forced_flow(longs(), [73e3, 65e3, 73e3, 65e3, 60e3])
    assert found[1] < 0.0 == found[2] == found[3]
    assert found[4] < 0.0


def test_a_position_is_closed_at_its_level_and_not_above():
    book = Positions(np.array([65e3]), np.array([10.0]), 1)
    assert forced_flow(book, [73e3, np.nextafter(65e3, np.inf)])[1] == 0.0
    assert_allclose(forced_flow(book, [73e3, 65e3])[1], -0.65)


def test_a_fall_to_nothing_closes_every_long_with_borrowed_money():
    book = longs(5000.0)
    coins = -forced_flow(book, [73e3, 1.0])[1] * 1e6
    assert_allclose(coins, 5000.0, rtol=1e-12)
    assert_allclose(book.coins.sum(), 5000.0, rtol=1e-14)


def test_no_open_interest_gives_exactly_nothing_and_twice_gives_twice():
    path = [73e3, 62e3]
    assert (forced_flow(longs(0.0), path) == 0.0).all()
    assert_allclose(forced_flow(longs(2000.0), path), 2 * forced_flow(longs(1000.0), path))


def test_positions_that_the_price_has_closed_already_are_left_out():
    book = longs()
    dead = book.level >= 73e3
    assert dead.any() and (book.coins[dead] == 0.0).all()
    raw = liquidation_price(ENTRIES[:, None], LEVERS, 0.005).ravel()
    assert_allclose(book.level, raw)


def test_a_mirrored_book_buys_where_the_first_sells():
    rng = np.random.default_rng(5)
    level, coins = 70e3 * np.exp(-rng.uniform(0.01, 0.3, 50)), rng.uniform(0, 9, 50)
    long = Positions(level, coins, 1)
    short = Positions(70e3**2 / level, coins, -1)
    for move in (-0.2, -0.1, 0.1):
        down, up = 70e3 * np.exp(move), 70e3 * np.exp(-move)
        sold = forced_flow(long, [70e3, down])[1] / down
        assert_allclose(sold, -forced_flow(short, [70e3, up])[1] / up, atol=1e-15)
        assert (sold < 0) == (move < 0)


def test_a_move_at_one_go_is_a_path_through_every_price():
    book = longs()
    path = 73e3 * np.exp(np.linspace(0, -0.3, 20_001))
    assert_allclose(
        forced_by_move(book, 73e3, np.array([-0.1, -0.3])),
        np.cumsum(forced_flow(book, path))[[6667, 20_000]], rtol=1e-4,
    )  # fmt: skip
    assert forced_by_move(book, 73e3, np.array([0.0, 0.1])).tolist() == [0.0, 0.0]


def test_a_table_of_forced_flow_feeds_the_day_and_only_amplifies_falls():
    move = np.linspace(-0.4, 0.4, 401)
    move[200] = 0.0
    table = Flows(move, forced_by_move(longs(20_000.0), 73e3, move))
    assert (np.diff(table.flow) >= 0.0).all() and table.flow[0] < -500.0
    assert (table.flow[200:] == 0.0).all()
    found = fixed_point(np.array([-0.05, 0.05]), 0.0, linear(5e-5), table)
    assert found.contribution[0] < 0.0 and abs(found.contribution[1]) < 1e-12


def test_open_interest_in_dollars_is_not_evidence_of_liquidation():
    # 502,450 coins were virtually flat while their value fell with the price.
    assert vanished(502_450.0, 502_450.0, 63_000.0) == 0.0
    assert 502_450 * (73_000 - 63_000) / 1e6 > 5000.0
    assert_allclose(vanished(502_450.0, 480_000.0, 63_000.0), 22_450 * 63e3 / 1e6)
    assert vanished(480_000.0, 502_450.0, 63_000.0) == 0.0


@pytest.mark.parametrize("edge", [0.02, 0.3, 3.0])
def test_the_interval_is_a_density(edge):
    def density(v):
        return float(np.exp(interval_log_likelihood(v, 1.16, 2.6, edge)))

    mass = quad(density, 1.16 - 12 * edge, 2.6 + 12 * edge, points=[1.16, 2.6], limit=200)[0]
    assert_allclose(mass, 1.0, rtol=1e-7)


def test_sharp_edges_give_the_uniform_and_far_values_stay_finite():
    inside = interval_log_likelihood(np.array([1.3, 2.0, 2.5]), 1.16, 2.6, 1e-4)
    assert_allclose(inside, -np.log(2.6 - 1.16), rtol=1e-12)
    at = interval_log_likelihood(np.array([1.16, 2.6]), 1.16, 2.6, 1e-3)
    assert_allclose(np.exp(at), 0.5 / 1.44, rtol=1e-9)
    far = interval_log_likelihood(np.array([-50.0, 60.0]), 1.16, 2.6, 0.1)
    assert np.isfinite(far).all() and (far < -1e5).all()


def test_the_interval_is_symmetric_and_takes_its_unit_along():
    v = np.array([0.9, 1.5, 2.8])
    here = interval_log_likelihood(v, 1.16, 2.6, 0.2)
    assert_allclose(interval_log_likelihood(-v, -2.6, -1.16, 0.2), here, rtol=1e-12)
    there = interval_log_likelihood(1000 * v, 1160.0, 2600.0, 200.0)
    assert_allclose(there, here - np.log(1000.0), rtol=1e-10)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: interval_log_likelihood(1.0, 2.6, 1.2, 0.1), "positions were opened anew"),
        (lambda: interval_log_likelihood(1.0, 1.2, 2.6, 0.0), "edge is 0.0"),
        (lambda: vanished(1.0, 1.0, 0.0), "price is 0.0"),
        (lambda: forced_flow(longs(), [73e3, 0.0]), "price is 0.0 at .1."),
        (lambda: forced_by_move(longs(), 73e3, np.nan), "moves is nan"),
        (lambda: longs(-1.0), "below zero"),
        (
            lambda: positions(80e3, 1, 50.0, 1, coins=1.0, spot=60e3, maintenance=0.005),
            "has liquidated every position",
        ),
    ],
)
def test_bad_evidence_is_refused_in_one_sentence(act, message):
    with pytest.raises(DataError, match=message) as caught:
        act()
    assert "\n" not in str(caught.value)


def test_open_interest_is_spread_by_the_product_of_both_weights():
    """Over what the price has left open; the weights' scale does not matter, nor does a zero."""
    entries, levers = np.array([70e3, 90e3]), np.array([2.0, 5.0])
    book = positions(entries, [1, 3], levers, [5, 0], coins=80.0, spot=91e3, maintenance=0.0)
    assert_allclose(book.level, liquidation_price(entries[:, None], levers, 0.0, 1.0).ravel())
    assert_allclose(book.coins, [20.0, 0.0, 60.0, 0.0])
    again = positions(entries, [2, 6], levers, [10, 0], coins=80.0, spot=91e3, maintenance=0.0)
    assert_allclose(again.coins, book.coins)
    # at 60,000 the long of 90,000 with leverage five (72,000) is gone; the rest keeps all coins
    left = positions(entries, [1, 3], levers, [2, 1], coins=80.0, spot=60e3, maintenance=0.0)
    assert_allclose(left.coins, 80 * np.array([2, 1, 6, 0]) / 9)


@pytest.mark.parametrize(
    "change", [{"entry_weights": [1, -1]}, {"leverage_weights": [-1, 2]}, {"coins": -1.0}]
)
def test_a_weight_below_zero_is_refused(change):
    given = {"entry_weights": [1, 1], "leverage_weights": [1, 1], "coins": 1.0} | change
    with pytest.raises(DataError, match="below zero; give zero or more"):
        positions(np.array([70e3, 90e3]), leverages=np.array([2.0, 5.0]), spot=91e3,
                  maintenance=0.0, **given)  # fmt: skip
