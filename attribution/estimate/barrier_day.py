"""A question about notes and its evidence in; a day and its eve, as they were observed, out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from attribution.errors import EventError
from attribution.model.barrier_book import BarrierQuestion
from attribution.panel import Evidence
from attribution.panel.note_terms import YEAR

PERCENT = 100.0


@dataclass(frozen=True)
class Day:
    """From the eve's close to the day's, as it was observed.

    Attributes
    ----------
    day, eve : dates of the two rows.
    spot : close of the fund, USD, (2,).
    listed : 30-day implied volatility, fraction a year, (2,).
    volume : dollar volume of the fund, USD million; NaN where it was not observed.
    """

    day: date
    eve: date
    spot: np.ndarray
    listed: np.ndarray
    volume: float

    @property
    def years(self) -> float:
        """Time between the two closes."""
        return (self.day - self.eve).days / YEAR


def day_of(question: BarrierQuestion, evidence: Evidence, day: date, place: str) -> Day:
    """Read a day and its eve, the last row before it with a close and a volatility.

    Raises
    ------
    EventError
        If one of them was not observed.
    """
    rows = evidence.rows[[question.outcome, question.volatility]].dropna()
    stamp = pd.Timestamp(day)
    before = rows[rows.index < stamp]
    if stamp not in rows.index or before.empty:
        what = f"no '{question.outcome}' and '{question.volatility}' on {day}"
        if stamp in rows.index:
            what = f"no row before {day}"
        raise EventError(
            f"{place}: {what} in the sample; name a day that was observed, or widen the sample"
        )
    pair = pd.concat([before.iloc[-1:], rows.loc[[stamp]]])
    close = pair[question.outcome].to_numpy(dtype=float)
    shares = float(evidence.rows[question.volume].loc[stamp])
    return Day(
        day=day,
        eve=before.index[-1].date(),
        spot=close,
        listed=pair[question.volatility].to_numpy(dtype=float) / PERCENT,
        volume=shares * close[1] / 1e6,
    )
