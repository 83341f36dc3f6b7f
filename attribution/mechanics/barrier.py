"""The eight standard single-barrier options, watched continuously, with rebates and Greeks.

What enters: one of the eight names and numbers that broadcast; what leaves: Greeks, exact
derivatives of the closed form. At and beyond the barrier the option is touched; its derivatives
at the barrier are then those of what it has become, and with ``touched=False`` those from the
live side, so that the jump of a hedge at the touch is the difference of the two.

References: reiner1991; haug2007.
"""

from __future__ import annotations

import numpy as np

from attribution.errors import DataError
from attribution.mechanics.barrier_terms import knock_in, paid_at_touch, untouched
from attribution.mechanics.functions import NUMPY, Array
from attribution.mechanics.greeks import Greeks
from attribution.mechanics.inputs import arrays, one_of
from attribution.mechanics.terms import Market
from attribution.mechanics.vanilla import certain, flat, struck, uncertain_part

KINDS = {
    f"{way}_{knock}_{option}": (eta, knock, phi)
    for way, eta in (("down", 1), ("up", -1))
    for knock in ("in", "out")
    for option, phi in (("call", 1), ("put", -1))
}


def barrier(
    kind: str,
    spot: Array,
    strike: Array,
    level: Array,
    time: Array,
    vol: Array,
    rate: Array,
    carry: Array,
    rebate: Array = 0.0,
    touched: Array | None = None,
) -> Greeks:
    """Price a single-barrier option with its Greeks.

    Parameters
    ----------
    kind : "down_in_put" and so on: down or up, in or out, call or put.
    spot, strike, level : currency per unit, above zero; level is the barrier.
    time, vol, rate, carry : as in :func:`~attribution.mechanics.vanilla.vanilla`.
    rebate : currency per unit; a knock-in pays it at expiry if never touched, a knock-out when
        touched.
    touched : whether the barrier was touched earlier, where a knock-in is the vanilla and a
        knock-out worth nothing, its rebate paid. None: nothing touched earlier, and touched now
        where spot is at or beyond the barrier. False at the barrier itself: the live side.

    Raises
    ------
    DataError
        An unknown kind, numbers that are not finite or have the wrong sign, spot beyond the
        barrier of an option called untouched, a rate so negative that a rebate paid at the touch
        has no price.

    References
    ----------
    reiner1991; haug2007
    """
    eta, knock, phi = KINDS[one_of("barrier option", "kind", kind, KINDS)]
    s, k, h, t, v, r, b, paid, was = arrays(
        "barrier option", ("spot", "strike", "level"), spot=spot, strike=strike, level=level,
        time=time, vol=vol, rate=rate, carry=carry, rebate=rebate,
        touched=False if touched is None else touched,
    )  # fmt: skip
    market = Market(s, t, v, r, b)
    now, before = touches(eta, s, h, None if touched is None else was > 0.0)
    alive = ~(now | before)
    if knock == "in":
        live = _live_in(market, phi, eta, k, h, paid, alive)
        whole = live if alive.all() else live.where(NUMPY, alive, _plain(market, phi, k))
        return whole.shaped(s, k, h, t, v, r, b, paid, alive)
    live = _plain(market, phi, k) - _live_in(market, phi, eta, k, h, np.zeros(()), alive)
    if paid.any():
        live = live + paid_when_touched(market, eta, h, alive).times(paid)
    whole = live.where(NUMPY, alive, Greeks.of_cash(np.where(before, 0.0, paid)))
    return whole.shaped(s, k, h, t, v, r, b, paid, alive)


def touches(
    eta: int, spot: np.ndarray, level: np.ndarray, before: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return where the barrier is touched by this spot, and where it was touched before."""
    if before is None:
        return eta * (spot - level) <= 0.0, np.zeros((), dtype=bool)
    if ((eta * (spot - level) < 0.0) & ~before).any():
        raise DataError(
            "barrier option: touched is False where spot is beyond the barrier; "
            "leave it out, or say True"
        )
    return np.zeros((), dtype=bool), before


def live_market(market: Market, eta: int, level: np.ndarray, alive: np.ndarray) -> Market:
    """Put spot at the barrier where the option is no longer alive: a harmless stand-in."""
    if alive.all():
        return market
    spot = np.where(alive, market.spot, level)
    return Market(spot, market.time, market.vol, market.rate, market.carry)


def _plain(market: Market, phi: int, strike: np.ndarray) -> Greeks:
    safe, uncertain = uncertain_part(market)
    found = struck(NUMPY, safe, phi, strike)
    if uncertain.all():
        return found
    return found.where(NUMPY, uncertain, certain(market, phi, strike))


def _live_in(
    market: Market,
    phi: int,
    eta: int,
    strike: np.ndarray,
    level: np.ndarray,
    rebate: np.ndarray,
    alive: np.ndarray,
) -> Greeks:
    """Price the knock-in where it is alive; elsewhere the numbers are finite and mean nothing."""
    market = live_market(market, eta, level, alive)
    safe, uncertain = uncertain_part(market)
    beyond = eta * (strike - level) <= 0.0
    if beyond.all() or not beyond.any():
        found = knock_in(NUMPY, safe, phi, eta, strike, level, bool(beyond.all()))
    else:
        there = knock_in(NUMPY, safe, phi, eta, strike, level, True)
        # A block whose trigger is on the wrong side may overflow: its trigger moves to the barrier.
        here = knock_in(NUMPY, safe, phi, eta, np.where(beyond, level, strike), level, False)
        found = there.where(NUMPY, beyond, here)
    if rebate.any():
        found = found + untouched(NUMPY, safe, eta, level).times(rebate)
    if uncertain.all():
        return found
    ends = eta * (market.spot * np.exp(market.carry * market.time) - level) <= 0.0
    kept = np.exp(-market.rate * market.time) * rebate
    missed = flat(market, kept, np.zeros(kept.shape))
    limit = certain(market, phi, strike).where(NUMPY, ends, missed)
    return found.where(NUMPY, uncertain, limit)


def paid_when_touched(market: Market, eta: int, level: np.ndarray, alive: np.ndarray) -> Greeks:
    """One unit of cash at the touch, where alive; without uncertainty at the time of arrival."""
    market = live_market(market, eta, level, alive)
    safe, uncertain = uncertain_part(market)
    drift = safe.drift[0]
    if (drift * drift + 2.0 * safe.rate * safe.vol * safe.vol < 0.0).any():
        raise DataError(
            "barrier option: cash paid at the touch has no finite price at so negative a rate; "
            "give a rate of at least -(carry - vol²/2)²/(2 vol²)"
        )
    found = paid_at_touch(NUMPY, safe, eta, level)
    if uncertain.all():
        return found
    ends = eta * (market.spot * np.exp(market.carry * market.time) - level) <= 0.0
    # Without carry nothing arrives but what is at the barrier already.
    moves = ends & (market.carry != 0.0)
    power = np.where(moves, market.rate, 0.0) / np.where(moves, market.carry, 1.0)
    value = np.where(ends, (level / market.spot) ** -power, 0.0)
    limit = flat(market, value, power * value / market.spot)
    return found.where(NUMPY, uncertain, limit)
