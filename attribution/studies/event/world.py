r"""One day with switches: draws of its shocks and of what answers the price in; moves out.

.. math:: r(S) = \sum_{i \in S} \varepsilon_i + I\Bigl(\sum_{i \in S} q_i
    + \sum_{j \in S} E_j(r(S))\Bigr)

A player i strikes (a shock, in log units, or a push, in USD million), answers the price (a table of
flows E), or both.  Shocks, pushes and tables are held at what each draw infers from the day; only
the switches move, so that with all on the move is the observed one.  Knows arrays only.

References: frey1997; pearl2009 (abduction, action, prediction).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np

from attribution.allocate import Coalitions, coalitions_of
from attribution.allocate.allocation import switches
from attribution.allocate.simulate import Simulate
from attribution.errors import DataError, DiagnosticsError
from attribution.mechanics.feedback import FixedPoint, Flows, fixed_point
from attribution.mechanics.impact import Response

# What a day with switches offers, whether it is solved at once or step by step.


class Ended(NamedTuple):
    """How a day ends with everything on; all (draw,).

    Attributes
    ----------
    arrived : whether the path from zero ends at the observed move, and comes by all of its steps.
    multiple : whether there is more than one fixed point, at some step.
    gain : loop gain at the observed move, NaN where unstable.
    """

    arrived: np.ndarray
    multiple: np.ndarray
    gain: np.ndarray


class Playable(Protocol):
    """One day under D draws: triggers strike, amplifiers answer, each may be switched off."""

    @property
    def observed(self) -> float:
        """The day's move, log units."""

    @property
    def triggers(self) -> tuple[str, ...]:
        """Players that strike."""

    @property
    def amplifiers(self) -> tuple[str, ...]:
        """Players that answer the price."""

    @property
    def players(self) -> tuple[str, ...]:
        """Triggers, then amplifiers."""

    @property
    def shock(self) -> np.ndarray:
        """Shocks of the day (draw, trigger), log units."""

    @property
    def push(self) -> np.ndarray:
        """USD million bought at any move (draw, player)."""

    @property
    def response(self) -> Response:
        """Law of impact."""

    @property
    def move(self) -> np.ndarray:
        """Nodes of every table, log units."""

    @property
    def flow(self) -> Mapping[str, np.ndarray]:
        """Amplifier -> USD million bought beyond its push by the move of the day (draw, node)."""

    @property
    def bought(self) -> np.ndarray:
        """USD million bought by each player on the day as it was (draw, player)."""

    def moves(self, on: np.ndarray) -> np.ndarray:
        """Log points (draw, coalition) with players on (coalition, player); NaN if it runs away."""

    def ended(self) -> Ended:
        """Solve the day with everything on."""

    def at(self, draws: np.ndarray) -> Playable:
        """Keep some draws: their positions, or a mask."""


LOG_POINTS = "log points"
POINTS = 100.0
"""Log points in one log unit."""
REACHED = 1e-8
"""How close, in log points, the path from zero must end to the observed move."""
PIECES = 2


@dataclass(frozen=True)
class World:
    """One day under D draws, solved at once.

    Attributes
    ----------
    observed : the day's move, log units.
    triggers : players that strike; all others amplify or dampen what has struck.
    shock : (draw, trigger), log units.
    push : (draw, player), USD million bought at any move; triggers first.
    response : law of impact, its fields () or (draw,).
    move : nodes of every table, log units, zero and the observed move among them, (node,).
    flow : amplifier -> USD million bought beyond its push once the price has moved, zero at zero,
        (draw, node).
    """

    observed: float
    triggers: tuple[str, ...]
    shock: np.ndarray
    push: np.ndarray
    response: Response
    move: np.ndarray
    flow: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        draws = len(self.shock)
        if self.shock.shape != (draws, len(self.triggers)):
            raise DataError("event: shocks do not fit the triggers; give (draw, trigger)")
        if self.push.shape != (draws, len(self.players)):
            raise DataError("event: pushes do not fit the players; give (draw, player)")

    @property
    def amplifiers(self) -> tuple[str, ...]:
        """Players that answer the price."""
        return tuple(self.flow)

    @property
    def players(self) -> tuple[str, ...]:
        """Triggers, then amplifiers."""
        return (*self.triggers, *self.flow)

    def trade(self, move: float) -> np.ndarray:
        """Return USD million bought by each player at a move in log units (draw, player)."""
        found = self.push.copy()
        for place, table in enumerate(self.flow.values(), start=len(self.triggers)):
            found[:, place] += interpolated(self.move, table, np.array([move]))[:, 0]
        return found

    @property
    def bought(self) -> np.ndarray:
        """USD million bought by each player at the observed move (draw, player)."""
        return self.trade(self.observed)

    def moves(self, on: np.ndarray) -> np.ndarray:
        """Solve the day for coalitions (coalition, player), log points (draw, coalition)."""
        return simulate(self)(on)

    def ended(self) -> Ended:
        """Solve the day with everything on."""
        found = day_of(self, np.ones(len(self.players)))
        arrived = POINTS * np.abs(found.move - self.observed) <= REACHED
        return Ended(arrived, found.multiple, found.gain)

    def at(self, draws: np.ndarray) -> World:
        """Keep some draws: their positions, or a mask."""
        kept = kept_law(self.response, draws)
        tables = {name: table[draws] for name, table in self.flow.items()}
        shock, push = self.shock[draws], self.push[draws]
        return World(self.observed, self.triggers, shock, push, kept, self.move, tables)


