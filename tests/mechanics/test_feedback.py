"""The fixed point of a day: closed forms, continuation, several solutions, instability, signs."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from attribution.errors import DataError
from attribution.mechanics.feedback import Flows, amplified, fixed_point, loop_gain
from attribution.mechanics.impact import Response, linear, square_root

MOVE = np.linspace(-0.4, 0.4, 81)
MOVE[40] = 0.0


def hedging(gamma, move=MOVE):
    """Hedge flow -G r of net gamma G, USD million per unit of return."""
    return Flows(move, -np.multiply.outer(np.asarray(gamma), move))


def liquidations(size, *, first=-0.05, last=-0.06):
    """Longs that are sold in equal parts as the price falls from ``first`` to ``last``."""
    move = np.unique(np.r_[MOVE, first, last])
    return Flows(move, -size * np.clip((first - move) / (first - last), 0.0, 1.0))


def test_the_linear_loop_is_the_closed_form_for_every_draw():
    rng = np.random.default_rng(2)
    gain = rng.uniform(-3, 0.9, 500)
    alone, push = rng.normal(0, 0.005, 500), rng.normal(0, 500, 500)
    slope = rng.lognormal(np.log(1e-5), 0.5, 500)
    start = alone + slope * push
    inside = np.abs(start / (1 - gain)) < 0.39
    found = fixed_point(alone, push, linear(slope), hedging(-gain / slope), pieces=1)
    assert inside.sum() > 400 and not found.unstable[inside].any()
    assert_allclose(found.move[inside], (start / (1 - gain))[inside], rtol=1e-10, atol=1e-14)
    assert_allclose(found.alone, start, rtol=1e-14)
    assert_allclose(found.gain[inside], gain[inside], rtol=1e-8)
    assert_allclose(found.amplification[inside], (1 / (1 - gain))[inside], rtol=1e-7)
    assert (found.count[inside] == 1).all()
    assert_allclose(amplified(start, gain), start / (1 - gain), rtol=1e-14)


@pytest.mark.parametrize(
    ("billion", "expected"), [(0.1, 1.11), (0.25, 1.33), (0.5, 2.0), (0.8, 5.0)]
)
def test_published_amplification_of_a_dealer_short_so_many_billion_a_percent(billion, expected):
    gamma = -billion * 1000 / 0.01
    found = fixed_point(-0.01, 0.0, linear(0.01 / 1000), hedging(gamma))
    assert_allclose(found.amplification, expected, atol=0.005)
    assert_allclose(loop_gain(0.01 / 1000, gamma), billion, rtol=1e-12)


def test_gains_of_one_and_more_are_counted_as_unstable_and_never_given_a_number():
    gain = np.array([0.5, 0.999, 1.0, 1.5, 4.0])
    found = fixed_point(-1e-4, 0.0, linear(1e-5), hedging(-gain / 1e-5))
    assert found.unstable.tolist() == [False, False, True, True, True]
    assert np.isnan(found.move[2:]).all() and np.isnan(found.gain[2:]).all()
    # The formula would put a point on the wrong side; it exists but no path from zero leads there.
    assert found.roots[3, 0] > 0.0 and found.count[3] == 1
    assert np.isnan(amplified(-1e-4, gain)[2:]).all()


def test_three_fixed_points_are_all_reported_and_the_nearest_is_reached():
    slope, size = 1e-5, 4000.0
    found = fixed_point(-0.045, 0.0, linear(slope), liquidations(size), pieces=1)
    assert found.count[0] == 3 and found.multiple[0]
    assert_allclose(found.roots[0, :3], [-0.085, -0.155 / 3, -0.045], rtol=1e-10)
    assert np.isnan(found.roots[0, 3:]).all()
    assert_allclose(found.move, -0.045, rtol=1e-10)
    assert found.contribution[0] == 0.0


def test_past_the_edge_the_cascade_runs_to_the_far_fixed_point():
    found = fixed_point(-0.052, 0.0, linear(1e-5), liquidations(4000.0), pieces=1)
    assert found.count[0] == 1
    assert_allclose(found.move, -0.092, rtol=1e-10)
    assert_allclose(found.contribution, -0.04, rtol=1e-10)


def continued(shock, push, response, flows, steps=60, crawl=400):
    """Raise shock and push from nothing in small steps and let the price creep after them."""
    r, rows, width = np.zeros(len(shock)), np.arange(len(shock)), flows.move[1] - flows.move[0]
    for t in np.linspace(0, 1, steps + 1)[1:]:
        for _ in range(crawl if t < 1 else 50 * crawl):
            k = np.clip((r - flows.move[0]) // width, 0, len(flows.move) - 2).astype(int)
            share = (r - flows.move[k]) / width
            e = (1 - share) * flows.flow[rows, k] + share * flows.flow[rows, k + 1]
            r = r + 0.1 * (t * shock + response.move(t * push + e) - r)
    return r


def test_the_reported_fixed_point_is_where_continuation_ends():
    rng = np.random.default_rng(4)
    n, move = 30, np.linspace(-0.4, 0.4, 17)
    raw = np.cumsum(rng.normal(0, 6000, (n, 17)), axis=1)
    flows = Flows(move, raw - raw[:, [8]])
    shock, push = rng.normal(0, 0.03, n), rng.normal(0, 1000, n)
    found = fixed_point(shock, push, linear(1e-5), flows)
    settled = ~found.unstable
    assert settled.sum() >= 20 and found.multiple.sum() >= 5
    ends = continued(shock, push, linear(1e-5), flows)
    assert_allclose(found.move[settled], ends[settled], rtol=1e-8, atol=1e-10)


def test_the_square_root_with_hedging_is_the_root_of_a_quadratic():
    law = square_root(1.0, 0.022, 60e3)
    c, gamma, sold = float(law.coefficient), -10_000.0, 2000.0
    found = fixed_point(0.0, -sold, law, hedging(gamma))
    x = (-(c**2) * gamma + np.sqrt(c**4 * gamma**2 + 4 * c**2 * sold)) / 2
    assert_allclose(found.move, -x, rtol=1e-10)
    dampened = fixed_point(0.0, -sold, law, hedging(-gamma))
    x = (-(c**2) * -gamma + np.sqrt(c**4 * gamma**2 + 4 * c**2 * sold)) / 2
    assert_allclose(dampened.move, -x, rtol=1e-10)


def test_under_the_square_root_a_grain_of_sand_moves_a_short_gamma_market():
    law = square_root(1.0, 0.022, 60e3)
    found = fixed_point(0.0, -1e-6, law, hedging(-100_000.0))
    assert_allclose(found.move, -(float(law.coefficient) ** 2) * 1e5, rtol=1e-3)
    still = fixed_point(0.0, 0.0, law, hedging(-100_000.0))
    assert still.move[0] == 0.0 and still.gain[0] == np.inf


def test_the_other_sign_of_the_dealer_flips_the_contribution():
    gamma = np.random.default_rng(6).uniform(1e3, 6e4, 100)
    short = fixed_point(-0.01, -500.0, linear(1e-5), hedging(-gamma)).contribution
    long = fixed_point(-0.01, -500.0, linear(1e-5), hedging(gamma)).contribution
    assert (short < 0).all() and (long > 0).all()
    g = 1e-5 * gamma
    assert_allclose(long, -short * (1 - g) / (1 + g), rtol=1e-9)


def test_without_gamma_the_contribution_is_exactly_zero():
    rng = np.random.default_rng(3)
    shock, push = rng.normal(0, 0.03, (2, 200)) * np.array([[1.0], [2e4]])
    for law in (linear(1e-5), square_root(1.0, 0.022, 60e3)):
        found = fixed_point(shock, push, law, hedging(0.0))
        assert (found.contribution == 0.0).all()
        assert_allclose(found.alone, shock + law.move(push), rtol=1e-13, atol=1e-16)
    assert (found.gain == 0.0).all()


def test_a_dampener_stays_finite_however_strong():
    found = fixed_point(-0.1, 0.0, linear(1e-5), hedging(1e8))
    assert_allclose(found.move, -0.1 / 1001, rtol=1e-9)


def test_mirrored_markets_move_the_other_way_and_draws_can_be_shuffled():
    rng = np.random.default_rng(9)
    flow = rng.normal(0, 300, (50, 81)).cumsum(axis=1)
    flow -= flow[:, [40]]
    shock, push = rng.normal(0, 0.02, 50), rng.normal(0, 800, 50)
    law = square_root(1.0, rng.uniform(0.01, 0.03, 50), 60e3)
    here = fixed_point(shock, push, law, Flows(MOVE, flow))
    there = fixed_point(-shock, -push, law, Flows(-MOVE[::-1], -flow[:, ::-1]))
    assert_allclose(there.move, -here.move, rtol=1e-9, atol=1e-12)
    order = rng.permutation(50)
    law = square_root(1.0, (law.coefficient * np.sqrt(60e3))[order], 60e3)
    mixed = fixed_point(shock[order], push[order], law, Flows(MOVE, flow[order]))
    assert_allclose(mixed.move, here.move[order], rtol=1e-9, atol=1e-12)
    assert (mixed.count == here.count[order]).all()


def test_the_unit_of_money_cancels():
    flow = liquidations(4000.0)
    here = fixed_point(-0.02, -3500.0, square_root(1.0, 0.02, 6e4), flow)
    there = fixed_point(
        -0.02, -3.5, square_root(1.0, 0.02, 60.0), Flows(flow.move, flow.flow / 1000)
    )
    assert_allclose(there.move, here.move, rtol=1e-10)


def test_traders_add_up_before_the_day_is_solved():
    both = hedging(-20e3) + hedging(-30e3)
    assert_allclose(
        fixed_point(-0.01, 0.0, linear(1e-5), both).move,
        fixed_point(-0.01, 0.0, linear(1e-5), hedging(-50e3)).move, rtol=1e-12,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: Flows(MOVE[::-1], MOVE), "do not increase; sort them"),
        (lambda: Flows(MOVE + 1e-3, MOVE), "no row for no move"),
        (lambda: Flows(MOVE, MOVE + 1.0), "part of the push"),
        (lambda: Flows(MOVE, np.zeros(3)), "one number a move"),
        (lambda: Flows(MOVE, np.full(81, np.nan)), "one number a move"),
        (lambda: hedging(1.0) + liquidations(1.0), "different moves"),
        (lambda: fixed_point([0.1, np.nan], 0.0, linear(1.0), hedging(1.0)), "shock is nan"),
        (lambda: fixed_point(np.zeros(3), 0.0, linear(1.0), hedging([1.0, 2.0])), "align them"),
        (lambda: fixed_point(np.zeros((2, 3)), 0.0, linear(1.0), hedging(1.0)), "flatten them"),
    ],
)
def test_bad_days_are_refused_in_one_sentence(act, message):
    with pytest.raises(DataError, match=message) as caught:
        act()
    assert "\n" not in str(caught.value)


# ---- crossover


def days(n=300, seed=12):
    """Shocks, pushes, flows and a coefficient that make one, several and no fixed points."""
    rng = np.random.default_rng(seed)
    flow = rng.normal(0, 4000, (n, 81)).cumsum(axis=1)
    flow -= flow[:, [40]]
    return (rng.normal(0, 0.03, n), rng.normal(0, 1000, n), Flows(MOVE, flow),
            rng.lognormal(np.log(1e-3), 0.7, n))  # fmt: skip


def test_without_a_crossover_the_day_is_what_it_was():
    """Numbers stored before a law could have one, and to the bit beside draws that have one."""
    shock, push, flows, size = days()
    found = fixed_point(shock, push, Response(size, np.full(300, 0.5)), flows)
    assert np.flatnonzero(found.unstable).tolist() == [69, 82, 100, 165]
    assert found.multiple.sum() == 205 and found.count.sum() == 1269
    stored = [0.0016253460817978209, 0.0021835682238542523, -0.02193181558423847,
              -0.14915515577922056, -0.0032114593756158412, 0.00022043444352822146]  # fmt: skip
    assert_allclose(found.move[:6], stored, rtol=1e-11)
    gains = [-6.920446289290779, -11.572042486680196, -12.172887079680486]
    assert_allclose(found.gain[:3], gains, rtol=1e-9)
    width = np.where(np.arange(300) % 2 == 0, 0.0, 300.0)
    mixed = fixed_point(shock, push, Response(size, np.full(300, 0.5), width), flows)
    for name in ("move", "alone", "gain", "roots", "count"):
        one, other = getattr(mixed, name), getattr(found, name)
        assert_array_equal(one[::2], other[::2])
        assert not np.array_equal(one[1::2], other[1::2], equal_nan=True)


def test_a_crossover_too_small_to_matter_changes_nothing():
    shock, push, flows, size = days()
    sharp = fixed_point(shock, push, Response(size, np.full(300, 0.5)), flows)
    round_ = fixed_point(shock, push, Response(size, np.full(300, 0.5), np.full(300, 1e-6)), flows)
    assert_allclose(round_.move, sharp.move, rtol=1e-6, atol=1e-9)
    assert (round_.count == sharp.count).mean() > 0.98


def test_the_fixed_point_under_a_crossover_solves_the_equation_of_the_law():
    shock, push, flows, size = days()
    law = Response(size, np.full(300, 0.5), np.random.default_rng(1).uniform(10, 2000, 300))
    found = fixed_point(shock, push, law, flows)
    at = np.flatnonzero(~found.unstable)
    assert 150 < len(at) < 300
    extra = np.array([np.interp(found.move[d], MOVE, flows.flow[d]) for d in at])
    taken = Response(size[at], np.full(len(at), 0.5), law.crossover[at])
    assert_allclose(shock[at] + taken.move(push[at] + extra), found.move[at], atol=1e-12)
    assert_allclose(found.alone, shock + law.move(push), rtol=1e-12)
    k = np.clip(np.searchsorted(MOVE, found.move[at]) - 1, 0, 79)
    steep = (flows.flow[at, k + 1] - flows.flow[at, k]) / (MOVE[k + 1] - MOVE[k])
    assert_allclose(found.gain[at], taken.slope(push[at] + extra) * steep, rtol=1e-9)
    assert (found.gain[at] < 1.0).all()


def test_far_below_the_crossover_the_loop_is_the_linear_one():
    slope, width = 1e-5, 1e9
    law = Response(np.asarray(slope * width**0.5), np.asarray(0.5), np.asarray(width))
    for gamma in (-50e3, 20e3):
        found = fixed_point(-0.01, -500.0, law, hedging(gamma))
        expected = fixed_point(-0.01, -500.0, linear(slope), hedging(gamma))
        assert_allclose(found.move, expected.move, rtol=1e-9)
        assert_allclose(found.gain, expected.gain, rtol=1e-6)


def test_with_a_crossover_a_grain_of_sand_moves_nothing():
    """At no flow the gain is slope times gamma, no longer infinite."""
    sharp = square_root(1.0, 0.022, 60e3)
    law = Response(sharp.coefficient, sharp.exponent, np.asarray(1000.0))
    assert 0.1 < float(law.slope(0.0)) * 100_000.0 < 1.0
    sand = fixed_point(0.0, -1e-6, law, hedging(-100_000.0))
    assert abs(float(sand.move[0])) < 1e-10 and sand.count[0] == 1
    still = fixed_point(0.0, 0.0, law, hedging(-100_000.0))
    assert still.move[0] == 0.0 and still.gain[0] == pytest.approx(float(law.slope(0.0)) * 1e5)


def test_without_gamma_a_crossover_leaves_the_contribution_exactly_zero():
    shock, push, _, size = days()
    law = Response(size, np.full(300, 0.5), np.full(300, 200.0))
    found = fixed_point(shock, push, law, hedging(0.0))
    assert (found.contribution == 0.0).all() and (found.gain == 0.0).all()
