"""Draws of parameters and an observed day: the world ends there, by the equations of the model."""

from dataclasses import replace

import numpy as np
import pytest
from oracles.event_density import log_likelihood
from scipy import stats
from scipy.special import erf

from attribution.studies.event import abduction
from attribution.studies.event.abduction import (
    allocated,
    eve_of,
    nodes,
    unexplained_scale,
    world_of,
)
from attribution.studies.event.density import response
from attribution.studies.event.flows import (
    gamma_flow,
    levels_on,
    liquidation_flow,
    note_flow,
    upright,
    usual_volatility,
)
from attribution.studies.event.world import POINTS, day_of, play


@pytest.fixture(scope="module")
def drawn(case):
    return case.drawn()


@pytest.fixture(scope="module")
def worlds(case, drawn):
    return {
        label: world_of(case.question, case.rows, case.surface, drawn, int(day))
        for label, day in zip(case.rows.labels, case.rows.named, strict=True)
    }


def test_every_named_day_ends_where_it_ended_in_every_kept_draw(worlds, case):
    for label, day in zip(case.rows.labels, case.rows.named, strict=True):
        played = play(worlds[label].at(np.arange(0, 600, 6)))
        observed = POINTS * case.rows.move[day]
        assert played.game.observed == pytest.approx(observed)
        assert played.game.values[:, -1] == pytest.approx(observed, abs=1e-10)
        assert played.left_out < 0.5


def test_the_rest_is_what_the_equations_leave_unexplained(case, drawn, worlds):
    """Written out for single draws of each law, from the equations and not from the tables."""
    rows, day = case.rows, case.rows.event
    r, y = rows.move[day], rows.volatility[day]
    world = worlds["2026-02-05"]
    for law, name in enumerate(drawn.laws):
        at = int(np.flatnonzero(drawn.law == law)[0])
        one = {key: value[at] for key, value in drawn.draws.items()}
        closed = rows.longs[day] * (
            (-r / 0.05) ** one["power_long"] / (one["base_long"] + (-r / 0.05) ** one["power_long"])
        )
        w = one["gamma_width"]
        gamma = -one["dealer_position"] * one["gross_gamma"] * w * np.sqrt(np.pi / 2)
        scenario = drawn.scenario[at]
        book = case.surface.book_at(day, r, one["pass_through"] * y, scenario)
        overlay = case.surface.overlay_at(day, r, y, scenario)
        flow = (
            -(1.0 - one["arbitrage"] * one["leg_ratio"])
            * one["unwound"][rows.labels.index("2026-02-05")]
            + one["face"] * (book + one["overlay"] * overlay)
            + gamma * erf(r / (w * np.sqrt(2.0)))
            - (0.0 if one["absorbed"] else one["liquidation_multiple"] * closed)
        )
        impact = response(case.question.impact, name, rows, one, day).move(flow)
        explained = impact + rows.drivers[day] @ one["beta"]
        assert world.shock[at].sum() + impact == pytest.approx(r, abs=1e-12)
        assert world.shock[at, 2] == pytest.approx(r - explained, abs=1e-12)
        assert world.trade(r)[at].sum() == pytest.approx(flow, rel=1e-10)


def test_notes_trade_on_the_surprise_of_volatility_even_where_the_price_stands(case, drawn, worlds):
    rows, day = case.rows, case.rows.event
    world = worlds["2026-02-05"]
    one, which = upright(drawn.draws), drawn.scenario[:, None]
    surprise = rows.volatility[day] - usual_volatility(one, rows.move[day])
    expected = note_flow(case.surface, one, np.asarray(day), np.zeros(1), surprise, which)
    assert world.push[:, 3] == pytest.approx(expected[:, 0])
    assert (world.push[:, [0, 2, 4, 5]] == 0.0).all()


def test_nothing_of_a_note_trades_before_it_is_issued(case, drawn):
    early = int(case.rows.named[0])
    assert (case.surface.book[:, early] == 0.0).all()
    world = world_of(case.question, case.rows, case.surface, drawn, early)
    assert (world.flow["notes"] == 0.0).all() and (world.push[:, 3] == 0.0).all()


def test_dealers_who_are_long_buy_a_fall_and_who_are_short_sell_it(case, drawn):
    move = np.array([-0.1, 0.0, 0.1])
    flow = gamma_flow(upright(drawn.draws), 1.0, move)
    long = drawn.draws["dealer_position"] > 0
    assert (flow[long, 0] > 0).all() and (flow[~long, 0] < 0).all()
    assert flow[:, 2] == pytest.approx(-flow[:, 0])
    steep = gamma_flow(upright(drawn.draws), 1.0, np.array([0.0, 1e-6]))[:, 1] / 1e-6
    expected = -drawn.draws["dealer_position"] * drawn.draws["gross_gamma"]
    assert steep == pytest.approx(expected, rel=1e-6)


def closed(case, drawn, day, move, *, eve):
    """What liquidations trade on a day at some moves (draw, move)."""
    one = upright(drawn.draws)
    level = levels_on(case.question, case.rows, one, day, eve=eve)
    return liquidation_flow(one, case.question.liquidations.reference, level, move)


