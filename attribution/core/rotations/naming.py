"""Columns that carry no names in; signed assignments of columns to names out.

Two ways: by claims, where every naming that satisfies them is as good as any other (count them,
take one uniformly), and by likeness to a reference, where the best naming is taken and its lead
over the second best is told.
"""

from __future__ import annotations

import numpy as np
from numba import njit

AS_IT_IS, TURNED = 1, 2
"""Bits of a mask: the column satisfies the claims with its own sign; with the other one."""


def name_uniformly(
    fits: np.ndarray, pairs: np.ndarray, together: np.ndarray, uniform: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Count the valid namings of every draw and pick one of them uniformly.

    Parameters
    ----------
    fits : (draw, channel, column) int; bits ``AS_IT_IS`` and ``TURNED``.
    pairs : (pair, 2) int; channels that a claim compares, none twice.
    together : (draw, pair, column, column) int; bit 2 t + s says whether the claim holds with the
        first channel's column turned (s = 1) or not and the second's turned (t = 1) or not.
    uniform : (draw,); numbers in [0, 1) that decide.

    Returns
    -------
    Number of valid namings (draw,), and columns (draw, channel), one-based, negative where
    turned, zero where there is no valid naming.

    References
    ----------
    chan2026
    """
    draws, channels, _ = fits.shape
    weight = np.zeros(draws, np.int64)
    chosen = np.zeros((draws, channels), np.int64)
    _name(
        fits.astype(np.int64),
        pairs.astype(np.int64).reshape(-1, 2),
        together.astype(np.int64),
        uniform,
        weight,
        chosen,
    )
    return weight, chosen


def match(gains: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r"""Name columns by likeness to a reference.

    The signed permutation P that minimises :math:`\lVert G P - I \rVert`, for
    :math:`G = H_{ref}^{-1} H`, maximises :math:`\sum_i |G_{i,\pi(i)}|`.

    Parameters
    ----------
    gains : (draw, name, column), G.

    Returns
    -------
    Columns (draw, name), one-based, negative where turned; and the lead (draw,) of that sum over
    the second best signed permutation's: 2 where G is itself one.

    References
    ----------
    kuhn1955
    """
    draws, n = gains.shape[:2]
    chosen, lead = np.zeros((draws, n), np.int64), np.empty(draws)
    _match(np.ascontiguousarray(gains), chosen, lead)
    return chosen, lead


def reordered(impact: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Reorder and turn the columns of (draw, variable, column) as (draw, column) says."""
    taken = np.take_along_axis(impact, np.abs(order)[:, None] - 1, axis=2)
    turned: np.ndarray = taken * np.sign(order)[:, None]
    return turned


def anchored(impact: np.ndarray) -> np.ndarray:
    """Order the columns of (variable, column) by the variable they explain, one each, and move up.

    Column i is the one that takes variable i's impact variance in the assignment of columns to
    variables that explains most, each variable in units of its own standard deviation.
    """
    size = impact / np.sqrt((impact**2).sum(1, keepdims=True))
    order, _ = match((size * np.abs(size))[None])
    named: np.ndarray = reordered(impact[None], order)[0]
    return named


@njit(cache=True, nogil=True)
def _name(fits, pairs, together, uniform, weight, chosen):  # type: ignore[no-untyped-def]
    for d in range(fits.shape[0]):
        weight[d] = _walk(fits[d], pairs, together[d], -1, chosen[d])
        if weight[d] > 0:
            _walk(fits[d], pairs, together[d], int(uniform[d] * weight[d]), chosen[d])


@njit(cache=True, nogil=True)
def _walk(fits, pairs, together, stop, out):  # type: ignore[no-untyped-def]
    """Count signed assignments of distinct columns; write the one with number ``stop``."""
    channels, n = fits.shape
    at = np.full(channels, -1)  # twice the column, plus one where turned
    used = np.zeros(n, dtype=np.bool_)
    found, k = 0, 0
    while k >= 0:
        if at[k] >= 0:
            used[at[k] // 2] = False
        c = at[k] + 1
        while c < 2 * n:
            if not used[c // 2] and fits[k, c // 2] >> (c % 2) & 1:
                at[k] = c
                if _agrees(at, k, pairs, together):
                    break
            c += 1
        if c == 2 * n:
            at[k] = -1
            k -= 1
            continue
        at[k] = c
        used[c // 2] = True
        if k + 1 < channels:
            k += 1
        else:
            if found == stop:
                for m in range(channels):
                    out[m] = (at[m] // 2 + 1) * (1 - 2 * (at[m] % 2))
                return found
            found += 1
    return found


@njit(cache=True, nogil=True)
def _agrees(at, k, pairs, together):  # type: ignore[no-untyped-def]
    """Whether the claims on pairs whose later channel is k hold for the assignment so far."""
    for p in range(pairs.shape[0]):
        first, second = pairs[p, 0], pairs[p, 1]
        if max(first, second) == k:
            a, b = at[first], at[second]
            if not together[p, a // 2, b // 2] >> (2 * (b % 2) + a % 2) & 1:
                return False
    return True


@njit(cache=True, nogil=True)
def _match(gains, chosen, lead):  # type: ignore[no-untyped-def]
    draws, n = gains.shape[:2]
    cost, at, other = np.empty((n, n)), np.empty(n, np.int64), np.empty(n, np.int64)
    for d in range(draws):
        cost[:] = -np.abs(gains[d])
        best = _assign(cost, at)
        lead[d] = np.inf
        for i in range(n):
            own = cost[i, at[i]]
            lead[d] = min(lead[d], -2.0 * own)  # the same naming, this column turned
            if n > 1:
                cost[i, at[i]] = 1e9
                lead[d] = min(lead[d], _assign(cost, other) - best)
                cost[i, at[i]] = own
            chosen[d, i] = at[i] + 1 if gains[d, i, at[i]] >= 0 else -at[i] - 1


@njit(cache=True, nogil=True)
def _assign(cost, at):  # type: ignore[no-untyped-def]
    """Find the assignment of columns to rows of least cost, by shortest augmenting paths."""
    n = cost.shape[0]
    row_price, column_price = np.zeros(n + 1), np.zeros(n + 1)
    owner = np.full(n + 1, -1)  # of each column; the last column is where a path starts
    for i in range(n):
        owner[n] = i
        column = n
        slack, seen, back = np.full(n, np.inf), np.zeros(n + 1, np.bool_), np.full(n, n)
        while owner[column] >= 0:
            seen[column] = True
            row, step, following = owner[column], np.inf, -1
            for j in range(n):
                if not seen[j]:
                    reduced = cost[row, j] - row_price[row] - column_price[j]
                    if reduced < slack[j]:
                        slack[j], back[j] = reduced, column
                    if slack[j] < step:
                        step, following = slack[j], j
            for j in range(n + 1):
                if seen[j]:
                    row_price[owner[j]] += step
                    column_price[j] -= step
                elif j < n:
                    slack[j] -= step
            column = following
        while column != n:
            owner[column] = owner[back[column]]
            column = back[column]
    total = 0.0
    for j in range(n):
        at[owner[j]] = j
        total += cost[owner[j], j]
    return total
