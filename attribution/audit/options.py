r"""Does the hedging of a long option position speed a fall up: priced over strikes and maturities.

Who is long an option and hedged holds :math:`-\Delta` of the asset against it; over a move that is
a purchase of :math:`-(\Delta_1 - \Delta_0)`, which falls on the side of the buyers where positive.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from attribution.audit.sources import Sources
from attribution.audit.tested import Tested
from attribution.errors import SpecError
from attribution.finding import verdict_of

STRIKES = np.linspace(0.7, 1.3, 25)
"""Of the price on the eve."""
MATURITIES = np.array([7, 14, 30, 60, 90, 180]) / 365.0
"""Years."""


@dataclass(frozen=True)
class LongOptionHedge:
    """Hedges of long options buy in the fall, over strikes and maturities.

    Attributes
    ----------
    price, vol : of the asset; implied volatility, percent a year.
    option : ``put`` or ``call``.
    pass_through : share of the day's change of implied volatility that the options follow.
    """

    price: str
    vol: str
    day: date
    option: str = "put"
    pass_through: float = 0.0
    rate: float = 0.04
    data: str = "daily"


def long_option_hedge(ask: LongOptionHedge, sources: Sources) -> Tested:
    """Sum the hedges' trades over a grid of strikes and maturities, each option equally held."""
    from attribution.mechanics.vanilla import vanilla

    if ask.option not in ("put", "call"):
        raise SpecError(f"long_option_hedge: option '{ask.option}' is neither put nor call")
    eve, close = _eve_and_close(sources, ask.data, ask.price, ask.day)
    before, after = (v / 100.0 for v in _eve_and_close(sources, ask.data, ask.vol, ask.day))
    strike, time = np.meshgrid(STRIKES * eve, MATURITIES)
    late = np.maximum(time - 1.0 / 365.0, 0.0)
    moved = before + ask.pass_through * (after - before)
    first = vanilla(ask.option, eve, strike, time, before, ask.rate, ask.rate).delta
    last = vanilla(ask.option, close, strike, late, moved, ask.rate, ask.rate).delta
    trade = -(np.asarray(last) - np.asarray(first))
    share = float((trade > 0).mean())
    return Tested(
        f"price {eve:.2f} to {close:.2f}, volatility {100 * before:.0f} to {100 * moved:.0f} %:"
        f" hedges of long {ask.option}s buy {trade.mean():+.2f} units a unit on average and buy in"
        f" {100 * share:.0f} % of {trade.size} strikes and maturities (strikes 70 to 130 % of the"
        " price, 7 to 180 days)",
        verdict_of(share),
    )


def _eve_and_close(sources: Sources, data: str, name: str, day: date) -> tuple[float, float]:
    column = sources.column(data, name)
    return sources.before(column, day), sources.on(column, day)
