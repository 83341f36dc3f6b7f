"""What characterises each rule, and what does not change under it."""

from itertools import combinations

import numpy as np
import pytest

from attribution.allocate import (
    averaged,
    but_for,
    coalitions_named,
    coalitions_of,
    every_order,
    grouped,
    interaction,
    merged,
    order_range,
    owen,
    pair_interactions,
    shapley,
    shapley_taylor,
    staged,
    stand_alone,
    triggers_first,
)
from attribution.allocate.coalitions import Coalitions

GROUPS = {"shocks": ["F", "B"], "amplifiers": ["G", "L", "D"]}
ROUNDING = 1e-13
RULES = {
    "shapley": shapley,
    "owen": lambda game: owen(game, GROUPS),
    "triggers first": lambda game: triggers_first(game, list(GROUPS.values())),
}
ALL = {"but-for": but_for, "stand-alone": stand_alone, **RULES}


def with_values(game, values):
    return coalitions_of(values, game.players, unit=game.unit)


@pytest.mark.parametrize("rule", RULES)
def test_efficiency_contributions_sum_to_the_total_in_every_draw(scattered, rule):
    game = scattered(5, 0, draws=50)
    found = RULES[rule](game)
    assert found.rule == rule
    assert found.adds_up
    assert np.abs(found.draws.sum(1) - game.total).max() <= ROUNDING
    assert np.array_equal(found.total, game.values[:, -1] - game.values[:, 0])


@pytest.mark.parametrize("rule", ALL)
def test_dummy_a_player_that_adds_nothing_gets_exactly_zero(scattered, rule):
    game = scattered(5, 1)
    idle = np.arange(32) & ~0b01000  # L never changes the outcome
    found = ALL[rule](with_values(game, game.values[:, idle]))
    assert np.array_equal(found.of("L"), np.zeros(3))
    assert (found.of("G") != 0).all()


@pytest.mark.parametrize("rule", RULES)
def test_dummy_a_player_that_always_adds_the_same_gets_that(scattered, rule):
    game = scattered(5, 1)
    masks = np.arange(32)
    values = game.values[:, masks & ~0b01000] - 2.5 * (masks >> 3 & 1)
    assert np.allclose(RULES[rule](with_values(game, values)).of("L"), -2.5, rtol=1e-13)


@pytest.mark.parametrize("rule", ALL)
def test_linearity_rules_commute_with_sums_and_scales_of_games(scattered, rule):
    one, two = scattered(5, 2), scattered(5, 3)
    both = with_values(one, 3.0 * one.values - 0.5 * two.values)
    expected = 3.0 * ALL[rule](one).draws - 0.5 * ALL[rule](two).draws
    assert np.abs(ALL[rule](both).draws - expected).max() <= ROUNDING


@pytest.mark.parametrize("rule", ALL)
def test_the_mean_of_the_draws_is_the_rule_of_the_mean(scattered, rule):
    game = scattered(5, 4, draws=40)
    mean = ALL[rule](game.mean()).draws[0]
    assert np.abs(ALL[rule](game).draws.mean(0) - mean).max() <= ROUNDING


@pytest.mark.parametrize("rule", ALL)
def test_a_level_added_to_every_coalition_moves_no_contribution(scattered, rule):
    game = scattered(5, 5)
    lifted = with_values(game, game.values + 7.0)
    assert np.abs(ALL[rule](lifted).draws - ALL[rule](game).draws).max() <= 1e-14 * 32


@pytest.mark.parametrize("rule", ALL)
def test_symmetry_players_that_add_the_same_get_the_same(scattered, rule):
    """Made alike: G and D, of one stage and one group."""
    game = scattered(5, 6)
    masks = np.arange(32)
    swapped = masks & ~0b10100 | (masks >> 2 & 1) << 4 | (masks >> 4 & 1) << 2
    alike = with_values(game, game.values + game.values[:, swapped])
    found = ALL[rule](alike)
    assert np.abs(found.of("G") - found.of("D")).max() <= ROUNDING