def kept_law(law: Response, draws: np.ndarray) -> Response:
    """Keep some draws of a law of impact; a number that all draws share stays."""
    parts = (law.coefficient, law.exponent, law.crossover)
    return Response(*(part[draws] if np.ndim(part) else part for part in parts))


def interpolated(nodes: np.ndarray, table: np.ndarray, moves: np.ndarray) -> np.ndarray:
    """Read a table (draw, node) at moves, as the fixed point reads it (draw, move)."""
    k = np.clip(np.searchsorted(nodes, moves) - 1, 0, len(nodes) - 2)
    slope = (table[:, k + 1] - table[:, k]) / (nodes[k + 1] - nodes[k])
    found = table[:, k] + slope * (moves - nodes[k])
    return np.where(moves == nodes[k + 1], table[:, k + 1], found)


def day_of(world: World, on: np.ndarray) -> FixedPoint:
    """Solve the day with players on (player,), each at an intensity of 0 to 1."""
    count = len(world.triggers)
    return _solved(world, np.asarray(on, float), _table(world, np.asarray(on, float)[count:]))


def simulate(world: World) -> Simulate:
    """Return the simulator of a day: on (coalition, player) -> log points (draw, coalition).

    A draw whose path from zero arrives nowhere is NaN there.
    """
    count = len(world.triggers)

    def moves(on: np.ndarray) -> np.ndarray:
        level = np.asarray(on, float)
        found = np.empty((len(world.shock), len(level)))
        which, first = np.unique(level[:, count:], axis=0, return_inverse=True)
        for group, row in enumerate(which):
            table = _table(world, row)
            for column in np.flatnonzero(first.ravel() == group):
                found[:, column] = POINTS * _solved(world, level[column], table).move
        return found

    return moves


def _table(world: World, level: np.ndarray) -> Flows:
    total = np.zeros((len(world.shock), len(world.move)))
    for share, table in zip(level, world.flow.values(), strict=True):
        if share:
            total += share * table
    return Flows(world.move, total)


def _solved(world: World, level: np.ndarray, table: Flows) -> FixedPoint:
    shock = world.shock @ level[: len(world.triggers)]
    return fixed_point(shock, world.push @ level, world.response, table, pieces=PIECES)


@dataclass(frozen=True)
class Played:
    """A day solved for coalitions of its players.

    Attributes
    ----------
    game : coalitions over the draws that are kept, chain after chain, log points.
    kept : positions of the kept draws, (chain, draw).
    unstable : (draw,), over all draws: in some coalition the path from zero arrives nowhere.
    missed : (draw,): all on, the path from zero ends, or comes by, where the observed does not.
    multiple : (draw,): all on, there is more than one fixed point.
    gain : (draw,), loop gain at the observed move, NaN where unstable.
    without : player -> share of draws in which the day runs away without that one.
    """

    game: Coalitions
    kept: np.ndarray
    unstable: np.ndarray
    missed: np.ndarray
    multiple: np.ndarray
    gain: np.ndarray
    without: Mapping[str, float]

    @property
    def left_out(self) -> float:
        """Share of draws that are left out because they have no answer in every coalition."""
        return float((self.unstable | self.missed).mean())


