"""A world in; how the loop answers shocks of either sign, and what each mechanism trades, out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attribution.mechanics.feedback import Flows, fixed_point
from attribution.study.event_day import Playable
from attribution.study.event_world import PIECES, POINTS, World, interpolated

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
