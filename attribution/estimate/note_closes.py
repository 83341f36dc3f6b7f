"""Closes of the underlying and notes in; where each was fixed, and how low it has been, out."""

from __future__ import annotations

import numpy as np
import pandas as pd

from attribution.errors import DataError
from attribution.mechanics.note_draws import NoteTerms


def fixing_rows(
    terms: tuple[NoteTerms, ...], which: np.ndarray, index: pd.DatetimeIndex
) -> np.ndarray:
    """Row of the close at which each note was fixed, (draw, note).

    Parameters
    ----------
    which : drawn fixing, by its number among those that are possible, (draw, note).
    index : days of the closes.

    Raises
    ------
    DataError
        A note without days of fixing, or with one that has no close.
    """
    found = np.empty(which.shape, dtype=np.int64)
    for i, one in enumerate(terms):
        when = pd.DatetimeIndex(one.fixed)
        if len(when) != len(one.fixings) or not when.isin(index).all():
            raise DataError(
                f"notes: '{one.name}' has no day of fixing, or one without a close; read its terms "
                "for these closes"
            )
        found[:, i] = index.searchsorted(when)[which[:, i]]
    return found


def lows(closes: np.ndarray) -> np.ndarray:
    """Lowest close from each row to each later one, (from, to)."""
    row = np.arange(len(closes))
    return np.minimum.accumulate(np.where(row >= row[:, None], closes, np.inf), axis=1)