def play(world: Playable, *, chains: int = 1, only: np.ndarray | None = None) -> Played:
    """Solve a day for coalitions; leave draws without an answer out of all of them.

    Parameters
    ----------
    chains : of equal length, of which the world's draws are one after the other; each gives as
        many draws as the one with the fewest answers.
    only : (coalition, player), all off first and all on last; all coalitions without it.

    Raises
    ------
    DiagnosticsError
        If no draw of some chain has an answer.
    """
    names = world.players
    on = switches(np.arange(1 << len(names)), len(names)) if only is None else only
    values = world.moves(on)
    ended = world.ended()
    unstable: np.ndarray = np.any(np.isnan(values), axis=1)
    missed: np.ndarray = np.logical_not(unstable | ended.arrived)
    kept = _even(~(unstable | missed), chains)
    game = coalitions_of(
        values[kept.ravel()], names, unit=LOG_POINTS, on=on, observed=POINTS * world.observed
    )
    away = np.isnan(values).mean(axis=0)
    one_out = {
        name: float(away[np.logical_not(on[:, place]) & (on.sum(axis=1) == len(names) - 1)].sum())
        for place, name in enumerate(names)
    }
    return Played(game, kept, unstable, missed, ended.multiple, ended.gain, one_out)


def _even(kept: np.ndarray, chains: int) -> np.ndarray:
    """Positions (chain, draw) of as many kept draws in each chain."""
    rows = kept.reshape(chains, -1)
    least = int(rows.sum(axis=1).min())
    if not least:
        raise DiagnosticsError(
            f"event: of {kept.size} draws {int(kept.sum())} end at the observed move in every"
            " coalition, none of some chain; tighten the priors of flows that amplify"
        )
    own = np.stack([np.flatnonzero(row)[:least] for row in rows])
    found: np.ndarray = own + rows.shape[1] * np.arange(chains)[:, None]
    return found


def one_off(players: tuple[str, ...], triggers: int) -> np.ndarray:
    """Coalitions for but-for effects: all off, triggers alone, all but each, all on."""
    count = len(players)
    alone = np.arange(count) < triggers
    rows = [np.zeros(count, bool), alone, *~np.eye(count, dtype=bool), np.ones(count, bool)]
    return np.unique(np.stack(rows), axis=0)


# A world in; how the loop answers shocks of either sign, and what each mechanism trades, out.

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
SHOCKS = np.arange(-20.0, 20.5, 0.5)
"""Log points."""
PROFILE = np.arange(-25.0, 25.5, 0.5)
"""Log points."""
SIZES = (5.0, 10.0)
"""Log points; shocks of which rises are compared with falls."""


@dataclass(frozen=True)
class Curve:
    """What the market makes of a shock.

    Attributes
    ----------
    move : (draw, shock), log points at shocks ``SHOCKS``; NaN where the path arrives nowhere.
    """

    move: np.ndarray

    @property
    def arrives(self) -> np.ndarray:
        """Draws that arrive somewhere at every shock, (draw,)."""
        return np.asarray(~np.isnan(self.move).any(axis=1))

    def added(self, size: float) -> np.ndarray:
        """Log points that feedback adds in the shock's direction, (draw, 2): a fall, a rise."""
        at = [int(np.argmin(np.abs(SHOCKS - s))) for s in (-size, size)]
        found: np.ndarray = np.array([-1.0, 1.0]) * self.move[:, at] - size
        return found


def curve_of(world: World) -> Curve:
    """Give the market shocks and nothing else; every amplifier is on.

    Parameters
    ----------
    world : the evening before, one trigger.
    """
    found = np.empty((len(world.shock), len(SHOCKS)))
    table = Flows(world.move, np.sum([*world.flow.values()], axis=0))
    for place, shock in enumerate(SHOCKS):
        ended = fixed_point(shock / POINTS, 0.0, world.response, table, pieces=PIECES)
        found[:, place] = POINTS * ended.move
    return Curve(found)


def profile_of(world: Playable) -> np.ndarray:
    """USD million that each amplifier trades by move (amplifier, move, draw), push included.

    Where the day was stepped through, the move is the end of a straight way.
    """
    base = world.push[:, len(world.triggers) :]
    tables = []
    for place, table in enumerate(world.flow.values()):
        tables.append(interpolated(world.move, table, PROFILE / POINTS).T + base[:, place])
    return np.asarray(tables)
