r"""Hedge trades of drawn notes over a grid of moves and volatilities, compiled: deltas and no more.

A table of a day needs one derivative at millions of points, where
:mod:`~attribution.mechanics.note_prices` computes seven. The same closed forms with
:math:`s = \sigma\sqrt T`, :math:`E = e^{(b-r)T}`, :math:`R = e^{-rT}`:

.. math::
    \Delta_B(X) &= -E N(-x) + \frac{E\,n(x)}{s}\Bigl(1 - \frac KX\Bigr), \\
    \Delta_C(y, k) &= (2\mu+1) E g N(y) - \frac{2\mu K R h}{S} N(y - s) + \frac{E g\,n(y)}{s}\,k

A put that knocks in at maturity is :math:`\Delta_B(H)`, one that is always watched
:math:`\Delta_B(H) - \Delta_C(y_1, 0) + \Delta_C(y_2, 1 - K/H)`. What enters: terms and states of
notes; what leaves: USD million.

References: reiner1991; haug2007; broadie1997.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from attribution.mechanics.digital import OVERSHOOT
from attribution.mechanics.note_prices import DAY
from attribution.mechanics.notes import AT_CLOSE, AT_MATURITY

DUAL, BUFFER = 1, 2
"""Codes of :data:`~attribution.mechanics.notes.KINDS`, by their place there."""
LOWEST = 0.05
"""Annual volatility below which no table goes, however far a change would take it."""
SHIFT = OVERSHOOT * math.sqrt(DAY)


@njit(cache=True, nogil=True)
def book_table(terms, weight, touched, left, spot, vol, span, moves, rises, market):  # type: ignore[no-untyped-def]
    """Trade the hedge of a book over a grid.

    Parameters
    ----------
    terms : (scenario, note, 7), code of the kind, way of watching, initial value, level, leverage,
        participation, cap; USD per unit.
    weight : million units hedged, dealer long the holder's put, (scenario, day, note).
    touched : whether a watched barrier was touched by the evening before, same shape.
    left : years to maturity on the evening before, same shape; read where the weight is not zero.
    spot, vol, span : close and volatility of the evening before, years until the close; (day,).
    moves, rises : nodes, log units and change of annual volatility.
    market : rate and carry, per year.

    Returns
    -------
    USD million, bought above zero, (scenario, day, move, rise).
    """
    scenarios, days, notes = weight.shape
    out = np.zeros((scenarios, days, len(moves), len(rises)))
    for m in range(scenarios):
        for t in range(days):
            for i in range(notes):
                size = weight[m, t, i]
                if size == 0.0:
                    continue
                own, gone = terms[m, i], touched[m, t, i]
                held = _delta(own, gone, spot[t], left[m, t, i], vol[t], market)
                for j in range(len(moves)):
                    price = spot[t] * math.exp(moves[j])
                    seen = gone or (own[1] != AT_MATURITY and price <= own[3])
                    for k in range(len(rises)):
                        level = max(vol[t] + rises[k], LOWEST)
                        now = _delta(own, seen, price, left[m, t, i] - span[t], level, market)
                        out[m, t, j, k] -= size * (now - held) * price
    return out


@njit(cache=True, nogil=True)
def put_table(strike, tenor, spot, vol, span, moves, rises, market):  # type: ignore[no-untyped-def]
    """Trade the hedge of one listed put sold on the evening before, over a grid.

    Parameters
    ----------
    strike, tenor : fraction of the close and years, (scenario,).
    spot, vol, span, moves, rises, market : as in :func:`book_table`.

    Returns
    -------
    USD per put, (scenario, day, move, rise), and its vega when sold, USD per 1.00, (scenario, day).
    """
    shape = (len(strike), len(spot))
    out, vega = np.zeros((*shape, len(moves), len(rises))), np.zeros(shape)
    for m in range(shape[0]):
        for t in range(shape[1]):
            k, years, start = strike[m] * spot[t], tenor[m], max(vol[t], LOWEST)
            x = _distance(spot[t], k, years, start, market[1])
            growth = math.exp((market[1] - market[0]) * years)
            vega[m, t] = spot[t] * growth * _density(x) * math.sqrt(years)
            held = _gap(spot[t], k, k, years, start, market)
            for j in range(len(moves)):
                price = spot[t] * math.exp(moves[j])
                for n in range(len(rises)):
                    level = max(vol[t] + rises[n], LOWEST)
                    now = _gap(price, k, k, years - span[t], level, market)
                    out[m, t, j, n] = (now - held) * price
    return out, vega


@njit(cache=True, nogil=True)
def _delta(own, gone, spot, time, vol, market):  # type: ignore[no-untyped-def]
    """Delta of what the holder sold less what he owns, per unit."""
    strike = own[2]
    if own[0] == BUFFER:
        found = own[4] * _gap(spot, own[3], own[3], time, vol, market)
    elif gone:
        found = _gap(spot, strike, strike, time, vol, market)
    else:
        found = _in(own, spot, time, vol, market)
        if own[0] == DUAL:
            found = 2.0 * found - _gap(spot, strike, strike, time, vol, market)
    if own[5] != 0.0:
        growth = math.exp((market[1] - market[0]) * time)
        rise = _below(_distance(spot, strike, time, vol, market[1]))
        if own[6] < np.inf:
            rise -= _below(_distance(spot, own[6], time, vol, market[1]))
        found -= own[5] * growth * rise
    return found


@njit(cache=True, nogil=True)
def _in(own, spot, time, vol, market):  # type: ignore[no-untyped-def]
    """Delta of a put that has not knocked in yet."""
    strike, level, rate, carry = own[2], own[3], market[0], market[1]
    if own[1] == AT_MATURITY:
        return _gap(spot, strike, min(strike, level), time, vol, market)
    if own[1] == AT_CLOSE:
        level *= math.exp(-SHIFT * vol)
    if level >= strike:
        return _gap(spot, strike, strike, time, vol, market)
    s = vol * math.sqrt(time)
    mu = (carry - 0.5 * vol * vol) / (vol * vol)
    y1 = math.log(level * level / (spot * strike)) / s + (1.0 + mu) * s
    y2 = math.log(level / spot) / s + (1.0 + mu) * s
    found = _gap(spot, strike, level, time, vol, market)
    g = math.exp((carry - rate) * time) * (level / spot) ** (2.0 * (mu + 1.0))
    h = math.exp(-rate * time) * (level / spot) ** (2.0 * mu) * 2.0 * mu * strike / spot
    found += (2.0 * mu + 1.0) * g * (_below(y2) - _below(y1))
    found -= h * (_below(y2 - s) - _below(y1 - s))
    return found + g * _density(y2) / s * (1.0 - strike / level)


@njit(cache=True, nogil=True)
def _gap(spot, strike, trigger, time, vol, market):  # type: ignore[no-untyped-def]
    """Delta of a put that pays strike less spot if spot ends below the trigger."""
    x = _distance(spot, trigger, time, vol, market[1])
    growth = math.exp((market[1] - market[0]) * time)
    found = -growth * _below(-x)
    if trigger != strike:
        found += growth * _density(x) / (vol * math.sqrt(time)) * (1.0 - strike / trigger)
    return found


@njit(cache=True, nogil=True)
def _distance(spot, trigger, time, vol, carry):  # type: ignore[no-untyped-def]
    s = vol * math.sqrt(time)
    return (math.log(spot / trigger) + (carry + 0.5 * vol * vol) * time) / s


@njit(cache=True, nogil=True)
def _below(x):  # type: ignore[no-untyped-def]
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


@njit(cache=True, nogil=True)
def _density(x):  # type: ignore[no-untyped-def]
    return math.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi)
