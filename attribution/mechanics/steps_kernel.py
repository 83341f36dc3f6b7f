"""The loops of a day in steps, compiled; :mod:`~attribution.mechanics.steps` says what they do.

A place on the nodes is a whole number: ``place // pieces`` the node below, the rest the part of the
gap above it, so that a step starts where the last one ended and no node is searched for.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

MOST = 80
"""Steps of Newton's method or halvings of a bracket; a handful are enough."""
ROUNDING = 2e-16
STEEPEST = 1e12
"""Slopes beyond which a bracket is halved instead."""


@njit(cache=True, nogil=True)
def follow(eps, q, c, p, width, move, now, low, high, pieces, out):  # type: ignore[no-untyped-def]
    """Walk every draw through its steps; what is left of ``out`` after a runaway stays NaN."""
    zero = np.searchsorted(move, 0.0)
    for d in range(eps.shape[0]):
        law = (c[d], p[d], width[d])
        tables = (now[d], low[d], high[d])
        x, place = 0.0, zero * pieces
        down, sold, up, bought = 0.0, 0.0, 0.0, 0.0  # extremes so far, and what answers them
        for h in range(eps.shape[1]):
            ends = (down, sold, up, bought)
            x, place = _step(x, place, eps[d, h], q[d, h], law, move, tables, ends, pieces)
            if np.isnan(x):
                break
            out[d, h] = x
            if x < down:
                down, sold = x, _read(x, place // pieces, move, low[d])
            if x > up:
                up, bought = x, _read(x, place // pieces, move, high[d])


@njit(cache=True, nogil=True)
def _step(x, place, eps, q, law, move, tables, ends, pieces):  # type: ignore[no-untyped-def]
    """Move from x towards the right-hand side until the price is there, or off the nodes."""
    now, low, high = tables
    down, sold, up, bought = ends
    last = (len(move) - 1) * pieces
    k = min(place // pieces, len(move) - 2)
    a = x
    ga = _impact(q + _read(a, k, move, now) + sold + bought, law)[0] + eps - a
    if ga == 0.0:
        return a, place
    rising = ga > 0.0
    while True:
        if rising:
            if place >= last:
                return np.nan, place
            b = _point(place + 1, move, pieces)
            if b <= a:
                place += 1
                continue
            b = min(b, up) if a < up else b
        else:
            b = _point(place, move, pieces)
            if b >= a:
                if place == 0:
                    return np.nan, place
                place -= 1
                continue
            b = max(b, down) if a > down else b
        k = place // pieces
        gap = move[k + 1] - move[k]
        slope = (now[k + 1] - now[k]) / gap
        e = now[k] + slope * (b - move[k])
        if rising and a >= up:
            more = (high[k + 1] - high[k]) / gap
            slope, e = slope + more, e + sold + high[k] + more * (b - move[k])
        elif not rising and a <= down:
            more = (low[k + 1] - low[k]) / gap
            slope, e = slope + more, e + bought + low[k] + more * (b - move[k])
        else:
            e += sold + bought
        gb = _impact(q + e, law)[0] + eps - b
        if gb == 0.0:
            return b, place
        if (gb > 0.0) != rising:
            return _root(a, b, ga, gb, eps, q + e, slope, law), place
        a, ga = b, gb


@njit(cache=True, nogil=True)
def _root(a, b, ga, gb, eps, total, slope, law):  # type: ignore[no-untyped-def]
    """Root between a and b of eps + I(total + slope (r - b)) - r, to the last digit."""
    c, p, _ = law
    if slope == 0.0:
        return eps + _impact(total, law)[0]  # nobody answers: no root is looked for
    if p == 1.0:
        return (eps + c * (total - slope * b)) / (1.0 - c * slope)
    at, r = b, a + (b - a) * ga / (ga - gb)
    for _i in range(MOST):
        moved, steep = _impact(total + slope * (r - at), law)
        g = eps + moved - r
        if g == 0.0:
            break
        if (g > 0.0) == (ga > 0.0):
            a = r
        else:
            b = r
        fall = steep * slope - 1.0
        new = r - g / fall if -STEEPEST < fall < 0.0 else 0.5 * (a + b)
        if not min(a, b) <= new <= max(a, b):
            new = 0.5 * (a + b)
        done = abs(new - r) <= ROUNDING * abs(r)
        r = new
        if done:
            break
    return r


@njit(cache=True, nogil=True)
def count_roots(eps, q, c, p, width, move, now, low, high, pieces, down, up, out):  # type: ignore[no-untyped-def]
    """Count changes of sign of the right-hand side less the move, given the extremes before."""
    nodes = (len(move) - 1) * pieces + 1
    for d in range(eps.shape[0]):
        law = (c[d], p[d], width[d])
        for h in range(eps.shape[1]):
            i, j = np.searchsorted(move, down[h]), np.searchsorted(move, up[h])
            sold = _read(down[h], max(i - 1, 0), move, low[d])
            bought = _read(up[h], max(j - 1, 0), move, high[d])
            before = 0.0
            for place in range(nodes):
                r = _point(place, move, pieces)
                k = place // pieces
                e = q[d, h] + _read(r, k, move, now[d])
                e += sold if r >= down[h] else _read(r, k, move, low[d])
                e += bought if r <= up[h] else _read(r, k, move, high[d])
                g = _impact(e, law)[0] + eps[d, h] - r
                if g == 0.0 or g * before < 0.0:
                    out[d, h] += 1
                before = g


@njit(cache=True, nogil=True)
def _impact(flow, law):  # type: ignore[no-untyped-def]
    """Impact of a flow, and of one more USD million."""
    c, p, width = law
    if p == 1.0:
        return c * flow, c
    size = math.hypot(flow, width)
    if size == 0.0:
        return 0.0, np.inf
    base = c * size ** (p - 1.0)
    return base * flow, base * (1.0 + (p - 1.0) * (flow / size) ** 2)


@njit(cache=True, nogil=True)
def _point(place, move, pieces):  # type: ignore[no-untyped-def]
    k, part = place // pieces, place % pieces
    return move[k] if part == 0 else move[k] + (move[k + 1] - move[k]) * part / pieces


@njit(cache=True, nogil=True)
def _read(x, k, move, table):  # type: ignore[no-untyped-def]
    """Read a table at x, which lies at or above node k and at or below the next."""
    k = min(k, len(move) - 2)
    if x == move[k + 1]:
        return table[k + 1]
    return table[k] + (table[k + 1] - table[k]) / (move[k + 1] - move[k]) * (x - move[k])
