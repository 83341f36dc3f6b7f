r"""What liquidation engines trade along a price path, and what published totals say about it.

.. math:: \text{Liq}_t = -\sum_{i \text{ long}} q_i P_t\, 1\{\min_{u<t} P_u > L_i \ge P_t\} + \dots

with the mirror image for shorts. Published prints are throttled and so a lower bound; open
interest that vanished, in coins at the price, is an upper bound as long as nobody opened anew.
What enters: positions and a path; what leaves: USD million, below zero sold.

References: none; bookkeeping. The interval with soft edges is a uniform observed with normal error.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import log_ndtr

from attribution.errors import DataError
from attribution.mechanics.functions import Array
from attribution.mechanics.inputs import arrays
from attribution.mechanics.liquidation import liquidation_price


@dataclass(frozen=True)
class Positions:
    """Open positions of one side; every array is (position,).

    Attributes
    ----------
    level : price of liquidation, USD.
    coins : size, zero or more.
    side : 1 where all are long, -1 where all are short.
    """

    level: np.ndarray
    coins: np.ndarray
    side: int


def positions(
    entries: Array,
    entry_weights: Array,
    leverages: Array,
    leverage_weights: Array,
    *,
    coins: float,
    spot: float,
    maintenance: float,
    side: int = 1,
    contract: str = "linear",
) -> Positions:
    """Spread open interest over entry prices and leverages, independent of each other.

    Parameters
    ----------
    entries, entry_weights : prices of entry and their weights, (entry,).
    leverages, leverage_weights : leverages and their weights, (leverage,).
    coins : open interest in coins on this side.
    spot : price now; positions that it has already liquidated are left out, and their coins spread
        over the rest.
    maintenance, side, contract : as in
        :func:`~attribution.mechanics.liquidation.liquidation_price`.

    Raises
    ------
    DataError
        Weights below zero, no position that is still open.
    """
    at, wa, lever, wl, now, size = arrays(
        "positions", ("entries", "leverages", "spot"), entries=np.atleast_1d(entries)[:, None],
        entry_weights=np.atleast_1d(entry_weights)[:, None], leverages=leverages,
        leverage_weights=leverage_weights, spot=spot, coins=coins,
    )  # fmt: skip
    level = liquidation_price(at, lever, maintenance, float(side), contract)
    weight = np.broadcast_to(wa * wl, level.shape)
    if (wa < 0.0).any() or (wl < 0.0).any() or (size < 0.0).any():
        raise DataError("positions: a weight or the open interest is below zero; give zero or more")
    weight = np.where(side * (now - level) > 0.0, weight, 0.0).ravel()
    if weight.sum() == 0.0:
        raise DataError(
            f"positions: a price of {float(now):g} has liquidated every position; give entries "
            "that survive it"
        )
    return Positions(level.ravel(), size * weight / weight.sum(), side)


def forced_flow(book: Positions, path: Array) -> np.ndarray:
    """Return what is closed by force at each step of a path.

    Parameters
    ----------
    book : positions; those that the first price has closed already trade nothing.
    path : USD, (..., step).

    Returns
    -------
    USD million at the price of the step, (..., step); the first is zero. Longs are sold (below
    zero), shorts bought. A position is closed once: a path that comes back closes nothing.

    Raises
    ------
    DataError
        Prices that are not finite and above zero.
    """
    (price,) = arrays("price path", ("price",), price=path)
    worst = book.side * np.minimum.accumulate(book.side * price, axis=-1)
    closed = _closed(book, worst, book.coins)
    fresh = np.diff(closed, axis=-1, prepend=closed[..., :1])
    return np.asarray(-book.side * fresh * price / 1e6)


def forced_by_move(book: Positions, spot: float, moves: Array) -> np.ndarray:
    """Return what a move through all prices on its way forces, for a table of feedback.

    Parameters
    ----------
    spot : price before, USD.
    moves : log points, (node,).

    Returns
    -------
    USD million, each position at the price that closes it, (node,).
    """
    now, r = arrays("forced flow", ("spot",), spot=spot, moves=moves)
    value = np.where(np.isfinite(book.level), book.coins * book.level, 0.0)
    ends = book.side * np.minimum(book.side * now * np.exp(r), book.side * now)
    return np.asarray(-book.side * (_closed(book, ends, value) - _closed(book, now, value)) / 1e6)


def _closed(book: Positions, worst: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Sum the sizes of positions that the worst price so far has closed."""
    key = -book.side * book.level  # ascending in the order in which a worsening price closes them
    order = np.argsort(key)
    reached = np.searchsorted(key[order], -book.side * worst, side="right")
    return np.asarray(np.concatenate([[0.0], np.cumsum(size[order])])[reached])


def vanished(before: Array, after: Array, price: Array) -> np.ndarray:
    """Return the upper bound from open interest, USD million; zero where it rose.

    Parameters
    ----------
    before, after : open interest in **coins**; in dollars it falls with the price alone.
    price : USD a coin.
    """
    first, last, each = arrays("open interest", ("price",), before=before, after=after, price=price)
    return np.asarray(np.maximum(first - last, 0.0) * each / 1e6)


def interval_log_likelihood(value: Array, low: Array, high: Array, edge: Array) -> np.ndarray:
    r"""Log density of a value that lies between two bounds, each known up to a normal error.

    .. math:: \ln\frac{\Phi((v-a)/s) - \Phi((v-b)/s)}{b-a}

    Parameters
    ----------
    value : what the model says, in the unit of the bounds.
    low, high : throttled total and vanished open interest, say.
    edge : standard deviation s of the bounds, above zero.

    Raises
    ------
    DataError
        A lower bound at or above the upper one: they contradict each other, as they do when
        positions are opened anew while others are liquidated.
    """
    v, a, b, s = arrays("interval", ("edge",), value=value, low=low, high=high, edge=edge)
    if (a >= b).any():
        raise DataError(
            "interval: the lower bound is not below the upper one, so positions were opened anew "
            "or the sources differ; widen the bounds or leave one out"
        )
    near, far = (v - a) / s, (v - b) / s
    # Φ(near) - Φ(far) from the side on which both are small, so that no digits are lost.
    turned = near + far > 0.0
    first = log_ndtr(np.where(turned, -far, near))
    second = log_ndtr(np.where(turned, -near, far))
    return np.asarray(first + np.log1p(-np.exp(second - first)) - np.log(b - a))
