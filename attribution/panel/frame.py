"""A data frame and a model in; the model's panel out, checked as one that is read from a file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from attribution.errors import DataError, nearest
from attribution.model.spec import ModelSpec
from attribution.panel.card import Card, Column
from attribution.panel.coverage import (
    refuse_absent,
    refuse_gaps,
    refuse_short,
    refuse_uncovered_event,
    refuse_unseen_dates,
    sample_days,
)
from attribution.panel.dates import days_of
from attribution.panel.degenerate import refuse_degenerate
from attribution.panel.gate import in_order
from attribution.panel.given import (
    PLACE,
    column_of,
    dates_among,
    is_real,
    plain_index,
    refuse_infinite,
    refuse_repeated,
    refuse_twice,
)
from attribution.panel.read import Panel
from attribution.panel.spelling import plain_series
from attribution.panel.timeline import timeline_of


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
