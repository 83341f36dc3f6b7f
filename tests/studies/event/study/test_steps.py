"""The event's day by steps: one step is the day at once; every step ends where it ended."""

from dataclasses import replace

import numpy as np
import pytest

from attribution.allocate import but_for
from attribution.errors import DataError
from attribution.mechanics.impact import linear
from attribution.studies.event.abduction import allocated, world_of
from attribution.studies.event.answer import stepping_tables, steps_group, within_day, within_words
from attribution.studies.event.flows import note_flow, upright, usual_volatility
from attribution.studies.event.path import path_of
from attribution.studies.event.question import DayBars
from attribution.studies.event.solved import solved_of, stepped_of
from attribution.studies.event.steps import PathFlows, implied_shock
from attribution.studies.event.tables import tables_of
from attribution.studies.event.world import POINTS, World, one_off, play, profile_of
from attribution.studies.event.world_in_steps import SteppedWorld, lost_by_step, shown_by_step

BARS = DayBars("hours", "close", "low", "high")


@pytest.fixture(scope="module")
def question(case):
    return replace(case.question, bars=BARS)


@pytest.fixture(scope="module")
def path_by(case, question, hours, whole_evidence):
    """Lays the day in steps of so many minutes."""

    def made(minutes=60, bars=BARS, **changes):
        evidence = replace(whole_evidence, tables={"hours": hours(minutes, **changes)})
        return path_of(replace(question, bars=bars), evidence, case.rows, "m")

    return made


@pytest.fixture(scope="module")
def drawn(case):
    return case.drawn().at(np.arange(0, 600, 5))


@pytest.fixture(scope="module")
def world_by(case, question, drawn, path_by):
    def made(*given, **changes):
        path = path_by(*given, **changes)
        return stepped_of(question, case.rows, case.surface, drawn, path)

    return made


@pytest.fixture(scope="module")
def world(world_by):
    return world_by()


def test_one_bar_of_the_whole_day_is_the_day_at_once(case, drawn, world_by):
    """To machine precision, in every coalition, with the same draws lost."""
    one = world_by(1440, replace(BARS, low="", high=""))
    once = world_of(case.question, case.rows, case.surface, drawn, case.rows.event)
    assert one.players == once.players and one.observed == once.observed
    assert one.shock == pytest.approx(once.shock, abs=1e-15)
    assert one.push == pytest.approx(once.push, rel=1e-12)
    assert one.bought == pytest.approx(once.bought, rel=1e-12)
    for name, table in once.flow.items():
        assert one.flow[name] == pytest.approx(table, rel=1e-12, abs=1e-12)
    a, b = play(one), play(once)
    assert (a.kept == b.kept).all() and a.kept.size > 80
    assert a.game.values == pytest.approx(b.game.values, abs=1e-11)
    assert a.without == b.without
    assert profile_of(one) == pytest.approx(profile_of(once), rel=1e-9, abs=1e-9)


def test_with_everything_on_the_day_takes_the_observed_path(world):
    played = play(world, only=one_off(world.players, 3))
    kept = world.at(played.kept.ravel())
    assert played.kept.size > 80
    path = kept.paths(np.ones(6))
    assert np.abs(path - world.path).max() < 1e-10
    assert (kept.paths(np.zeros(6)) == 0.0).all()
    assert played.game.values[:, -1] == pytest.approx(POINTS * world.observed, abs=1e-8)
    assert play(kept, only=one_off(world.players, 3)).left_out == 0.0


def test_parts_of_every_additive_rule_sum_to_the_move_in_every_draw(world):
    played = play(world)
    own = world.at(played.kept.ravel())
    parts = allocated(own, played.game, paths=3)
    observed = POINTS * world.observed
    for rule in ("triggers_first", "shapley"):
        assert parts.contribution[rule].sum(axis=1) == pytest.approx(observed, abs=1e-8)
    assert parts.order_flow.sum(axis=1) == pytest.approx(observed, abs=1e-10)


