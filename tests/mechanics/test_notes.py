"""A book of notes along a path: what repricing must and must not do."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from attribution.errors import DataError
from attribution.mechanics.note_prices import holders_put
from attribution.mechanics.notes import AT_CLOSE, AT_MATURITY, CONTINUOUS, KINDS, PricePath, notes
from attribution.mechanics.vanilla import vanilla
from attribution.studies.notes.flows import Overlay, hedge_flows

MARKET = {"rate": 0.04, "carry": 0.04}


def path(spot, rise=0.0, *, close=None, vol=0.55):
    spot = np.asarray(spot, dtype=float)
    steps = len(spot)
    return PricePath(
        spot, np.linspace(vol, vol + rise, steps), np.linspace(0.0, 1 / 365, steps),
        np.ones(steps, dtype=bool) if close is None else np.asarray(close), **MARKET,
    )  # fmt: skip


def book(kind="knock_in_put", **changes):
    terms = {"face": 1000.0, "initial": 55.0, "level": 38.5, "maturity": 1.8} | changes
    return notes(("a",), (kind,), **terms)


def three(draws=7, seed=0):
    """Notes of every kind with doubts about everything."""
    rng = np.random.default_rng(seed)
    shape = (draws, 3)
    initial = rng.uniform(50, 65, shape)
    return notes(
        ("k", "d", "b"), KINDS, face=rng.uniform(1, 500, shape), initial=initial,
        level=initial * rng.uniform(0.6, 0.8, shape), maturity=rng.uniform(0.5, 4, shape),
        watched=rng.integers(0, 3, shape), participation=rng.uniform(0, 2, shape),
        cap=1.4 * initial,
    )  # fmt: skip


DAY = path([41.57, 35.3, 36.1], 0.08, close=[True, False, True])


@pytest.mark.parametrize("watched", [AT_MATURITY, AT_CLOSE, CONTINUOUS])
def test_the_sign_comes_out_of_pricing(watched):
    """A fall alone makes the dealer buy; a large enough rise of volatility makes him sell."""
    still, calm, wild = (
        float(hedge_flows(book(watched=watched), path([41.6, 36.1], rise)).total)
        for rise in (0.0, 0.05, 0.25)
    )
    assert still > calm > 0.0 > wild


def test_no_face_no_flow_and_the_other_side_trades_the_opposite():
    assert hedge_flows(book(face=0.0, watched=CONTINUOUS), DAY).total == 0.0
    long, short = (
        hedge_flows(three(), DAY),
        hedge_flows(replace(three(), position=-three().position), DAY),
    )
    assert_array_equal(long.flow, -short.flow)
    assert_array_equal(long.block, -short.block)


def test_notes_may_be_listed_in_any_order_and_split():
    whole, order = three(), [2, 0, 1]
    moved = notes(
        tuple(whole.names[i] for i in order), tuple(whole.kinds[i] for i in order),
        **{key: getattr(whole, key)[..., order] for key in (
            "face", "initial", "level", "maturity", "watched", "participation", "cap")},
    )  # fmt: skip
    flows = hedge_flows(whole, DAY)
    assert_allclose(hedge_flows(moved, DAY).flow, flows.flow[:, order], rtol=1e-13)
    half = hedge_flows(replace(whole, face=whole.face / 2), DAY)
    assert_allclose(half.flow * 2, flows.flow, rtol=1e-13)


def test_draws_together_are_the_draws_one_by_one():
    whole = three()
    together = hedge_flows(whole, DAY)
    for i in range(7):
        one = notes(whole.names, whole.kinds, **{key: getattr(whole, key)[i] for key in (
            "face", "initial", "level", "maturity", "watched", "participation")},
            cap=np.broadcast_to(whole.cap, (7, 3))[i])  # fmt: skip
        alone = hedge_flows(one, DAY)
        assert_allclose(alone.flow, together.flow[i], rtol=1e-12, atol=1e-12)
        assert_allclose(alone.block, together.block[i], rtol=1e-12)


def test_dollars_do_not_depend_on_the_unit_of_the_price():
    whole = three()
    scaled = replace(whole, initial=9 * whole.initial, level=9 * whole.level, cap=9 * whole.cap)
    flows = hedge_flows(whole, DAY), hedge_flows(scaled, replace(DAY, spot=9 * DAY.spot))
    assert_allclose(flows[0].flow, flows[1].flow, rtol=1e-10, atol=1e-10)


def test_a_small_move_trades_gamma_and_a_small_rise_trades_vanna():
    held = book()
    greeks = holders_put(held, path([41.6, 41.6]))
    gamma, vanna = greeks.gamma[0, 0], greeks.vanna[0, 0]
    units, here = 1000.0 / 55.0, replace(path([41.6, 41.6]), time=np.zeros(2))
    down = hedge_flows(held, replace(here, spot=np.array([41.6, 41.5999])))
    assert_allclose(down.total, units * gamma * 1e-4 * 41.5999, rtol=1e-4)
    up = hedge_flows(held, replace(here, vol=np.array([0.55, 0.55001])))
    assert_allclose(up.total, -units * vanna * 1e-5 * 41.6, rtol=1e-4)


@pytest.mark.parametrize("kind", ["knock_in_put", "dual_directional"])
def test_the_block_is_the_trade_between_just_above_and_the_barrier(kind):
    held = book(kind, watched=CONTINUOUS)
    touch = replace(path([38.5 * (1 + 1e-9), 38.5]), time=np.zeros(2))
    flows = hedge_flows(held, touch)
    assert_allclose(flows.block, flows.flow[..., 0], rtol=1e-6)
    assert flows.block[0] < 0.0
    assert hedge_flows(held, path([45.0, 40.0])).block[0] == 0.0
    assert hedge_flows(replace(held, touched=np.array([True])), touch).block[0] == 0.0
    assert hedge_flows(book(kind), touch).block[0] == 0.0


def test_the_block_of_long_notes_is_a_few_per_cent_of_their_face():
    """The range computed before for 1 to 1.8 years left and 50 to 90 % volatility."""
    for maturity in (1.0, 1.8):
        for vol in (0.5, 0.9):
            held = book(watched=CONTINUOUS, maturity=maturity)
            share = -hedge_flows(held, path([41.0, 38.5], vol=vol)).block[0] / 1000.0
            assert 0.002 <= share <= 0.037


def test_a_touched_note_is_hedged_as_a_vanilla_from_then_on():
    held = book(watched=CONTINUOUS)
    flows = hedge_flows(held, path([41.0, 38.0, 44.0]))
    left = 1.8 - np.array([0.5, 1.0]) / 365
    plain = vanilla("put", np.array([38.0, 44.0]), 55.0, left, 0.55, 0.04, 0.04)
    assert_allclose(flows.inventory[0, 1:], -1000 / 55 * plain.delta, rtol=1e-12)
    traded = np.diff(flows.inventory[0]) * np.array([38.0, 44.0])
    assert_allclose(flows.flow[0], traded, rtol=1e-12)


def test_a_barrier_watched_at_closes_survives_a_low_during_the_day():
    day = path([41.0, 36.0, 42.0], close=[True, False, True])
    watched = (AT_CLOSE, CONTINUOUS)
    at_close, always = (hedge_flows(book(watched=w), day).inventory[0] for w in watched)
    fresh = hedge_flows(book(watched=AT_CLOSE, maturity=1.8 - 1 / 365), path([42.0, 42.0]))
    assert_allclose(at_close[2], fresh.inventory[0, 0], rtol=1e-12)
    assert_allclose(at_close[1], always[1], rtol=1e-12)
    closed_below = hedge_flows(book(watched=AT_CLOSE), path([41.0, 38.4, 42.0])).inventory[0]
    plain = vanilla("put", 42.0, 55.0, 1.8 - 1 / 365, 0.55, 0.04, 0.04)
    assert_allclose(closed_below[2], -1000 / 55 * plain.delta, rtol=1e-12)


def test_a_buffer_does_not_jump_and_a_dual_note_is_in_less_out():
    day = path([38.6, 38.4])
    buffered = hedge_flows(book("buffer"), day).total
    assert 0.0 < buffered < 10.0
    deltas = {kind: holders_put(book(kind), day).delta for kind in KINDS}
    plain = vanilla("put", day.spot, 55.0, 1.8 - day.time, 0.55, 0.04, 0.04).delta
    assert_allclose(deltas["dual_directional"], 2 * deltas["knock_in_put"] - plain, rtol=1e-12)


def test_each_note_may_have_a_volatility_of_its_own():
    whole = three()
    vols = np.array([[0.5, 0.6], [0.7, 0.6], [0.4, 0.9]])
    day = replace(path([42.0, 40.0]), vol=vols[None])
    flows = hedge_flows(whole, day)
    for i in range(3):
        alone = hedge_flows(whole.note(i), replace(day, vol=vols[i]))
        assert_allclose(flows.flow[:, i], alone.flow[:, 0], rtol=1e-12)


def test_an_overlay_of_the_whole_vega_leaves_none_and_sells_into_a_fall():
    held, day = book(), path([41.57, 36.1], 0.05)
    listed = Overlay(1.0, 1.0, 30 / 365, np.array([0.53, 0.88]))
    flows = hedge_flows(held, day, listed)
    vega = 1000 / 55 * holders_put(held, day).vega[0, 0]
    put = vanilla(
        "put", np.array([41.57, 36.1]), 41.57, 30 / 365 - day.time, listed.vol, 0.04, 0.04
    )
    number = vega / put.vega[0]
    assert_allclose(flows.overlay[0, 0], number * np.diff(put.delta)[0] * 36.1, rtol=1e-12)
    assert flows.overlay[0, 0] < 0.0
    assert_allclose(flows.total, flows.flow.sum() + flows.overlay.sum())
    damped = hedge_flows(held, day, replace(listed, weighting="root_time"))
    assert_allclose(damped.overlay, flows.overlay * np.sqrt(30 / 365 / 1.8), rtol=1e-12)
    bought = hedge_flows(held, day, replace(listed, ratio=-1.0))
    assert_allclose(bought.overlay, -flows.overlay)
    several = hedge_flows(held, day, replace(listed, ratio=np.array([0.0, 0.5, 1.0])))
    assert_allclose(several.overlay[:, 0, 0], [0, flows.overlay[0, 0] / 2, flows.overlay[0, 0]])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: book("knock_in"), "nearest: 'knock_in_put'"),
        (lambda: book(face=-1.0), "a face is negative or not finite"),
        (lambda: book(face=np.nan), "a face is negative or not finite"),
        (lambda: book(watched=3), "unknown code; use 0, 1 or 2"),
        (lambda: notes(("a", "b"), ("buffer",), face=1, initial=1, level=1, maturity=1), "2 names"),
        (lambda: book(face=[1.0, 2.0, 3.0]), "face does not fit 1 names"),
        (lambda: book(initial="par"), "initial does not fit 1 names"),
        (lambda: book(watched=0.5), "unknown code; use 0, 1 or 2"),
        (lambda: book(face=[[1.0]] * 2, level=[[30.0]] * 3), "differ in their number of draws"),
        (lambda: notes((), (), face=1, initial=1, level=1, maturity=1), "the book is empty"),
        (lambda: hedge_flows(book(maturity=0.001), DAY), "'a' matures before the path ends"),
        (lambda: hedge_flows(book(initial=np.nan), DAY), "strike is nan"),
        (lambda: hedge_flows(book(), replace(DAY, vol=-DAY.vol)), "vol is -0.55"),
        (
            lambda: hedge_flows(book(), DAY, Overlay(1.0, 1.0, 0.1, DAY.vol, "root")),
            "nearest: 'root_time'",
        ),
        (lambda: hedge_flows(book(), DAY, Overlay(1.0, 1.0, 1e-3, DAY.vol)), "time is -"),
    ],
)
def test_bad_books_are_refused_in_one_sentence(make, message):
    with pytest.raises(DataError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)
