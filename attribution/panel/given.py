"""A data frame that a user hands over in; its columns and days, or what bars them, out."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from attribution.errors import DataError, nearest

PLACE = "the data frame"
DATE_NAMES = ("date", "time", "day", "month", "quarter", "year", "period")
"""Names under which a column of dates is recognised where the index holds none."""


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


def dates_among(frame: pd.DataFrame) -> Sequence[Hashable]:
    """Name the columns that hold dates or, where none does, those that are named so."""
    dated = [name for name in frame.columns if _holds_dates(frame[name].dtype)]
    return dated or [name for name in frame.columns if str(name).lower() in DATE_NAMES]


def _holds_dates(dtype: Any) -> bool:
    return isinstance(dtype, pd.PeriodDtype) or pd.api.types.is_datetime64_any_dtype(dtype)


def source_of(data: object) -> Path | pd.DataFrame | None:
    """Return where data come from: a path, written as text or not, a frame, or nothing.

    Raises
    ------
    DataError
        If it is something else.
    """
    if isinstance(data, str):
        return Path(data)
    if data is None or isinstance(data, Path | pd.DataFrame):
        return data
    raise DataError(
        f"data: {type(data).__name__} is neither a path nor a pandas DataFrame; hand over one of"
        " the two"
    )


def plain_index(index: pd.Index) -> pd.Index:
    """Turn an index of one level, of periods or of Python's dates, into one of days.

    Raises
    ------
    DataError
        If it holds instants, whose day depends on a zone, or dates of several kinds.
    """
    if isinstance(index, pd.MultiIndex) and index.nlevels == 1:
        index = index.get_level_values(0)
    if isinstance(index, pd.PeriodIndex):
        return index.to_timestamp(how="start").normalize()
    if index.dtype == object and len(index) and all(isinstance(day, date) for day in index):
        try:
            index = pd.DatetimeIndex(index, name=index.name)
        except (ValueError, TypeError):
            raise DataError(
                f"{PLACE}: its index mixes dates with instants, or several zones; make them days,"
                " with tz_localize(None) and normalize()"
            ) from None
    if isinstance(index.dtype, pd.DatetimeTZDtype):
        raise DataError(
            f"{PLACE}: its dates are instants in {index.dtype.tz}; convert them to days, with"
            " tz_convert to the zone in which rows are read, then tz_localize(None) and normalize()"
        )
    return index


def is_real(dtype: Any) -> bool:
    """Whether a column holds real numbers; what is complex has a part that nothing reads."""
    types = pd.api.types
    return bool(types.is_numeric_dtype(dtype) and not types.is_complex_dtype(dtype))


def refuse_repeated(index: pd.Index) -> None:
    """Refuse two rows of one label, with the second."""
    again = np.flatnonzero(index.duplicated())
    if len(again):
        raise DataError(
            f"{PLACE}: row {again[0] + 1} ({_said(index[again[0]])}) stands twice; keep one row of"
            " each label"
        )


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