@pytest.mark.parametrize("rule", ALL)
def test_reordering_the_players_reorders_the_contributions(scattered, rule):
    game = scattered(5, 7)
    order = [3, 0, 4, 2, 1]
    masks = np.arange(32)
    moved = sum((masks >> new & 1) << old for new, old in enumerate(order))
    names = [game.players[i] for i in order]
    again = ALL[rule](coalitions_of(game.values[:, moved], names, unit="pp"))
    assert again.players == tuple(names)
    assert np.abs(again.draws - ALL[rule](game).draws[:, order]).max() <= ROUNDING


def test_reordering_the_players_reorders_ranges_and_pairs(scattered):
    game = scattered(5, 21)
    order = [3, 0, 4, 2, 1]
    masks = np.arange(32)
    moved = sum((masks >> new & 1) << old for new, old in enumerate(order))
    names = [game.players[i] for i in order]
    again = coalitions_of(game.values[:, moved], names, unit="pp")
    one, two = (order_range(g, every_order(g.players)) for g in (game, again))
    assert np.array_equal(two.low, one.low[:, order])
    assert np.array_equal(two.quantiles, one.quantiles[:, :, order])
    pairs = pair_interactions(game), pair_interactions(again)
    for a, b in combinations(game.players, 2):
        assert np.abs(pairs[0].of(a, b) - pairs[1].of(a, b)).max() <= ROUNDING


def test_groups_and_stages_may_be_listed_in_any_inner_order(scattered):
    game = scattered(5, 8)
    turned = {"amplifiers": ["D", "G", "L"], "shocks": ["B", "F"]}
    assert np.allclose(owen(game, turned).draws, owen(game, GROUPS).draws, atol=ROUNDING)
    stages = [["B", "F"], ["L", "D", "G"]]
    expected = RULES["triggers first"](game).draws
    assert np.allclose(triggers_first(game, stages).draws, expected, atol=ROUNDING)


def test_quotient_game_a_group_gets_its_shapley_value_in_the_game_of_the_groups(scattered):
    game = scattered(6, 9)
    groups = {"a": ["F", "K"], "b": ["G"], "c": ["B", "L", "D"]}
    inner = owen(game, groups)
    outer = shapley(merged(game, groups))
    assert outer.players == ("a", "b", "c")
    for name, members in groups.items():
        whole = sum(inner.of(member) for member in members)
        assert np.abs(whole - outer.of(name)).max() <= ROUNDING


def test_owen_is_shapley_when_groups_say_nothing(scattered):
    game = scattered(5, 10)
    expected = shapley(game).draws
    one_each = owen(game, {name: [name] for name in game.players}).draws
    assert np.abs(one_each - expected).max() <= ROUNDING
    assert np.abs(owen(game, {"all": game.players}).draws - expected).max() <= ROUNDING
    assert np.abs(triggers_first(game, [game.players]).draws - expected).max() <= ROUNDING


def test_owen_is_the_mean_of_triggers_first_and_triggers_last(scattered):
    """Two groups have two orders."""
    game = scattered(5, 11)
    first, last = list(GROUPS.values()), list(GROUPS.values())[::-1]
    mean = (triggers_first(game, first).draws + triggers_first(game, last).draws) / 2
    assert np.abs(owen(game, GROUPS).draws - mean).max() <= ROUNDING


def test_triggers_move_what_they_move_with_every_amplifier_off(scattered):
    game = scattered(5, 12)
    found = triggers_first(game, list(GROUPS.values()))
    moved = game.value("F", "B") - game.value()
    assert np.abs(found.of("F") + found.of("B") - moved).max() <= ROUNDING


def test_in_the_dual_game_but_for_is_stand_alone_and_shapley_is_itself(scattered):
    """The dual asks what is lost: v*(S) = v(N) - v(N less S)."""
    game = scattered(5, 13)
    dual = with_values(game, game.values[:, -1:] - game.values[:, ::-1])
    assert np.abs(but_for(dual).draws - stand_alone(game).draws).max() <= ROUNDING
    assert np.abs(shapley(dual).draws - shapley(game).draws).max() <= ROUNDING


