r"""The formulas of single-barrier options on the live side of a barrier, for arrays or tensors.

With :math:`\varphi = \pm 1` for call or put and :math:`\eta = \pm 1` for a barrier below or above,
the blocks of Reiner and Rubinstein, in the letters of Haug, are

.. math::
    A &= \text{vanilla}, \qquad B = \text{A with its trigger at H instead of K}, \\
    C &= \text{image of A}, \qquad D = \text{image of B}, \\
    E &= R e^{-rT}[N(\eta x_2 - \eta s) - (H/S)^{2\mu} N(\eta y_2 - \eta s)], \\
    F &= R[(H/S)^{\mu+\lambda} N(\eta z) + (H/S)^{\mu-\lambda} N(\eta z - 2\eta\lambda s)]

with :math:`s = \sigma\sqrt T`.

A knock-in whose strike lies on the live side of the barrier pays C (down call, up put) or
B − C + D (up call, down put); one whose strike lies beyond the barrier pays A − B + D or A. A
knock-out is the vanilla less the knock-in. What enters: a market with positive time and
volatility; what leaves: Greeks.

References: reiner1991; rubinstein1991; haug2007.
"""

from __future__ import annotations

from attribution.mechanics.functions import Array, Functions
from attribution.mechanics.greeks import Greeks
from attribution.mechanics.terms import (
    Market,
    Slopes,
    asset_term,
    cash_term,
    reflected_asset_term,
    reflected_cash_term,
    term,
)
from attribution.mechanics.vanilla import gap, struck

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
