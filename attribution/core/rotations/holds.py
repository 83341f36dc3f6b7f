"""Rotations and claims in; which columns satisfy the claims of which channel out.

A column serves a channel as it is, with its sign turned, or not: two bits for each of n columns,
kept as two masks a channel.  Claims on ranks compare a column with all others of its rotation and
do not depend on what those are called, so they too are claims on one column.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from attribution.core.rotations.claim_rows import BETWEEN, LARGEST, OVERWHELMING, SMALLEST, Rows

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
        k = rows.line_channel[r]
        masks[k, 0] &= straight
        masks[k, 1] &= turned
        if masks[k, 0] | masks[k, 1] == 0:
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
        k = rows.share_channel[r]
        masks[k, 0] &= fit
        masks[k, 1] &= fit
        if masks[k, 0] | masks[k, 1] == 0:
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
        k = rows.carried_channel[r]
        masks[k, 0] &= fit
        masks[k, 1] &= fit
        if masks[k, 0] | masks[k, 1] == 0:
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
