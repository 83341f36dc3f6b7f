r"""A day in steps: shocks arrive one after the other, and flows answer the path so far.

.. math::
    R_h = \sum_{s \le h} \varepsilon_s + I\Bigl(\sum_{s \le h} q_s + E(R_h)
        + E^{-}\bigl(\min_{s \le h} R_s\bigr) + E^{+}\bigl(\max_{s \le h} R_s\bigr)\Bigr)

with R the move since the eve's close, E what answers where the price is (hedges of options), E⁻
what answers how low it has been and E⁺ how high (liquidations: what is closed stays closed when the
price comes back).  Impact acts on the day's flow so far, so that cutting a step in two adds none,
and one step is the fixed point of :mod:`~attribution.mechanics.feedback`.  At every step the price
starts where it was and moves towards the right-hand side until it is there; where it arrives
nowhere in the bracket the draw is unstable from that step on.  What enters: draws; what leaves: log
units.

References: frey1997; schonbucher2000 (feedback); pearl2009 (abduction, action, prediction).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attribution.errors import DataError
from attribution.mechanics.feedback import Flows
from attribution.mechanics.functions import Array
from attribution.mechanics.impact import Response
from attribution.mechanics.inputs import arrays
from attribution.mechanics.steps_kernel import count_roots, follow


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
