"""Rows of a file or a frame in; the same rows in order of time, their gaps empty or refused, out.

One gate for both: rows are sorted; a row that the frequency of the others expects is put in
without values, so that nothing is ever lagged, or changes, across its absence; weekdays that may
be holidays of a market unknown to us are counted aloud, and refused where a window is asked about.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from attribution.errors import DataError, EventError
from attribution.model.spec import Window
from attribution.panel.timeline import IRREGULAR, Timeline, in_words, timeline_of

MOST_CLOSED = 0.1
"""Share of weekdays without a row, from which they are no holidays."""
STRAY = 10
"""Absent rows for each that is there, from which a date is taken for a misprint."""
DECLARE = (
    "or, where none is due, hand over a file whose card says calendar = 'weekdays' and lists the"
    " day under closed"
)


def in_order(rows: pd.DataFrame, place: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Sort rows by their labels; say so where those of one entity, or of all, were not."""
    index = rows.index
    if index.is_monotonic_increasing:
        return rows, ()
    ordered = index.nlevels == 2 and bool(
        index.get_level_values(1).to_series().groupby(np.asarray(index.get_level_values(0)))
        .is_monotonic_increasing.all()
    )  # fmt: skip
    said = () if ordered else (f"{place}: its rows stood out of order; sorted by time",)
    return rows.sort_index(kind="stable"), said


def without_steps(
    rows: pd.DataFrame, line: Timeline, place: str
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Put in the rows that are lost, without values; refuse a date that strays far."""
    if not len(line.lost):
        return rows, ()
    if len(line.lost) > STRAY * len(rows):
        raise DataError(
            f"{place}: its {len(rows)} rows run from {rows.index[0]:%Y-%m-%d} to"
            f" {rows.index[-1]:%Y-%m-%d} and lack {len(line.lost)} {line.frequency} rows between,"
            f" {in_words(line.lost)}; correct a date that strays, or cut the rows before the gap"
        )
    whole = rows.reindex(rows.index.union(line.lost).rename(rows.index.name))
    return whole, (lost_in_words(line, place),)


def lost_in_words(line: Timeline, place: str) -> str:
    """Say which rows are lost, and how they are taken."""
    return (
        f"{place}: {len(line.lost)} of its {line.frequency} rows are absent,"
        f" {in_words(line.lost)}; taken as rows without values, which no lag and no change crosses"
    )


def of_entities(rows: pd.DataFrame, place: str) -> tuple[pd.DataFrame, Timeline, tuple[str, ...]]:
    """Give every entity the days of all, from its first to its last, and those that all lack."""
    entity = rows.index.get_level_values(0)
    days = pd.DatetimeIndex(rows.index.get_level_values(1))
    line = timeline_of(days.unique().sort_values())
    every = days.unique().union(line.lost).sort_values()
    spans = pd.Series(every.get_indexer(days)).groupby(np.asarray(entity)).agg(["min", "max"])
    size = (spans["max"] - spans["min"] + 1).to_numpy()
    if size.sum() == len(rows):
        return rows, line, ()
    first = np.repeat(spans["min"].to_numpy() - np.cumsum(size) + size, size)
    at = first + np.arange(size.sum())
    index = pd.MultiIndex.from_arrays(
        [np.repeat(spans.index.to_numpy(), size), every[at]], names=rows.index.names
    )
    absent = int(size.sum()) - len(rows)
    return rows.reindex(index), line, (
        f"{place}: {absent} row(s) that others have, or that the rows' frequency expects, are"
        " absent; taken as rows without values, which no lag and no change crosses",
    )  # fmt: skip


def refuse_lost(line: Timeline, name: str, place: str) -> None:
    """Refuse absent rows where a model needs every row of its sample.

    Raises
    ------
    DataError
        Naming the rows.
    """
    if len(line.lost):
        raise DataError(
            f"{name}: {place} lacks {len(line.lost)} of its {line.frequency} rows in the sample,"
            f" {in_words(line.lost)}; add them, or start the sample after the last of them, since"
            " no lag may cross a gap"
        )


def tell_closed(
    line: Timeline,
    days: pd.DatetimeIndex,
    windows: Iterable[Window],
    lags: int,
    *,
    name: str,
    place: str,
) -> tuple[str, ...]:
    """Count aloud weekdays that are taken for holidays.

    Parameters
    ----------
    line : of the sample; ``days`` are its rows.
    windows : that are asked about, with the ``lags`` rows before each.

    Raises
    ------
    EventError
        If one lies in a window or among its lags, where a row that is not there changes the answer.
    DataError
        If they are too many to be holidays.
    """
    if line.frequency == IRREGULAR:
        return (f"{place}: its rows keep no regular distance; a lag is the row before",)
    if not len(line.closed):
        return ()
    for window in windows:
        start, end = pd.Timestamp(window.start), pd.Timestamp(window.end)
        before = days[days < start][-max(lags, 1) :]
        within = line.closed[(line.closed >= (before.min() if len(before) else start))]
        within = within[within <= end]
        if len(within):
            raise EventError(
                f"{name}: window '{window.name}' ({window.start} to {window.end}), or the"
                f" {lags} row(s) before it, lack {in_words(within)} in {place}, when no known"
                f" calendar is closed; add the row, {DECLARE}"
            )
    if len(line.closed) > MOST_CLOSED * (len(days) + len(line.closed)):
        raise DataError(
            f"{name}: {place} lacks {len(line.closed)} weekdays of the sample,"
            f" {in_words(line.closed)}, more than holidays explain; add the rows, {DECLARE}"
        )
    return (
        f"{place}: {len(line.closed)} weekday(s) of the sample have no row and are no holiday of a"
        f" known calendar, {in_words(line.closed)}; taken for days on which the market was closed",
    )