def test_what_was_closed_is_what_was_published_at_the_extremes(case, drawn, world):
    """Longs by the lowest, shorts by the highest move: the totals of the day, less their base."""
    rows, low, high = case.rows, world.path.min(), max(world.path.max(), 0.0)
    assert low < world.observed - 0.01 and high > 0.0
    one, expected = drawn.draws, 0.0
    for side, sign, move, total in (
        ("long", -1.0, low, rows.longs), ("short", 1.0, high, rows.shorts),
    ):  # fmt: skip
        reached = (abs(move) / 0.05) ** one[f"power_{side}"]
        expected = expected + sign * total[rows.event] * reached / (one[f"base_{side}"] + reached)
    unmarked = one.get("absorbed", 0.0)
    expected = (1.0 - unmarked) * one["liquidation_multiple"] * expected
    assert world.bought[:, 5] == pytest.approx(expected, rel=1e-9)
    bought = world.traded[:, 5]
    lowest = np.minimum.accumulate(world.path)
    assert (np.diff(bought)[:, np.diff(lowest) == 0.0] >= -1e-9).all()  # nothing sold on the way up


def test_the_rest_is_what_each_step_leaves_unexplained(case, drawn, world, path_by):
    """Written out for one draw, from the equations and not from the tables."""
    rows, day, path = case.rows, case.rows.event, path_by()
    at = int(np.flatnonzero(drawn.law == 1)[0])  # linear: what the impact of one flow is, is plain
    one = {name: x[at] for name, x in drawn.draws.items()}
    scale = world.response.coefficient[at]
    h = int(np.argmin(np.abs(path.move + 0.05)))  # some step on the way
    share, r = path.elapsed[h], path.move[h]
    y = rows.volatility[day]
    surprise = share * (y - usual_volatility(one, path.move[-1:]))[0]
    whole = (y - usual_volatility(one, path.move[-1:]))[0]
    scenario = drawn.scenario[at]

    def notes(move, change):
        return float(note_flow(case.surface, one, np.asarray(day), move, change, scenario))

    hedged = notes(0.0, surprise) - (1.0 - share) * notes(0.0, 0.0)
    hedged += notes(r, whole + usual_volatility(one, np.array(r))) - notes(0.0, whole)
    traded = world.traded[at, :, h]
    assert traded[3] == pytest.approx(hedged, rel=2e-3, abs=0.5)  # a table between its nodes
    unwound = one["unwound"][rows.labels.index("2026-02-05")]
    basis = -(1.0 - one["arbitrage"] * one["leg_ratio"]) * unwound * share
    assert traded[1] == pytest.approx(basis)
    factor = share * (rows.drivers[day] @ one["beta"])
    assert world.shocks[at, 0, h] == pytest.approx(factor)
    assert world.shocks[at, 2, h] == pytest.approx(r - factor - scale * traded.sum(), abs=1e-12)


def test_volatility_that_has_bars_surprises_when_it_rose(case, question, drawn, path_by):
    path = path_by()
    late = replace(path, volatility=case.rows.volatility[case.rows.event] * (path.elapsed > 0.9))
    early, world = (
        stepped_of(question, case.rows, case.surface, drawn, each) for each in (path, late)
    )
    assert world.push == pytest.approx(early.push)
    one, h = upright(drawn.draws), 5
    still = note_flow(
        case.surface, one, np.asarray(case.rows.event), np.zeros(1),
        -usual_volatility(one, path.move[[h]]), drawn.scenario[:, None],
    )  # fmt: skip
    nothing = note_flow(
        case.surface, one, np.asarray(case.rows.event), np.zeros(1), np.zeros((120, 1)),
        drawn.scenario[:, None],
    )  # fmt: skip
    expected = still - (1.0 - path.elapsed[h]) * nothing
    assert world.pushes[:, 3, h] == pytest.approx(expected[:, 0])


def test_a_finer_cut_of_a_day_in_which_nothing_happens_between_says_the_same(world):
    """Every step in two, the second empty: effects stay in every draw and coalition."""
    twice = np.repeat(np.arange(len(world.path)), 2)
    finer = replace(
        world, path=world.path[twice], shocks=world.shocks[:, :, twice],
        pushes=world.pushes[:, :, twice],
    )  # fmt: skip
    on = one_off(world.players, 3)
    a, b = world.moves(on), finer.moves(on)
    assert a == pytest.approx(b, abs=1e-10, nan_ok=True)


