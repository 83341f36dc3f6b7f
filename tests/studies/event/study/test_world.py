"""One day with switches: identities, signs, invariances, and a toy whose answers are known."""

from dataclasses import replace

import numpy as np
import pytest

from attribution import allocate
from attribution.errors import DataError, DiagnosticsError
from attribution.mechanics.feedback import Flows, fixed_point
from attribution.mechanics.impact import Response
from attribution.studies.event.abduction import allocated, interaction_share, order_flow
from attribution.studies.event.world import (
    POINTS,
    PROFILE,
    SHOCKS,
    World,
    curve_of,
    one_off,
    play,
    profile_of,
    simulate,
)

ADDITIVE = ("triggers_first", "shapley")


def parts_of(world):
    played = play(world)
    own = world.at(played.kept.ravel())
    return own, played, allocated(own, played.game, paths=3)


@pytest.fixture(scope="module", params=[1.0, 0.5])
def solved(request, fabricated):
    return parts_of(fabricated(exponent=request.param))


def test_everything_on_is_the_observed_move_and_everything_off_is_nothing(solved):
    _, played, _ = solved
    assert played.game.values[:, -1] == pytest.approx(-14.2, abs=1e-10)
    assert (played.game.values[:, 0] == 0.0).all()


def test_parts_of_every_additive_rule_sum_to_the_move_in_every_draw(solved):
    _, _, parts = solved
    for rule in ADDITIVE:
        assert parts.contribution[rule].sum(axis=1) == pytest.approx(-14.2, abs=1e-10)
    assert parts.order_flow.sum(axis=1) == pytest.approx(-14.2, abs=1e-10)
    assert parts.path.sum(axis=1) == pytest.approx(-14.2, abs=1e-10)
    assert (parts.orders.low <= parts.contribution["shapley"]).all()
    assert (parts.contribution["shapley"] <= parts.orders.high).all()


def test_a_mechanism_of_size_zero_contributes_exactly_nothing(fabricated):
    world = fabricated()
    for name in world.amplifiers:
        push = world.push.copy()
        push[:, world.players.index(name)] = 0.0
        idle = replace(world, flow={**world.flow, name: np.zeros_like(world.flow[name])}, push=push)
        missing = world.trade(-0.142).sum(axis=1) - idle.trade(-0.142).sum(axis=1)
        assert missing.any()
        shock = idle.shock.copy()
        law = idle.response
        shock[:, 2] += law.move(world.trade(-0.142).sum(axis=1))
        shock[:, 2] -= law.move(idle.trade(-0.142).sum(axis=1))
        _, _, parts = parts_of(replace(idle, shock=shock))
        place = parts.players.index(name)
        for draws in parts.contribution.values():
            assert (draws[:, place] == 0.0).all()
        assert (parts.order_flow[:, place] == 0.0).all()
        assert (parts.orders.low[:, place] == 0.0).all()


def test_dealers_on_the_other_side_turn_the_sign_of_gamma(fabricated):
    world = fabricated()
    other = {**world.flow, "gamma": -world.flow["gamma"]}
    turned = replace(world, flow=other)
    law, shock = world.response, world.shock.copy()
    shock[:, 2] += law.move(world.trade(-0.142).sum(axis=1))
    shock[:, 2] -= law.move(turned.trade(-0.142).sum(axis=1))
    one, two = play(world), play(replace(turned, shock=shock))
    both = np.intersect1d(one.kept, two.kept)
    assert len(both) > 30
    gamma = world.players.index("gamma")
    before, after = (
        allocate.but_for(p.game).draws[np.isin(p.kept.ravel(), both), gamma] for p in (one, two)
    )
    assert (np.sign(before) == -np.sign(after)).all()


def test_players_that_are_told_in_another_order_get_the_same(fabricated):
    world = fabricated()
    order, turn = ("liquidations", "gamma", "notes"), [2, 0, 1]
    mixed = World(
        world.observed,
        tuple(world.triggers[i] for i in turn),
        world.shock[:, turn],
        world.push[:, [*turn, 5, 4, 3]],
        world.response,
        world.move,
        {name: world.flow[name] for name in order},
    )
    (_, one, a), (_, two, b) = parts_of(world), parts_of(mixed)
    assert (one.kept == two.kept).all()
    at = [b.players.index(name) for name in a.players]
    for rule, draws in a.contribution.items():
        assert draws == pytest.approx(b.contribution[rule][:, at], abs=1e-9)
    assert a.order_flow == pytest.approx(b.order_flow[:, at], abs=1e-9)


