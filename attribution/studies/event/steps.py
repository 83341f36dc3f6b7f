r"""A day in steps: shocks arrive one after the other, and flows answer the path so far.

.. math::
    R_h = \sum_{s \le h} \varepsilon_s + I\Bigl(\sum_{s \le h} q_s + E(R_h)
        + E^{-}\bigl(\min_{s \le h} R_s\bigr) + E^{+}\bigl(\max_{s \le h} R_s\bigr)\Bigr)

with R the move since the eve's close, E what answers where the price is (hedges of options), E⁻
what answers how low it has been and E⁺ how high (liquidations: what is closed stays closed when the
price comes back).  Impact acts on the day's flow so far, so that cutting a step in two adds none,
and one step is the fixed point of :mod:`~attribution.mechanics.feedback`.  At every step the
price
starts where it was and moves towards the right-hand side until it is there; where it arrives
nowhere in the bracket the draw is unstable from that step on.  What enters: draws; what leaves: log
units.

References: frey1997; schonbucher2000 (feedback); pearl2009 (abduction, action, prediction).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numba import njit

from attribution.errors import DataError
from attribution.mechanics.feedback import Flows
from attribution.mechanics.impact import Response
from attribution.mechanics.inputs import Array, arrays

# The loops of a day in steps, compiled; :mod:`~attribution.studies.event.steps` says what they do.

MOST = 80
"""Steps of Newton's method or halvings of a bracket; a handful are enough."""
ROUNDING = 2e-16
STEEPEST = 1e12
"""Slopes beyond which a bracket is halved instead."""


@njit(cache=True, nogil=True)
def follow(eps, q, c, p, width, move, now, low, high, pieces, out):  # type: ignore[no-untyped-def]
    """Walk every draw through its steps; what is left of ``out`` after a runaway stays NaN.

    A place on the nodes is a whole number: ``place // pieces`` the node below, the rest the part of
    the gap above it, so that a step starts where the last one ended and no node is searched for.
    """
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


@dataclass(frozen=True)
class PathFlows:
    """What endogenous traders have bought by a step, as tables that are linear between nodes.

    Attributes
    ----------
    move : nodes, log units, increasing, zero among them, (node,); its ends are the bracket.
    now : USD million by the move so far, (draw, node) or (node,); zero at zero.
    lowest : by the lowest move so far, at most zero; same unit and shapes.
    highest : by the highest move so far, at least zero; same.
    """

    move: np.ndarray
    now: np.ndarray
    lowest: np.ndarray
    highest: np.ndarray

    def __post_init__(self) -> None:
        for table in (self.now, self.lowest, self.highest):
            Flows(self.move, table)  # refuses what is no table of flows

    def traded(self, path: Array) -> np.ndarray:
        """Return the USD million bought by each step of a path (step,) or (draw, step)."""
        where = np.atleast_1d(np.asarray(path, dtype=float))
        low, high = extremes(where)
        parts = ((self.now, where), (self.lowest, low), (self.highest, high))
        return np.asarray(sum(between(self.move, table, at) for table, at in parts))


@dataclass(frozen=True)
class Stepped:
    """Where the price is after every step; arrays are (draw, step).

    Attributes
    ----------
    move : log units since the eve's close; NaN from the step on at which it runs away.
    alone : the same without any feedback.
    """

    move: np.ndarray
    alone: np.ndarray

    @property
    def unstable(self) -> np.ndarray:
        """Whether the price arrives nowhere within the bracket at some step, (draw,)."""
        return np.asarray(np.isnan(self.move[:, -1]))


def stepped(
    shock: Array, push: Array, response: Response, flows: PathFlows, *, pieces: int = 4
) -> Stepped:
    """Step through the day at every draw.

    Parameters
    ----------
    shock : log units that come from no flow, **so far**: their sum up to each step, (draw, step).
    push : flow from outside so far, USD million, (draw, step).
    response : law of impact, its fields () or (draw,).
    flows : what the path makes others trade.
    pieces : parts into which the gap between two nodes is cut when a step's end is looked for; two
        fixed points in one part are not seen.

    Raises
    ------
    DataError
        Numbers that are not finite, or shapes that do not fit.

    References
    ----------
    frey1997; schonbucher2000
    """
    eps, q, law = _laid(shock, push, response, flows)
    out = np.full(eps.shape, np.nan)
    tables = _tables(flows, len(eps))
    follow(eps, q, *law, np.array(flows.move, dtype=float), *tables, pieces, out)
    return Stepped(out, eps + _moved(response, q))


def implied_shock(path: Array, push: Array, response: Response, flows: PathFlows) -> np.ndarray:
    r"""Read off the shocks so far under which the day takes a given path; nothing is solved.

    .. math:: \sum_{s \le h} \varepsilon_s = R_h - I\Bigl(\sum_{s \le h} q_s + E_h\Bigr)

    Parameters
    ----------
    path : log units since the eve's close, (step,).
    push : as in :func:`stepped`, (draw, step).

    Returns
    -------
    (draw, step), log units.
    """
    traded = np.asarray(push, dtype=float) + flows.traded(path)
    return np.asarray(path - _moved(response, traded))


