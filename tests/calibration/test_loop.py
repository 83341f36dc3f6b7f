"""The event's design: what its days obey, what its fit may see, where truths of few worlds lie."""

from dataclasses import replace

import numpy as np
import pytest
from calibration.catalogue import LoopOff, chosen
from calibration.event_days import simulate_days
from calibration.loop import OFF, Loop, shipped_days
from calibration.loop_answers import answers_of, reached
from calibration.ranks import Calibration, placement
from oracles.event_density import log_likelihood
from scipy.optimize import approx_fprime
from scipy.special import expit
from scipy.stats import binom, binomtest, kstest

from attribution.studies.event.abduction import Drawn, world_of
from attribution.studies.event.question import BASIS
from attribution.studies.event.world import POINTS, day_of
from attribution.validate.runner import one

SMALL = Loop(days=60, draws=19, thin=6)


def first(design, seed, *, given=True, **fixed):
    """A world of the design: its law, parameters by name, and days, moves of named ones given."""
    rng = np.random.default_rng(seed)
    question, shipped, surface = shipped_days(design.days)
    question = replace(question, held_out=given)
    while True:
        law, point, absorbed = design.drawn(rng)
        named = design.target(law).named(point[None], absorbed)
        named |= {name: np.array([value]) for name, value in fixed.items()}
        draw = {**named, "law": np.array([law])}
        rows = simulate_days(question, shipped, surface, draw, 0, rng)
        if rows is not None:
            return law, point, named, rows


def test_the_catalogue_holds_both_designs():
    (calibrated, worlds), (off, days) = chosen(["event", "event-null"])
    assert (calibrated.name, off.name) == ("event", "event-null")
    assert worlds >= 200 and days >= 100


def test_what_is_known_on_the_eve_is_kept_and_outcomes_are_drawn():
    _, _, _, rows = first(SMALL, 0)
    question, shipped, surface = shipped_days(SMALL.days)
    assert rows.labels == shipped.labels == tuple(str(day) for day in question.named)
    assert len(rows.days) == surface.book.shape[1] <= SMALL.days + len(question.named)
    for name in ("drivers", "noise", "sigma", "volume", "price", "open_interest", "funding"):
        assert np.array_equal(getattr(rows, name), getattr(shipped, name))
    assert question.held_out
    same = np.isclose(rows.move, shipped.move)
    assert np.array_equal(np.flatnonzero(same), shipped.named)
    assert not len(rows.bounded)


def test_the_density_is_that_of_the_shipped_equations_with_its_prior():
    law, point, named, rows = first(SMALL, 1)
    target = SMALL.target(law, rows)
    question, _, surface = shipped_days(SMALL.days)
    draw = {name: value[0] for name, value in named.items()}
    parts = log_likelihood(question, rows, surface, question.impact.laws[law].name, draw)
    assert target.log_likelihood(point) == pytest.approx(parts.total, abs=1e-8)
    value, slope = target.density(point)
    near = approx_fprime(point, lambda x: target.density(x)[0], 1e-6)
    assert np.isfinite(value)
    assert slope == pytest.approx(near, rel=1e-3, abs=1e-2)


@pytest.mark.parametrize("far", [-4000.0, 4000.0])
def test_a_step_of_the_sampler_to_nowhere_is_no_failure(far):
    law, point, _, rows = first(SMALL, 1)
    target = SMALL.target(law, rows)
    for place in range(target.plan.size):
        away = point.copy()
        away[place] = far
        value, _ = target.density(away)
        assert value < target.density(point)[0]


@pytest.mark.parametrize("seed", range(3))
def test_the_true_parameters_infer_the_shocks_that_made_the_day(seed):
    # without noise of its own, the unexplained rest of every named day is the drift
    law, _, named, rows = first(SMALL, 10 + seed, given=False, s0=-30.0)
    question, _, surface = shipped_days(SMALL.days)
    names = tuple(one.name for one in question.impact.laws)
    drawn = Drawn(named, np.array([law]), names, np.zeros(1, dtype=int))
    for day in rows.named:
        world = world_of(question, rows, surface, drawn, int(day))
        rest = world.shock[0, world.triggers.index("rest")]
        # what the simulation's grid of a quarter of a log point leaves
        assert POINTS * (rest - named["mu"][0]) == pytest.approx(0.0, abs=0.02)
        number = list(rows.named).index(day)
        kept = 1.0 - named["arbitrage"][0] * named["leg_ratio"][0]
        pushed = world.push[0, world.players.index(BASIS)]
        assert pushed == pytest.approx(-kept * named["unwound"][0, number])
        if not np.isnan(day_of(world, np.ones(len(world.players))).move[0]):
            assert day_of(world, np.ones(len(world.players))).move[0] == pytest.approx(
                rows.move[day], abs=1e-9
            )


