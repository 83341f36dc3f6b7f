"""Traps of attributing a crash, stated where mechanisms, fixed points and rules meet.

Notes, dealers' gamma and liquidations move one price; every coalition is a day of its own. Traps of
one layer alone are tests of that layer.
"""

from itertools import permutations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from attribution.allocate import (
    but_for,
    coalitions,
    every_order,
    interaction_share,
    order_range,
    shapley,
    stand_alone,
    triggers_first,
)
from attribution.errors import DataError
from attribution.mechanics.feedback import Flows, fixed_point, loop_gain
from attribution.mechanics.impact import Response
from attribution.mechanics.notes import AT_MATURITY
from attribution.studies.event.note_deltas import book_table, put_table

DRAWS = 60
MOVE = np.unique(np.r_[np.linspace(-0.4, 0.3, 141).round(6), 0.0])
MARKET, DAY = (0.04, 0.04), 1 / 365.25
SHOCKS, AMPLIFIERS = ("factor", "basis", "rest"), ("notes", "gamma", "liquidations")
PLAYERS = (*SHOCKS, *AMPLIFIERS)
STAGES = [list(SHOCKS), list(AMPLIFIERS)]
RULES = {
    "but-for": but_for, "stand-alone": stand_alone, "shapley": shapley,
    "triggers-first": lambda game: triggers_first(
        game, [[p for p in game.players if p in stage] for stage in STAGES]
    ),
}  # fmt: skip


def centred(flow):
    """A table without what a day and its volatility trade at no move."""
    return flow - flow[..., MOVE == 0.0]


def note_flow(face, sign=1.0):
    """USD million of one knock-in note at maturity, volatility held, (draw, move)."""
    terms = np.array([[[0.0, AT_MATURITY, 55.0, 38.5, 1.0, 0.0, np.inf]]])
    cell = np.ones((1, 1, 1))
    table = book_table(terms, sign * cell / 55.0, cell < 0.0, 1.8 * cell, np.array([41.6]),
                       np.array([0.55]), np.array([DAY]), MOVE, np.zeros(1), MARKET)  # fmt: skip
    return np.multiply.outer(face, centred(table[0, 0, :, 0]))


def put_flow():
    """USD of the hedge of one listed put sold, its gamma in USD per unit of return."""
    state = np.array([41.6]), np.array([0.55]), np.array([DAY])
    flow, vega = put_table(np.ones(1), np.array([45 / 365]), *state, MOVE, np.zeros(1), MARKET)
    # Black and Scholes: vega is gamma times variance and time, S^2 sigma T.
    return centred(flow[0, 0, :, 0]), float(vega[0, 0]) / (0.55 * 45 / 365)


def drawn(seed=1, **changes):
    """Draws of one day: shocks, push, impact, and a table for each amplifier."""
    rng = np.random.default_rng(seed)
    gamma = rng.lognormal(np.log(15e3), 0.3, DRAWS)
    size = rng.lognormal(np.log(600.0), 0.3, DRAWS)
    day = {
        "factor": rng.normal(-0.04, 0.01, DRAWS),
        "basis": rng.normal(-400.0, 100.0, DRAWS),
        "rest": rng.normal(-0.015, 0.01, DRAWS),
        "notes": note_flow(rng.lognormal(np.log(800.0), 0.3, DRAWS)),
        "gamma": np.multiply.outer(gamma, MOVE),
        "liquidations": -np.multiply.outer(size, np.maximum(-MOVE, 0.0) / 0.05),
        "response": Response(np.full(DRAWS, 4e-5), np.full(DRAWS, 0.85), np.full(DRAWS, 50.0)),
    }
    return day | changes


def solve(day, on):
    """Fixed points of one coalition, given by name."""
    flow = sum((day[name] for name in AMPLIFIERS if name in on), np.zeros((DRAWS, len(MOVE))))
    shock = sum((day[name] for name in ("factor", "rest") if name in on), np.zeros(DRAWS))
    push = day["basis"] if "basis" in on else np.zeros(DRAWS)
    return fixed_point(shock, push, day["response"], Flows(MOVE, flow))


def game(day, players=PLAYERS):
    def simulate(on):
        moves = [solve(day, {p for p, here in zip(players, row, strict=True) if here}).move
                 for row in on]  # fmt: skip
        return 100.0 * np.stack(moves, axis=1)

    return coalitions(simulate, players, unit="log points")


