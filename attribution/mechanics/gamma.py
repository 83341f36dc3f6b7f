r"""A gamma book: what hedgers of listed options hold, and what they trade when the price moves.

With open interest O, multiplier m and position s of the dealer, from -1 (short) to 1 (long),

.. math::
    G = \sum_i s_i O_i m_i \Gamma_i S^2, \qquad
    h = -\sum_i s_i O_i m_i \Delta_i, \qquad \text{flow} = (h_1 - h_0) S_1 \approx -G\,r

The position is always given, never assumed; the convention behind "gamma exposure" figures,
:func:`~attribution.mechanics.option_chain.calls_long_puts_short`, has to be asked for. Volatilities
stay with their strikes. What enters: a chain, positions, prices; what leaves: USD million. A flow
above zero is bought.

References: black1973; barbon2021 (hedging of net gamma); ni2021.
"""

from __future__ import annotations

import numpy as np

from attribution.errors import DataError
from attribution.mechanics.functions import Array
from attribution.mechanics.inputs import arrays
from attribution.mechanics.option_chain import Chain
from attribution.mechanics.vanilla import vanilla

MILLION = 1e6


def dollar_gamma(book: Chain, position: Array, spot: Array, *, rate: Array, carry: Array) -> Array:
    """Return the gamma of each contract in USD million per unit of return.

    Parameters
    ----------
    book : the chain.
    position : of the dealer, -1 to 1, broadcasting to (..., contract).
    spot : USD, (...).
    rate, carry : per year.

    Returns
    -------
    (..., contract); a hundredth of it is what "gamma exposure per 1 %" means. The sum over
    contracts is the net gamma: above zero hedging dampens moves, below zero it amplifies them.
    """
    price, sign = _prices(spot), _positions(position, book)
    greeks = vanilla("call", price, book.strike, book.time, book.vol, rate, carry)
    return sign * book.units * greeks.gamma * price**2 / MILLION


def hedge_flow(
    book: Chain,
    position: Array,
    start: Array,
    end: Array,
    *,
    rate: Array,
    carry: Array,
    elapsed: float = 0.0,
    vol_rise: Array = 0.0,
) -> Array:
    """Return what the hedge of each contract trades on a move, by full repricing.

    Parameters
    ----------
    book, position : as in :func:`dollar_gamma`.
    start, end : price before and after, USD, (...); an array of ends gives the flow profile.
    rate, carry : per year.
    elapsed : years that the move takes.
    vol_rise : change of implied volatility (0.1 is ten points), broadcasting to (..., contract).

    Returns
    -------
    USD million at the price after the move, (..., contract); above zero is bought.

    Raises
    ------
    DataError
        A contract that expires before the move is over.
    """
    if elapsed < 0.0 or (book.time < elapsed).any():
        raise DataError(
            "option chain: a contract expires within the move, or the move takes less than no "
            "time; leave it out or shorten the move"
        )
    before, after = _prices(start), _prices(end)
    first = _delta(book, before, book.time, book.vol, rate, carry)
    last = _delta(book, after, book.time - elapsed, book.vol + vol_rise, rate, carry)
    return -_positions(position, book) * book.units * (last - first) * after / MILLION


def gamma_flow(gamma: Array, move: Array) -> Array:
    """Approximate a hedge flow by gamma times return, -G r in USD million.

    The limit of small moves; a crash leaves the strikes behind, where :func:`hedge_flow` holds.
    """
    return -np.asarray(gamma) * np.asarray(move)


def zero_gamma(
    book: Chain, position: Array, near: float, *, rate: float, carry: float, low: float,
    high: float, nodes: int = 2001,
) -> np.ndarray:  # fmt: skip
    """Find the price nearest to ``near`` at which net gamma changes sign.

    Parameters
    ----------
    position : (contract,) or (draw, contract).
    near : USD, usually today's price.
    low, high : USD, between which to look.
    nodes : prices tried, equal ratios apart; the sign change is then interpolated.

    Returns
    -------
    USD, () or (draw,); NaN where net gamma keeps its sign between ``low`` and ``high``.
    """
    if not 0.0 < low < high:
        raise DataError(f"zero gamma: looked for between {low} and {high}; give 0 < low < high")
    grid = np.geomspace(low, high, nodes)
    each = dollar_gamma(book, 1.0, grid, rate=rate, carry=carry)
    sign = _positions(position, book)
    net = np.asarray(sign @ each.T)
    left, right = net[..., :-1], net[..., 1:]
    side = np.sign(net)
    side[..., 1:] = np.where(side[..., 1:] == 0.0, side[..., :-1], side[..., 1:])
    turns = side[..., :-1] * side[..., 1:] < 0.0
    gap = np.where(turns, left - right, 1.0)
    at = grid[:-1] + np.diff(grid) * np.where(turns, left, 0.0) / gap
    distance = np.where(turns, np.abs(np.log(at / near)), np.inf)
    best = distance.argmin(axis=-1)[..., None]
    found = np.take_along_axis(at, best, -1)[..., 0]
    return np.where(turns.any(axis=-1), found, np.nan)


def _delta(
    book: Chain, price: np.ndarray, time: np.ndarray, vol: Array, rate: Array, carry: Array
) -> Array:
    """Delta a unit; that of a put by parity, so that one evaluation serves both."""
    found = vanilla("call", price, book.strike, time, vol, rate, carry).delta
    yields = np.asarray(carry) - np.asarray(rate)
    return found - np.where(book.call, 0.0, np.exp(yields * time))


def _prices(spot: Array) -> np.ndarray:
    return np.asarray(spot, dtype=float)[..., None]


def _positions(position: Array, book: Chain) -> np.ndarray:
    """Check positions; one number stands for every contract."""
    (sign,) = arrays("dealer position", position=position)
    if (np.abs(sign) > 1.0).any():
        raise DataError("dealer position: beyond the open interest; give numbers from -1 to 1")
    if sign.shape[-1:] not in ((), (1,), book.strike.shape):
        raise DataError(
            f"dealer position: {sign.shape[-1]} numbers for {len(book.strike)} contracts; give one "
            "each, or one for all"
        )
    return np.broadcast_to(sign, (*sign.shape[:-1], len(book.strike)))
