r"""The event's day in steps, with switches: draws of what comes by each step in; moves out.

.. math:: R_h(S) = \sum_{i \in S} \varepsilon_{i,h} + I\Bigl(\sum_{i \in S} q_{i,h}
    + \sum_{j \in S} E_j(R_1, \dots, R_h)\Bigr)

with shocks and pushes so far, and flows that answer the path: hedges of options and notes where the
price is, liquidations how low and how high it has been.  All are held at what each draw infers from
the observed path; only the switches move, so that with all on every step ends where it ended.

References: frey1997; schonbucher2000; pearl2009.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from attribution.errors import DataError
from attribution.mechanics.impact import Response
from attribution.studies.event.steps import PathFlows, fixed_points, gain_along, stepped
from attribution.studies.event.world import PIECES, POINTS, REACHED, Ended, kept_law, one_off


@dataclass(frozen=True)
class SteppedWorld:
    """The event's day under D draws; the face of a :class:`~attribution.studies.event.world.World`.

    Attributes
    ----------
    path : observed move since the eve's close at each step, log units, (step,).
    triggers : players that strike; all others amplify or dampen what has struck.
    shocks : of each trigger **so far**, log units, (draw, trigger, step).
    pushes : USD million bought so far at any path, (draw, player, step); triggers first.
    response : law of impact, its fields () or (draw,).
    answers : amplifier -> USD million bought beyond its push by a path; on the same nodes, the
        observed end and extremes among them.
    """

    path: np.ndarray
    triggers: tuple[str, ...]
    shocks: np.ndarray
    pushes: np.ndarray
    response: Response
    answers: Mapping[str, PathFlows]

    def __post_init__(self) -> None:
        draws, steps = len(self.shocks), len(self.path)
        if self.shocks.shape != (draws, len(self.triggers), steps):
            raise DataError("event: shocks do not fit the triggers; give (draw, trigger, step)")
        if self.pushes.shape != (draws, len(self.players), steps):
            raise DataError("event: pushes do not fit the players; give (draw, player, step)")

    @property
    def observed(self) -> float:
        """The day's move, log units."""
        return float(self.path[-1])

    @property
    def amplifiers(self) -> tuple[str, ...]:
        """Players that answer the price."""
        return tuple(self.answers)

    @property
    def players(self) -> tuple[str, ...]:
        """Triggers, then amplifiers."""
        return (*self.triggers, *self.answers)

    @property
    def move(self) -> np.ndarray:
        """Nodes of every table, log units."""
        return next(iter(self.answers.values())).move

    @property
    def shock(self) -> np.ndarray:
        """Shocks of the whole day (draw, trigger), log units."""
        found: np.ndarray = self.shocks[:, :, -1]
        return found

    @property
    def push(self) -> np.ndarray:
        """Pushes of the whole day (draw, player), USD million."""
        found: np.ndarray = self.pushes[:, :, -1]
        return found

    @property
    def flow(self) -> dict[str, np.ndarray]:
        """What each amplifier would trade beyond its push on the straight way to a move."""
        return {name: each.now + each.lowest + each.highest for name, each in self.answers.items()}

    @cached_property
    def traded(self) -> np.ndarray:
        """USD million that each player has bought by each step as it was (draw, player, step)."""
        found = self.pushes.copy()
        for place, each in enumerate(self.answers.values(), start=len(self.triggers)):
            found[:, place] += each.traded(self.path)
        return found

    @property
    def bought(self) -> np.ndarray:
        """USD million bought by each player over the day (draw, player)."""
        found: np.ndarray = self.traded[:, :, -1]
        return found

    def at(self, draws: np.ndarray) -> SteppedWorld:
        """Keep some draws: their positions, or a mask."""
        answers = {name: _of(each, draws) for name, each in self.answers.items()}
        return replace(
            self, shocks=self.shocks[draws], pushes=self.pushes[draws],
            response=kept_law(self.response, draws), answers=answers,
        )  # fmt: skip

    def paths(self, on: np.ndarray) -> np.ndarray:
        """Walk through the day with players on (player,), each at an intensity of 0 to 1.

        Returns
        -------
        Log units, (draw, step); NaN from the step on at which the price runs away.
        """
        level = np.asarray(on, dtype=float)
        return self._walked(level, self._mixed(level[len(self.triggers) :]))

    def moves(self, on: np.ndarray) -> np.ndarray:
        """Return the day's end for coalitions (coalition, player), log points (draw, coalition).

        A draw whose path runs away at some step is NaN there.
        """
        level = np.asarray(on, dtype=float)
        found = np.empty((len(self.shocks), len(level)))
        which, first = np.unique(level[:, len(self.triggers) :], axis=0, return_inverse=True)
        for group, row in enumerate(which):
            tables = self._mixed(row)
            for column in np.flatnonzero(first.ravel() == group):
                found[:, column] = POINTS * self._walked(level[column], tables)[:, -1]
        return found

    def ended(self) -> Ended:
        """Solve with all on: whether every step ends where it ended, and how the loop stands."""
        path = self.paths(np.ones(len(self.players)))
        there = POINTS * np.abs(path - self.path) <= REACHED
        return Ended(
            arrived=there.all(axis=1),
            multiple=np.asarray((self.roots > 1).any(axis=1)),
            gain=np.where(np.isnan(path[:, -1]), np.nan, self.gains[:, -1]),
        )

    @cached_property
    def roots(self) -> np.ndarray:
        """How many fixed points each step of the observed path has with all on (draw, step)."""
        shock, push = self.shocks.sum(axis=1), self.pushes.sum(axis=1)
        return fixed_points(self.path, shock, push, self.response, self.whole, pieces=PIECES)

    @property
    def gains(self) -> np.ndarray:
        """Loop gain at each step of the observed path with all on (draw, step)."""
        return gain_along(self.path, self.pushes.sum(axis=1), self.response, self.whole)

    @property
    def whole(self) -> PathFlows:
        """What all amplifiers answer together."""
        return self._mixed(np.ones(len(self.answers)))

    def _mixed(self, level: np.ndarray) -> PathFlows:
        """Add up what amplifiers answer, each at its intensity."""
        tables = np.zeros((3, len(self.shocks), len(self.move)))
        for share, each in zip(level, self.answers.values(), strict=True):
            if share:
                for total, table in zip(tables, (each.now, each.lowest, each.highest), strict=True):
                    total += share * table
        return PathFlows(self.move, *tables)

    def _walked(self, level: np.ndarray, tables: PathFlows) -> np.ndarray:
        shock = np.einsum("dth,t->dh", self.shocks, level[: len(self.triggers)])
        push = np.einsum("dph,p->dh", self.pushes, level)
        return stepped(shock, push, self.response, tables, pieces=PIECES).move


def _of(flows: PathFlows, draws: np.ndarray) -> PathFlows:
    """Keep some draws of tables; a table that all draws share stays."""
    tables = (flows.now, flows.lowest, flows.highest)
    return PathFlows(flows.move, *(t[draws] if t.ndim == 2 else t for t in tables))


# The event's day in steps, as a world, in; what happens at each step, players on or off, out.


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