@pytest.fixture(scope="module")
def crash():
    return game(drawn())


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", AMPLIFIERS)
def test_a_mechanism_without_size_contributes_exactly_zero(rule, name):
    """Not small: the same number with it on and off, under every rule and in every order."""
    found = game(drawn(**{name: np.zeros((DRAWS, len(MOVE)))}))
    assert (RULES[rule](found).of(name) == 0.0).all()
    if rule == "shapley":
        whole = order_range(found, every_order(PLAYERS))
        at = PLAYERS.index(name)
        assert (whole.low[:, at] == 0.0).all() and (whole.high[:, at] == 0.0).all()


@pytest.mark.parametrize("rule", RULES)
def test_amplifiers_alone_move_nothing(rule, crash):
    """Without a trigger there is no feedback: a stand-alone amplifier is zero by construction."""
    for name in AMPLIFIERS:
        assert (crash.value(name) == 0.0).all()
    assert (crash.value(*AMPLIFIERS) == 0.0).all()
    alone = stand_alone(crash)
    assert all((alone.of(name) == 0.0).all() for name in AMPLIFIERS)
    if rule in ("shapley", "triggers-first"):
        assert_allclose(sum(RULES[rule](crash).of(p) for p in PLAYERS), crash.total, rtol=1e-10)


@pytest.mark.parametrize("rule", RULES)
def test_naming_the_mechanisms_in_another_order_permutes_what_they_get(rule, crash):
    expected = RULES[rule](crash)
    for order in list(permutations(PLAYERS))[1::359]:
        found = RULES[rule](game(drawn(), order))
        for name in PLAYERS:
            assert_allclose(found.of(name), expected.of(name), rtol=1e-9, atol=1e-11)


def test_a_dealer_of_the_other_sign_dampens_under_every_rule():
    short, long = game(drawn()), game(drawn(gamma=-drawn()["gamma"]))
    for rule in (but_for, shapley, RULES["triggers-first"]):
        assert (rule(short).of("gamma") < 0.0).all()  # a larger fall
        assert (rule(long).of("gamma") > 0.0).all()  # a smaller one, and shown as such


def test_notes_dampen_a_fall_while_dealers_are_long_the_puts_of_their_holders():
    here, there = game(drawn()), game(drawn(notes=note_flow(np.full(DRAWS, 800.0), -1.0)))
    assert (but_for(here).of("notes") > 0.0).all()
    assert (but_for(there).of("notes") < 0.0).all()


def test_puts_against_the_vega_of_notes_are_listed_gamma_and_counted_twice_if_in_both():
    """The overlay is short gamma: to first order what a gamma book with the same puts trades."""
    flow, gamma = put_flow()
    near = np.abs(MOVE) < 0.0101
    assert_allclose(flow[near], gamma * MOVE[near], rtol=0.03, atol=1e-12)
    number = 2e4 / gamma  # puts, in million, whose gamma is 200 USD million for 1 %
    overlay = np.tile(number * flow, (DRAWS, 1))
    day = drawn()
    once = game(day | {"notes": day["notes"] + overlay})
    moved = game(day | {"gamma": day["gamma"] + overlay})
    twice = game(day | {"notes": day["notes"] + overlay, "gamma": day["gamma"] + overlay})
    # Under whichever name: the day is the same. Under both it is another day, with a larger fall.
    assert_allclose(moved.values[:, -1], once.values[:, -1], rtol=1e-9)
    assert (twice.values[:, -1] < once.values[:, -1] - 0.1).all()
    assert (but_for(twice).of("gamma") < but_for(once).of("gamma")).all()


def test_a_fund_s_selling_is_a_shock_or_a_leg_of_the_basis_and_never_both():
    day = drawn()
    leg = day["response"].move(day["basis"])
    as_shock = {"factor": day["factor"] + leg, "basis": np.zeros(DRAWS)}
    both = game(day | {"factor": as_shock["factor"]})
    one, other = game(day), game(day | as_shock)
    assert (both.values[:, -1] < one.values[:, -1] - 0.1).all()
    assert (both.values[:, -1] < other.values[:, -1] - 0.1).all()
    assert (but_for(other).of("basis") == 0.0).all()


