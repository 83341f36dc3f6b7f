"""Outcomes by draw and coalition in; a checked game, the noun that every rule reads, out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from attribution.allocate.allocation import label, mask_of, named, partition, switches
from attribution.errors import DataError

WHERE = "coalitions"


@dataclass(frozen=True)
class Coalitions:
    r"""What the outcome is, in each draw, with the mechanisms of a coalition on and all others off.

    .. math:: v_d(S), \quad S \subseteq N, \quad v_d(\emptyset), v_d(N) \text{ always among them}

    Attributes
    ----------
    players : names; bit i of a mask is player i.
    masks : (coalition,) int64, ascending; the coalitions that are held.  A rule that needs one
        more refuses; all :math:`2^n` serve every rule.
    values : (draw, coalition); in ``unit``.
    unit : of the values and of every contribution.
    observed : what was seen, in ``unit``, if anything was; what all players together miss of it
        is ``unattributed``.

    Raises
    ------
    DataError
        If the coalition of nobody or of all is missing, or a value is not finite.
    """

    players: tuple[str, ...]
    masks: np.ndarray
    values: np.ndarray
    unit: str
    observed: float | None = None

    def __post_init__(self) -> None:
        named(self.players, WHERE)
        if self.values.ndim != 2 or self.values.shape[1] != len(self.masks):
            raise DataError(
                f"{WHERE}: values have shape {self.values.shape}; give (draw,"
                f" {len(self.masks)}), one column a coalition"
            )
        if not len(self.values):
            raise DataError(f"{WHERE}: there is no draw; give at least one row of values")
        if (np.diff(self.masks) <= 0).any():
            raise ValueError("masks must ascend")
        if len(self.masks) and not 0 <= self.masks[0] <= self.masks[-1] <= self.everyone:
            raise ValueError("a mask has a bit that is no player")
        self.at(np.array([0, self.everyone]))
        wrong = ~np.isfinite(self.values)
        if wrong.any():
            draw, column = np.argwhere(wrong)[0]
            raise DataError(
                f"{WHERE}: draw {draw} of {label(self.masks[column], self.players)} is"
                f" {self.values[draw, column]}, as are {int(wrong.any(1).sum())} draws of"
                f" {len(wrong)} in some coalition; count them, and leave them out of all"
            )
        if self.observed is not None and not np.isfinite(self.observed):
            raise DataError(f"{WHERE}: observed is {self.observed}; give a number or leave it out")

    @property
    def everyone(self) -> int:
        """The mask of all players."""
        return (1 << len(self.players)) - 1

    @property
    def baseline(self) -> np.ndarray:
        """Outcome (draw,) with every player off."""
        return self.values[:, 0]

    @property
    def total(self) -> np.ndarray:
        """What all players together move (draw,): all on less all off."""
        moved: np.ndarray = self.values[:, -1] - self.values[:, 0]
        return moved

    def at(self, masks: np.ndarray) -> np.ndarray:
        """Return the columns of coalitions.

        Raises
        ------
        DataError
            If one is not held.
        """
        if len(self.masks) == self.everyone + 1:
            return masks
        columns = np.searchsorted(self.masks, masks).clip(max=max(len(self.masks) - 1, 0))
        absent = masks[self.masks[columns] != masks] if len(self.masks) else masks
        if len(absent):
            raise DataError(
                f"{WHERE}: {label(absent[0], self.players)} is missing, as are {len(absent) - 1}"
                " more that are needed; solve the model for it"
            )
        found: np.ndarray = columns
        return found

    def value(self, *on: str) -> np.ndarray:
        """Outcome (draw,) with these players on and all others off."""
        return self.values[:, self.at(np.array([mask_of(on, self.players, WHERE)]))[0]]

    def marginal(self, player: int, before: np.ndarray) -> np.ndarray:
        """Return what a player adds (draw, coalition) to coalitions, masks that do not hold it."""
        added: np.ndarray = self.values[:, self.at(before | 1 << player)]
        added -= self.values[:, self.at(before)]
        return added

    def mean(self) -> Coalitions:
        """Return the game of the mean outcome, a single draw; linear rules commute with it."""
        mean = self.values.mean(0, keepdims=True)
        return Coalitions(self.players, self.masks, mean, self.unit, self.observed)


def merged(game: Coalitions, groups: Mapping[str, Sequence[str]]) -> Coalitions:
    r"""Return the game whose players are groups, each on or off as a whole (the quotient game).

    .. math:: v_P(T) = v\Bigl(\bigcup_{k \in T} P_k\Bigr)

    Raises
    ------
    SpecError
        If groups are no partition of the players.
    DataError
        If a union of groups is not held.

    References
    ----------
    owen1977
    """
    partition(list(groups.values()), game.players, "merged", "group")
    bits = np.array([mask_of(group, game.players, "merged") for group in groups.values()])
    masks = np.arange(1 << len(bits))
    inner = switches(masks, len(bits)) @ bits
    held = game.values[:, game.at(inner)]
    return Coalitions(named(groups, "merged"), masks, held, game.unit, game.observed)
