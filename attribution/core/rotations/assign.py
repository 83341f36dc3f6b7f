"""Which columns serve which channel in; the number of valid namings, and one of them, out.

Haar measure is invariant under signed permutations of columns, so one rotation serves as many
candidates as there are ways to name its columns: take one valid naming uniformly, with the number
of valid namings as its weight, and the posterior is that of plain rejection (Chan, Matthes and Yu
2026, Proposition 1).  Where there are too many to list, channels choose in turn, fewest columns
first, and the weight is the product of their choices: its expectation is the same sum over namings.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

LISTED = 4096
"""Largest product of the channels' choices up to which namings are counted one by one."""


def named(masks: np.ndarray, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Name the columns of every rotation.

    Parameters
    ----------
    masks : (candidate, channel, 2) int; columns that serve as they are, and turned.
    n : columns.

    Returns
    -------
    Weight (candidate,), zero where no naming is valid, and order (candidate, n): columns one-based
    and negative where turned, channels first, then the columns without a name as they come.

    References
    ----------
    chan2026
    """
    weight, order = np.zeros(len(masks)), np.zeros((len(masks), n), dtype=np.int64)
    _name(masks, rng.random((len(masks), masks.shape[1])), weight, order)
    return weight, order


def namings(channels: int, n: int, fixed: int = 0) -> int:
    """Signed ways to name n columns when those of the first ``fixed`` channels are given."""
    named: int = 2**channels * math.perm(n - fixed, channels - fixed)
    return named


def taken(q: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Rotations (candidate, n, n) with their columns as the order (candidate, n) says."""
    columns = np.take_along_axis(q, np.abs(order)[:, None, :] - 1, axis=2)
    signed: np.ndarray = columns * np.sign(order)[:, None, :]
    return signed


@njit(cache=True, nogil=True)
def _bits(x):  # type: ignore[no-untyped-def]
    """Count the bits that are set."""
    count = 0
    while x:
        x &= x - 1
        count += 1
    return count


@njit(cache=True, nogil=True)
def _place(bit):  # type: ignore[no-untyped-def]
    place = 0
    while bit > 1:
        bit >>= 1
        place += 1
    return place


@njit(cache=True, nogil=True)
def _sorted(masks, turn):  # type: ignore[no-untyped-def]
    """Put channels with the fewest columns first; return the product of their choices."""
    choices = 1.0
    for k in range(len(masks)):
        choices *= _bits(masks[k, 0]) + _bits(masks[k, 1])
        turn[k] = k
        own = _bits(masks[k, 0] | masks[k, 1])
        m = k
        while m > 0 and _bits(masks[turn[m - 1], 0] | masks[turn[m - 1], 1]) > own:
            turn[m] = turn[m - 1]
            m -= 1
        turn[m] = k
    return choices


@njit(cache=True, nogil=True)
def _name(masks, uniform, weight, order):  # type: ignore[no-untyped-def]
    channels, n = masks.shape[1], order.shape[1]
    turn = np.empty(channels, np.int64)
    left, used = np.empty(channels + 1, np.int64), np.empty(channels + 1, np.int64)
    ways, chosen = np.empty(channels + 1, np.int64), np.empty(channels, np.int64)
    for d in range(len(masks)):
        choices = _sorted(masks[d], turn)
        if choices == 0.0:
            continue
        if choices <= LISTED:
            count = _walk(masks[d], turn, -1, left, used, ways, chosen)
            weight[d] = count
            if count > 0:
                stop = int(uniform[d, 0] * count)
                _walk(masks[d], turn, stop, left, used, ways, chosen)
        else:
            weight[d] = _in_turn(masks[d], turn, uniform[d], chosen)
        if weight[d] > 0.0:
            taken, at = 0, channels
            for k in range(channels):
                order[d, k] = chosen[k]
                taken |= 1 << (abs(chosen[k]) - 1)
            for c in range(n):
                if not taken >> c & 1:
                    order[d, at] = c + 1
                    at += 1


@njit(cache=True, nogil=True)
def _walk(masks, turn, stop, left, used, ways, chosen):  # type: ignore[no-untyped-def]
    """Count namings; with ``stop`` not negative write the one of that number instead."""
    last, found, level = len(turn) - 1, 0, 0
    used[0], ways[0] = 0, 1
    left[0] = masks[turn[0], 0] | masks[turn[0], 1]
    while level >= 0:
        straight, turned = masks[turn[level], 0], masks[turn[level], 1]
        if level == last:
            free = ~used[level]
            here = (_bits(straight & free) + _bits(turned & free)) * ways[level]
            if stop >= 0 and found + here > stop:
                _write(masks, turn, stop - found, used, ways, chosen)
                return found
            found += here
            level -= 1
            continue
        if left[level] == 0:
            level -= 1
            continue
        bit = left[level] & -left[level]
        left[level] ^= bit
        used[level + 1] = used[level] | bit
        ways[level + 1] = ways[level] * (int(straight & bit != 0) + int(turned & bit != 0))
        level += 1
        left[level] = (masks[turn[level], 0] | masks[turn[level], 1]) & ~used[level]
    return found


@njit(cache=True, nogil=True)
def _write(masks, turn, number, used, ways, chosen):  # type: ignore[no-untyped-def]
    """Write the naming of this number among those that share all columns but the last."""
    last = len(turn) - 1
    choice, number = number // ways[last], number % ways[last]
    free = ~used[last]
    straight, turned = masks[turn[last], 0] & free, masks[turn[last], 1] & free
    own, sign = (straight, 1) if choice < _bits(straight) else (turned, -1)
    for _ in range(choice if sign > 0 else choice - _bits(straight)):
        own &= own - 1
    chosen[turn[last]] = sign * (_place(own & -own) + 1)
    for level in range(last):
        bit = used[level + 1] ^ used[level]
        k = turn[level]
        both = masks[k, 0] & bit != 0 and masks[k, 1] & bit != 0
        minus = masks[k, 0] & bit == 0
        if both:
            minus = number % 2 == 1
            number //= 2
        chosen[k] = -(_place(bit) + 1) if minus else _place(bit) + 1


@njit(cache=True, nogil=True)
def _in_turn(masks, turn, uniform, chosen):  # type: ignore[no-untyped-def]
    """Let channels choose one after the other; return the product of their numbers of choices."""
    product, used = 1.0, 0
    for level in range(len(turn)):
        k = turn[level]
        straight, turned = masks[k, 0] & ~used, masks[k, 1] & ~used
        ahead, count = _bits(straight), _bits(straight) + _bits(turned)
        if count == 0:
            return 0.0
        product *= count
        choice = int(uniform[level] * count)
        own, sign = (straight, 1) if choice < ahead else (turned, -1)
        for _ in range(choice if sign > 0 else choice - ahead):
            own &= own - 1
        bit = own & -own
        used |= bit
        chosen[k] = sign * (_place(bit) + 1)
    return product
