"""The claims of a table on the shocks of a system: in words, and as numbers."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from attribution.core.rotations.functionals import SHOCK
from attribution.core.rotations.holds import Carried, Order, Rows, Single, stack


@dataclass(frozen=True)
class Zero:
    """The response of a variable to a channel's shock vanishes; horizon −1 is the long run."""

    channel: int
    at: int
    variable: int
    horizon: int


@dataclass(frozen=True)
class Claim:
    """One claim: its words, and what it demands.

    ``signs`` are the shocks whose sign alone it fixes: (channel, functional) -> +1 or −1.
    """

    words: str
    parts: tuple[Single, ...] = ()
    orders: tuple[Order, ...] = ()
    zeros: tuple[Zero, ...] = ()
    dated: bool = False
    signs: dict[tuple[int, int], int] = field(default_factory=dict)


@dataclass(frozen=True)
class Claims:
    """A table compiled against a system.

    Attributes
    ----------
    channels, variables : names.
    claims : in table order; the outcome's direction first.
    program : (functional, 3); see ``attribution.core.rotations.functionals``; the first ones are
    the
        responses of every variable on impact.
    dates : of the shocks among the functionals.
    observed, regressors : (date, variable) and (date, regressor); data on those dates.
    conditional : whether draws are weighed by one over the probability of the dated claims.
    """

    channels: tuple[str, ...]
    variables: tuple[str, ...]
    claims: tuple[Claim, ...]
    program: np.ndarray
    dates: pd.DatetimeIndex
    observed: np.ndarray
    regressors: np.ndarray
    conditional: bool

    @property
    def zeros(self) -> tuple[Zero, ...]:
        """All exact zeros, those of the channel with most of them first, in column order."""
        given = [zero for claim in self.claims for zero in claim.zeros]
        unique = {(z.channel, z.at): z for z in given}.values()
        count = np.bincount([z.channel for z in unique], minlength=len(self.channels))
        return tuple(sorted(unique, key=lambda z: (-count[z.channel], z.channel, z.at)))

    @property
    def zero_channels(self) -> tuple[int, ...]:
        """Channels with exact zeros, in the order of their columns."""
        return tuple(dict.fromkeys(zero.channel for zero in self.zeros))

    @property
    def early(self) -> bool:
        """Whether coefficients are needed before a rotation can be drawn."""
        return any(zero.horizon != 0 for zero in self.zeros)

    @property
    def late(self) -> bool:
        """Whether some claim looks beyond impact."""
        return any(self._reach(claim) for claim in self.claims)

    @property
    def joint(self) -> bool:
        """Whether the scale of the shocks bears on the probability of the dated claims."""
        dated = [p for c in self.claims if c.dated for p in c.parts]
        return any(part.joint for part in dated if isinstance(part, Carried))

    def impact_rows(self) -> Rows:
        """Claims on single columns that speak of impact alone."""
        return stack(p for c in self.claims if not self._reach(c) for p in c.parts)

    def later_rows(self) -> Rows:
        """All other claims on single columns."""
        return stack(p for c in self.claims if self._reach(c) for p in c.parts)

    def orders(self) -> tuple[Order, ...]:
        """Claims across channels."""
        return tuple(order for claim in self.claims for order in claim.orders)

    def masks(self) -> np.ndarray:
        """Columns that each channel may take before any claim is looked at (channel, 2)."""
        n, first = len(self.variables), self.zero_channels
        out = np.full((len(self.channels), 2), (1 << n) - (1 << len(first)), dtype=np.int64)
        for column, channel in enumerate(first):
            out[channel] = 1 << column
        return out

    def simulated(self) -> tuple[tuple[tuple[Rows, np.ndarray], ...], int]:
        """Dated claims whose probability must be simulated, and how many signs need not be.

        A shock's sign is independent of sizes on its date alone: such signs hold with probability
        one half each, whatever else is claimed.  Claims that share no date are independent, given
        what the responses are: they come apart, each group with the functionals of its shocks.
        """
        sizes = [p for c in self.claims if c.dated for p in c.parts if isinstance(p, Carried)]
        mixed = {b for p in sizes if p.joint for _, b in p.pairs}
        signs = {key: c for c in self.claims for key in c.signs}
        bound = [c for (_, at), c in signs.items() if at in mixed]
        parts = [*(p for c in bound for p in c.parts), *sizes]
        groups = [(stack(group), _sorted(self.shocks(), at)) for group, at in _apart(parts)]
        return tuple(groups), len(signs) - len(bound)

    def shocks(self) -> np.ndarray:
        """Functionals that are shocks, one a date."""
        at = np.flatnonzero(self.program[:, 0] == SHOCK)
        ordered: np.ndarray = at[np.argsort(self.program[at, 1])]
        return ordered

    def _reach(self, claim: Claim) -> bool:
        n = len(self.variables)
        used = [i for part in claim.parts for i in part.functionals]
        used += [i for order in claim.orders for i in (order.larger[0], order.smaller[0])]
        return any(i >= n for i in used)


def _apart(parts: list[Single]) -> list[tuple[list[Single], set[int]]]:
    """Group parts of claims that share a shock, directly or through others, in their order."""
    groups: list[tuple[list[Single], set[int]]] = []
    for part in parts:
        own = {b for _, b in part.pairs} if isinstance(part, Carried) else set(part.functionals)
        touching = [group for group in groups if group[1] & own]
        groups = [group for group in groups if not group[1] & own]
        joined = [one for group in touching for one in group[0]]
        groups.append(([*joined, part], own.union(*(group[1] for group in touching))))
    return groups


def _sorted(shocks: np.ndarray, own: set[int]) -> np.ndarray:
    """Places among the shocks, by date, of those that a group reads."""
    return np.flatnonzero(np.isin(shocks, list(own)))
