"""A game in; how far each contribution depends on the order of the players out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from attribution.allocate.coalitions import Coalitions
from attribution.allocate.orders import Orders
from attribution.allocate.players import named
from attribution.allocate.rules import require_same_players
from attribution.errors import SpecError

LEVELS = (0.05, 0.5, 0.95)


@dataclass(frozen=True)
class OrderRange:
    """What each player adds, over every admissible order, draw by draw.

    Attributes
    ----------
    players : names.
    low, high : (draw, player); least and most over orders; in ``unit``.
    levels : shares of the orders.
    quantiles : (level, draw, player); the least value that at least this share of the orders
        does not exceed; in ``unit``.
    orders : how many orders there are.
    unit : of the outcome.
    """

    players: tuple[str, ...]
    low: np.ndarray
    high: np.ndarray
    levels: tuple[float, ...]
    quantiles: np.ndarray
    orders: int
    unit: str

    def __post_init__(self) -> None:
        named(self.players, "order range")
        if self.low.shape != self.high.shape or self.quantiles.shape != (
            len(self.levels),
            *self.low.shape,
        ):
            raise ValueError("low, high and quantiles need the same draws and players")
        if not ((self.low <= self.quantiles) & (self.quantiles <= self.high)).all():
            raise ValueError("a quantile lies outside its range")


def order_range(
    game: Coalitions, orders: Orders, *, levels: Sequence[float] = LEVELS
) -> OrderRange:
    r"""Return the range over orders of what each player adds to those before it.

    .. math:: \Bigl[\min_{\pi \in \Pi}, \max_{\pi \in \Pi}\Bigr]
        \; v(\pi_{<i} \cup i) - v(\pi_{<i})

    Exact: an order matters only by who comes before, so the least and the most are over
    coalitions, each counted with its orders.  Ranges of players belong to different orders and
    do not add up.

    Parameters
    ----------
    game : all coalitions, or those of the orders; ``game.mean()`` for the range of the mean.
    orders : admissible ones: :func:`every_order`, :func:`staged` or :func:`grouped`.
    levels : ascending, between 0 and 1.

    Raises
    ------
    SpecError
        If orders are of other players, or levels cannot be used.
    DataError
        If a coalition on the way is not held.
    """
    require_same_players(game, orders)
    share = np.asarray(levels, float)
    if share.ndim != 1 or not ((share >= 0) & (share <= 1)).all() or (np.diff(share) <= 0).any():
        raise SpecError(f"order_range: levels {levels} must ascend between 0 and 1; change them")
    shape = (len(game.values), len(game.players))
    low, high, quantiles = np.empty(shape), np.empty(shape), np.empty((len(share), *shape))
    for i, name in enumerate(game.players):
        before, count = orders.before(name)
        added = game.marginal(i, before)
        low[:, i], high[:, i] = added.min(1), added.max(1)
        quantiles[:, :, i] = _quantiles(added, count, share)
    return OrderRange(
        game.players, low, high, tuple(share.tolist()), quantiles, orders.count, game.unit
    )


def _quantiles(added: np.ndarray, count: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Quantiles (level, draw) of values (draw, coalition) that occur ``count`` times each."""
    rank = np.argsort(added, 1)
    reached = np.cumsum(count[rank], 1) / count.sum()
    found = np.empty((len(levels), len(added)))
    for row, level in enumerate(levels):
        at = (reached < level).sum(1, keepdims=True).clip(max=added.shape[1] - 1)
        found[row] = np.take_along_axis(added, np.take_along_axis(rank, at, 1), 1)[:, 0]
    return found