def test_a_fall_mirrored_is_a_rise_mirrored(fabricated):
    world = fabricated()
    back = World(
        -world.observed, world.triggers, -world.shock, -world.push, world.response,
        -world.move[::-1], {name: -table[:, ::-1] for name, table in world.flow.items()},
    )  # fmt: skip
    (_, one, a), (_, two, b) = parts_of(world), parts_of(back)
    assert (one.kept == two.kept).all()
    for rule, draws in a.contribution.items():
        assert draws == pytest.approx(-b.contribution[rule], abs=1e-9)


def test_flows_in_another_unit_move_the_price_alike(fabricated):
    world = fabricated(exponent=0.5)
    law = world.response
    billions = World(
        world.observed, world.triggers, world.shock, world.push / 1e3,
        Response(law.coefficient * 1e3**law.exponent, law.exponent, law.crossover / 1e3),
        world.move, {name: table / 1e3 for name, table in world.flow.items()},
    )  # fmt: skip
    one, two = play(world), play(billions)
    assert one.game.values == pytest.approx(two.game.values, abs=1e-9)


def test_draws_that_run_away_are_counted_and_left_out_of_every_coalition(fabricated):
    world = fabricated(draws=40)
    wild = np.array([3, 17])
    flow = {**world.flow, "gamma": world.flow["gamma"].copy()}
    flow["gamma"][wild] = 3e5 * world.move  # loop gain three
    shock = world.shock.copy()
    shock[wild, 2] = -0.142 - shock[wild, :2].sum(axis=1)
    found = play(replace(world, flow=flow, shock=shock), chains=2)
    assert found.unstable[wild].all()
    assert not np.isin(wild, found.kept).any()
    calm = play(world, chains=2)
    assert found.left_out == pytest.approx((calm.unstable | calm.missed | np.isin(
        np.arange(40), wild)).mean())  # fmt: skip
    assert len(found.game.values) == found.kept.size
    with pytest.raises(DiagnosticsError, match="tighten the priors"):
        play(replace(world, shock=world.shock + 1.0))


def test_an_observed_move_behind_another_fixed_point_is_no_answer():
    """Sellers wake between two calm stretches: from zero the price stops at the nearer one."""
    nodes = np.linspace(-0.4, 0.4, 81)
    jump = -0.1 / (1.0 + np.exp((nodes + 0.06) / 0.005))
    jump -= jump[nodes == 0.0]
    law = Response(np.ones(1), np.ones(1))
    far = fixed_point(-0.02, 0.0, law, Flows(nodes, jump))
    assert far.count[0] == 3
    for root, reached in ((far.roots[0, 2], True), (far.roots[0, 0], False)):
        move = np.unique(np.r_[nodes, root])
        table = np.interp(move, nodes, jump)[None]
        shock = np.array([[root - np.interp(root, nodes, jump)]])
        world = World(float(root), ("news",), shock, np.zeros((1, 2)), law, move, {"wake": table})
        if reached:
            assert not play(world).missed.any()
        else:
            with pytest.raises(DiagnosticsError, match="end at the observed move"):
                play(world)


def test_coalitions_for_but_for_effects_alone_give_the_same(fabricated):
    world = fabricated()
    few = play(world, only=one_off(world.players, 3))
    whole = play(world)
    shared = np.intersect1d(few.kept, whole.kept)
    one, two = (
        allocate.but_for(p.game).draws[np.isin(p.kept.ravel(), shared)] for p in (few, whole)
    )
    assert one == pytest.approx(two, abs=1e-12)


def test_half_an_intensity_is_half_a_shock_and_half_a_table(fabricated):
    world = fabricated()
    half = replace(
        world, shock=world.shock / 2, push=world.push / 2,
        flow={name: table / 2 for name, table in world.flow.items()},
    )  # fmt: skip
    on = np.ones((1, 6))
    assert simulate(world)(on / 2) == pytest.approx(simulate(half)(on), abs=1e-12, nan_ok=True)


