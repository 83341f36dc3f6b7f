"""Rotations and claims in; which columns satisfy the claims of which channel out.

A column serves a channel as it is, with its sign turned, or not: two bits for each of n columns,
kept as two masks a channel.  Claims on ranks compare a column with all others of its rotation and
do not depend on what those are called, so they too are claims on one column.

All speak of functionals :math:`x_{ic} = f_i' q_c` of columns
(``attribution.core.rotations.functionals``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit

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


REORDER = {"reassoc", "contract", "nsz"}
"""Sums may be taken in any order; what is not finite stays so."""
MOST_COLUMNS = 62
"""Bits of a mask that are used."""


def narrowed(
    functionals: np.ndarray, of: np.ndarray, q: np.ndarray, rows: Rows, masks: np.ndarray
) -> np.ndarray:
    """Take from masks the columns that fail a claim.

    Parameters
    ----------
    functionals : (draw, functional, n).
    of : (candidate,) int; the draw behind each rotation.
    q : (candidate, n, n).
    masks : (channel, 2) or (candidate, channel, 2) int; columns allowed as they are, and turned.

    Returns
    -------
    (candidate, channel, 2) int; all zero as soon as some channel has no column left.
    """
    given = np.broadcast_to(masks, (len(q), *masks.shape[-2:]))
    out = np.array(given, dtype=np.int64, order="C")
    _narrow(functionals, of, q, rows, out)
    return out


def tries_until(
    named: np.ndarray,
    rows: Rows,
    shock_at: np.ndarray,
    scale: np.ndarray,
    *,
    hits: int,
    most: int,
    rng: np.random.Generator,
) -> np.ndarray:
    r"""Simulate shocks on the dates of dated claims until they have held ``hits`` times.

    The number of tries over ``hits`` is an unbiased estimate of one over the probability that all
    of them hold, which is the importance weight: no bias from a finite simulation enters.

    Parameters
    ----------
    named : (draw, functional, column); functionals of every column, channel k in column k.
    rows : the dated claims.
    shock_at : (date,) int; functionals that are shocks, replaced by simulated ones.
    scale : (draw, date); standard deviation of the shocks on each date.
    most : tries after which a draw is given up.

    Returns
    -------
    (draw,) int; tries, or zero where given up.
    """
    tries = np.zeros(len(named), dtype=np.int64)
    _simulate(named, rows, shock_at, scale, hits, most, rng, tries)
    return tries


@njit(cache=True, nogil=True, fastmath=REORDER)
def _narrow(functionals, of, q, rows, masks):  # type: ignore[no-untyped-def]
    n, count = q.shape[-1], functionals.shape[1]
    x, size = np.empty((count, n)), np.empty(n)
    for d in range(len(q)):
        f, turn = functionals[of[d]], q[d]
        for i in range(count):
            for c in range(n):
                x[i, c] = 0.0
            for m in range(n):
                a = f[i, m]
                for c in range(n):
                    x[i, c] += a * turn[m, c]
        if not (
            _lines(x, rows, masks[d])
            and _shares(x, rows, size, masks[d])
            and _carried(x, rows, size, masks[d])
        ):
            masks[d] = 0


@njit(cache=True, nogil=True)
def _left(masks, k, straight, turned):  # type: ignore[no-untyped-def]
    """Keep a channel's columns that fit, as they are and turned; whether one is left."""
    masks[k, 0] &= straight
    masks[k, 1] &= turned
    return masks[k, 0] | masks[k, 1] != 0


@njit(cache=True, nogil=True)
def _lines(x, rows, masks):  # type: ignore[no-untyped-def]
    """Apply half-spaces; whether every channel still has a column."""
    n = x.shape[1]
    for r in range(len(rows.line_at)):
        i, j = rows.line_at[r]
        gain, base = rows.line_gain[r]
        offset = rows.line_offset[r]
        straight, turned = 0, 0
        for c in range(n):
            value = gain * x[i, c] + base * x[j, c]
            straight |= int(value >= offset) << c
            turned |= int(-value >= offset) << c
        if not _left(masks, rows.line_channel[r], straight, turned):
            return False
    return True


