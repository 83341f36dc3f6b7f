"""A game in; what each player contributes out: but-for, stand-alone, and averages over orders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from attribution.allocate.allocation import Allocation, mask_of, named
from attribution.allocate.coalitions import Coalitions
from attribution.allocate.orders import Orders, every_order, grouped, staged
from attribution.errors import SpecError


def but_for(game: Coalitions) -> Allocation:
    r"""Return what would be missing without each player: the headline; it does not add up.

    .. math:: \phi_i = v(N) - v(N \setminus i)

    Raises
    ------
    DataError
        If a coalition of all but one is not held.
    """
    last = game.everyone ^ (1 << np.arange(len(game.players)))
    return _alone(game, "but-for", game.values[:, -1:] - game.values[:, game.at(last)])


def stand_alone(game: Coalitions) -> Allocation:
    r"""Return what each player moves when all others are off; it does not add up.

    .. math:: \phi_i = v(\{i\}) - v(\emptyset)

    Raises
    ------
    DataError
        If a coalition of one is not held.
    """
    first = 1 << np.arange(len(game.players))
    return _alone(game, "stand-alone", game.values[:, game.at(first)] - game.values[:, :1])


def shapley(game: Coalitions) -> Allocation:
    r"""Return the average of what a player adds over all orders of the players.

    .. math:: \phi_i = \sum_{S \subseteq N \setminus i} \frac{s!\,(n - 1 - s)!}{n!}
        \,[v(S \cup i) - v(S)]

    Efficient, symmetric, linear, and zero for a player that adds nothing.

    References
    ----------
    shapley1953
    """
    return averaged(game, every_order(game.players))


def owen(game: Coalitions, groups: Mapping[str, Sequence[str]]) -> Allocation:
    r"""Return the average over orders in which groups of players stay together.

    .. math:: \phi_i = \sum_{T \subseteq M \setminus k} \sum_{S \subseteq P_k \setminus i}
        \frac{t!\,(m - 1 - t)!}{m!} \frac{s!\,(p_k - 1 - s)!}{p_k!}
        \,[v(P_T \cup S \cup i) - v(P_T \cup S)]

    A group's sum is its Shapley value in the game of the groups (:func:`merged`).

    Parameters
    ----------
    game : all coalitions, or those of :func:`grouped` orders.
    groups : name -> players; a partition of the players.

    References
    ----------
    owen1977
    """
    return averaged(game, grouped(game.players, groups))


def triggers_first(game: Coalitions, stages: Sequence[Sequence[str]]) -> Allocation:
    r"""Return the average over orders in which each stage is over before the next: the waterfall.

    .. math:: \phi_i = \sum_{S \subseteq B_k \setminus i} \frac{s!\,(b_k - 1 - s)!}{b_k!}
        \,[v(B_{<k} \cup S \cup i) - v(B_{<k} \cup S)]

    Shocks are on before the mechanisms that amplify them, so an amplifier is never asked what it
    does to a shock that has not struck, and gets all of what it adds to those that have.  It is
    the value of Kalai and Samet's ordered partition with equal weights, and what Owen's value is
    when the order of the groups is given.

    Parameters
    ----------
    game : all coalitions, or those of :func:`staged` orders.
    stages : a partition of the players, earliest first.

    References
    ----------
    kalai1987
    """
    return averaged(game, staged(game.players, stages))


def averaged(game: Coalitions, orders: Orders) -> Allocation:
    r"""Return the average of what a player adds over equally likely orders.

    .. math:: \phi_i = \frac{1}{|\Pi|} \sum_{\pi \in \Pi} [v(\pi_{<i} \cup i) - v(\pi_{<i})]

    Exact: orders with the same players before i are counted, not listed, and the differences are
    taken before they are averaged, so that a player that adds nothing gets exactly zero.

    Raises
    ------
    SpecError
        If the orders are of other players.
    DataError
        If a coalition on the way is not held.

    References
    ----------
    shapley1953, owen1977, kalai1987
    """
    require_same_players(game, orders)
    draws = np.empty((len(game.values), len(game.players)))
    for i, name in enumerate(game.players):
        before, count = orders.before(name)
        draws[:, i] = game.marginal(i, before) @ (count / count.sum())
    return Allocation(
        orders.rule, game.players, draws, game.baseline, game.total, game.unit, game.observed
    )


def require_same_players(game: Coalitions, orders: Orders) -> None:
    """Refuse orders of other players than the game's."""
    if orders.players != game.players:
        raise SpecError(
            f"allocate: orders are of {', '.join(orders.players)}, the game of"
            f" {', '.join(game.players)}; name the same players in the same order"
        )


def _alone(game: Coalitions, rule: str, draws: np.ndarray) -> Allocation:
    return Allocation(
        rule, game.players, draws, game.baseline, game.total, game.unit, game.observed
    )


# A game and names of players in; the outcome with all of them switched off at once out.


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