def test_simulated_days_are_reached_from_zero_and_days_behind_a_fold_are_not():
    law, point, named, rows = first(SMALL, 2)
    draw = {name: value[0] for name, value in named.items()}
    target = SMALL.target(law, rows)
    assert reached(target, draw)
    # gamma that would carry a small shock across: the observed move is then beyond a fold
    wild = draw | {"dealer_position": -0.99, "gross_gamma": 1e7, "gamma_width": 0.02}
    assert not reached(target, wild)
    assert answers_of(target, point[None], named["absorbed"]) is not None


def test_days_without_amplifiers_have_no_effect_under_their_truth():
    off = LoopOff(replace(SMALL, name="event-null"))
    data = off.simulate(np.random.default_rng(3))
    target = SMALL.target(data.law, data.rows)
    none = np.zeros((1, target.plan.size + len(target.plan.shares)))
    named = target.named(none, np.zeros(1))
    named |= {name: np.array([value]) for name, value in OFF.items()}
    names = tuple(one.name for one in target.question.impact.laws)
    drawn = Drawn(named, np.array([data.law]), names, np.zeros(1, dtype=int))
    world = world_of(target.question, data.rows, target.surface, drawn, data.rows.event)
    assert all(not table.any() for table in world.flow.values())


def test_the_fate_of_forced_orders_is_drawn_from_its_prior_and_from_its_posterior():
    rng = np.random.default_rng(8)
    question, _, _ = shipped_days(SMALL.days)
    prior = question.liquidations.absorbed
    drawn = sum(int(SMALL.drawn(rng)[2][0]) for _ in range(400))
    assert binomtest(drawn, 400, prior).pvalue > 1e-3
    law, point, _, rows = first(SMALL, 3)
    target = SMALL.target(law, rows)
    size = target.plan.size
    chance = target.kernel.chance(point[:size], expit(point[size:]))
    fates = target.absorbed(np.repeat(point[None], 400, axis=0), rng)
    assert binomtest(int(fates.sum()), 400, chance).pvalue > 1e-3


def test_a_truth_of_exactly_zero_stands_anywhere_among_draws_that_are_zero_too():
    """Absorbed orders have no effect to the bit, in the world and in draws; ties go at random."""
    seed = next(
        number for number in range(40)
        if SMALL.simulate(np.random.default_rng(number)).truth["absorbed"] == 1.0
    )  # fmt: skip
    world = SMALL.simulate(np.random.default_rng(seed))
    assert world.truth["but for liquidations"] == 0.0
    told = SMALL.answers(world.data, np.random.default_rng(1))
    effect, absorbed = told.quantities["but for liquidations"], told.quantities["absorbed"]
    assert np.array_equal(effect == 0.0, absorbed == 1.0)
    rng = np.random.default_rng(2)
    tied, below = int((effect == 0.0).sum()), int((effect < 0.0).sum())
    places = np.array([placement(0.0, effect, None, rng) for _ in range(400)])
    low, high = below / (len(effect) + 1), (below + tied + 1) / (len(effect) + 1)
    assert kstest((places - low) / (high - low), "uniform").pvalue > 1e-3


def test_one_world_is_placed_and_made_again_with_the_same_numbers():
    task = Calibration(SMALL)
    record = one(task, 4, 0)[1]
    assert isinstance(record, dict), record
    assert record == one(task, 4, 0)[1]
    assert all(0.0 < place < 1.0 for place in record.values())
    effects = {f"but for {name}" for name in ("gamma", "notes", "liquidations", "basis")}
    assert effects | {"absorbed"} <= set(record)


def test_one_world_without_amplifiers_gives_quantiles_of_every_effect():
    record = one(LoopOff(replace(SMALL, name="event-null")), 4, 0)[1]
    assert isinstance(record, dict), record
    assert 0.0 <= record["chance absorbed"] <= 1.0
    if record["chance absorbed"] > 0.06:  # a little more than one draw in twenty: zero is inside
        assert record["q05 liquidations"] <= 0.0 <= record["q95 liquidations"]
    for name in ("gamma", "notes", "liquidations"):
        assert record[f"truth {name}"] == 0.0
        levels = [record[f"q{level} {name}"] for level in ("05", "25", "50", "75", "95")]
        assert levels == sorted(levels)


@pytest.mark.slow
@pytest.mark.stored
def test_places_of_the_truth_are_uniform_over_a_few_worlds():
    records = [one(Calibration(Loop()), 5, number)[1] for number in range(24)]
    assert all(isinstance(record, dict) for record in records)
    for name in records[0]:
        places = np.array([record[name] for record in records])
        assert kstest(places, "uniform").pvalue > 0.005 / len(records[0]), name


@pytest.mark.slow
@pytest.mark.stored
def test_no_mechanism_is_found_where_there_is_none():
    records = [one(LoopOff(), 5, number)[1] for number in range(12)]
    for name in ("gamma", "notes", "liquidations"):
        held = sum(record[f"q05 {name}"] <= 0.0 <= record[f"q95 {name}"] for record in records)
        assert held >= binom(len(records), 0.9).ppf(0.005), name
