"""What a saved run says of its day without some mechanisms."""

import json

import numpy as np
import pytest
import xarray as xr

from attribution import allocate, runs
from attribution.errors import DataError, SpecError
from attribution.report import switched
from attribution.runs import switch_off
from attribution.runs.run import Run, save_run


@pytest.fixture
def game(toy_run):
    return runs.game_of(toy_run.tree)


def test_a_game_comes_back_from_a_saved_run_as_it_was(toy_run, saved):
    from attribution.runs.run import load_run

    first, second = (runs.game_of(run.tree) for run in (toy_run, load_run(saved)))
    assert first.players == second.players
    np.testing.assert_array_equal(first.masks, second.masks)
    np.testing.assert_array_equal(first.values, second.values)
    assert (first.unit, first.observed) == (second.unit, second.observed)


@pytest.mark.parametrize("player", ["factor", "basis", "rest", "notes", "gamma", "liquidations"])
def test_of_one_player_the_difference_is_its_but_for_effect(toy_run, game, player):
    found = switch_off.switched_off(toy_run, [player])
    np.testing.assert_array_equal(found.together.difference, allocate.but_for(game).of(player))
    assert found.alone == ()


def test_with_everything_on_the_move_is_the_observed_one(toy_run):
    whole = switch_off.switched_off(toy_run, ["gamma"]).together.whole
    np.testing.assert_allclose(whole, -14.2, rtol=0, atol=1e-12)


def test_two_amplifiers_together_take_away_less_than_the_sum_of_each(toy_run, game):
    found = switch_off.switched_off(toy_run, ["notes", "liquidations"])
    alone = allocate.but_for(game)
    summed = alone.of("notes") + alone.of("liquidations")
    assert (found.together.difference > summed).all()  # a fall: less is nearer to zero
    table = switched.table(found)
    gap = table.loc["difference", "mean"] - summed.mean()
    assert table.loc["interaction", "mean"] == pytest.approx(gap)
    assert gap > 0.1


def test_where_players_only_add_there_is_no_interaction():
    def move(on):
        return (on @ np.array([-3.0, -2.0, -1.0]))[None].repeat(4, axis=0)

    game = allocate.coalitions(move, ["a", "b", "c"], unit="log points")
    found = allocate.without(game, ["a", "c"])
    np.testing.assert_allclose(found.difference, -4.0, rtol=0, atol=1e-14)
    np.testing.assert_allclose(found.left, -2.0, rtol=0, atol=1e-14)


def test_switching_off_everyone_leaves_the_coalition_of_nobody(game):
    np.testing.assert_array_equal(allocate.without(game, game.players).left, game.baseline)


def test_the_order_of_names_does_not_matter(game):
    one, two = (allocate.without(game, names) for names in (["gamma", "rest"], ["rest", "gamma"]))
    np.testing.assert_array_equal(one.left, two.left)


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_smaller_is_said_of_falls_and_of_rises_alike(sign):
    def move(on):  # the second player amplifies, the third dampens, the fourth does nothing
        on = on.astype(float)
        return (sign * 5.0 * on[:, 0] * (1 + 0.4 * on[:, 1] - 0.2 * on[:, 2]))[None]

    game = allocate.coalitions(move, ["shock", "up", "down", "idle"], unit="log points")
    said = {name: bool(allocate.without(game, [name]).smaller[0]) for name in game.players}
    assert said == {"shock": True, "up": True, "down": False, "idle": False}


def test_the_probability_has_the_monte_carlo_error_of_its_draws(toy_run):
    found = switch_off.switched_off(toy_run, ["gamma"])
    chance, error = found.probability
    assert chance == found.together.smaller.mean()
    independent = np.sqrt(chance * (1 - chance) / found.together.left.size)
    assert error == pytest.approx(independent, rel=0.3)  # the toy's draws are independent
    assert switch_off.switched_off(toy_run, ["liquidations"]).probability == (1.0, 0.0)