def test_loop_gains_of_one_and_more_are_counted_and_no_game_is_built_on_them():
    slope, day = 1e-5, drawn()
    gamma = np.linspace(20e3, 180e3, DRAWS)
    linear = {"response": Response(np.full(DRAWS, slope), np.ones(DRAWS)),
              "gamma": np.multiply.outer(gamma, MOVE)}  # fmt: skip
    steep = loop_gain(slope, -gamma) >= 1.0
    only = solve(day | linear, {"rest", "gamma"})
    assert_array_equal(only.unstable[steep], True)
    assert 20 < steep.sum() < DRAWS
    assert (only.gain[~only.unstable] < 1.0).all()
    with pytest.raises(DataError, match="count them, and leave them out of all"):
        game(day | linear)


def test_a_draw_can_be_unstable_in_one_coalition_alone_and_must_leave_all():
    """Two gains below one add up to more: neither mechanism alone shows it."""
    day = drawn(
        response=Response(np.full(DRAWS, 1e-5), np.ones(DRAWS)), notes=np.zeros((DRAWS, len(MOVE))),
        gamma=np.tile(60e3 * MOVE, (DRAWS, 1)),
        liquidations=np.tile(60e3 * np.minimum(MOVE, 0.0), (DRAWS, 1)),
        factor=np.full(DRAWS, -0.02),
    )  # fmt: skip
    assert not solve(day, {"factor", "gamma"}).unstable.any()
    assert not solve(day, {"factor", "liquidations"}).unstable.any()
    assert solve(day, {"factor", "gamma", "liquidations"}).unstable.all()


def test_several_fixed_points_are_counted_by_coalition_and_the_path_from_zero_is_taken():
    """A wall of liquidations: with it several days are possible, without it one."""
    size = np.full(DRAWS, 4000.0)
    wall = -np.multiply.outer(size, np.clip((-0.05 - MOVE) / 0.01, 0.0, 1.0))
    day = drawn(
        liquidations=wall, gamma=np.zeros((DRAWS, len(MOVE))),
        notes=np.zeros((DRAWS, len(MOVE))), factor=np.full(DRAWS, -0.045),
        response=Response(np.full(DRAWS, 1e-5), np.ones(DRAWS)),
    )  # fmt: skip
    with_wall, without = solve(day, {"factor", "liquidations"}), solve(day, {"factor"})
    assert with_wall.multiple.all() and not without.multiple.any()
    assert (with_wall.count == 3).all()
    assert_array_equal(with_wall.move, without.move)  # the far ones are possible, not reached
    over = solve(day | {"factor": np.full(DRAWS, -0.052)}, {"factor", "liquidations"})
    assert_allclose(over.move, -0.092, rtol=1e-9)


def test_parts_add_up_in_every_draw_and_one_amplifier_has_several_worths(crash):
    spread = []
    for rule in (shapley, RULES["triggers-first"]):
        parts = rule(crash)
        each = sum(parts.of(name) for name in PLAYERS)
        assert_allclose(each, crash.values[:, -1] - crash.values[:, 0], rtol=1e-10)
        spread.append(parts.of("gamma"))
    spread += [but_for(crash).of("gamma"), stand_alone(crash).of("gamma")]
    assert np.ptp(np.mean(spread, axis=1)) > 0.5  # log points: the rule must be named
    low, high = (
        getattr(order_range(crash, every_order(PLAYERS)), side) for side in ("low", "high")
    )
    at = PLAYERS.index("gamma")
    for found in spread:
        assert (low[:, at] <= found + 1e-9).all() and (found <= high[:, at] + 1e-9).all()


def test_more_than_half_of_a_fall_can_belong_to_no_single_cause():
    """What nobody moves alone grows with the loop: this is where a headline must decline."""
    calm = interaction_share(game(drawn(gamma=np.tile(1e3 * MOVE, (DRAWS, 1)))), least=1.0)
    wild = interaction_share(
        game(drawn(gamma=np.tile(60e3 * MOVE, (DRAWS, 1)),
                   response=Response(np.full(DRAWS, 1.2e-5), np.ones(DRAWS)),
                   liquidations=np.tile(14e3 * np.minimum(MOVE, 0.0), (DRAWS, 1)),
                   factor=np.full(DRAWS, -0.01), rest=np.full(DRAWS, -0.005),
                   notes=np.zeros((DRAWS, len(MOVE))))), least=1.0
    )  # fmt: skip
    assert (np.median(calm) < 0.5) and (wild > 0.5).all()
