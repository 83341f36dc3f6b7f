"""Priced exposures in; what exposure earned on the events, by slopes and by factors, out."""

from __future__ import annotations

import numpy as np
import pandas as pd

from attribution.estimate.slopes import daily_slopes
from attribution.study.priced import Priced, rank


def event_slopes(priced: Priced) -> pd.DataFrame:
    """Rank each event's slopes among those of other days, and leave out each asset in turn."""
    market, rows = priced.market, {}
    inside = np.flatnonzero(market.used)
    without = [
        daily_slopes(market.returns, priced.beta, market.used & (np.arange(len(market.used)) != a))
        for a in inside
    ]
    for event, row in market.events.items():
        for j, name in enumerate(priced.names, start=1):
            own = priced.slopes.slope[row, j]
            others = priced.slopes.slope[priced.other_days, j]
            left = np.array([w.slope[row, j] for w in without])
            left = left[np.isfinite(left)] if np.isfinite(left).any() else np.array([np.nan])
            rows[f"{name}, {event}"] = {
                "slope": own,
                "percentile": 100 * float((others < own).mean()),
                "p": rank(own, others),
                "other_days": float(len(others)),
                "assets": float(priced.slopes.assets[row]),
                "lowest_without_one": float(left.min()),
                "highest_without_one": float(left.max()),
            }
    return pd.DataFrame.from_dict(rows, orient="index")


def traded_factors(priced: Priced) -> pd.DataFrame:
    """Multiply exposures by the factors' own returns: what holding them earned that day."""
    market, rows = priced.market, {}
    for event, row in market.events.items():
        for place in market.apart:
            parts = priced.beta[row, place] * market.factors[row]
            for j, name in enumerate(priced.names):
                rows[f"{market.assets[place]}, {event}: {name}"] = {
                    "exposure": priced.beta[row, place, j],
                    "factor_return": market.factors[row, j],
                    "product": parts[j],
                    "asset_return": market.returns[row, place],
                }
    return pd.DataFrame.from_dict(rows, orient="index")
