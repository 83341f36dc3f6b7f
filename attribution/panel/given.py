"""A data frame that a user hands over in; its columns and days, or what bars them, out."""

from __future__ import annotations

import numpy as np
import pandas as pd

from attribution.errors import DataError, nearest

PLACE = "the data frame"


def column_of(frame: pd.DataFrame, name: str) -> pd.Series:
    """Return a column by its name.

    Raises
    ------
    DataError
        If there is none.
    """
    if name not in frame.columns:
        raise DataError(
            f"{PLACE} has no column '{name}'{nearest(name, map(str, frame.columns))}; add it or"
            " correct the model"
        )
    return frame[name]


def refuse_twice(columns: pd.Index) -> None:
    """Refuse columns of one name."""
    if not columns.is_unique:
        name = str(columns[columns.duplicated()][0])
        raise DataError(f"{PLACE}: column '{name}' appears twice; remove or rename one")


def plain_index(index: pd.Index) -> pd.Index:
    """Turn periods into their first days; refuse instants, whose day depends on a zone."""
    if isinstance(index, pd.PeriodIndex):
        return index.to_timestamp(how="start").normalize()
    if isinstance(index.dtype, pd.DatetimeTZDtype):
        raise DataError(
            f"{PLACE}: its dates are instants in {index.dtype.tz}; convert them to days, with"
            " tz_convert to the zone in which rows are read, then tz_localize(None) and normalize()"
        )
    return index


def refuse_infinite(name: str, values: np.ndarray, index: pd.Index) -> None:
    """Refuse numbers that are infinite, with the first row that has one."""
    wild = np.flatnonzero(np.isinf(values))
    if len(wild):
        raise DataError(
            f"{PLACE}: column '{name}' is infinite on {_said(index[wild[0]])}; correct it, or make"
            " it missing"
        )


def _said(label: object) -> str:
    if isinstance(label, tuple):
        return ", ".join(map(_said, label))
    return f"{label:%Y-%m-%d}" if isinstance(label, pd.Timestamp) else str(label)
