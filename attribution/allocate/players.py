"""Names of players in; positions, bit masks and the words for a coalition out.

A coalition is an integer: bit i is set where player i is on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from attribution.errors import SpecError, nearest

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
