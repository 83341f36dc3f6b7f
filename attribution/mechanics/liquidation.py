r"""Where a leveraged position is closed by force, and where its margin is gone.

A position of side y (1 long, -1 short), leverage L and maintenance margin rate m is liquidated
when its equity falls to the maintenance margin; it is bankrupt when nothing is left (m = 0):

.. math::
    \text{linear: } \tfrac1L + y\,(x - 1) = m x, \qquad
    \text{inverse: } \tfrac1L + y\,(1 - x^{-1}) = m x^{-1}, \qquad x = P/P_e

(inverse: margin and profit in coin). Venues differ in whether m applies to the value at the mark,
as here, or at entry (m alone on the right); :func:`liquidation_price` has both. What enters:
numbers that broadcast; what leaves: prices. 0 and infinity mean never.

References: none; the arithmetic of margin. Venues' help pages give it in these two forms.
"""

from __future__ import annotations

import numpy as np

from attribution.errors import DataError
from attribution.mechanics.functions import Array
from attribution.mechanics.inputs import arrays, one_of

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
    """Return the mark price at which isolated margin no longer suffices.

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
