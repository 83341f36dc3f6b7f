r"""European calls and puts with a cost of carry: price and Greeks.

.. math:: V = \varphi\,[S e^{(b-r)T} N(\varphi d_1) - K e^{-rT} N(\varphi d_2)]

What enters: spot, strike, time, volatility, rate, carry, which broadcast; what leaves:
:class:`~attribution.mechanics.terms.Greeks`.

References: black1973; merton1973; haug2007.
"""

from __future__ import annotations

import numpy as np

from attribution.mechanics.inputs import NUMPY, SMALL, Array, Functions, arrays, one_of
from attribution.mechanics.terms import Greeks, Market, asset_term, cash_term

OPTIONS = {"call": 1, "put": -1}


def vanilla(
    option: str, spot: Array, strike: Array, time: Array, vol: Array, rate: Array, carry: Array
) -> Greeks:
    """Price a European call or put with its Greeks.

    Parameters
    ----------
    option : "call" or "put".
    spot, strike : currency per unit, above zero.
    time : years to expiry, zero or more; at zero the payoff.
    vol : annual volatility, zero or more (0.5 is 50 %); at zero the price of a certain forward.
    rate, carry : per year, continuously compounded; carry is rate less yield.

    Raises
    ------
    DataError
        Numbers that are not finite or have the wrong sign; an unknown option.

    References
    ----------
    black1973; merton1973; haug2007
    """
    phi = OPTIONS[one_of("vanilla option", "option", option, OPTIONS)]
    s, k, t, v, r, b = arrays(
        "vanilla option", ("spot", "strike"),
        spot=spot, strike=strike, time=time, vol=vol, rate=rate, carry=carry,
    )  # fmt: skip
    market, uncertain = uncertain_part(Market(s, t, v, r, b))
    found = struck(NUMPY, market, phi, k)
    if not uncertain.all():
        found = found.where(NUMPY, uncertain, certain(Market(s, t, v, r, b), phi, k))
    return found.shaped(s, k, t, v, r, b)


def struck(f: Functions, market: Market, phi: int, strike: Array) -> Greeks:
    """Evaluate the formula, volatility and time above zero (block A of haug2007)."""
    return gap(f, market, phi, strike, strike)


def gap(f: Functions, market: Market, phi: int, strike: Array, trigger: Array) -> Greeks:
    """Pay φ(S − strike) at expiry if φ(S − trigger) > 0 then; negative payments included."""
    asset = asset_term(f, market, phi, trigger)
    return (asset - cash_term(f, market, phi, trigger).times(strike)).times(phi)


def uncertain_part(market: Market) -> tuple[Market, np.ndarray]:
    """Return a market that formulas can take, and where it is the one that was asked for.

    Where volatility or time is zero to rounding, one year at a volatility of 1.00 stands in; its
    result is to be replaced by the limit.
    """
    uncertain = market.vol * np.sqrt(market.time) > SMALL
    if uncertain.all():
        return market, uncertain
    time = np.where(uncertain, market.time, 1.0)
    vol = np.where(uncertain, market.vol, 1.0)
    return Market(market.spot, time, vol, market.rate, market.carry), uncertain


def certain(market: Market, phi: int, strike: Array) -> Greeks:
    """Return the limit of no volatility or no time: the discounted payoff at the forward price.

    At a forward exactly at the strike delta is half of its jump, the limit of the formula.
    Theta is that of a deterministic price, rV − bSΔ.
    """
    discount = np.exp(-market.rate * market.time)
    growth = np.exp(market.carry * market.time)
    gain = phi * (market.spot * growth - strike)
    value = discount * np.maximum(gain, 0.0)
    delta = phi * discount * growth * np.heaviside(gain, 0.5)
    return flat(market, value, delta)


def flat(market: Market, value: Array, delta: Array) -> Greeks:
    """Greeks of a claim whose value is locally linear in spot and free of volatility."""
    none = np.zeros(np.shape(value))
    theta = market.rate * value - market.carry * market.spot * delta
    return Greeks(value, delta, none, none, none, none, theta)
