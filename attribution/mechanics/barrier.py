"""The eight standard single-barrier options, watched continuously, with rebates and Greeks.

What enters: one of the eight names and numbers that broadcast; what leaves: Greeks, exact
derivatives of the closed form. At and beyond the barrier the option is touched; its derivatives
at the barrier are then those of what it has become, and with ``touched=False`` those from the
live side, so that the jump of a hedge at the touch is the difference of the two.

References: reiner1991; haug2007.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from attribution.errors import DataError
from attribution.mechanics.inputs import NUMPY, Array, Functions, arrays, one_of
from attribution.mechanics.terms import (
    Greeks,
    Market,
    Slopes,
    asset_term,
    cash_term,
    reflected_asset_term,
    reflected_cash_term,
    term,
)
from attribution.mechanics.vanilla import certain, flat, gap, struck, uncertain_part

# The formulas of single-barrier options on the live side of a barrier, for arrays or tensors.
#
# With :math:`\varphi = \pm 1` for call or put and :math:`\eta = \pm 1` for a barrier below or
# above,
# the blocks of Reiner and Rubinstein, in the letters of Haug, are
#
# .. math::
#     A &= \text{vanilla}, \qquad B = \text{A with its trigger at H instead of K}, \\
#     C &= \text{image of A}, \qquad D = \text{image of B}, \\
#     E &= R e^{-rT}[N(\eta x_2 - \eta s) - (H/S)^{2\mu} N(\eta y_2 - \eta s)], \\
#     F &= R[(H/S)^{\mu+\lambda} N(\eta z) + (H/S)^{\mu-\lambda} N(\eta z - 2\eta\lambda s)]
#
# with :math:`s = \sigma\sqrt T`.
#
# A knock-in whose strike lies on the live side of the barrier pays C (down call, up put) or
# B − C + D (up call, down put); one whose strike lies beyond the barrier pays A − B + D or A. A
# knock-out is the vanilla less the knock-in. What enters: a market with positive time and
# volatility; what leaves: Greeks.
#
# References: reiner1991; rubinstein1991; haug2007.

SLOWEST = 1e-10
"""Least squared speed of the first passage, in variances; prices miss by less than this."""


def knock_in(
    f: Functions, market: Market, phi: int, eta: int, strike: Array, barrier: Array, beyond: bool
) -> Greeks:
    """Knock-in without rebate; ``beyond``: the strike lies at the barrier or on its far side."""
    if phi == eta and not beyond:
        return _image(f, market, phi, eta, strike, strike, barrier)
    if phi != eta and beyond:
        return struck(f, market, phi, strike)
    below = gap(f, market, phi, strike, barrier)
    image = _image(f, market, phi, eta, strike, barrier, barrier)
    if phi == eta:
        return struck(f, market, phi, strike) - below + image
    return below - _image(f, market, phi, eta, strike, strike, barrier) + image


def _image(
    f: Functions, market: Market, phi: int, eta: int, strike: Array, trigger: Array, barrier: Array
) -> Greeks:
    """Blocks C (trigger at the strike) and D (trigger at the barrier)."""
    asset = reflected_asset_term(f, market, eta, trigger, barrier)
    cash = reflected_cash_term(f, market, eta, trigger, barrier)
    return (asset - cash.times(strike)).times(phi)


def untouched(
    f: Functions, market: Market, eta: int, barrier: Array, asset: bool = False
) -> Greeks:
    """One unit of cash, or asset, at expiry if the barrier was never touched (block E, R = 1)."""
    ending = (asset_term if asset else cash_term)(f, market, eta, barrier)
    image = reflected_asset_term if asset else reflected_cash_term
    return ending - image(f, market, eta, barrier, barrier)


def touched_by_expiry(
    f: Functions, market: Market, eta: int, barrier: Array, asset: bool = False
) -> Greeks:
    """One unit of cash, or asset, at expiry if the barrier was touched before (rubinstein1991)."""
    ending = (asset_term if asset else cash_term)(f, market, -eta, barrier)
    image = reflected_asset_term if asset else reflected_cash_term
    return ending + image(f, market, eta, barrier, barrier)


def paid_at_touch(f: Functions, market: Market, eta: int, barrier: Array) -> Greeks:
    """One unit of cash when the barrier is touched (block F, R = 1)."""
    c, c1, _ = market.drift
    variance = market.vol * market.vol
    square = c * c + 2.0 * market.rate * variance
    # The sum below is even in the speed, its slopes divide by it: keep off zero.
    square = f.where(square > SLOWEST * variance, square, SLOWEST * variance)
    speed = f.sqrt(square)
    speed1 = market.vol * (2.0 * market.rate - c) / speed
    speed2 = (2.0 * market.rate - c + variance - speed1 * speed1) / speed
    total = None
    for way in (1, -1):
        drift = (way * speed, way * speed1, way * speed2)
        sums = (c + way * speed, c1 + way * speed1, way * speed2 - 1.0)
        part = _paid(f, market, eta, barrier, drift, sums)
        total = part if total is None else total + part
    assert total is not None
    return total


def _paid(
    f: Functions, market: Market, eta: int, barrier: Array, drift: Slopes, sums: Slopes
) -> Greeks:
    """One half of block F: the power of the reflection is ``sums`` over the variance."""
    vol = market.vol
    power = sums[0] / (vol * vol)
    power1 = sums[1] / (vol * vol) - 2.0 * power / vol
    power2 = sums[2] / (vol * vol) - 2.0 * sums[1] / vol**3 - 2.0 * power1 / vol
    h = f.log(barrier)
    return term(
        f, market, sign=eta, asset=0, direction=-1, level=h, drift=drift, growth=0.0,
        reflection=(h, (power, power1, power2 + 2.0 * power / (vol * vol))),
    )  # fmt: skip


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
    found = by_side(
        eta, strike, level, lambda at, beyond: knock_in(NUMPY, safe, phi, eta, at, level, beyond)
    )
    if rebate.any():
        found = found + untouched(NUMPY, safe, eta, level).times(rebate)
    if uncertain.all():
        return found
    kept = np.exp(-market.rate * market.time) * rebate
    missed = flat(market, kept, np.zeros(kept.shape))
    limit = certain(market, phi, strike).where(NUMPY, crosses(market, eta, level), missed)
    return found.where(NUMPY, uncertain, limit)


def by_side(
    eta: int, strike: np.ndarray, level: np.ndarray, priced: Callable[[np.ndarray, bool], Greeks]
) -> Greeks:
    """Price strikes at the barrier or on its far side, and the others, by the blocks of each."""
    beyond = eta * (strike - level) <= 0.0
    if beyond.all() or not beyond.any():
        return priced(strike, bool(beyond.all()))
    # A block whose trigger is on the wrong side may overflow: its trigger moves to the barrier.
    here = priced(np.where(beyond, level, strike), False)
    return priced(strike, True).where(NUMPY, beyond, here)


def crosses(market: Market, eta: int, level: np.ndarray) -> np.ndarray:
    """Return where the forward ends at the barrier or beyond: the touch, without uncertainty."""
    ends: np.ndarray = eta * (market.spot * np.exp(market.carry * market.time) - level) <= 0.0
    return ends


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
