"""The rows of a frame that a study reads in; the same with labels of one kind, in order, out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from attribution.errors import DataError
from attribution.model.period import period_of
from attribution.panel.card import Card
from attribution.panel.dates import days_of
from attribution.panel.gate import in_order, of_entities, without_steps
from attribution.panel.given import PLACE, dates_among, plain_index, refuse_repeated
from attribution.panel.timeline import NONE, REGULAR, Timeline, timeline_of

_DAY = re.compile(r"\d{4}-\d\d-\d\d.*")
NO_LINE = Timeline(NONE, pd.DatetimeIndex([]), pd.DatetimeIndex([]))
NO_CARD = Card("frame", Path("frame"), "", "", "series", "index", "", "none", "", (), "", "", "",
               "", "", {}, {})  # fmt: skip


def by_its_dates(frame: pd.DataFrame, kept: Iterable[str]) -> pd.DataFrame:
    """Take the one column of dates, none of those ``kept``, for labels where rows have none.

    A frame whose rows are numbered may stand in any order; its dates tell which.
    """
    others = frame.drop(columns=[name for name in kept if name in frame.columns])
    dated = dates_among(others) if isinstance(frame.index, pd.RangeIndex) else []
    if len(dated) != 1 or not frame[dated[0]].is_unique or frame[dated[0]].isna().any():
        return frame
    found = frame.set_index(dated[0])
    labels = _labels(plain_index(found.index))
    return found.set_axis(labels) if isinstance(labels, pd.DatetimeIndex) else frame


def labelled(rows: pd.DataFrame) -> pd.DataFrame:
    """Turn labels that are dates, however they are written, into days; refuse those that repeat.

    Raises
    ------
    DataError
        If a date is missing, dates are of several kinds, or two rows share a label.
    """
    index = rows.index
    if index.nlevels > 2:
        raise DataError(
            f"{PLACE}: its index has {index.nlevels} levels; keep the entity and the day"
        )
    last = _labels(plain_index(index.get_level_values(-1)))
    if isinstance(last, pd.DatetimeIndex):
        last = last.rename("time")
    if index.nlevels == 2:
        entity = index.get_level_values(0)
        if entity.isna().any():
            raise DataError(f"{PLACE}: a row of its index names no entity; name it")
        entity = entity.astype(str)  # as a model names it
        found: pd.Index = pd.MultiIndex.from_arrays([entity, last])
        whole: pd.Index = pd.MultiIndex.from_arrays([entity, _normal(last)])
    else:
        found, whole = last, _normal(last)
    # instants of which each is the only one of its day are that day
    rows = rows.set_axis(whole if whole.is_unique else found)
    refuse_repeated(rows.index)
    return rows


def ordered(rows: pd.DataFrame, *, lagged: bool) -> tuple[pd.DataFrame, Timeline, tuple[str, ...]]:
    """Sort labels that have an order, and put in the rows that are lost, without values.

    Parameters
    ----------
    lagged : whether numbers of rows stand for time, so that one that is skipped is a gap.
    """
    last = rows.index.get_level_values(-1)
    dated = isinstance(last, pd.DatetimeIndex)
    if not dated and rows.index.nlevels == 1 and not pd.api.types.is_numeric_dtype(last.dtype):
        return rows, NO_LINE, ()
    rows, said = in_order(rows, PLACE)
    if not dated:
        whole = _numbers(rows) if lagged and rows.index.nlevels == 1 else rows
        gap = len(whole) - len(rows)
        skipped = f"{PLACE}: {gap} row number(s) are skipped; taken as rows without values"
        return whole, NO_LINE, (*said, skipped) if gap else said
    if rows.index.nlevels == 2:
        rows, line, more = of_entities(rows, PLACE)
    else:
        line = timeline_of(pd.DatetimeIndex(rows.index))
        rows, more = without_steps(rows, line, PLACE)
    return rows, line, (*said, *more)


def _numbers(rows: pd.DataFrame) -> pd.DataFrame:
    """Put in the numbers that are skipped, where most follow each other."""
    index = rows.index
    if not pd.api.types.is_integer_dtype(index.dtype) or len(index) < 3:
        return rows
    if (index[1:] - index[:-1] == 1).mean() < REGULAR:
        return rows
    return rows.reindex(pd.RangeIndex(index[0], index[-1] + 1, name=index.name))


def _labels(index: pd.Index) -> pd.Index:
    """Read texts that are dates; leave other labels as they are."""
    if index.isna().any():
        row = int(index.isna().argmax()) + 1
        raise DataError(f"{PLACE}: its index is empty on row {row}; give every row a label")
    if not (index.dtype == object or pd.api.types.is_string_dtype(index.dtype)) or not len(index):
        return index
    first = str(index[0])
    if not isinstance(index[0], str) or not (_DAY.fullmatch(first) or period_of(first)):
        return index
    days: pd.Index = days_of(pd.Series(index.astype(str)), NO_CARD, PLACE)
    return days


def _normal(index: pd.Index) -> pd.Index:
    return index.normalize() if isinstance(index, pd.DatetimeIndex) else index
