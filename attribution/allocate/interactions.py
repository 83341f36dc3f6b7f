"""A game in; what players do together that none does alone out, pair by pair and in all."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
import pandas as pd

from attribution.allocate.allocation import position, subsets
from attribution.allocate.coalitions import Coalitions
from attribution.allocate.orders import DEEPEST
from attribution.allocate.rules import stand_alone
from attribution.errors import DataError, SpecError


@dataclass(frozen=True)
class Interactions:
    """Interaction of every pair of players, draw by draw.

    Attributes
    ----------
    index : ``shapley`` (Grabisch and Roubens) or ``shapley-taylor``.
    players : names.
    pairs : pair -> its two players.
    draws : (draw, pair); in ``unit``; below zero where two players deepen each other's fall.
    unit : of the outcome.
    """

    index: str
    players: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]
    draws: np.ndarray
    unit: str

    def of(self, first: str, second: str) -> np.ndarray:
        """Interaction (draw,) of two players, in either order."""
        at = sorted(position(name, self.players, "interactions") for name in (first, second))
        if at[0] == at[1]:
            raise SpecError(f"interactions: '{first}' and '{second}' are one player; name two")
        return self.draws[:, self.pairs.index((self.players[at[0]], self.players[at[1]]))]

    def table(self) -> pd.DataFrame:
        """Mean, 5 and 95 per cent quantiles by pair."""
        low, high = np.quantile(self.draws, (0.05, 0.95), axis=0)
        index = pd.MultiIndex.from_tuples(self.pairs, names=("player", "with"))
        columns = {"mean": self.draws.mean(0), "q05": low, "q95": high}
        return pd.DataFrame(columns, index).assign(unit=self.unit)


def pair_interactions(game: Coalitions) -> Interactions:
    r"""Return the Shapley interaction index of Grabisch and Roubens.

    .. math:: I_{ij} = \sum_{S \subseteq N \setminus ij} \frac{s!\,(n - 2 - s)!}{(n - 1)!}
        \,[v(S \cup ij) - v(S \cup i) - v(S \cup j) + v(S)]

    What i gains, on average over orders, from j being on: the Shapley value of i in the game
    with j on less that in the game with j off.  Indices do not add up.

    Raises
    ------
    DataError
        If one of the :math:`2^n` coalitions is not held.

    References
    ----------
    grabisch1999
    """
    n = len(game.players)
    return _pairs(game, "shapley", np.array([1 / comb(n - 2, s) for s in range(n - 1)]) / (n - 1))


def shapley_taylor(game: Coalitions) -> Interactions:
    r"""Return the Shapley-Taylor interaction index of second order, which adds up.

    .. math:: I_{ij} = \frac{2}{n} \sum_{S \subseteq N \setminus ij} \binom{n - 1}{s}^{-1}
        [v(S \cup ij) - v(S \cup i) - v(S \cup j) + v(S)], \qquad
        \sum_i [v(i) - v(\emptyset)] + \sum_{i<j} I_{ij} = v(N) - v(\emptyset)

    Raises
    ------
    DataError
        If one of the :math:`2^n` coalitions is not held.

    References
    ----------
    sundararajan2020
    """
    n = len(game.players)
    return _pairs(game, "shapley-taylor", np.array([2 / n / comb(n - 1, s) for s in range(n - 1)]))


def interaction(game: Coalitions) -> np.ndarray:
    r"""Return what players move together beyond what each moves alone (draw,); in the unit.

    .. math:: v(N) - v(\emptyset) - \sum_i [v(i) - v(\emptyset)]
    """
    together: np.ndarray = game.total - stand_alone(game).draws.sum(1)
    return together


def interaction_share(game: Coalitions, *, least: float) -> np.ndarray:
    r"""Return interaction as a share of the total (draw,); a number, not a percentage.

    .. math:: 1 - \frac{\sum_i [v(i) - v(\emptyset)]}{v(N) - v(\emptyset)}

    Above one half, no player may be called the cause.  Below zero, players dampen each other.

    Parameters
    ----------
    game : at least all on, all off and each player alone.
    least : the smallest total, in either direction, of which a share is taken; above zero, in
        ``unit``.  Five daily standard deviations of the outcome are a good choice.

    Raises
    ------
    SpecError
        If ``least`` is not above zero.
    DataError
        If the total of a draw is smaller: a share of next to nothing says nothing.
    """
    if not least > 0 or not np.isfinite(least):
        raise SpecError(f"interaction_share: least is {least}; give a number above zero")
    small = np.abs(game.total) < least
    if small.any():
        raise DataError(
            f"interaction_share: all players together move less than {least:g} {game.unit} in"
            f" {int(small.sum())} of {len(small)} draws, first in draw {int(np.argmax(small))};"
            " report interaction in its unit instead"
        )
    share: np.ndarray = interaction(game) / game.total
    return share


def _pairs(game: Coalitions, index: str, weight: np.ndarray) -> Interactions:
    """Weigh second differences by how many others are on."""
    n = len(game.players)
    if not 2 <= n <= DEEPEST:
        raise SpecError(f"interactions: {n} players; pairs need at least two and at most {DEEPEST}")
    draws = np.empty((len(game.values), n * (n - 1) // 2))
    for column, (i, j) in enumerate(combinations(range(n), 2)):
        rest, size = subsets([1 << k for k in range(n) if k not in (i, j)])
        second = game.marginal(i, rest | 1 << j) - game.marginal(i, rest)
        draws[:, column] = second @ weight[size]
    return Interactions(index, game.players, tuple(combinations(game.players, 2)), draws, game.unit)