def test_a_day_that_falls_and_comes_back_has_the_liquidations_that_its_close_hides():
    """A market that is known: what is recovered by steps is the truth, at once it is nothing."""
    nodes = np.unique(np.r_[np.linspace(-0.4, 0.4, 81), -0.1, 0.02])
    gain, law = np.linspace(0.05, 0.4, 40), linear(np.full(40, 1e-5))
    none = np.zeros(len(nodes))
    longs = gain[:, None] / 1e-5 * np.minimum(nodes, 0.0)
    path = np.array([-0.1, 0.02])
    flows = PathFlows(nodes, none, longs, none)
    shocks = implied_shock(path, np.zeros((40, 2)), law, flows)[:, None]
    world = SteppedWorld(path, ("news",), shocks, np.zeros((40, 2, 2)), law, {"forced": flows})
    truth = POINTS * gain * -0.1  # what they sold at the low still weighs on the close
    found = but_for(play(world).game).draws[:, 1]
    assert found == pytest.approx(truth, rel=1e-12)
    rest = np.full((40, 1), 0.02)
    once = World(0.02, ("news",), rest, np.zeros((40, 2)), law, nodes, {"forced": longs})
    assert (but_for(play(once).game).draws[:, 1] == 0.0).all()
    shown = shown_by_step(world)
    assert shown.without["forced"] == pytest.approx(POINTS * shocks[:, 0], abs=1e-12)
    assert shown.flow["forced"] == pytest.approx(
        np.repeat(longs[:, [nodes.searchsorted(-0.1)]], 2, 1)
    )


def test_draws_are_lost_at_the_step_at_which_they_run_away_or_leave_the_path(world):
    kept = play(world, only=one_off(world.players, 3)).kept.ravel()
    wild, astray = kept[world.response.exponent[kept] == 1.0][:2]
    answers = dict(world.answers)
    gamma = answers["gamma"].now.copy()
    gamma[wild] = 3.0 / world.response.coefficient[wild] * world.move
    answers["gamma"] = replace(answers["gamma"], now=gamma)
    shocks = world.shocks.copy()
    shocks[astray, 2, 9:] += 0.01
    calm, broken = lost_by_step(world), lost_by_step(replace(world, answers=answers, shocks=shocks))
    assert broken.away[0] == pytest.approx(calm.away[0] + 1 / 120)
    assert broken.astray[9] == pytest.approx(calm.astray[9] + 1 / 120)
    played = play(replace(world, answers=answers, shocks=shocks), only=one_off(world.players, 3))
    assert played.unstable[wild] and played.missed[astray]
    assert not np.isin([wild, astray], played.kept).any()


def test_half_an_intensity_is_half_of_everything(world):
    half = replace(
        world, shocks=world.shocks / 2, pushes=world.pushes / 2,
        answers={name: PathFlows(f.move, f.now / 2, f.lowest / 2, f.highest / 2)
                 for name, f in world.answers.items()},
    )  # fmt: skip
    on = np.ones((1, 6))
    assert world.moves(on / 2) == pytest.approx(half.moves(on), abs=1e-12, nan_ok=True)


@pytest.mark.parametrize(
    ("part", "shape"), [("shocks", (120, 2, 24)), ("pushes", (120, 5, 24)), ("path", (23,))]
)
def test_arrays_that_do_not_fit_are_refused(world_by, part, shape):
    world = world_by(60, replace(BARS, low="", high=""))
    with pytest.raises(DataError, match="do not fit the"):
        replace(world, **{part: np.zeros(shape)})


@pytest.fixture(scope="module")
def solved(case, question, new_case, path_by):
    before = new_case(60, seed=4).drawn()
    return solved_of(question, case.fit, before, case.words.append, paths=3, path=path_by())


@pytest.fixture(scope="module")
def at_once(case, question, new_case):
    before = new_case(60, seed=4).drawn()
    return solved_of(question, case.fit, before, case.words.append, paths=3)


