"""A day in steps: one step is the fixed point, cutting adds none, what is closed stays closed."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from attribution.errors import DataError
from attribution.mechanics.feedback import Flows, fixed_point
from attribution.mechanics.impact import Response, linear
from attribution.studies.event.steps import (
    PathFlows,
    between,
    extremes,
    fixed_points,
    gain_along,
    implied_shock,
    stepped,
)

DRAWS = 300
MOVE = np.unique(np.r_[np.linspace(-0.4, 0.4, 81), -0.142, 0.007])
NONE = np.zeros(len(MOVE))


def law_of(rng, *, crossover=40.0):
    """Linear and square-root laws in turns."""
    power = np.where(np.arange(DRAWS) % 2, 1.0, 0.5 + 0.03 * rng.standard_normal(DRAWS))
    scale = np.where(power == 1.0, 1e-5, 1.2e-4) * rng.lognormal(0.0, 0.3, DRAWS)
    return Response(scale, power, np.full(DRAWS, crossover))


def flows_of(rng, move=MOVE, *, size=1.0):
    """Hedgers of either side by the price, longs by its lowest, shorts by its highest."""
    each = [size * rng.lognormal(0.0, 0.5, (DRAWS, 1)) for _ in range(2)]
    return PathFlows(
        move,
        size * 4_000.0 * rng.uniform(-1.0, 1.0, (DRAWS, 1)) * np.tanh(move / 0.15),
        -800.0 * each[0] * (np.maximum(-move, 0.0) / 0.1) ** 1.5,
        600.0 * each[1] * (np.maximum(move, 0.0) / 0.1) ** 1.2,
    )


def wandering(rng, steps=30, end=-0.142):
    """A path that ends at a given move."""
    path = np.cumsum(0.012 * rng.standard_normal(steps))
    return path + np.arange(1, steps + 1) / steps * (end - path[-1])


def at_once(flows):
    return Flows(flows.move, flows.now + flows.lowest + flows.highest)


@pytest.mark.parametrize("crossover", [40.0, 0.0])
def test_one_step_is_the_fixed_point_to_machine_precision(crossover):
    rng = np.random.default_rng(0)
    law, flows = law_of(rng, crossover=crossover), flows_of(rng, size=3.0)
    shock, push = rng.normal(-0.04, 0.05, DRAWS), rng.normal(0.0, 100.0, DRAWS)
    once = fixed_point(shock, push, law, at_once(flows), pieces=2)
    found = stepped(shock[:, None], push[:, None], law, flows, pieces=2)
    assert_array_equal(found.unstable, once.unstable)
    assert 0 < once.unstable.sum() < DRAWS / 2
    assert_allclose(found.move[:, 0], once.move, rtol=0, atol=1e-15)
    assert_allclose(found.alone[:, 0], once.alone, rtol=0, atol=1e-15)


@pytest.mark.parametrize("end", [-0.142, 0.007])
def test_one_step_has_as_many_fixed_points_and_the_same_gain(end):
    rng = np.random.default_rng(1)
    law, flows = law_of(rng), flows_of(rng, size=4.0)
    push, path = rng.normal(0.0, 100.0, (DRAWS, 1)), np.array([end])
    shock = implied_shock(path, push, law, flows)
    other = 1.01 * shock  # at a node the sign of the gap is one of rounding
    once = fixed_point(other[:, 0], push[:, 0], law, at_once(flows), pieces=2)
    counted = fixed_points(path, other, push, law, flows, pieces=2)
    assert_array_equal(counted[:, 0], once.count)
    assert (once.count > 1).any()
    once = fixed_point(shock[:, 0], push[:, 0], law, at_once(flows), pieces=2)
    # a root that rounding puts above the node reads the slope of the piece above it
    there = (np.abs(once.move - end) < 1e-12) & (once.move <= end)
    assert there.sum() > DRAWS / 3
    gain = gain_along(path, push, law, flows)[:, 0]
    assert_allclose(gain[there], once.gain[there], rtol=1e-6, atol=1e-12)


def plainly(shock, push, coefficient, power, width, tables):
    """One draw, by the equations: look for the first change of sign on the way, and halve."""
    move, now, lowest, highest = tables
    at, low, high, path = 0.0, 0.0, 0.0, []

    def impact(flow):
        return coefficient * flow * np.hypot(flow, width) ** (power - 1.0)

    def gap(r, eps, q):
        e = np.interp(r, move, now)
        e += np.interp(min(r, low), move, lowest) + np.interp(max(r, high), move, highest)
        return eps + impact(q + e) - r

    for eps, q in zip(shock, push, strict=True):
        if not np.isfinite(at):
            path.append(np.nan)
            continue
        begun = gap(at, eps, q)
        way = np.sign(begun)
        stops = np.unique(np.r_[move, 0.5 * (move[1:] + move[:-1]), low, high])
        stops = stops[stops > at] if way > 0 else stops[stops < at][::-1]
        a, found = at, np.nan
        for b in stops:
            if np.sign(gap(b, eps, q)) != way:
                for _ in range(100):
                    middle = 0.5 * (a + b)
                    a, b = (middle, b) if np.sign(gap(middle, eps, q)) == way else (a, middle)
                found = b
                break
            a = b
        at = found if begun else at
        low, high = min(low, at), max(high, at)
        path.append(at)
    return path


def test_the_compiled_walk_is_the_plain_one():
    rng = np.random.default_rng(2)
    law, flows = law_of(rng), flows_of(rng, size=2.0)
    path, push = wandering(rng, 12), np.cumsum(rng.normal(0.0, 30.0, (DRAWS, 12)), axis=1)
    shock = implied_shock(path, push, law, flows)
    shock *= rng.uniform(0.5, 2.0, (DRAWS, 1))  # off the path, and over the edge for some
    found = stepped(shock, push, law, flows, pieces=2).move
    lost = np.isnan(found).any(axis=1)
    some = np.r_[np.flatnonzero(~lost)[:30], np.flatnonzero(lost)[:5]]
    assert lost[some].sum() == 5
    for d in some:
        tables = (MOVE, flows.now[d], flows.lowest[d], flows.highest[d])
        parts = (law.coefficient[d], law.exponent[d], law.crossover[d])
        assert_allclose(found[d], plainly(shock[d], push[d], *parts, tables), rtol=0, atol=1e-12)


def test_implied_shocks_lead_back_to_the_path_at_every_step():
    rng = np.random.default_rng(3)
    law, flows, path = law_of(rng), flows_of(rng), wandering(rng)
    push = rng.normal(0.0, 100.0, (DRAWS, 1)) * np.arange(1, 31) / 30
    shock = implied_shock(path, push, law, flows)
    found = stepped(shock, push, law, flows)
    calm = (gain_along(path, push, law, flows) < 0.9).all(axis=1)
    calm &= (fixed_points(path, shock, push, law, flows) == 1).all(axis=1)
    assert calm.sum() > DRAWS / 2
    assert_allclose(found.move[calm], np.broadcast_to(path, (calm.sum(), 30)), rtol=0, atol=1e-12)


def test_a_step_in_which_nothing_happens_changes_nothing():
    rng = np.random.default_rng(4)
    law, flows, path = law_of(rng), flows_of(rng), wandering(rng)
    push = np.cumsum(rng.normal(0.0, 20.0, (DRAWS, 30)), axis=1)
    shock = implied_shock(path, push, law, flows)
    again = np.repeat(np.arange(30), rng.integers(1, 4, 30))
    whole = stepped(shock, push, law, flows).move
    idle = stepped(shock[:, again], push[:, again], law, flows).move
    assert_allclose(idle, whole[:, again], rtol=0, atol=1e-13)


def test_hedges_alone_end_where_they_end_however_the_shocks_are_cut():
    """With one fixed point and nothing that remembers, the way does not matter."""
    rng = np.random.default_rng(5)
    law, hedged = law_of(rng), flows_of(rng, size=0.5)
    flows = PathFlows(MOVE, hedged.now, NONE, NONE)
    path, push = wandering(rng), np.cumsum(rng.normal(0.0, 20.0, (DRAWS, 30)), axis=1)
    shock = implied_shock(path, push, law, flows)
    one = fixed_points(path, shock, push, law, flows).max(axis=1) == 1
    assert one.sum() > DRAWS / 2
    whole = stepped(shock, push, law, flows).move[:, -1]
    for kept in ([29], [3, 4, 29], [*range(0, 30, 2), 29]):
        cut = stepped(shock[:, kept], push[:, kept], law, flows).move[:, -1]
        assert_allclose(cut[one], whole[one], rtol=0, atol=1e-13)


def test_longs_closed_on_the_way_down_stay_closed_when_the_price_comes_back():
    """The known answer of a linear market: with gain g the low is e/(1 - g), the end g times it."""
    gain = np.array([0.1, 0.3, 0.6])
    longs = PathFlows(MOVE, NONE, gain[:, None] / 1e-5 * np.minimum(MOVE, 0.0), NONE)
    shock = np.broadcast_to([-0.1, 0.0], (3, 2))
    found = stepped(shock, np.zeros((3, 2)), linear(1e-5), longs)
    assert_allclose(found.move[:, 0], -0.1 / (1.0 - gain), rtol=1e-12)
    assert_allclose(found.move[:, 1], -0.1 * gain / (1.0 - gain), rtol=1e-12)
    once = fixed_point(shock[:, -1], 0.0, linear(1e-5), at_once(longs))
    assert_array_equal(once.move, 0.0)  # a day seen from its close alone knows of none
    sold = longs.traded(found.move[0])[0]
    assert_allclose(sold, np.repeat(gain[0] / 1e-5 * found.move[0, 0], 2), rtol=1e-12)


def test_shorts_closed_on_a_bounce_stay_closed_too():
    longs = flows_of(np.random.default_rng(6))
    law, path = linear(1e-5), np.array([0.05, -0.02, 0.03, -0.09])
    low, high = extremes(path)
    assert_array_equal(low, [0.0, -0.02, -0.02, -0.09])
    assert_array_equal(high, [0.05, 0.05, 0.05, 0.05])
    only = PathFlows(MOVE, NONE, NONE, longs.highest)
    bought = only.traded(path)
    assert (bought == bought[:, :1]).all() and (bought > 0.0).all()
    shock = implied_shock(path, np.zeros((DRAWS, 4)), law, only)
    # what is bought once lifts the price for the rest of the day
    assert_allclose(path - shock, np.repeat(1e-5 * bought[:, :1], 4, axis=1), atol=1e-15)


def test_the_day_mirrored_is_the_day_mirrored():
    rng = np.random.default_rng(7)
    law, flows, path = law_of(rng), flows_of(rng), wandering(rng)
    push = np.cumsum(rng.normal(0.0, 20.0, (DRAWS, 30)), axis=1)
    shock = 1.2 * implied_shock(path, push, law, flows)
    back = PathFlows(
        -MOVE[::-1], -flows.now[:, ::-1], -flows.highest[:, ::-1], -flows.lowest[:, ::-1]
    )
    one, two = (
        stepped(sign * shock, sign * push, law, table).move
        for sign, table in ((1.0, flows), (-1.0, back))
    )
    assert_allclose(two, -one, rtol=0, atol=1e-12)


def test_flows_in_another_unit_move_the_price_alike():
    rng = np.random.default_rng(8)
    law, flows, path = law_of(rng), flows_of(rng), wandering(rng)
    push = np.cumsum(rng.normal(0.0, 20.0, (DRAWS, 30)), axis=1)
    shock = implied_shock(path, push, law, flows)
    scale = 1e3**law.exponent
    billions = Response(law.coefficient * scale, law.exponent, law.crossover / 1e3)
    tables = PathFlows(MOVE, *(t / 1e3 for t in (flows.now, flows.lowest, flows.highest)))
    one = stepped(shock, push, law, flows).move
    two = stepped(shock, push / 1e3, billions, tables).move
    assert_allclose(two, one, rtol=0, atol=1e-12)


def test_a_day_that_runs_away_has_no_price_from_that_step_on():
    gain = 1.5
    wild = PathFlows(MOVE, NONE, gain / 1e-5 * np.minimum(MOVE, 0.0), NONE)
    shock = np.array([[0.02, 0.01, -0.03, 0.05]])
    found = stepped(shock, np.zeros((1, 4)), linear(1e-5), wild)
    assert_allclose(found.move[0, :2], [0.02, 0.01], rtol=1e-14)
    assert np.isnan(found.move[0, 2:]).all() and found.unstable[0]
    assert_allclose(found.alone, shock, rtol=1e-14)


def test_a_cascade_that_was_passed_is_not_undone_by_the_shock_that_takes_it_back():
    """Longs between -5 and -6 points: a dip to the edge tips them, and they are sold for good."""
    move = np.unique(np.r_[MOVE, -0.05, -0.06])
    sold = -4000.0 * np.clip((-0.05 - move) / 0.01, 0.0, 1.0)
    zero = np.zeros(len(move))
    shock, law = np.array([[-0.045, -0.052, -0.045]]), linear(1e-5)
    push = np.zeros((1, 3))
    found = stepped(shock, push, law, PathFlows(move, zero, sold, zero))
    assert_allclose(found.move[0], [-0.045, -0.092, -0.085], rtol=1e-10)
    # hedgers who answer the price are still caught by the other fixed point, of three
    hedged = PathFlows(move, sold, zero, zero)
    caught = stepped(shock, push, law, hedged)
    assert_allclose(caught.move[0], [-0.045, -0.092, -0.085], rtol=1e-10)
    count = fixed_points(caught.move[0], shock, push, law, hedged, pieces=1)
    assert_array_equal(count[0], [3, 1, 3])
    forced = PathFlows(move, zero, sold, zero)
    assert_array_equal(fixed_points(found.move[0], shock, push, law, forced)[0], [3, 1, 1])


def test_nobody_who_answers_leaves_the_shocks_as_they_are():
    rng = np.random.default_rng(9)
    shock, push = rng.normal(0.0, 0.05, (DRAWS, 9)), rng.normal(0.0, 50.0, (DRAWS, 9))
    law = law_of(rng)
    found = stepped(shock, push, law, PathFlows(MOVE, NONE, NONE, NONE))
    assert_allclose(found.move, found.alone, rtol=0, atol=1e-16)


def test_tables_are_read_exactly_at_their_nodes():
    table = np.random.default_rng(10).normal(size=(2, len(MOVE)))
    assert_array_equal(between(MOVE, table, MOVE), table)
    assert_array_equal(between(MOVE, table, np.stack([MOVE, MOVE])), table)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"shock": np.zeros((4, 3))}, "differ in draws|do not broadcast"),
        ({"shock": np.full((3, 2), np.nan)}, "finite"),
        ({"flows": PathFlows(MOVE, np.zeros((5, len(MOVE))), NONE, NONE)}, "differ in draws"),
    ],
)
def test_what_does_not_fit_is_refused(change, says):
    given = {
        "shock": np.zeros((3, 2)), "push": np.zeros((3, 2)),
        "flows": PathFlows(MOVE, NONE, NONE, NONE),
    }  # fmt: skip
    given |= change
    with pytest.raises(DataError, match=says):
        stepped(given["shock"], given["push"], linear(1e-5), given["flows"])


def test_flows_at_no_move_are_refused():
    with pytest.raises(DataError, match="make them part of the push"):
        PathFlows(MOVE, NONE, NONE + 1.0, NONE)
