"""Closes and days in; what a hedger knows on the evening before each day out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from attribution.errors import DataError
from attribution.panel.note_terms import YEAR


@dataclass(frozen=True)
class Evenings:
    """What is known on the evening before each day; all (day,).

    Attributes
    ----------
    spot : close of the underlying, USD.
    vol, listed : annual volatility of long and of short tenors, 0.5 is 50 %.
    place : row of that close among all closes.
    age : years from that close to the evening before the day of reference, negative after it.
    span : years from that close to the close of the day.
    """

    spot: np.ndarray
    vol: np.ndarray
    listed: np.ndarray
    place: np.ndarray
    age: np.ndarray
    span: np.ndarray


def evenings(
    past: pd.Series, days: pd.DatetimeIndex, vols: np.ndarray, listed: np.ndarray, reference: date
) -> Evenings:
    """Look up the last close before each day, and the times between.

    Raises
    ------
    DataError
        No close before the first day or the day of reference; volatilities that are missing or
        not above zero.
    """
    index = pd.DatetimeIndex(past.index)
    place = index.searchsorted(days) - 1
    eve = index.searchsorted(pd.Timestamp(reference)) - 1
    if (place < 0).any() or eve < 0:
        raise DataError(
            "notes: there is no close before the first day or the day of reference; extend the "
            "closes"
        )
    for name, each in (("long", vols), ("short", listed)):
        if each.shape != (len(days),) or not (np.isfinite(each) & (each > 0.0)).all():
            raise DataError(
                f"notes: volatilities of {name} tenors are not one positive number a day; fill "
                "what is missing (0.5 is 50 %)"
            )
    last = pd.Timestamp(index.to_numpy()[eve])
    years = [(when - index[place]).days.to_numpy() / YEAR for when in (last, days)]
    return Evenings(past.to_numpy(dtype=float)[place], vols, listed, place, *years)
