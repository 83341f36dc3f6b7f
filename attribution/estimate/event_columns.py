"""Columns of the data in; the same in model units, each as it was known, by day, out."""

from __future__ import annotations

import numpy as np
import pandas as pd

from attribution.estimate.event_open_interest import open_interest
from attribution.model.event_study import EventQuestion

YEAR = 365.0
MILLION = 1e6


def made_columns(question: EventQuestion, frame: pd.DataFrame) -> pd.DataFrame:
    """Bring every column into model units; lags are over rows of the sample."""
    impact, forced = question.impact, question.liquidations
    price, level = frame[question.price], frame[question.volatility.column] / 100.0
    last = price.shift(1)
    traded = frame[impact.volume] * price / MILLION
    held = open_interest(question, frame)
    found = {
        "move": frame[question.outcome] / 100.0,
        "before": frame[question.outcome].shift(1) / 100.0,
        "noise": frame[question.scale],
        "sigma": level.shift(1) / np.sqrt(YEAR),
        "volume": traded.rolling(impact.window).mean().shift(1) * impact.volume_multiple,
        "capitalisation": last * impact.supply,
        "price": last,
        "funding": frame[forced.funding],
        "volatility": level.diff(),
        "basis": frame[question.basis.basis],
        "creations": frame[list(question.basis.creations)].sum(axis=1, skipna=False),
        **held,
    }
    for group in question.drivers:
        for name in group.columns:
            found[f"driver {name}"] = frame[name]
    return pd.DataFrame(found)
