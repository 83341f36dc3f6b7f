"""Measure the coalitions of one day: CPU seconds of what a report of an event needs.

Usage: OMP_NUM_THREADS=1 python tests/benchmarks/event.py [DRAWS]

Six players have 64 coalitions, each a fixed point in every draw; the goal is ten seconds for 4,000
draws, and twenty where the day is solved in 32 steps.  Worlds are fabricated, with a linear law and
a square root.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np

from attribution.mechanics.impact import Response
from attribution.studies.event.abduction import allocated, nodes
from attribution.studies.event.steps import PathFlows, implied_shock
from attribution.studies.event.world import World, curve_of, play
from attribution.studies.event.world_in_steps import SteppedWorld

OBSERVED, STEPS = -0.142, 32


def world_of(draws: int, exponent: float) -> World:
    """Three triggers and three amplifiers that end at the observed move."""
    rng = np.random.default_rng(0)
    move = nodes(OBSERVED)
    scale = (1e-5 if exponent == 1.0 else 1.2e-4) * rng.lognormal(0.0, 0.2, draws)
    law = Response(scale, np.full(draws, exponent), np.full(draws, 40.0))
    longs = (np.maximum(-move, 0.0) / 0.1) ** 1.5
    flow = {
        "notes": 800.0 * rng.normal(0.2, 0.4, (draws, 1)) * move,
        "gamma": 20_000.0 * rng.uniform(-0.5, 1.0, (draws, 1)) * np.tanh(move / 0.15),
        "liquidations": -1_000.0 * rng.lognormal(0.0, 0.4, (draws, 1)) * longs,
    }
    push, shock = np.zeros((draws, 6)), np.zeros((draws, 3))
    push[:, 1], push[:, 3] = -rng.lognormal(5.0, 0.5, draws), rng.normal(0.0, 30.0, draws)
    shock[:, 0] = rng.normal(-0.05, 0.01, draws)
    world = World(OBSERVED, ("factor", "basis", "rest"), shock, push, law, move, flow)
    rest = OBSERVED - law.move(world.trade(OBSERVED).sum(axis=1)) - shock.sum(axis=1)
    shock[:, 2] = rest
    return world


def by_steps(world: World) -> SteppedWorld:
    """Cut the day into steps; longs are closed by its lowest move."""
    rng, share = np.random.default_rng(1), np.arange(1, STEPS + 1) / STEPS
    walk = np.cumsum(0.006 * rng.standard_normal(STEPS))
    path = share * (OBSERVED - walk[-1]) + walk
    none = np.zeros(len(world.move))
    answers = {name: PathFlows(world.move, x, none, none) for name, x in world.flow.items()}
    answers["liquidations"] = PathFlows(world.move, none, world.flow["liquidations"], none)
    pushes = world.push[:, :, None] * share
    shocks = world.shock[:, :, None] * share
    made = SteppedWorld(path, world.triggers, shocks, pushes, world.response, answers)
    rest = implied_shock(path, pushes.sum(axis=1), world.response, made.whole)
    shocks[:, 2] = rest - shocks[:, :2].sum(axis=1)
    return made


def measure(draws: int, exponent: float) -> dict[str, float]:
    """CPU seconds of each part, after a run that compiles."""
    play(world_of(10, exponent))
    play(by_steps(world_of(100, exponent)))
    world = world_of(draws, exponent)
    marks = [time.process_time()]
    played = play(world, chains=4)
    marks.append(time.process_time())
    allocated(world.at(played.kept.ravel()), played.game)
    marks.append(time.process_time())
    alone = World(0.0, ("shock",), world.shock[:, :1], world.push[:, 2:], world.response,
                  world.move, world.flow)  # fmt: skip
    curve_of(alone)
    marks.append(time.process_time())
    play(by_steps(world))
    marks.append(time.process_time())
    spent = np.diff(marks)
    parts = (
        "64 coalitions", "allocation", "curve of 81 shocks", f"64 coalitions in {STEPS} steps",
    )  # fmt: skip
    return {name: float(f"{x:.3g}") for name, x in zip(parts, spent, strict=True)}


def main() -> None:
    """Print seconds as JSON."""
    draws = int(sys.argv[1]) if len(sys.argv) > 1 else 4000
    found = {name: measure(draws, p) for name, p in (("linear", 1.0), ("square root", 0.5))}
    print(json.dumps({f"{draws:,} draws": found}, indent=2))


if __name__ == "__main__":
    main()
