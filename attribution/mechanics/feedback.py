r"""The fixed point of a day on which the price moves flows and flows move the price.

.. math::
    r = \varepsilon + I\bigl(q + E(r)\bigr), \qquad
    \text{linear: } r = \frac{\varepsilon + \Lambda q}{1 - g}, \quad g = -\Lambda G

with I the law of impact, q flows from outside and E what hedgers and liquidation engines trade
once the price has moved by r. There may be several fixed points. The one reported is where the
price arrives when it starts at zero and moves towards :math:`\varepsilon + I(q + E(r))` until it is
there; that is also where continuation from no shock to the whole shock ends. Where it arrives
nowhere in the bracket the draw is unstable: counted, never patched. Under the square root the loop
gain is infinite where flows are zero, so without a push any shock, however small, leads to a fixed
point far from zero; a crossover of the law takes that away. What enters: draws; what leaves: log
points.

References: frey1997; schonbucher2000; platen1998; bucci2019 (crossover).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numba import njit

from attribution.errors import DataError
from attribution.mechanics.impact import Response
from attribution.mechanics.inputs import Array, arrays

MOST = 8
"""Fixed points kept a draw; all are counted."""
HALVINGS = 80


@dataclass(frozen=True)
class Flows:
    """What endogenous traders do, as a table between whose nodes flows are linear.

    Attributes
    ----------
    move : log points, increasing, with zero among them, (node,); its ends are the bracket.
    flow : USD million traded once the price has moved so far, (draw, node) or (node,); zero at
        zero, above zero is bought.
    """

    move: np.ndarray
    flow: np.ndarray

    def __post_init__(self) -> None:
        move, flow = np.asarray(self.move, dtype=float), np.asarray(self.flow, dtype=float)
        if move.ndim != 1 or len(move) < 2 or not (np.diff(move) > 0.0).all():
            raise DataError("feedback: the moves of a table do not increase; sort them")
        if not (move == 0.0).any():
            raise DataError("feedback: a table of flows has no row for no move; add the move 0")
        if flow.shape[-1:] != move.shape or not np.isfinite(flow).all():
            raise DataError("feedback: flows do not fit their moves; give one number a move")
        if (flow[..., move == 0.0] != 0.0).any():
            raise DataError(
                "feedback: flows without a move are not zero; make them part of the push instead"
            )

    def __add__(self, other: Flows) -> Flows:
        """Add the flows of other traders; both tables must have the same moves."""
        if not np.array_equal(self.move, other.move):
            raise DataError("feedback: two tables of flows have different moves; align them")
        return Flows(self.move, np.asarray(self.flow + other.flow))


@dataclass(frozen=True)
class FixedPoint:
    """Where the day ends; every array is (draw,) unless said otherwise.

    Attributes
    ----------
    move : log points; NaN where unstable.
    alone : log points without any feedback.
    gain : loop gain at the fixed point, the share of a further move that comes back. Below 1,
        but for the fixed point zero without any push, from which a nudge may lead away.
    roots : every fixed point in the bracket, ascending, NaN after the last, (draw, ``MOST``).
    count : how many there are.
    """

    move: np.ndarray
    alone: np.ndarray
    gain: np.ndarray
    roots: np.ndarray
    count: np.ndarray

    @property
    def unstable(self) -> np.ndarray:
        """Whether the path from zero arrives nowhere within the bracket."""
        return np.asarray(np.isnan(self.move))

    @property
    def multiple(self) -> np.ndarray:
        """Whether there is more than one fixed point."""
        return np.asarray(self.count > 1)

    @property
    def contribution(self) -> np.ndarray:
        """Log points that feedback adds; of the other sign where it dampens."""
        return np.asarray(self.move - self.alone)

    @property
    def amplification(self) -> np.ndarray:
        """Move over what it would be without feedback; NaN where that is zero."""
        started = self.alone != 0.0
        return np.where(started, self.move / np.where(started, self.alone, 1.0), np.nan)


def fixed_point(
    shock: Array, push: Array, response: Response, flows: Flows, *, pieces: int = 4
) -> FixedPoint:
    """Solve for the move of the day at every draw.

    Parameters
    ----------
    shock : log points that come from no flow, (draw,).
    push : flow from outside, USD million, (draw,).
    response : law of impact, its fields () or (draw,).
    flows : what the move makes others trade.
    pieces : parts into which the gap between two nodes is cut when fixed points are looked for;
        under a linear law one is exact. Two fixed points in one part, or one where the curves only
        touch, are not seen.
    """
    eps, q, c, p, width = arrays(
        "feedback", ("exponent",), shock=shock, push=push, coefficient=response.coefficient,
        exponent=response.exponent, crossover=response.crossover,
    )  # fmt: skip
    lead = np.asarray(flows.flow).shape[:-1]
    try:
        draws = np.broadcast_shapes(eps.shape, q.shape, c.shape, p.shape, width.shape, lead, (1,))
    except ValueError:
        raise DataError(
            "feedback: shock, push, impact and flows differ in draws; align them"
        ) from None
    if len(draws) != 1:
        raise DataError("feedback: more than one axis of draws; flatten them")
    out = np.full((*draws, MOST), np.nan)
    count = np.zeros(draws, dtype=np.int64)
    found = np.full((3, *draws), np.nan)  # move, gain, alone
    # Copies, so that the kernel is compiled for one kind of array only.
    inputs = [np.array(np.broadcast_to(x, draws), order="C") for x in (eps, q, c, p, width)]
    whole = np.broadcast_to(np.asarray(flows.flow, dtype=float), (*draws, len(flows.move)))
    table = np.array(whole, order="C")
    move = np.array(flows.move, dtype=float)
    _solve(*inputs, move, table, pieces, out, count, found)
    return FixedPoint(found[0], found[2], found[1], out, count)


def loop_gain(slope: Array, gamma: Array) -> np.ndarray:
    """Share of a move that hedging adds to itself, -Λ G; draws at 1 or above have no fixed point.

    Parameters
    ----------
    slope : Λ, log points per USD million.
    gamma : net gamma of dealers, USD million per unit of return; below zero amplifies.
    """
    return np.asarray(-np.asarray(slope) * np.asarray(gamma))


def amplified(alone: Array, gain: Array) -> np.ndarray:
    """Linear fixed point, alone/(1 - gain) in log points; NaN where the gain is 1 or more."""
    r, g = arrays("feedback", alone=alone, gain=gain)
    return np.asarray(np.where(g < 1.0, r / np.where(g < 1.0, 1.0 - g, 1.0), np.nan))


@njit(cache=True, nogil=True)
def _gap(r, eps, q, e, c, p, width):  # type: ignore[no-untyped-def]
    """How far the price still has to go: the right-hand side of the fixed point less r."""
    total = q + e
    if width > 0.0:
        return eps + c * total * math.hypot(total, width) ** (p - 1.0) - r
    size = c * abs(total) ** p
    return eps + (size if total > 0.0 else -size) - r


@njit(cache=True, nogil=True)
def _solve(eps, q, c, p, width, move, flow, pieces, roots, count, found):  # type: ignore[no-untyped-def]
    for d in range(len(eps)):
        start = _gap(0.0, eps[d], q[d], 0.0, c[d], p[d], width[d])
        found[2, d] = start
        if start == 0.0:
            found[0, d] = 0.0
        a, ga = move[0], _gap(move[0], eps[d], q[d], flow[d, 0], c[d], p[d], width[d])
        for k in range(len(move) - 1):
            slope = (flow[d, k + 1] - flow[d, k]) / (move[k + 1] - move[k])
            for m in range(1, pieces + 1):
                b, e = move[k + 1], flow[d, k + 1]
                if m < pieces:
                    b = move[k] + (move[k + 1] - move[k]) * m / pieces
                    e = flow[d, k] + slope * (b - move[k])
                gb = _gap(b, eps[d], q[d], e, c[d], p[d], width[d])
                if ga == 0.0:
                    _keep(d, a, start, roots, count, found)
                elif gb != 0.0 and (ga < 0.0) != (gb < 0.0):
                    low, high, root = a, b, a
                    for _ in range(HALVINGS):
                        root = 0.5 * (low + high)
                        e = flow[d, k] + slope * (root - move[k])
                        if (_gap(root, eps[d], q[d], e, c[d], p[d], width[d]) < 0.0) == (ga < 0.0):
                            low = root
                        else:
                            high = root
                    if flow[d, k] == 0.0 and slope == 0.0:
                        root = start  # nobody trades: the contribution is zero, not small
                    _keep(d, root, start, roots, count, found)
                a, ga = b, gb
        if ga == 0.0:
            _keep(d, a, start, roots, count, found)
        if not np.isnan(found[0, d]):
            found[1, d] = _gain(d, found[0, d], q, c, p, width, move, flow)


@njit(cache=True, nogil=True)
def _keep(d, root, start, roots, count, found):  # type: ignore[no-untyped-def]
    """Note a fixed point; it is the one that is reached if none lies between it and zero."""
    if count[d] < roots.shape[1]:
        roots[d, count[d]] = root
    count[d] += 1
    up = start > 0.0 and root > 0.0 and np.isnan(found[0, d])
    if up or (start < 0.0 and root < 0.0):  # the last below zero is the nearest
        found[0, d] = root


@njit(cache=True, nogil=True)
def _gain(d, r, q, c, p, width, move, flow):  # type: ignore[no-untyped-def]
    k = min(max(np.searchsorted(move, r) - 1, 0), len(move) - 2)
    slope = (flow[d, k + 1] - flow[d, k]) / (move[k + 1] - move[k])
    total = abs(q[d] + flow[d, k] + slope * (r - move[k]))
    if slope == 0.0:
        return 0.0
    if width[d] > 0.0:
        size = math.hypot(total, width[d])
        return c[d] * size ** (p[d] - 1.0) * (1.0 + (p[d] - 1.0) * (total / size) ** 2) * slope
    if total == 0.0 and p[d] < 1.0:
        return np.inf if slope > 0.0 else -np.inf
    return c[d] * p[d] * total ** (p[d] - 1.0) * slope
