r"""Shares of an ETF: what every mechanism does to how many there are.

Shares outstanding are longs less shorts, and longs are held by clients or by authorised
participants and market makers, so that always

.. math:: dN = dL_{\text{clients}} + dI_{\text{AP}} - dSI

A short sale alone creates nothing: the buyer's long and the short cancel. What enters: shares in
million; what leaves: entries of this ledger and net creation in USD million.

References: evans2024 (operational shorting).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from attribution.errors import DataError
from attribution.mechanics.inputs import Array, arrays, one_of


class Entry(NamedTuple):
    """What one share's worth of a mechanism books: changes of longs, inventory and shorts."""

    clients: int
    inventory: int
    shorts: int

    @property
    def created(self) -> int:
        """Shares created (redeemed if below zero)."""
        return self.clients + self.inventory - self.shorts


MECHANISMS = {
    "client_buying": Entry(1, 0, 0),
    "client_selling": Entry(-1, 0, 0),
    "absorbed_selling": Entry(-1, 1, 0),
    "dealer_shorting": Entry(1, 0, 1),
    "create_to_lend": Entry(1, 1, 1),
    "operational_shorting": Entry(1, 0, 1),
    "operational_cover": Entry(0, 0, -1),
    "participant_arbitrage": Entry(0, 1, 0),
    "in_kind_exchange": Entry(1, 0, 0),
}
"""One share of each mechanism.

``client_buying`` is delivered, ``client_selling`` redeemed, on the day; ``absorbed_selling`` stays
with a market maker. ``dealer_shorting`` borrows from a long and sells to a client.
``create_to_lend`` makes the share that the short seller borrows: its maker stays long, the buyer
is long, one is short. ``operational_shorting`` sells to a client what is created later;
``operational_cover`` is that later creation. ``participant_arbitrage`` buys coins, creates and
keeps the share (sold to a client it is ``client_buying``). ``in_kind_exchange`` turns the coins of
a holder into shares.
"""


@dataclass(frozen=True)
class Ledger:
    """Changes over a day, shares in million; arrays that broadcast.

    Attributes
    ----------
    clients : of clients' longs.
    inventory : of what participants and market makers own, lent shares included.
    shorts : of short interest, operational shorts included.
    """

    clients: np.ndarray
    inventory: np.ndarray
    shorts: np.ndarray

    def __add__(self, other: Ledger) -> Ledger:
        return Ledger(
            np.asarray(self.clients + other.clients),
            np.asarray(self.inventory + other.inventory),
            np.asarray(self.shorts + other.shorts),
        )

    @property
    def created(self) -> np.ndarray:
        """Change of shares outstanding, million."""
        return np.asarray(self.clients + self.inventory - self.shorts)

    def net_creation(self, nav: Array) -> np.ndarray:
        """Shares created less redeemed, in USD million at ``nav`` USD a share."""
        (value,) = arrays("net creation", ("nav",), nav=nav)
        return np.asarray(self.created * value)


def booked(mechanism: str, shares: Array) -> Ledger:
    """Book a mechanism of so many shares, in million; below zero undoes it."""
    entry = MECHANISMS[one_of("creation", "mechanism", mechanism, MECHANISMS)]
    (n,) = arrays("creation", shares=shares)
    return Ledger(entry.clients * n, entry.inventory * n, entry.shorts * n)


def baskets(shares: Array, size: float) -> np.ndarray:
    """Return the number of creation baskets of ``size`` shares in so many million shares."""
    (n,) = arrays("creation", shares=shares)
    if not size > 0.0:
        raise DataError(f"creation: a basket of {size} shares; give a number above zero")
    return np.asarray(n * 1e6 / size)


def creation_pressure(price: Array, nav: Array, cost: Array) -> np.ndarray:
    """Return 1 where the premium pays for creating, -1 where the discount pays for redeeming.

    Parameters
    ----------
    price, nav : USD a share at one time.
    cost : of the round trip as a fraction of NAV, zero or more. Zero in between.
    """
    p, value, c = arrays("creation", ("price", "nav"), price=price, nav=nav, cost=cost)
    if (c < 0.0).any():
        raise DataError("creation: a cost is below zero; give zero or more")
    premium = p / value - 1.0
    return np.asarray(np.where(np.abs(premium) > c, np.sign(premium), 0.0))


def operational_shorts(
    imbalance: Array, created: Array, outstanding: Array, days: int
) -> np.ndarray:
    r"""Return shares sold to clients over some days and not yet created, as a share of all.

    .. math:: \max\Bigl(0, \sum_{u=t-k+1}^{t} (b_u - c_u)\Bigr) / N_t

    Our reading of the measure of evans2024.

    Parameters
    ----------
    imbalance : clients' purchases less sales b, million shares a day, (..., day).
    created : shares created less redeemed c, million a day, (..., day).
    outstanding : N, million, (..., day).
    days : k, how long a creation may be delayed.

    Returns
    -------
    Fractions, (..., day - k + 1), from the first day with k days behind it.
    """
    b, c, n = arrays(
        "operational shorts", ("outstanding",),
        imbalance=imbalance, created=created, outstanding=outstanding,
    )  # fmt: skip
    open_ = np.broadcast_arrays(b - c, n)[0]
    if not 1 <= days <= open_.shape[-1]:
        raise DataError(
            f"operational shorts: {days} days asked of {open_.shape[-1]}; ask for 1 to all of them"
        )
    total = np.concatenate([np.zeros((*open_.shape[:-1], 1)), np.cumsum(open_, axis=-1)], axis=-1)
    recent = total[..., days:] - total[..., :-days]
    return np.asarray(np.maximum(recent, 0.0) / np.broadcast_to(n, open_.shape)[..., days - 1 :])
