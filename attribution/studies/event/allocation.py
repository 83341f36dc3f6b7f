r"""A world and its solved coalitions in; what each player contributes, by every rule, out.

Two estimands are kept apart.  M: how much of the move each mechanism makes, from coalitions of a
model in which the others answer anew.  O: who traded, at the observed move, as a share of the
impact of all that was traded,

.. math:: C^O_i = \varepsilon_i + \frac{I(F)}{F} F_i, \qquad F = \sum_i F_i,

which adds up to the move and asks nothing of a counterfactual.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from attribution import allocate
from attribution.allocate import Coalitions, Interactions, OrderRange
from attribution.errors import DataError
from attribution.studies.event.world import LOG_POINTS, POINTS, Playable

RULES = {
    "but_for": "M but-for",
    "stand_alone": "M stand-alone",
    "triggers_first": "M triggers-first",
    "shapley": "M Shapley",
}
"""Rules of a saved run, and what their rows are called."""
PATHS = 100
"""Draws for which intensities are turned up together, evenly spaced: a path takes 700 solutions."""
TOLERANCE = 2e-3


@dataclass(frozen=True)
class Allocated:
    """What each player contributes; draws are those that are kept, chain after chain.

    Attributes
    ----------
    contribution : rule -> (draw, player), log points.
    orders : range over every order of the players.
    pairs : interaction of every pair.
    order_flow : (draw, player), log points; adds up to the observed move.
    path : (some draws, player), intensities turned up together; None where the outcome jumps.
    amplification : all on over amplifiers off (draw,); NaN where the latter is zero.
    """

    players: tuple[str, ...]
    triggers: tuple[str, ...]
    contribution: Mapping[str, np.ndarray]
    orders: OrderRange
    pairs: Interactions
    order_flow: np.ndarray
    path: np.ndarray | None
    amplification: np.ndarray

    def of(self, rule: str, player: str) -> np.ndarray:
        """Contribution (draw,) of one player under one rule."""
        found: np.ndarray = self.contribution[rule][:, self.players.index(player)]
        return found


def allocated(world: Playable, game: Coalitions, *, paths: int = PATHS) -> Allocated:
    """Apply every rule to the coalitions of a day; the world's draws are the game's.

    Parameters
    ----------
    paths : draws for which intensities are turned up together.
    """
    triggers = world.triggers
    stages = [stage for stage in (triggers, world.amplifiers) if stage]
    found = {
        "but_for": allocate.but_for(game),
        "stand_alone": allocate.stand_alone(game),
        "triggers_first": allocate.triggers_first(game, stages),
        "shapley": allocate.shapley(game),
    }
    return Allocated(
        players=game.players,
        triggers=triggers,
        contribution={rule: part.draws for rule, part in found.items()},
        orders=allocate.order_range(game, allocate.every_order(game.players)),
        pairs=allocate.pair_interactions(game),
        order_flow=order_flow(world),
        path=_path(world, paths),
        amplification=amplification(game, triggers),
    )


def order_flow(world: Playable) -> np.ndarray:
    """Share the impact of all that was traded in proportion to who traded (draw, player)."""
    traded = world.bought
    total = traded.sum(axis=1)
    moved = world.response.move(total)
    some = total != 0.0
    each = np.where(some, moved / np.where(some, total, 1.0), 0.0)
    found = traded * each[:, None]
    found[:, : len(world.triggers)] += world.shock
    result: np.ndarray = POINTS * found
    return result


def amplification(game: Coalitions, triggers: tuple[str, ...]) -> np.ndarray:
    """Move with everything on over the move of the triggers alone (draw,)."""
    alone = game.value(*triggers)
    some = alone != 0.0
    whole = game.values[:, -1]
    return np.where(some, whole / np.where(some, alone, 1.0), np.nan)


def interaction_share(game: Coalitions, daily: float) -> np.ndarray | None:
    """Share of the move that no player makes alone; None where the move is too small for shares.

    Parameters
    ----------
    daily : standard deviation of the outcome on a day, log points; a share is taken of moves
        beyond five of them only.
    """
    if (np.abs(game.total) <= 5.0 * daily).any():
        return None
    return allocate.interaction_share(game, least=5.0 * daily)


def _path(world: Playable, paths: int) -> np.ndarray | None:
    """Aumann-Shapley contributions of some draws; None where the path bends too much."""
    some = np.unique(np.linspace(0, len(world.shock) - 1, paths).astype(int))
    try:
        found = allocate.aumann_shapley(
            world.at(some).moves, world.players, unit=LOG_POINTS, tolerance=TOLERANCE
        )
    except DataError:
        return None
    return found.draws