def fixed_points(
    path: Array, shock: Array, push: Array, response: Response, flows: PathFlows, *, pieces: int = 4
) -> np.ndarray:
    """Count the fixed points that each step of a path has in the bracket, (draw, step).

    Parameters
    ----------
    path : log units, (step,); it gives the extremes before each step.
    shock, push : so far, as in :func:`stepped`.
    """
    eps, q, law = _laid(shock, push, response, flows)
    ends = extremes(np.r_[0.0, path][:-1])  # before the step
    nodes = np.array(flows.move, dtype=float)
    out = np.zeros(eps.shape, dtype=np.int64)
    count_roots(eps, q, *law, nodes, *_tables(flows, len(eps)), pieces, *ends, out)
    return out


def gain_along(path: Array, push: Array, response: Response, flows: PathFlows) -> np.ndarray:
    """Share of a further fall that comes back at each step of a path, (draw, step).

    What answers an extreme takes part only where the price is at it.  At a node the slope is that
    of the piece below, as in :func:`~attribution.mechanics.feedback.fixed_point`.
    """
    where = np.asarray(path, dtype=float)
    low, high = extremes(where)
    k = np.clip(np.searchsorted(flows.move, where) - 1, 0, len(flows.move) - 2)
    slope: np.ndarray = np.zeros(())
    here = np.ones(len(where), dtype=bool)
    parts = ((flows.now, here), (flows.lowest, where <= low), (flows.highest, where >= high))
    for table, on in parts:
        rise = (table[..., k + 1] - table[..., k]) / (flows.move[k + 1] - flows.move[k])
        slope = slope + on * rise
    traded = np.asarray(push, dtype=float) + flows.traded(where)
    steep = _upright(response).slope(traded)
    return np.where(slope == 0.0, 0.0, steep * np.where(slope == 0.0, 1.0, slope))


def extremes(path: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the lowest and the highest move so far, the eve's close among them."""
    return (
        np.minimum(np.minimum.accumulate(path, axis=-1), 0.0),
        np.maximum(np.maximum.accumulate(path, axis=-1), 0.0),
    )


def between(nodes: np.ndarray, table: np.ndarray, moves: np.ndarray) -> np.ndarray:
    """Read a table (..., node) at moves (step,) or (draw, step); exact at nodes."""
    k = np.clip(np.searchsorted(nodes, moves) - 1, 0, len(nodes) - 2)
    if moves.ndim == 1:
        left, right = table[..., k], table[..., k + 1]
    else:
        whole = np.broadcast_to(table, (len(moves), len(nodes)))
        left, right = (np.take_along_axis(whole, at, axis=1) for at in (k, k + 1))
    found = left + (right - left) / (nodes[k + 1] - nodes[k]) * (moves - nodes[k])
    return np.where(moves == nodes[k + 1], right, found)


def _upright(response: Response) -> Response:
    """Give a law of impact a last axis for steps."""
    parts = (response.coefficient, response.exponent, response.crossover)
    return Response(*(np.asarray(part, dtype=float)[..., None] for part in parts))


def _moved(response: Response, flow: np.ndarray) -> np.ndarray:
    """Impact of flows (draw, step)."""
    return _upright(response).move(flow)


def _laid(
    shock: Array, push: Array, response: Response, flows: PathFlows
) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Lay shocks and pushes on (draw, step), and the law on (draw,); copies, of one kind."""
    eps, q, c, p, width = arrays(
        "steps", ("exponent",), shock=np.atleast_2d(shock), push=np.atleast_2d(push),
        **{name: np.asarray(getattr(response, name))[..., None]
           for name in ("coefficient", "exponent", "crossover")},
    )  # fmt: skip
    lead = {np.shape(t)[0] for t in (flows.now, flows.lowest, flows.highest) if np.ndim(t) == 2}
    try:
        shape = np.broadcast_shapes(eps.shape, q.shape, c.shape, *((n, 1) for n in lead))
    except ValueError:
        raise DataError("steps: shocks, pushes and flows differ in draws; align them") from None
    if len(shape) != 2:
        raise DataError("steps: give shocks and pushes as (draw, step)")
    law = [np.array(np.broadcast_to(x, (shape[0], 1))[:, 0]) for x in (c, p, width)]
    laid = [np.array(np.broadcast_to(x, shape), order="C") for x in (eps, q)]
    return laid[0], laid[1], law


def _tables(flows: PathFlows, draws: int) -> list[np.ndarray]:
    tables = (flows.now, flows.lowest, flows.highest)
    shape = (draws, len(flows.move))
    return [np.array(np.broadcast_to(np.asarray(t, dtype=float), shape), order="C") for t in tables]