def test_an_additive_game_has_one_answer_under_every_rule(scattered):
    game = scattered(5, 14)
    parts = game.values[:, :5]
    on = np.arange(32)[:, None] >> np.arange(5) & 1
    added = with_values(game, parts @ on.T)
    for rule in ALL.values():
        assert np.abs(rule(added).draws - parts).max() <= ROUNDING
    assert np.abs(interaction(added)).max() <= ROUNDING
    assert np.abs(pair_interactions(added).draws).max() <= ROUNDING
    span = order_range(added, every_order(game.players))
    assert np.abs(span.high - span.low).max() <= ROUNDING


def test_shapley_splits_what_each_coalition_adds_equally_among_its_members(scattered):
    """Harsanyi: phi_i is the sum of m(S) / |S| over S that hold i, m the Moebius transform."""
    game = scattered(5, 15)
    m = game.values.copy()
    for i in range(5):
        held = [s for s in range(32) if s >> i & 1]
        m[:, held] -= m[:, [s ^ 1 << i for s in held]]
    size = np.array([s.bit_count() for s in range(32)])
    for i, name in enumerate(game.players):
        held = np.array([s for s in range(32) if s >> i & 1])
        expected = (m[:, held] / size[held]).sum(1)
        assert np.abs(shapley(game).of(name) - expected).max() <= ROUNDING


def test_a_pair_interacts_by_what_one_gains_from_the_other(scattered):
    """Recursion of Grabisch and Roubens: the game with j on less the game with j off."""
    game = scattered(5, 16)
    found = pair_interactions(game)
    for i, j in combinations(range(5), 2):
        rest = [k for k in range(5) if k != j]
        names = [game.players[k] for k in rest]
        masks = sum((np.arange(16) >> at & 1) << k for at, k in enumerate(rest))
        on, off = (
            shapley(coalitions_of(game.values[:, masks | bit], names, unit="pp")).draws
            for bit in (1 << j, 0)
        )
        expected = (on - off)[:, names.index(game.players[i])]
        assert np.abs(found.of(game.players[i], game.players[j]) - expected).max() <= ROUNDING


def test_shapley_taylor_pairs_and_stand_alone_effects_add_up(scattered):
    game = scattered(6, 17)
    pairs, alone = shapley_taylor(game).draws.sum(1), stand_alone(game).draws.sum(1)
    assert np.abs(pairs + alone - game.total).max() <= ROUNDING
    assert np.abs(pairs - interaction(game)).max() <= ROUNDING


def test_both_interaction_indices_agree_on_games_of_pairs(scattered):
    """With no interaction of three, each is the pair's own term."""
    game = scattered(5, 18)
    on = np.arange(32)[:, None] >> np.arange(5) & 1
    pairs = list(combinations(range(5), 2))
    terms = game.values[:, :10]
    values = terms @ np.array([on[:, i] * on[:, j] for i, j in pairs])
    for index in (pair_interactions, shapley_taylor):
        assert np.abs(index(with_values(game, values)).draws - terms).max() <= ROUNDING


def test_a_game_of_names_is_the_game_of_masks(scattered):
    game = scattered(3, 19)
    named = {
        tuple(p for i, p in reversed(list(enumerate(game.players))) if s >> i & 1): game.values[
            :, s
        ]
        for s in (5, 0, 3, 7, 1, 6, 4, 2)
    }
    again = coalitions_named(named, game.players, unit="pp")
    assert np.array_equal(again.values, game.values)
    assert np.array_equal(again.masks, np.arange(8))


@pytest.mark.parametrize(
    ("orders", "held"),
    [
        (lambda names: staged(names, [["F", "B"], ["G", "L", "D"]]), 4 + 8 - 1),
        (lambda names: grouped(names, {"a": ["F", "B"], "b": ["G", "L", "D"]}), 2 * 4 + 2 * 8 - 4),
        (every_order, 32),
    ],
)
def test_a_rule_needs_only_the_coalitions_its_orders_pass(scattered, orders, held):
    game = scattered(5, 20)
    admissible = orders(game.players)
    masks = admissible.coalitions()
    assert len(masks) == held
    some = Coalitions(game.players, masks, game.values[:, masks], "pp")
    found = averaged(some, admissible).draws
    assert np.array_equal(found, averaged(game, admissible).draws)
