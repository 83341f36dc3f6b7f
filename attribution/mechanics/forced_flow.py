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
from attribution.mechanics.inputs import Array, arrays, one_of

# Where a leveraged position is closed by force, and where its margin is gone.

CONTRACTS = ("linear", "inverse")
MAINTENANCE = ("mark", "entry")


def liquidation_price(
    entry: Array,
    leverage: Array,
    maintenance: Array,
    side: Array = 1.0,
    contract: str = "linear",
    on: str = "mark",
) -> np.ndarray:
    r"""Return the mark price at which isolated margin no longer suffices.

    A position of side y (1 long, -1 short), leverage L and maintenance margin rate m is liquidated
    when its equity falls to the maintenance margin; it is bankrupt when nothing is left (m = 0):

    .. math::
        \text{linear: } \tfrac1L + y\,(x - 1) = m x, \qquad
        \text{inverse: } \tfrac1L + y\,(1 - x^{-1}) = m x^{-1}, \qquad x = P/P_e

    (inverse: margin and profit in coin). Venues differ in whether m applies to the value at the
    mark, as here, or at entry (m alone on the right); :func:`liquidation_price` has both. 0 and
    infinity mean never.

    Parameters
    ----------
    entry : price of entry, above zero.
    leverage : notional over margin at entry, above zero.
    maintenance : maintenance margin rate, a fraction, zero or more.
    side : 1 long, -1 short.
    contract : "linear" (margin in the quote currency) or "inverse" (margin in coin).
    on : the value that the rate applies to, "mark" or "entry".

    Returns
    -------
    Price; 0 for a long and infinity for a short that is never liquidated.

    Raises
    ------
    DataError
        A margin below the maintenance margin at entry, a side that is neither 1 nor -1.

    References
    ----------
    none; the arithmetic of margin. Venues' help pages give it in these two forms
    """
    one_of("liquidation price", "contract", contract, CONTRACTS)
    one_of("liquidation price", "on", on, MAINTENANCE)
    price, lever, m, y = arrays(
        "liquidation price", ("entry", "leverage"),
        entry=entry, leverage=leverage, maintenance=maintenance, side=side,
    )  # fmt: skip
    if not (np.abs(y) == 1.0).all():
        raise DataError("liquidation price: a side is neither 1 nor -1; use 1 long, -1 short")
    if (m < 0.0).any() or (lever * m >= 1.0).any():
        raise DataError(
            "liquidation price: a maintenance margin is below zero, or not below the margin at "
            "entry; lower the leverage or the rate"
        )
    if contract == "linear":
        upper, lower = (y - 1.0 / lever, y - m) if on == "mark" else (y - 1.0 / lever + m, y)
    elif on == "mark":
        upper, lower = y + m, y + 1.0 / lever
    else:
        upper, lower = y, y + 1.0 / lever - m
    return np.asarray(price * _ratio(upper, lower, y))


def bankruptcy_price(
    entry: Array, leverage: Array, side: Array = 1.0, contract: str = "linear"
) -> np.ndarray:
    """Return the price at which isolated margin is used up; see :func:`liquidation_price`."""
    return liquidation_price(entry, leverage, 0.0, side, contract)


def cross_margin_price(
    entry: Array,
    size: Array,
    maintenance: Array,
    cash: Array,
    coins: Array = 0.0,
) -> np.ndarray:
    r"""Return the price at which an account with one pool of collateral is liquidated.

    .. math:: c + k P + \sum_j q_j (P - P_j) = m \sum_j |q_j| P

    Parameters
    ----------
    entry : prices of entry P, (..., leg).
    size : linear contracts in coins q, above zero long, (..., leg).
    maintenance : m, (...).
    cash : c in the quote currency, (...); may be below zero where coins were borrowed against.
    coins : collateral in coins k, (...), which loses value as the price falls.

    Returns
    -------
    Price, (...); below the entries if the account is long on the whole, above if short. 0 or
    infinity where it is never liquidated.
    """
    price, q = arrays("cross margin", ("entry",), entry=entry, size=size)
    m, c, k = arrays("cross margin", maintenance=maintenance, cash=cash, coins=coins)
    slope = k + (q - m[..., None] * np.abs(q)).sum(axis=-1)
    owed = (q * price).sum(axis=-1) - c
    return _ratio(np.asarray(owed), np.asarray(slope), np.where(slope > 0.0, 1.0, -1.0))


def _ratio(upper: np.ndarray, lower: np.ndarray, side: np.ndarray) -> np.ndarray:
    """Divide; equity that cannot fall that far gives 0 for a long, infinity for a short."""
    upper, lower, side = np.broadcast_arrays(upper, lower, side)
    whole = lower != 0.0
    found = np.where(whole, upper / np.where(whole, lower, 1.0), -1.0)
    return np.where(found > 0.0, found, np.where(side > 0.0, 0.0, np.inf))


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
        :func:`~attribution.mechanics.forced_flow.liquidation_price`.

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


def power_reach(move: Array, reference: float, power: Array, side: float) -> np.ndarray:
    r"""Return how far a move reaches into levels of liquidation, one at the reference.

    .. math:: h(r) = \left(\frac{\max(\mp r, 0)}{r_0}\right)^{b}

    Parameters
    ----------
    move : r, log points.
    reference : :math:`r_0`, log points, above zero.
    power : b; above one where levels lie the denser, the further away.
    side : 1 for longs, whom falls close, -1 for shorts.
    """
    return np.asarray((np.maximum(-side * move, 0.0) / reference) ** power)


def power_flow(
    closed: Array, move: Array, reference: float, power: Array, side: float
) -> np.ndarray:
    """Return what a move forces where levels lie along a power of the distance.

    Parameters
    ----------
    closed : USD million that a move of the reference closes.
    move, reference, power, side : as in :func:`power_reach`.

    Returns
    -------
    USD million; longs are sold, below zero, shorts bought.
    """
    return np.asarray(-side * closed * power_reach(move, reference, power, side))


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
