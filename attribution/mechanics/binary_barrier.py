r"""Digitals that a touch of a barrier switches on or off, cash- or asset-or-nothing, with Greeks.

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

import numpy as np

from attribution.mechanics.barrier import KINDS, by_side, crosses, live_market, touches
from attribution.mechanics.digital import digital
from attribution.mechanics.greeks import Greeks
from attribution.mechanics.inputs import NUMPY, Array, arrays, one_of
from attribution.mechanics.terms import (
    Market,
    asset_term,
    cash_term,
    reflected_asset_term,
    reflected_cash_term,
)
from attribution.mechanics.vanilla import uncertain_part


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
