r"""Digitals: plain, paid at a touch, and switched on or off by one; with Greeks.

What enters: numbers that broadcast; what leaves: Greeks.

With the letters of Haug and both barrier and strike in place, a knock-in is one of

.. math:: A, \qquad C, \qquad A - B + D, \qquad B - C + D

where A is the digital, B the digital with its trigger at the barrier, C and D their images, as for
options in :mod:`~attribution.mechanics.barrier`; a knock-out is the digital less the
knock-in. With the six of :func:`~attribution.mechanics.digital.one_touch`, which ask of the touch
alone, for either side and unit, these are the 28 of Rubinstein and Reiner. What enters: numbers
that broadcast; what leaves: Greeks.

References: rubinstein1991; haug2007.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from attribution.mechanics.barrier import (
    KINDS,
    by_side,
    crosses,
    live_market,
    paid_when_touched,
    touched_by_expiry,
    touches,
    untouched,
)
from attribution.mechanics.inputs import NUMPY, Array, arrays, one_of
from attribution.mechanics.terms import (
    Greeks,
    Market,
    asset_term,
    cash_term,
    reflected_asset_term,
    reflected_cash_term,
)
from attribution.mechanics.vanilla import OPTIONS, certain, flat, gap, uncertain_part

SIDES = {"down": 1, "up": -1}
PAYMENTS = ("touch", "expiry", "never")
UNITS = ("cash", "asset")


def digital(
    option: str, pays: str, spot: Array, strike: Array, time: Array, vol: Array, rate: Array,
    carry: Array,
) -> Greeks:  # fmt: skip
    """Price a European digital: a call pays if spot ends above the strike, a put if below.

    Parameters
    ----------
    option : "call" or "put".
    pays : "cash" for one unit of currency, "asset" for one unit of the asset.
    spot, strike, time, vol, rate, carry : as in :func:`~attribution.mechanics.vanilla.vanilla`.

    Raises
    ------
    DataError
        Unknown words; numbers that are not finite or have the wrong sign.

    References
    ----------
    rubinstein1991; haug2007
    """
    phi = OPTIONS[one_of("digital", "option", option, OPTIONS)]
    one_of("digital", "pays", pays, ("cash", "asset"))
    s, k, t, v, r, b = arrays(
        "digital", ("spot", "strike"),
        spot=spot, strike=strike, time=time, vol=vol, rate=rate, carry=carry,
    )  # fmt: skip
    market = Market(s, t, v, r, b)
    safe, uncertain = uncertain_part(market)
    found = (cash_term if pays == "cash" else asset_term)(NUMPY, safe, phi, k)
    if uncertain.all():
        return found.shaped(s, k, t, v, r, b)
    held = np.exp(-r * t) * np.heaviside(phi * (s * np.exp(b * t) - k), 0.5)
    growth = np.exp(b * t) * held
    limit = flat(market, held, 0.0 * held) if pays == "cash" else flat(market, s * growth, growth)
    return found.where(NUMPY, uncertain, limit).shaped(s, k, t, v, r, b)


def one_touch(
    side: str, pays: str, spot: Array, level: Array, time: Array, vol: Array, rate: Array,
    carry: Array, unit: str = "cash",
) -> Greeks:  # fmt: skip
    """Price one unit that depends on whether the barrier is touched before expiry.

    Parameters
    ----------
    side : "down" for a barrier below spot, "up" for one above.
    pays : "touch" when touched, "expiry" at expiry if touched before, "never" at expiry if not.
    spot, level, time, vol, rate, carry : as in :func:`~attribution.mechanics.barrier.barrier`;
        spot at or beyond the barrier touches it now.
    unit : "cash" for one unit of currency, "asset" for one unit of the asset.

    Raises
    ------
    DataError
        Unknown words; numbers that are not finite or have the wrong sign; a rate so negative
        that cash at the touch has no price.

    References
    ----------
    rubinstein1991; haug2007
    """
    eta = SIDES[one_of("one-touch", "side", side, SIDES)]
    one_of("one-touch", "pays", pays, PAYMENTS)
    asset = one_of("one-touch", "unit", unit, UNITS) == "asset"
    s, h, t, v, r, b = arrays(
        "one-touch", ("spot", "level"),
        spot=spot, level=level, time=time, vol=vol, rate=rate, carry=carry,
    )  # fmt: skip
    market = Market(s, t, v, r, b)
    alive = ~touches(eta, s, h, None)[0]
    if pays == "touch":
        found, paid = paid_when_touched(market, eta, h, alive), Greeks.of_cash(1.0)
        if asset:  # at the touch it is worth the barrier, and spot where that is passed already
            found, none = found.times(h), 0.0 * s
            paid = Greeks(s, none + 1.0, none, none, none, none, none)
        return found.where(NUMPY, alive, paid).shaped(s, h, t, v, r, b)
    discount = np.exp((b - r) * t if asset else -r * t)
    bond = flat(market, s * discount, discount) if asset else flat(market, discount, 0.0 * discount)
    nothing = Greeks.of_cash(0.0 * discount)
    safe, uncertain = uncertain_part(live_market(market, eta, h, alive))
    found = (untouched if pays == "never" else touched_by_expiry)(NUMPY, safe, eta, h, asset)
    if not uncertain.all():
        arrives = eta * (s * np.exp(b * t) - h) <= 0.0
        paying = ~arrives if pays == "never" else arrives
        found = found.where(NUMPY, uncertain, bond.where(NUMPY, paying, nothing))
    gone = nothing if pays == "never" else bond
    return found.where(NUMPY, alive, gone).shaped(s, h, t, v, r, b)


def at_maturity(
    kind: str, spot: Array, strike: Array, level: Array, time: Array, vol: Array, rate: Array,
    carry: Array,
) -> Greeks:  # fmt: skip
    """Price a barrier option whose barrier is compared with the price at expiry only.

    A down-and-in put pays (K − S) if S < H and S < K then: a vanilla struck at H and K − H
    digitals when H < K. There is no touch, so the price is smooth in spot until expiry.

    Parameters
    ----------
    kind, spot, strike, level, time, vol, rate, carry : as in
        :func:`~attribution.mechanics.barrier.barrier`; there is no rebate.

    Raises
    ------
    DataError
        An unknown kind; numbers that are not finite or have the wrong sign.

    References
    ----------
    haug2007
    """
    eta, knock, phi = KINDS[one_of("barrier at maturity", "kind", kind, KINDS)]
    s, k, h, t, v, r, b = arrays(
        "barrier at maturity", ("spot", "strike", "level"),
        spot=spot, strike=strike, level=level, time=time, vol=vol, rate=rate, carry=carry,
    )  # fmt: skip
    market = Market(s, t, v, r, b)
    far = phi * np.maximum(phi * k, phi * h)
    past = _gap(market, phi, k, far)
    # A put below a lower barrier (or call above an upper) is what lies past both levels.
    one_sided = (knock == "in") == (phi != eta)
    found = past if one_sided else _gap(market, phi, k, k) - past
    return found.shaped(s, k, h, t, v, r, b)


def _gap(market: Market, phi: int, strike: np.ndarray, trigger: np.ndarray) -> Greeks:
    safe, uncertain = uncertain_part(market)
    found = gap(NUMPY, safe, phi, strike, trigger)
    if uncertain.all():
        return found
    forward = market.spot * np.exp(market.carry * market.time)
    none = Greeks.of_cash(np.zeros(forward.shape))
    limit = certain(market, phi, strike).where(NUMPY, phi * (forward - trigger) > 0.0, none)
    return found.where(NUMPY, uncertain, limit)


# A barrier watched at dates instead of all the time: where a continuous one is worth the same.

OVERSHOOT = float(-special.zeta(0.5)) / math.sqrt(2.0 * math.pi)
"""−ζ(1/2)/√(2π) = 0.5826, the mean overshoot of a random walk in standard deviations."""


def shifted_barrier(side: str, level: Array, vol: Array, interval: Array) -> np.ndarray:
    r"""Move a barrier away from spot by the mean overshoot between two dates.

    .. math:: H e^{\mp 0.5826\,\sigma\sqrt{\Delta}}

    Parameters
    ----------
    side : "down" or "up".
    level : barrier watched at dates, currency per unit.
    vol : annual volatility.
    interval : years between two dates (1/252 for daily closes).

    Returns
    -------
    Barrier whose continuous version is worth the same to order 1/number of dates; spot should
    not be within a step of it.

    Raises
    ------
    DataError
        An unknown side; numbers that are not finite or have the wrong sign.

    References
    ----------
    broadie1997; broadie1997
    """
    eta = SIDES[one_of("shifted barrier", "side", side, SIDES)]
    h, v, dt = arrays("shifted barrier", ("level",), level=level, vol=vol, time=interval)
    return np.asarray(h * np.exp(-eta * OVERSHOOT * v * np.sqrt(dt)))


def binary_barrier(
    kind: str,
    pays: str,
    spot: Array,
    strike: Array,
    level: Array,
    time: Array,
    vol: Array,
    rate: Array,
    carry: Array,
    touched: Array | None = None,
) -> Greeks:
    """Price one unit of cash or of the asset, paid at expiry past the strike, if touched or if not.

    Parameters
    ----------
    kind : "down_in_put" and so on: down or up, in or out; a call pays if spot ends above the
        strike, a put if below.
    pays : "cash" for one unit of currency, "asset" for one unit of the asset.
    spot, strike, level, time, vol, rate, carry, touched : as in
        :func:`~attribution.mechanics.barrier.barrier`; there is no rebate.

    Raises
    ------
    DataError
        Unknown words; numbers that are not finite or have the wrong sign; spot beyond the barrier
        of an option called untouched.

    References
    ----------
    rubinstein1991; haug2007
    """
    eta, knock, phi = KINDS[one_of("binary barrier option", "kind", kind, KINDS)]
    one_of("binary barrier option", "pays", pays, ("cash", "asset"))
    s, k, h, t, v, r, b, was = arrays(
        "binary barrier option", ("spot", "strike", "level"), spot=spot, strike=strike, level=level,
        time=time, vol=vol, rate=rate, carry=carry, touched=False if touched is None else touched,
    )  # fmt: skip
    market = Market(s, t, v, r, b)
    now, before = touches(eta, s, h, None if touched is None else was > 0.0)
    alive = ~(now | before)
    option = "call" if phi > 0 else "put"
    plain = digital(option, pays, s, k, t, v, r, b)
    live = _live_in(market, pays, phi, eta, k, h, alive)
    if knock == "in":
        whole = live.where(NUMPY, alive, plain)
    else:
        still = live_market(market, eta, h, alive)
        kept = digital(option, pays, still.spot, k, t, v, r, b) - live
        whole = kept.where(NUMPY, alive, Greeks.of_cash(np.zeros(())))
    return whole.shaped(s, k, h, t, v, r, b, alive)


def _live_in(
    market: Market,
    pays: str,
    phi: int,
    eta: int,
    strike: np.ndarray,
    level: np.ndarray,
    alive: np.ndarray,
) -> Greeks:
    """Price the knock-in where it is alive; elsewhere the numbers are finite and mean nothing."""
    market = live_market(market, eta, level, alive)
    safe, uncertain = uncertain_part(market)
    found = by_side(
        eta, strike, level, lambda at, beyond: _knock_in(safe, pays, phi, eta, at, level, beyond)
    )
    if uncertain.all():
        return found
    plain = digital(
        "call" if phi > 0 else "put", pays, market.spot, strike, market.time, market.vol,
        market.rate, market.carry,
    )  # fmt: skip
    limit = plain.where(NUMPY, crosses(market, eta, level), Greeks.of_cash(np.zeros(())))
    return found.where(NUMPY, uncertain, limit)


def _knock_in(
    market: Market, pays: str, phi: int, eta: int, strike: Array, level: Array, beyond: bool
) -> Greeks:
    """Sum the blocks; ``beyond``: the strike lies at the barrier or on its far side."""
    block = cash_term if pays == "cash" else asset_term
    image = reflected_cash_term if pays == "cash" else reflected_asset_term
    if phi == eta and not beyond:
        return image(NUMPY, market, eta, strike, level)
    if phi != eta and beyond:
        return block(NUMPY, market, phi, strike)
    past = block(NUMPY, market, phi, level)
    reflected = image(NUMPY, market, eta, level, level)
    if phi == eta:
        return block(NUMPY, market, phi, strike) - past + reflected
    return past - image(NUMPY, market, eta, strike, level) + reflected
