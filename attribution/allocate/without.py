"""A game and names of players in; the outcome with all of them switched off at once out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from attribution.allocate.coalitions import Coalitions
from attribution.allocate.players import mask_of, named


@dataclass(frozen=True)
class Without:
    """An outcome, and what it would have been without some players.

    Attributes
    ----------
    players : those that are off.
    whole : (draw,), every player on; in ``unit``.
    left : (draw,), these players off, all others on; in ``unit``.
    unit : of both.
    """

    players: tuple[str, ...]
    whole: np.ndarray
    left: np.ndarray
    unit: str

    @property
    def difference(self) -> np.ndarray:
        """What would be missing (draw,); in ``unit``."""
        missing: np.ndarray = self.whole - self.left
        return missing

    @property
    def smaller(self) -> np.ndarray:
        """Whether the move would have gone less far the way that all players together go (draw,).

        A move that turns round goes less far; one that stays exactly the same does not.
        """
        way = np.sign(self.whole.mean())
        less: np.ndarray = way * self.left < way * self.whole
        return less


def without(game: Coalitions, players: Iterable[str]) -> Without:
    r"""Switch players off together, with drivers, residuals and all other players held fixed.

    .. math:: v(N \setminus S), \qquad v(N) - v(N \setminus S)

    Of one player the difference is its but-for effect.  Of several it is not the sum of theirs
    where they work through each other: what two amplifiers add together counts once here, and
    once for each of them there.

    Parameters
    ----------
    game : all coalitions, or at least that of everyone else.
    players : one or more, each named once.

    Raises
    ------
    SpecError
        If none is named, one is named twice, or one is no player.
    DataError
        If the coalition of all others is not held.
    """
    off = named(players, "without")
    mask = game.everyone ^ mask_of(off, game.players, "without")
    column = int(game.at(np.array([mask]))[0])
    return Without(off, game.values[:, -1], game.values[:, column], game.unit)
