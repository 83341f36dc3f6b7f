"""The event's day in steps, as a world, in; what happens at each step, players on or off, out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attribution.study.event_steps import SteppedWorld
from attribution.study.event_world import POINTS, REACHED, one_off


@dataclass(frozen=True)
class Lost:
    """Shares of all draws by step, (step,).

    Attributes
    ----------
    away : that run away at the step, and at none before, in some coalition for but-for effects.
    astray : whose path with everything on leaves the observed one there first.
    multiple : for which the step has several fixed points with everything on.
    """

    away: np.ndarray
    astray: np.ndarray
    multiple: np.ndarray


@dataclass(frozen=True)
class Shown:
    """What draws say of each step.

    Attributes
    ----------
    without : amplifier -> path without it, log points, (draw, step).
    alone : path without any amplifier, same.
    flow : amplifier -> USD million that it has bought so far on the observed path, same.
    """

    without: dict[str, np.ndarray]
    alone: np.ndarray
    flow: dict[str, np.ndarray]


def lost_by_step(world: SteppedWorld) -> Lost:
    """Count where draws are lost; the world holds all of them."""
    count, steps = len(world.shocks), len(world.path)
    first = np.full(count, steps)
    for on in one_off(world.players, len(world.triggers)):
        first = np.minimum(first, np.isfinite(world.paths(on)).sum(axis=1))
    whole = world.paths(np.ones(len(world.players)))
    there = POINTS * np.abs(whole - world.path) <= REACHED
    left = np.logical_and.accumulate(there, axis=1).sum(axis=1)
    return Lost(
        away=np.bincount(first, minlength=steps + 1)[:steps] / count,
        astray=np.bincount(left, minlength=steps + 1)[:steps] / count,
        multiple=(world.roots > 1).mean(axis=0),
    )


def shown_by_step(world: SteppedWorld) -> Shown:
    """Walk without each amplifier and without any; the world holds draws that have an answer."""
    count = len(world.triggers)
    on = np.ones(len(world.players))
    without = {}
    for place, name in enumerate(world.amplifiers, start=count):
        without[name] = POINTS * world.paths(np.where(np.arange(len(on)) == place, 0.0, on))
    alone = POINTS * world.paths(np.where(np.arange(len(on)) < count, 1.0, 0.0))
    traded = world.traded[:, count:]
    flow = {name: traded[:, place] for place, name in enumerate(world.amplifiers)}
    return Shown(without, alone, flow)
