"""A data frame and a model in; the model's panel out, checked as one that is read from a file."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from attribution.errors import DataError, nearest
from attribution.model.spec import ModelSpec
from attribution.panel.card import Card, Column, plain_series
from attribution.panel.coverage import (
    refuse_absent,
    refuse_gaps,
    refuse_uncovered_event,
    refuse_unseen_dates,
    sample_days,
)
from attribution.panel.dates import days_of
from attribution.panel.gate import in_order, refuse_degenerate, refuse_short
from attribution.panel.read import Panel
from attribution.panel.timeline import timeline_of

# A data frame that a user hands over in; its columns and days, or what bars them, out.

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


def panel_of(
    frame: pd.DataFrame,
    spec: ModelSpec,
    units: Mapping[str, str] | None = None,
    *,
    left_out: bool = True,
) -> Panel:
    """Take the columns that a model names from a data frame, as they stand, over its sample.

    Parameters
    ----------
    frame : one row a day, week, month, quarter or year, in any order.  Its index holds dates,
        periods or their labels (``1979-10``, ``1979Q4``), or else one of its columns does.  A
        period stands on its first day.  Variables must be complete over the sample.
    units : column -> unit; ``unit`` where it is silent.
    left_out : whether the event's days are left out of the estimation.

    Returns
    -------
    The panel; its columns stand in the order of ``spec.columns``.

    Raises
    ------
    DataError
        If the dates or a column cannot be used, or the sample is short, incomplete or collinear.
    EventError
        If the data or one variable does not cover the event.
    """
    if not isinstance(frame, pd.DataFrame):
        raise DataError(
            f"{spec.name}: {type(frame).__name__} is no data frame; hand over a pandas DataFrame"
        )
    card = _card(spec, dict(units or {}))
    days = _days(frame, card)
    refuse_repeated(days)
    values = pd.DataFrame({name: _numbers(frame, name, days) for name in spec.columns}, index=days)
    values, repairs = in_order(values, PLACE)
    line = timeline_of(pd.DatetimeIndex(values.index))
    rows = sample_days(spec, pd.DatetimeIndex(values.index), "", PLACE)
    values = values.loc[rows]
    repairs = (*repairs, *refuse_absent(spec, line, rows, PLACE))
    refuse_uncovered_event(spec, rows, PLACE)
    refuse_unseen_dates(spec, rows, PLACE)
    refuse_gaps(spec, values, PLACE)
    refuse_short(spec, rows, PLACE, left_out=left_out)
    refuse_degenerate(spec, values, left_out=left_out)
    return Panel(
        name=card.name,
        values=values,
        units={name: column.unit for name, column in card.columns.items()},
        clock=card.clock,
        digest=_digest(values),
        card=card,
        repairs=repairs,
    )


def _card(spec: ModelSpec, units: Mapping[str, str]) -> Card:
    """Describe a frame as a card would: every column as it stands."""
    for name in units:
        if name not in spec.columns:
            raise DataError(
                f"{spec.name}: units name '{name}', which the model does not read"
                f"{nearest(name, spec.columns)}; correct it"
            )
    name = spec.sample.panel or "frame"
    card = Card(
        name=name,
        path=Path(name),
        title=name,
        file="",
        layout="series",
        index="index",
        entity="",
        clock="none",
        calendar="",
        closed=(),
        licence="",
        source="",
        vintage="",
        refresh="",
        note="",
        series={},
        columns={},
        unit="unit",
    )
    unit = {column: units.get(column, card.unit) for column in spec.columns}
    return replace(
        card,
        series={c: replace(plain_series(c, card), unit=unit[c]) for c in spec.columns},
        columns={
            c: Column(name=c, transform="level", unit=unit[c], of=c, stated=False)
            for c in spec.columns
        },
    )


def _days(frame: pd.DataFrame, card: Card) -> pd.DatetimeIndex:
    """Days of the index, or of the one column that holds dates."""
    if frame.empty:
        raise DataError(f"{PLACE} has no rows or no columns; hand over the observations")
    refuse_twice(frame.columns)
    index, where = frame.index, "index"
    if isinstance(index, pd.RangeIndex) or pd.api.types.is_numeric_dtype(index.dtype):
        dated = dates_among(frame)
        if len(dated) != 1:
            found = f"columns {', '.join(map(str, dated))} do" if dated else "no column does"
            raise DataError(
                f"{PLACE}: its index holds no dates and {found}; set the column of dates as index"
            )
        index, where = pd.Index(frame[dated[0]]), str(dated[0])
    if index.nlevels > 1:
        raise DataError(f"{PLACE}: its index has {index.nlevels} levels; keep the dates alone")
    return days_of(pd.Series(plain_index(index)), replace(card, index=where), PLACE)


def _numbers(frame: pd.DataFrame, name: str, days: pd.DatetimeIndex) -> np.ndarray:
    """Values of one column, missing where they are; nothing infinite, nothing but numbers."""
    column = column_of(frame, name)
    if not is_real(column.dtype) or pd.api.types.is_bool_dtype(column.dtype):
        raise DataError(f"{PLACE}: column '{name}' holds {column.dtype}, not numbers; convert it")
    values: np.ndarray = column.to_numpy(dtype=float, na_value=np.nan)
    refuse_infinite(name, values, days)
    return values


def _digest(values: pd.DataFrame) -> str:
    """Fingerprint (SHA-256) of names, days and values."""
    days = values.index.to_numpy().astype("datetime64[us]").astype("<i8")
    names = "\n".join(map(str, values.columns)).encode()
    parts = (names, days.tobytes(), values.to_numpy("<f8").tobytes())
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()
