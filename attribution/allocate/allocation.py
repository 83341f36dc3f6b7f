"""Players and their coalitions, and contributions by one rule, which add up where it says so.

A coalition is an integer: bit i is set where player i is on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from attribution.errors import SpecError, nearest
from attribution.posterior import ADDITIVITY, AdditivityError

MOST_PLAYERS = 62
"""A coalition is a signed 64-bit integer."""


def named(players: Iterable[str], where: str) -> tuple[str, ...]:
    """Return the players' names as a tuple.

    Raises
    ------
    SpecError
        If there is none, one that is no name, one named twice, or more than 62.
    """
    names = (players,) if isinstance(players, str) else tuple(players)
    if not names:
        raise SpecError(f"{where}: there is no player; name at least one mechanism")
    if len(names) > MOST_PLAYERS:
        raise SpecError(
            f"{where}: {len(names)} players are more than {MOST_PLAYERS}; merge some into groups"
        )
    for name in names:
        if not isinstance(name, str) or not name.strip():
            raise SpecError(f"{where}: {name!r} is no name of a player; use words")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise SpecError(f"{where}: player '{twice}' is named twice; give each player its own name")
    return names


def position(name: str, players: Sequence[str], where: str) -> int:
    """Return where a player stands among the players.

    Raises
    ------
    SpecError
        If there is no such player.
    """
    if name not in players:
        raise SpecError(f"{where}: no player '{name}'{nearest(str(name), players)}")
    return players.index(name)


def mask_of(names: Iterable[str], players: Sequence[str], where: str) -> int:
    """Return the bit mask of the coalition of these players; refuse one who is unknown."""
    chosen = (names,) if isinstance(names, str) else tuple(names)
    return sum({1 << position(name, players, where) for name in chosen})


def label(mask: int, players: Sequence[str]) -> str:
    """Return a coalition in words: ``{F, G}``, ``{} (all off)`` or ``{F, B, G, L} (all on)``."""
    on = [name for i, name in enumerate(players) if int(mask) >> i & 1]
    end = " (all off)" if not on else " (all on)" if len(on) == len(players) else ""
    return f"{{{', '.join(on)}}}{end}"


def switches(masks: np.ndarray, count: int) -> np.ndarray:
    """Return who is on (coalition, player), bool, for bit masks (coalition,)."""
    on: np.ndarray = (np.asarray(masks)[:, None] >> np.arange(count) & 1).astype(bool)
    return on


def masks_of(on: np.ndarray) -> np.ndarray:
    """Return bit masks (...) of switches (..., player); the inverse of :func:`switches`."""
    found: np.ndarray = np.asarray(on, bool) @ (1 << np.arange(on.shape[-1], dtype=np.int64))
    return found


def subsets(bits: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Return every union of the given bit masks, and how many of them each holds."""
    on = switches(np.arange(1 << len(bits)), len(bits))
    return on @ np.array(bits, np.int64).reshape(-1), on.sum(1)


def partition(
    parts: Sequence[Sequence[str]], players: Sequence[str], where: str, word: str
) -> None:
    """Refuse parts that leave a player out, name one twice, name a stranger or are empty.

    Raises
    ------
    SpecError
        Naming the player; ``word`` is what a part is called.
    """
    seen: set[str] = set()
    for part in parts:
        if isinstance(part, str):
            raise SpecError(f"{where}: {word} '{part}' is a word; write a list of players")
        if not part:
            raise SpecError(f"{where}: a {word} is empty; leave it out")
        for name in part:
            position(name, players, where)
            if name in seen:
                raise SpecError(f"{where}: player '{name}' stands twice; one {word} a player")
            seen.add(name)
    left = [name for name in players if name not in seen]
    if left:
        raise SpecError(f"{where}: player '{left[0]}' is in no {word}; put every player in one")


RULES = {
    "but-for": False,
    "stand-alone": False,
    "shapley": True,
    "owen": True,
    "triggers first": True,
    "aumann-shapley": True,
}
"""Rule -> whether contributions add up to what all players together move."""


@dataclass(frozen=True)
class Allocation:
    r"""What each player contributes, draw by draw, under one rule.

    .. math:: \sum_i \phi_{d,i} = v_d(N) - v_d(\emptyset) \quad \text{under a rule that adds up}

    Attributes
    ----------
    rule : a key of ``RULES``.
    players : names.
    draws : (draw, player); in ``unit``.
    baseline, total : (draw,); all players off, and what all together move; in ``unit``.
    unit : of every number here.
    observed : what was seen, if anything was.
    error : (draw, player), numerical error where the rule is not exact: the standard error of a
        sample of orders, or what the last refinement of a path moved; in ``unit``.

    Raises
    ------
    AdditivityError
        If a rule that adds up misses the total of one draw by more than 1e-10 of its scale.
    """

    rule: str
    players: tuple[str, ...]
    draws: np.ndarray
    baseline: np.ndarray
    total: np.ndarray
    unit: str
    observed: float | None = None
    error: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.rule not in RULES:
            raise ValueError(f"no rule '{self.rule}'{nearest(self.rule, RULES)}")
        named(self.players, "allocation")
        shape = (len(self.total), len(self.players))
        if self.draws.shape != shape or self.baseline.shape != self.total.shape:
            raise ValueError(f"draws have shape {self.draws.shape}, expected {shape}")
        if self.error is not None and (self.error.shape != shape or not (self.error >= 0).all()):
            raise ValueError("an error is a number, at least zero, for each draw and player")
        gap = np.abs(self.draws.sum(1) - self.total)
        scale = np.abs(self.draws).sum(1) + np.abs(self.total) + np.abs(self.baseline)
        if not np.isfinite(scale).all():
            raise AdditivityError(
                f"allocation '{self.rule}': a contribution is not finite; please report this as a"
                " defect"
            )
        if RULES[self.rule] and not (gap <= ADDITIVITY * scale).all():
            draw = int(np.argmax(gap / np.where(scale > 0, scale, 1.0)))
            raise AdditivityError(
                f"allocation '{self.rule}': contributions of draw {draw} miss the total by"
                f" {gap[draw]:.1e} {self.unit}; please report this as a defect"
            )

    @property
    def adds_up(self) -> bool:
        """Whether contributions sum to the total under this rule."""
        return RULES[self.rule]

    @property
    def unattributed(self) -> np.ndarray | None:
        """What was seen less all players on (draw,); none where nothing was seen."""
        return None if self.observed is None else self.observed - self.baseline - self.total

    def of(self, player: str) -> np.ndarray:
        """Contribution (draw,) of one player."""
        return self.draws[:, position(player, self.players, f"allocation '{self.rule}'")]

    def table(self) -> pd.DataFrame:
        """Mean, standard deviation, 5 and 95 per cent quantiles by player; only means add up."""
        low, high = np.quantile(self.draws, (0.05, 0.95), axis=0)
        spread = self.draws.std(0, ddof=1) if len(self.draws) > 1 else np.zeros(len(self.players))
        columns = {"mean": self.draws.mean(0), "sd": spread, "q05": low, "q95": high}
        return pd.DataFrame(columns, pd.Index(self.players, name="player")).assign(unit=self.unit)