@njit(cache=True, nogil=True)
def _shares(x, rows, size, masks):  # type: ignore[no-untyped-def]
    """Apply bounds on shares of variance; whether every channel still has a column."""
    n, start = x.shape[1], 0
    for r in range(len(rows.share_ends)):
        whole = 0.0
        for c in range(n):
            size[c] = 0.0
            for p in range(start, rows.share_ends[r]):
                size[c] += x[rows.share_at[p], c] ** 2
            whole += size[c]
        start = rows.share_ends[r]
        low, high = rows.share_bounds[r]
        fit = 0
        for c in range(n):
            fit |= int(low * whole <= size[c] <= high * whole) << c
        if not _left(masks, rows.share_channel[r], fit, fit):
            return False
    return True


@njit(cache=True, nogil=True)
def _carried(x, rows, size, masks):  # type: ignore[no-untyped-def]
    """Apply claims on contributions; whether every channel still has a column."""
    n, start = x.shape[1], 0
    for r in range(len(rows.carried_ends)):
        _contributions(x, rows, start, rows.carried_ends[r], size)
        start = rows.carried_ends[r]
        fit = 0
        for c in range(n):
            fit |= int(_ranks(size, c, rows.carried_kind[r], rows.carried_bounds[r])) << c
        if not _left(masks, rows.carried_channel[r], fit, fit):
            return False
    return True


@njit(cache=True, nogil=True)
def _contributions(x, rows, start, stop, size):  # type: ignore[no-untyped-def]
    for c in range(x.shape[1]):
        size[c] = 0.0
        for p in range(start, stop):
            size[c] += x[rows.carried_pairs[p, 0], c] * x[rows.carried_pairs[p, 1], c]


@njit(cache=True, nogil=True)
def _ranks(size, c, kind, bounds):  # type: ignore[no-untyped-def]
    """Whether the contribution of column c is what the claim says, among those of all columns."""
    if kind == BETWEEN:
        return bounds[0] <= size[c] <= bounds[1]
    own, most, least, rest = abs(size[c]), 0.0, np.inf, 0.0
    for other in range(len(size)):
        if other != c:
            most = max(most, abs(size[other]))
            least = min(least, abs(size[other]))
            rest += abs(size[other])
    if kind == LARGEST:
        return own >= most
    if kind == SMALLEST:
        return own <= least
    return own >= rest if kind == OVERWHELMING else own <= rest


@njit(cache=True, nogil=True)
def _simulate(named, rows, shock_at, scale, hits, most, rng, tries):  # type: ignore[no-untyped-def]
    n = named.shape[-1]
    x, size = np.empty(named.shape[1:]), np.empty(n)
    for d in range(len(named)):
        x[:] = named[d]
        held = 0
        for number in range(1, most + 1):
            for t in range(len(shock_at)):
                for c in range(n):
                    x[shock_at[t], c] = scale[d, t] * rng.standard_normal()
            if _all_hold(x, rows, size):
                held += 1
                if held == hits:
                    tries[d] = number
                    break


@njit(cache=True, nogil=True)
def _all_hold(x, rows, size):  # type: ignore[no-untyped-def]
    """Whether the dated claims hold where channel k is column k."""
    for r in range(len(rows.line_at)):
        k = rows.line_channel[r]
        value = rows.line_gain[r, 0] * x[rows.line_at[r, 0], k]
        if value + rows.line_gain[r, 1] * x[rows.line_at[r, 1], k] < rows.line_offset[r]:
            return False
    start = 0
    for r in range(len(rows.carried_ends)):
        _contributions(x, rows, start, rows.carried_ends[r], size)
        start = rows.carried_ends[r]
        k = rows.carried_channel[r]
        if not _ranks(size, k, rows.carried_kind[r], rows.carried_bounds[r]):
            return False
    return True