def test_longs_sell_falls_and_shorts_buy_rises_and_neither_trades_without_a_move(case, drawn):
    move = np.array([-0.1, -0.05, 0.0, 0.05, 0.1])
    mark = drawn.draws["absorbed"] == 0
    assert 0 < mark.sum() < len(mark)
    for eve in (False, True):
        for day in case.rows.named:
            flow = closed(case, drawn, int(day), move, eve=eve)
            assert (flow[~mark] == 0.0).all()
            flow = flow[mark]
            assert (flow[:, :2] < 0).all() and (flow[:, 3:] > 0).all()
            assert (flow[:, 2] == 0.0).all()
            assert (flow[:, 0] < flow[:, 1]).all() and (flow[:, 4] > flow[:, 3]).all()


def test_a_day_without_published_liquidations_takes_them_from_its_latent_shock(case, drawn):
    day = int(case.rows.named[1])
    assert np.isnan(case.rows.longs[day])
    flow = closed(case, drawn, day, np.array([-0.05]), eve=False)[:, 0]
    one = drawn.draws
    expected = case.rows.open_interest[day] * np.exp(
        one["alpha_long"] + one["funding_long"] * case.rows.funding[day]
        + one["tau_long"] * one["zeta_long"][:, 0]
    )  # fmt: skip
    met = (one["liquidation_multiple"] * (1 - one["absorbed"])) * expected
    assert -flow == pytest.approx(met)


def test_the_evening_before_knows_nothing_of_the_day(case, drawn):
    rows, day = case.rows, case.rows.event
    eve = eve_of(case.question, rows, case.surface, drawn, day)
    assert (eve.push == 0.0).all() and (eve.shock == 0.0).all()
    changed = {
        name: np.where(np.arange(len(rows.days)) == day, value * 1.7, value)
        for name, value in (
            ("move", rows.move), ("longs", rows.longs), ("shorts", rows.shorts),
            ("volatility", rows.volatility),
        )
    }  # fmt: skip
    other = eve_of(case.question, replace(rows, **changed), case.surface, drawn, day)
    for name, table in eve.flow.items():
        assert (table == other.flow[name]).all()


def test_tables_reach_the_observed_move_and_hold_zero():
    for observed in (-0.1421, 0.0, 0.005, -0.39, 0.62, -1.5):
        grid = nodes(observed)
        assert (np.diff(grid) > 0).all() and (grid == observed).any() and (grid == 0.0).any()
        assert grid[0] < observed < grid[-1]


def test_answers_do_not_depend_on_how_fine_the_tables_are(case, drawn, monkeypatch):
    """But-for effects move by less than a hundredth of a log point when the grid is halved."""
    some = drawn.at(np.arange(60))
    coarse = world_of(case.question, case.rows, case.surface, some, case.rows.event)
    fine = np.unique(np.r_[abduction.GRID, (abduction.GRID[1:] + abduction.GRID[:-1]) / 2])
    monkeypatch.setattr(abduction, "GRID", fine)
    finer = world_of(case.question, case.rows, case.surface, some, case.rows.event)
    one, two = play(coarse), play(finer)
    both = np.intersect1d(one.kept, two.kept)
    a, b = (
        allocated(w.at(both), play(w.at(both)).game, paths=1).contribution["but_for"]
        for w in (coarse, finer)
    )
    assert np.quantile(np.abs(a - b), 0.95) < 0.01
    assert len(both) >= 0.95 * max(one.kept.size, two.kept.size)


def test_the_world_is_that_of_the_likelihood(case, drawn):
    """What is left unexplained has, day by day, the density that the sampler saw.

    One scenario whose flows are linear in the move, so that a spline and a table are the same.
    """
    one = np.array([7, 31, 64, 201])
    surface = replace(case.surface, book=case.surface.book[:1], overlay=case.surface.overlay[:1])
    some = replace(drawn.at(one), scenario=np.zeros(4, dtype=int))
    explained = replace(case.question, held_out=False)
    draws = [{name: value[at] for name, value in drawn.draws.items()} for at in one]
    laws = [drawn.laws[k] for k in drawn.law[one]]
    seen = [
        log_likelihood(explained, case.rows, surface, law, draw)
        for law, draw in zip(laws, draws, strict=True)
    ]
    for day in map(int, case.rows.named):
        world = world_of(case.question, case.rows, surface, some, day)
        gain = day_of(world, np.ones(6)).gain
        scale = unexplained_scale(case.rows, some.draws, day)
        for place, (draw, parts) in enumerate(zip(draws, seen, strict=True)):
            rest = world.shock[place, 2] - draw["mu"]
            own = stats.t.logpdf(rest, draw["nu"], scale=scale[place])
            if np.isfinite(parts.price[day]):
                jacobian = np.log1p(-parts.gain[day])
                assert own + jacobian == pytest.approx(parts.price[day], abs=1e-8)
                # a table's slope is that of the piece beyond the move, half a point wide
                assert gain[place] == pytest.approx(parts.gain[day], rel=0.15, abs=0.01)
