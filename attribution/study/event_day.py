"""What a day with switches offers, whether it is solved at once or step by step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

import numpy as np

from attribution.mechanics.impact import Response


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
