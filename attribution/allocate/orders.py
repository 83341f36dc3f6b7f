"""Players in; the orders in which they may be switched on out: stages, and blocks kept whole.

Every rule that adds up is an average over such orders; what differs is only which are allowed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import factorial, prod

import numpy as np

from attribution.allocate.allocation import mask_of, named, partition, subsets
from attribution.errors import SpecError

WHERE = "orders"
DEEPEST = 20
"""Most players whose subsets are listed."""


@dataclass(frozen=True)
class Orders:
    r"""Orders in which players may be switched on, all equally likely.

    Stages come one after the other.  Within a stage its blocks come in any order, and within a
    block its players do, no other player coming between them.

    Attributes
    ----------
    players : names.
    stages : stage -> block -> player; every player is in one block.

    Raises
    ------
    SpecError
        If a player is unknown, is left out, or stands twice.

    References
    ----------
    shapley1953 (one stage, blocks of one); owen1977 (one stage); kalai1987 (ordered stages)
    """

    players: tuple[str, ...]
    stages: tuple[tuple[tuple[str, ...], ...], ...]

    def __post_init__(self) -> None:
        named(self.players, WHERE)
        partition([block for stage in self.stages for block in stage], self.players, WHERE, "block")

    @property
    def rule(self) -> str:
        """Name of the average over these orders."""
        if len(self.stages) > 1:
            return "triggers first"
        return "owen" if any(len(block) > 1 for block in self.stages[0]) else "shapley"

    @property
    def count(self) -> int:
        """How many orders there are."""
        return prod(
            factorial(len(stage)) * prod(factorial(len(block)) for block in stage)
            for stage in self.stages
        )

    def before(self, player: str) -> tuple[np.ndarray, np.ndarray]:
        r"""Return who may come before a player, and in how many orders.

        .. math:: \#(T, S) = t!\,(m - 1 - t)!\; s!\,(b - 1 - s)!

        for t of the other m - 1 blocks of its stage and s of the other b - 1 players of its block.

        Returns
        -------
        Masks (coalition,) and orders (coalition,), exact integers held as floats, up to a factor
        that is the same for all.

        Raises
        ------
        SpecError
            If they are too many to list.
        """
        at = next(k for k, s in enumerate(self.stages) if any(player in b for b in s))
        stage = self.stages[at]
        own = next(block for block in stage if player in block)
        rest = [self._mask(block) for block in stage if block is not own]
        mates = [self._mask((name,)) for name in own if name != player]
        if len(rest) + len(mates) > DEEPEST:
            raise SpecError(
                f"{WHERE}: '{player}' may follow 2^{len(rest) + len(mates)} coalitions, too many"
                " to list; merge players, order them by stages, or sample orders"
            )
        earlier = self._mask([name for s in self.stages[:at] for block in s for name in block])
        blocks, t = subsets(rest)
        inside, s = subsets(mates)
        masks = earlier + blocks[:, None] + inside
        orders = _arrangements(len(rest))[t][:, None] * _arrangements(len(mates))[s]
        return masks.ravel(), orders.ravel()

    def coalitions(self) -> np.ndarray:
        """Return the masks, ascending, of every coalition that some order passes through."""
        found = [np.zeros(1, np.int64)]
        for player in self.players:
            masks = np.unique(self.before(player)[0])
            found += [masks, masks | self._mask((player,))]
        return np.unique(np.concatenate(found))

    def sample(self, pairs: int, rng: np.random.Generator) -> np.ndarray:
        """Draw orders (pair, 2, player): positions of players; the second is the first reversed.

        Blocks of a stage and players of a block are reversed, stages never are.
        """
        stage, block, at = (np.empty(len(self.players), int) for _ in range(3))
        blocks = [(k, names) for k, s in enumerate(self.stages) for names in s]
        for b, (k, names) in enumerate(blocks):
            at = np.array([self.players.index(name) for name in names])
            stage[at], block[at] = k, b
        by_block = rng.random((pairs, 1, len(blocks)))[..., block]
        by_player = rng.random((pairs, 1, len(self.players)))
        keys = [np.concatenate((key, 1.0 - key), 1) for key in (by_player, by_block)]
        keys.append(np.broadcast_to(stage, keys[0].shape))
        found: np.ndarray = np.lexsort(keys, axis=-1)
        return found

    def _mask(self, names: Iterable[str]) -> int:
        return mask_of(names, self.players, WHERE)


def _arrangements(count: int) -> np.ndarray:
    """Orders of ``count`` things of which s, given, come first: s! (count - s)!."""
    return np.array([float(factorial(s) * factorial(count - s)) for s in range(count + 1)])


def every_order(players: Iterable[str]) -> Orders:
    """Return all orders of the players (Shapley)."""
    names = named(players, WHERE)
    return Orders(names, (tuple((name,) for name in names),))


def staged(players: Iterable[str], stages: Sequence[Sequence[str]]) -> Orders:
    """Return the orders in which each stage is over before the next begins: triggers first.

    ``staged(players, [["factor", "basis"], ["gamma", "liquidation"]])``
    """
    names = named(players, "staged")
    partition(stages, names, "staged", "stage")
    return Orders(names, tuple(tuple((name,) for name in stage) for stage in stages))


def grouped(players: Iterable[str], groups: Mapping[str, Sequence[str]]) -> Orders:
    """Return the orders in which no stranger comes between the players of a group (Owen)."""
    names = named(players, "grouped")
    partition(list(groups.values()), names, "grouped", "group")
    return Orders(names, (tuple(tuple(group) for group in groups.values()),))
