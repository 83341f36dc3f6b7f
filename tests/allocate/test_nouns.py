"""The nouns: an allocation adds up or does not exist; a game stays what it was when given."""

from dataclasses import replace

import numpy as np
import pytest

from attribution.allocate import (
    RULES,
    Allocation,
    coalitions,
    coalitions_of,
    one_at_a_time,
    pair_interactions,
    shapley,
)
from attribution.posterior import AdditivityError

FOUR = ["factor", "basis", "gamma", "liquidation"]


def values(players=4, draws=3):
    return np.random.default_rng(1).normal(size=(draws, 1 << players))


def game(**change):
    return coalitions_of(values(), FOUR, **{"unit": "pp", **change})


def solve(simulate):
    return coalitions(simulate, FOUR, unit="pp")


@pytest.mark.parametrize("rule", [rule for rule, adds in RULES.items() if adds])
@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
def test_an_allocation_that_misses_the_total_cannot_exist(rule, size):
    draws = size * np.random.default_rng(3).normal(size=(50, 4))
    total, off = draws.sum(1), np.zeros(50)
    kept = Allocation(rule, tuple(FOUR), draws, off, total, "pp")
    wrong = draws.copy()
    wrong[17, 2] += 1e-9 * (np.abs(draws[17]).sum() + abs(total[17]))
    with pytest.raises(AdditivityError, match=f"allocation '{rule}': .* draw 17 miss the total"):
        replace(kept, draws=wrong)


@pytest.mark.parametrize("rule", [rule for rule, adds in RULES.items() if not adds])
def test_rules_that_do_not_add_up_say_so(rule):
    found = Allocation(rule, ("a",), np.ones((2, 1)), np.zeros(2), np.full(2, 5.0), "pp")
    assert not found.adds_up


def test_a_contribution_that_is_no_number_cannot_be_held():
    with pytest.raises(AdditivityError, match="a contribution is not finite"):
        Allocation("but-for", ("a",), np.array([[np.nan]]), np.zeros(1), np.zeros(1), "pp")


def test_a_rule_must_be_known():
    with pytest.raises(ValueError, match=r"no rule 'shaply' \(nearest: 'shapley'\)"):
        Allocation("shaply", ("a",), np.ones((1, 1)), np.zeros(1), np.ones(1), "pp")


def test_an_allocation_of_another_shape_cannot_be_built():
    with pytest.raises(ValueError, match=r"shape \(1, 2\), expected \(1, 1\)"):
        Allocation("shapley", ("a",), np.ones((1, 2)), np.zeros(1), np.ones(1), "pp")


def test_an_error_below_zero_cannot_be_stated():
    with pytest.raises(ValueError, match="at least zero"):
        Allocation(
            "shapley", ("a",), np.ones((1, 1)), np.zeros(1), np.ones(1), "pp",
            error=np.full((1, 1), -0.1),
        )  # fmt: skip


def test_what_is_seen_and_not_attributed_has_a_name():
    found = shapley(game(observed=-13.2))
    off, on = values()[:, 0], values()[:, -1]
    assert np.allclose(off + found.draws.sum(1) + found.unattributed, -13.2, rtol=1e-14)
    assert np.allclose(found.unattributed, -13.2 - on, rtol=1e-13)
    assert shapley(game()).unattributed is None


def test_means_in_the_table_add_up_and_quantiles_are_of_the_draws():
    found = shapley(coalitions_of(values(draws=400), FOUR, unit="pp"))
    table = found.table()
    assert list(table.columns) == ["mean", "sd", "q05", "q95", "unit"]
    assert list(table.index) == FOUR
    assert table["mean"].sum() == pytest.approx(found.total.mean(), rel=1e-12)
    for player in FOUR:
        draws = found.of(player)
        row = [draws.mean(), draws.std(ddof=1), *np.quantile(draws, [0.05, 0.95])]
        assert table.loc[player, ["mean", "sd", "q05", "q95"]].tolist() == pytest.approx(row)
    assert (pair_interactions(game()).table()["unit"] == "pp").all()


def test_a_game_does_not_change_with_the_array_it_came_from():
    table = values()
    held = coalitions_of(table, FOUR, unit="pp")
    before = shapley(held).draws
    table += np.arange(16)
    assert np.array_equal(shapley(held).draws, before)


def test_a_model_of_one_coalition_is_the_same_game():
    together = solve(lambda on: np.stack([(on @ [1, 2, 3, 4]) ** 2, on @ [4, 3, 2, 1.0]]))
    single = solve(
        one_at_a_time(lambda on: np.array([(on @ [1, 2, 3, 4]) ** 2, on @ [4, 3, 2, 1]]))
    )
    assert np.array_equal(together.values, single.values)


def test_a_block_of_coalitions_is_solved_at_a_time(monkeypatch):
    sizes = []

    def v(on):
        sizes.append(len(on))
        return np.sqrt(1.0 + on @ np.arange(1, 5.0))[None]

    whole = solve(v)
    monkeypatch.setattr("attribution.allocate.simulate.BLOCK", 5)
    again = solve(v)
    assert sizes == [2, 15, 2, 6, 6, 5]
    assert np.array_equal(whole.values, again.values)