def test_order_flow_shares_impact_by_who_traded(fabricated):
    world = fabricated(exponent=0.5)
    traded = world.trade(-0.142)
    impact = POINTS * world.response.move(traded.sum(axis=1))
    found = order_flow(world)
    ratio = found[:, 3:] / traded[:, 3:]
    assert ratio == pytest.approx(np.repeat(ratio[:, :1], 3, axis=1))
    assert found[:, 3:].sum(axis=1) + found[:, 1] == pytest.approx(impact)
    assert found[:, 0] == pytest.approx(POINTS * world.shock[:, 0])


def test_the_toy_of_two_thresholds_has_its_known_answers(toy):
    """Read off a prototype that iterates to the fixed point."""
    played = play(toy)
    game = played.game
    assert game.values[0, -1] == pytest.approx(-12.98, abs=0.005)
    assert game.value(*toy.triggers)[0] == pytest.approx(-8.04, abs=1e-12)
    parts = allocated(toy, game)
    assert parts.amplification[0] == pytest.approx(1.614, abs=5e-4)
    channels = allocate.merged(
        game,
        {
            "factor": ["factor"],
            "basis": ["basis"],
            "options": ["options", "gamma"],
            "liquidations": ["liquidations", "cascade"],
            "demand": ["demand"],
        },
    )
    expected = [-5.02, -3.29, -1.68, -2.66, -0.34]
    assert allocate.shapley(channels).draws[0] == pytest.approx(expected, abs=0.005)
    off = [-7.50, -5.00, -3.90, -5.19, -0.50]
    assert allocate.but_for(channels).draws[0] == pytest.approx(off, abs=0.005)
    traded = parts.order_flow[0]
    channel = [traded[0], traded[1], traded[2] + traded[5], traded[3] + traded[6], traded[4]]
    assert channel == pytest.approx([-3.60, -2.40, -2.84, -3.89, -0.24], abs=0.005)


def test_the_toy_with_its_amplifiers_always_on_says_who_started_it(toy):
    game = play(toy).game
    both = (1 << 5) | (1 << 6)
    begun = allocate.coalitions_of(
        game.values[:, game.at(np.arange(1 << 5) | both)], toy.triggers, unit=game.unit
    )
    expected = [-5.87, -3.80, -0.97, -1.94, -0.39]
    assert allocate.shapley(begun).draws[0] == pytest.approx(expected, abs=0.005)


def test_shares_are_taken_of_large_moves_only(fabricated):
    game = play(fabricated()).game
    assert interaction_share(game, 14.2 / 5.0 + 1e-6) is None
    share = interaction_share(game, 14.2 / 5.0 - 1e-6)
    assert share == pytest.approx(allocate.interaction(game) / -14.2)


def test_a_loop_that_answers_both_ways_alike_bends_rises_and_falls_alike():
    nodes = np.linspace(-0.4, 0.4, 81)
    law = Response(np.full(3, 1e-5), np.ones(3))
    flow = {"gamma": np.array([[2e4], [0.0], [-2e4]]) * nodes}
    curve = curve_of(World(0.0, ("shock",), np.zeros((3, 1)), np.zeros((3, 2)), law, nodes, flow))
    gain = np.array([0.2, 0.0, -0.2])
    assert curve.arrives.all()
    assert curve.move == pytest.approx(SHOCKS / (1.0 - gain[:, None]), abs=1e-9)
    for size in (5.0, 10.0):
        assert curve.added(size) == pytest.approx(
            np.repeat(size * (1.0 / (1.0 - gain[:, None]) - 1.0), 2, axis=1), abs=1e-9
        )


def test_the_profile_is_what_amplifiers_trade_push_included(fabricated):
    world = fabricated(draws=5)
    found = profile_of(world)
    assert found.shape == (3, len(PROFILE), 5)
    still = int(np.flatnonzero(PROFILE == 0.0)[0])
    assert found[0, still] == pytest.approx(world.push[:, 3])
    at = int(np.flatnonzero(PROFILE == -10.0)[0])
    expected = world.trade(-0.1)[:, 3:].T
    assert found[:, at] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("part", "value"), [("shock", np.zeros((60, 2))), ("push", np.zeros((60, 5)))]
)
def test_arrays_that_do_not_fit_the_players_are_refused(fabricated, part, value):
    with pytest.raises(DataError, match="do not fit the"):
        replace(fabricated(), **{part: value})