def test_the_command_prints_both_moves_the_difference_and_a_sentence(attribution, saved):
    code, out, err = attribution("counterfactual", saved, "--without", "liquidations, notes")
    assert (code, err) == (0, "")
    for said in ("everything on", "difference", "interaction", "−14.2", "P(smaller fall) > 0.99"):
        assert said in " ".join(out.replace("\N{NARROW NO-BREAK SPACE}", " ").split())
    assert "log points" in out


def test_an_effect_that_the_ledger_calls_prior_driven_is_said_to_be(toy_run):
    def told(names):
        found = switch_off.switched_off(toy_run, names)
        return found.prior_driven, " ".join(map(str, switched.lines(found)))

    driven, said = told(["liquidations", "gamma"])
    assert driven == ("gamma",)
    assert "the effect of gamma prior-driven" in said
    assert told(["liquidations"])[0] == ()
    assert "prior-driven" not in told(["liquidations"])[1]


def test_draws_without_an_answer_are_counted(toy_run):
    kept = Run(toy_run.tree.copy(), toy_run.manifest)
    game = kept.tree["coalitions"].to_dataset()
    kept.tree["coalitions"] = game.isel(draw=slice(0, 300))
    found = switch_off.switched_off(kept, ["gamma"])
    assert (found.together.left.size, found.drawn) == (600, 800)
    assert "Of 800 draws 600 are used" in " ".join(map(str, switched.lines(found)))
    assert json.loads(switched.as_json(found))["draws_left_out"] == 200
    whole = switch_off.switched_off(toy_run, ["gamma"])
    assert "are used" not in " ".join(map(str, switched.lines(whole)))


def test_json_holds_the_numbers_of_but_for(attribution, saved, game):
    code, out, _ = attribution("counterfactual", saved, "--without", "gamma", "--json")
    read = json.loads(out)
    effect = allocate.but_for(game).table().loc["gamma"]
    assert code == 0
    assert read["without"] == ["gamma"]
    assert (read["unit"], read["observed"], read["draws"]) == ("log points", -14.2, 800)
    for column in ("mean", "sd", "q05", "q95"):
        assert read["answers"]["difference"][column] == pytest.approx(effect[column], rel=1e-12)
    left = read["answers"]["without gamma"]["mean"]
    whole = read["answers"]["everything on"]["mean"]
    assert whole - left == pytest.approx(effect["mean"])
    assert 0.0 < read["p_smaller"] < 1.0 and read["p_smaller_error"] > 0.0


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ("gama", "attribution: without: no mechanism 'gama' (nearest: 'gamma')\n"),
        ("notes,liquidation", "without: no mechanism 'liquidation' (nearest: 'liquidations')"),
        ("notes,notes", "without: player 'notes' is named twice"),
        (" , ", "without: there is no player; name at least one mechanism"),
    ],
)
def test_names_that_cannot_be_used_are_refused_in_one_sentence(attribution, saved, names, message):
    code, out, err = attribution("counterfactual", saved, "--without", names)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


def test_a_run_without_coalitions_is_refused_in_one_sentence(attribution, toy_run, tmp_path):
    groups = {"/posterior": toy_run.tree["posterior"].to_dataset()}
    tree = xr.DataTree.from_dict(groups)
    tree.attrs = toy_run.tree.attrs | {"model": "bvar"}
    save_run(Run(tree, toy_run.manifest), tmp_path / "bvar")
    code, _, err = attribution("counterfactual", tmp_path / "bvar", "--without", "gamma")
    assert code == 2
    assert err == (
        "attribution: run of 'bvar': it holds no coalitions of mechanisms, so none can be switched"
        " off; give a run of kind 'event'\n"
    )


def test_a_coalition_that_was_not_solved_is_named(game):
    part = allocate.coalitions_of(
        game.values[:, [0, 1, 63]], game.players, unit=game.unit,
        on=[[0] * 6, [1, 0, 0, 0, 0, 0], [1] * 6],
    )  # fmt: skip
    with pytest.raises(DataError, match="is missing"):
        allocate.without(part, ["gamma"])
    with pytest.raises(SpecError, match="no player 'x'"):
        allocate.without(part, ["x"])
