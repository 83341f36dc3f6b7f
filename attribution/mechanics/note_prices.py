"""The option inside each note along a path: what its holder sold, less what he owns.

None of the signs of a hedge is assumed: they come out of these prices. What enters: a book and a
path; what leaves: Greeks of shape (draw, note, step) per unit of the underlying.
A barrier watched at closes is priced as a continuous one further down, which Greeks hold still;
within a day a price below that one is priced as touched, at a close the barrier itself decides.

References: haug2007 for the options, broadie1997 for barriers watched at closes.
"""

from __future__ import annotations

import numpy as np

from attribution.errors import DataError
from attribution.mechanics.barrier import barrier
from attribution.mechanics.digital import at_maturity, shifted_barrier
from attribution.mechanics.inputs import NUMPY, Array, arrays
from attribution.mechanics.notes import AT_CLOSE, AT_MATURITY, CONTINUOUS, Notes, PricePath
from attribution.mechanics.terms import Greeks
from attribution.mechanics.vanilla import vanilla

# The option part of buffered and capped notes as spreads of vanilla options.


def loss(
    spot: Array, level: Array, leverage: Array, time: Array, vol: Array, rate: Array, carry: Array
) -> Greeks:
    r"""Leveraged put at the buffer level, which the holder of the note has sold.

    A note of face F on an underlying with initial value S₀ pays at maturity

    .. math:: \frac{F}{S_0}\left[S_0 + p\,\{(S-S_0)^+ - (S-C)^+\} - \ell\,(L-S)^+\right]

    with participation p, cap C, buffer level L below which the holder loses, and leverage ℓ.
    Nothing jumps at L.

    Parameters
    ----------
    spot, time, vol, rate, carry : as in :func:`~attribution.mechanics.vanilla.vanilla`.
    level : price below which the holder loses, currency per unit.
    leverage : loss per unit of fall below it; 1, or S₀/L where all can be lost.

    References
    ----------
    haug2007 (vanilla options)
    """
    (gearing,) = arrays("buffer", leverage=leverage)
    return vanilla("put", spot, level, time, vol, rate, carry).times(gearing)


def gain(
    spot: Array, initial: Array, cap: Array, participation: Array, time: Array, vol: Array,
    rate: Array, carry: Array,
) -> Greeks:  # fmt: skip
    """Capped participation in a rise, which the holder of the note owns: a call spread.

    Parameters
    ----------
    spot, time, vol, rate, carry : as in :func:`~attribution.mechanics.vanilla.vanilla`.
    initial : initial value S₀, from which rises count.
    cap : price above which nothing more is paid; infinity for none.
    participation : share of the rise that is paid.
    """
    (share,) = arrays("capped gain", participation=participation)
    whole = vanilla("call", spot, initial, time, vol, rate, carry)
    level = np.asarray(cap, dtype=float)
    capped = level != np.inf
    if capped.any():
        given_up = vanilla(
            "call", spot, np.where(capped, level, 1.0), time, vol, rate, carry
        ).times(np.where(capped, 1.0, 0.0))
        whole = whole - given_up
    return whole.times(share)


Market = tuple[np.ndarray, np.ndarray, float, float]
"""Years left, volatility, rate, carry."""
DAY = 1.0 / 252.0
"""Years between two closes."""


def holders_put(book: Notes, path: PricePath) -> Greeks:
    """Greeks of the option the holder sold, less what he owns, per unit of the underlying.

    Returns
    -------
    Greeks (draw, note, step); at and after a touch those of the option it has become.
    """
    parts = [_one(book.note(i), path.note(i)).parts() for i in range(len(book.names))]
    shape = np.broadcast_shapes(*(part[0].shape for part in parts))
    shape = (*shape[:-2], 1, shape[-1])
    joined = [
        np.concatenate([np.broadcast_to(part[k], shape) for part in parts], axis=-2)
        for k in range(len(parts[0]))
    ]
    return Greeks(*joined)


def years_left(book: Notes, path: PricePath) -> np.ndarray:
    """Years to maturity at each step, (draw, note, step).

    Raises
    ------
    DataError
        A note that matures before the path ends.
    """
    left = np.asarray(book.maturity[..., None] - path.time)
    if (left < 0.0).any():
        name = book.names[int(np.argwhere((left < 0.0).any(axis=-1))[0][-1])]
        raise DataError(f"notes: '{name}' matures before the path ends; leave it out")
    return left


def _one(book: Notes, path: PricePath) -> Greeks:
    """Price one note, arrays (draw, 1, step)."""
    left = years_left(book, path)
    spot = path.cube
    market = (left, path.vol, path.rate, path.carry)
    initial, level = book.initial[..., None], book.level[..., None]
    if book.kinds[0] == "buffer":
        sold = loss(spot, level, book.leverage[..., None], *market)
    else:
        sold = _knocked("in", book, path, market)
        if book.kinds[0] == "dual_directional":
            sold = sold - _knocked("out", book, path, market)
    if not np.any(book.participation):
        return sold
    return sold - gain(spot, initial, book.cap[..., None], book.participation[..., None], *market)


def _knocked(knock: str, book: Notes, path: PricePath, market: Market) -> Greeks:
    """Price the put that knocks in or out, by the way its barrier is watched."""
    kind = f"down_{knock}_put"
    spot, strike, level = path.cube, book.initial[..., None], book.level[..., None]
    watched = book.watched[..., None]
    ways = {}
    if (watched == AT_MATURITY).any():
        ways[AT_MATURITY] = at_maturity(kind, spot, strike, level, *market)
    if (watched == AT_CLOSE).any():
        lower = shifted_barrier("down", level, path.vol, DAY)
        gone = touched(book, path, AT_CLOSE) | (spot <= lower)
        ways[AT_CLOSE] = barrier(kind, spot, strike, lower, *market, 0.0, gone)
    if (watched == CONTINUOUS).any():
        gone = touched(book, path, CONTINUOUS)
        ways[CONTINUOUS] = barrier(kind, spot, strike, level, *market, 0.0, gone)
    codes = list(ways)
    found = ways[codes[0]]
    for code in codes[1:]:
        found = ways[code].where(NUMPY, watched == code, found)
    return found


def touched(book: Notes, path: PricePath, code: int) -> np.ndarray:
    """Whether a barrier watched that way is touched by each step, (draw, note, step)."""
    seen = path.cube <= book.level[..., None]
    if code == AT_CLOSE:
        seen = seen & path.close
    return np.asarray(np.logical_or.accumulate(seen, axis=-1) | book.touched[..., None])
