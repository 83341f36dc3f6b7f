"""Claims about single columns of a rotation as numbers that compiled code reads.

All speak of functionals :math:`x_{ic} = f_i' q_c` of columns
(``attribution.core.rotations.functionals``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

LARGEST, SMALLEST, OVERWHELMING, NEGLIGIBLE, BETWEEN = range(5)


@dataclass(frozen=True)
class Line:
    r"""A half-space: :math:`g\,x_{ic} + b\,x_{jc} \ge o` for the channel's column c."""

    channel: int
    at: int
    gain: float
    base: int
    base_gain: float
    offset: float

    @property
    def functionals(self) -> tuple[int, ...]:
        """Functionals that the claim reads."""
        return (self.at, self.base) if self.base_gain else (self.at,)


@dataclass(frozen=True)
class Share:
    r"""Bounds on :math:`\sum_i x_{ic}^2` relative to its sum over all columns."""

    channel: int
    at: tuple[int, ...]
    low: float
    high: float

    @property
    def functionals(self) -> tuple[int, ...]:
        """Functionals that the claim reads."""
        return self.at


@dataclass(frozen=True)
class Carried:
    r"""A claim on :math:`C_c = \sum_s x_{a_s c}\, x_{b_s c}`, of one column or among all.

    ``pairs`` are a functional that carries a shock to the end of a window and the shock itself;
    ``kind`` is ``LARGEST`` and so on, by absolute value, or ``BETWEEN`` the two bounds.
    """

    channel: int
    pairs: tuple[tuple[int, int], ...]
    kind: int
    low: float
    high: float

    @property
    def functionals(self) -> tuple[int, ...]:
        """Functionals that the claim reads."""
        return tuple(i for pair in self.pairs for i in pair)

    @property
    def joint(self) -> bool:
        """Whether the signs of shocks bear on it: it spans dates, or bounds a signed number."""
        return len(self.pairs) > 1 or self.kind == BETWEEN


Single = Line | Share | Carried


@dataclass(frozen=True)
class Order:
    r"""A claim across channels: :math:`x_{ic} \ge f\, x_{jd}`, in absolute value if so said."""

    larger: tuple[int, int]
    smaller: tuple[int, int]
    factor: float
    absolute: bool


class Rows(NamedTuple):
    """Claims on single columns, stacked; ``*_ends`` say where the parts of each claim end."""

    line_at: np.ndarray
    line_gain: np.ndarray
    line_offset: np.ndarray
    line_channel: np.ndarray
    share_at: np.ndarray
    share_ends: np.ndarray
    share_channel: np.ndarray
    share_bounds: np.ndarray
    carried_pairs: np.ndarray
    carried_ends: np.ndarray
    carried_channel: np.ndarray
    carried_kind: np.ndarray
    carried_bounds: np.ndarray


def stack(claims: Iterable[Single]) -> Rows:
    """Lay claims out for compiled code; lines first, in the order given."""
    given = tuple(claims)
    lines = [c for c in given if isinstance(c, Line)]
    shares = [c for c in given if isinstance(c, Share)]
    carried = [c for c in given if isinstance(c, Carried)]
    return Rows(
        line_at=_integers([(c.at, c.base) for c in lines], 2),
        line_gain=_numbers([(c.gain, c.base_gain) for c in lines]),
        line_offset=np.array([c.offset for c in lines], float),
        line_channel=_integers([c.channel for c in lines]),
        share_at=_integers([i for c in shares for i in c.at]),
        share_ends=_integers(np.cumsum([len(c.at) for c in shares])),
        share_channel=_integers([c.channel for c in shares]),
        share_bounds=_numbers([(c.low, c.high) for c in shares]),
        carried_pairs=_integers([pair for c in carried for pair in c.pairs], 2),
        carried_ends=_integers(np.cumsum([len(c.pairs) for c in carried])),
        carried_channel=_integers([c.channel for c in carried]),
        carried_kind=_integers([c.kind for c in carried]),
        carried_bounds=_numbers([(c.low, c.high) for c in carried]),
    )


def ordered(orders: Sequence[Order], named: np.ndarray) -> np.ndarray:
    """Whether every ranking holds (draw,), given functionals (draw, f, column) of named columns."""
    holds = np.ones(len(named), dtype=bool)
    for order in orders:
        larger, smaller = named[:, *order.larger], named[:, *order.smaller]
        if order.absolute:
            larger, smaller = np.abs(larger), np.abs(smaller)
        holds &= larger >= order.factor * smaller
    return holds


def _integers(values: Sequence[object] | np.ndarray, width: int = 0) -> np.ndarray:
    array = np.array(values, dtype=np.int64)
    return array.reshape(-1, width) if width else array.reshape(-1)


def _numbers(values: Sequence[tuple[float, float]]) -> np.ndarray:
    return np.array(values, dtype=float).reshape(-1, 2)