def test_only_the_event_s_own_day_is_stepped_through(solved, at_once):
    for label in solved.days:
        same = solved.days[label].effect.shape == at_once.days[label].effect.shape
        same = same and np.array_equal(solved.days[label].effect, at_once.days[label].effect)
        assert same == (label != "2026-02-05")
    once = solved.within.at_once
    assert np.array_equal(once.effect, at_once.days["2026-02-05"].effect)
    assert solved.prior.effect.mean() != at_once.prior.effect.mean()
    assert all(
        not np.array_equal(solved.laws[n].effect, at_once.laws[n].effect) for n in solved.laws
    )


def test_effects_by_steps_stand_beside_those_at_once(solved, at_once):
    table = stepping_tables(solved)["stepping"]
    assert list(table.index) == ["basis", "notes", "gamma", "liquidations", "all amplifiers"]
    answers, others = tables_of(solved)["answers"], tables_of(at_once)["answers"]
    for name in table.index[:-1]:
        assert table.loc[name, "by steps"] == answers.loc[f"M but-for: {name}", "mean"]
        assert table.loc[name, "at once"] == others.loc[f"M but-for: {name}", "mean"]
        assert table.loc[name, "by steps q05"] <= table.loc[name, "by steps q95"]
    whole = answers.loc["M but-for: all amplifiers", "mean"]
    assert table.loc["all amplifiers", "by steps"] == pytest.approx(whole)
    assert stepping_tables(at_once) == {}


def test_the_table_of_steps_has_a_row_for_each_bar_on_the_clock_of_the_rows(solved):
    table, path = stepping_tables(solved)["steps"], solved.within.path
    assert len(table) == 24 == path.bar.sum()
    assert table.index[0] == "2026-02-04 17:00" and table.index[-1] == "2026-02-05 16:00"
    assert table["observed"].iloc[-1] == pytest.approx(solved.observed)
    bought = table["liquidations bought"].sum()
    assert bought == pytest.approx(solved.within.world.bought[:, 5].mean())
    lost = solved.within.lost
    assert table["run away"].sum() == pytest.approx(lost.away.sum())
    assert table["off the path"].sum() == pytest.approx(lost.astray.sum())


def test_the_group_of_steps_holds_what_the_table_says(solved):
    data, table = steps_group(solved)["/steps"], stepping_tables(solved)["steps"]
    closes = solved.within.path.bar
    assert data["end"].to_numpy()[closes].tolist() == list(table.index)
    middle = data["without"].sel(mechanism="liquidations", quantile=0.5).to_numpy()
    assert middle[closes] == pytest.approx(table["without liquidations"])
    assert data["alone"].sel(quantile=0.5).to_numpy()[closes] == pytest.approx(table["without any"])
    assert data["hours"].to_numpy()[-1] == 24.0
    effect = -np.median(solved.days["2026-02-05"].of("gamma"))
    without = data["without"].sel(mechanism="gamma", quantile=0.5).to_numpy()[-1]
    assert without - solved.observed == pytest.approx(effect, abs=1e-8)
    assert np.isfinite(data["flow"].to_numpy()).all()


def test_the_report_says_whether_the_day_was_stepped_through(solved, at_once):
    assert "solved at once, as one fixed point" in within_words(at_once)
    said = within_words(solved)
    assert f"solved in {len(solved.within.path.move)} steps between the closes of 24 bars" in said
    assert "clock difference" in said and "all other days are solved at once" in said
    assert within_day(at_once).verdict == "untestable"
    found = within_day(solved)
    assert found.verdict in ("holds", "fails")
    mean = stepping_tables(solved)["stepping"].loc["gamma", "by steps"]
    assert (
        f"gamma {mean:+.2f} (" in found.evidence and "draws are left out against" in found.evidence
    )


def test_steps_that_move_an_answer_are_found_to(solved):
    once = solved.within.at_once
    moved = replace(once, effect=once.effect + once.effect.std(axis=0))
    other = replace(solved, within=replace(solved.within, at_once=moved))
    assert within_day(other).verdict == "fails"
    assert (
        within_day(replace(solved, within=replace(solved.within, at_once=once))).verdict == "holds"
    )


def test_where_the_day_at_once_has_no_answer_nothing_is_compared(solved):
    alone = replace(solved, within=replace(solved.within, at_once=None))
    assert within_day(alone).verdict == "untestable"
    table = stepping_tables(alone)["stepping"]
    assert table["at once"].isna().all() and table["by steps"].notna().all()
