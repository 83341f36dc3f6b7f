"""Records of bars in; prices at the close of every bar between two instants out, none missing.

A bar is keyed by the time at which it closes, with its zone: a feed that stamps bars by their
opening is an hour off, and one that names no zone may be many.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from attribution.errors import DataError, nearest
from attribution.panel.card import close_of

INSTANT = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)"
"""A time with its offset from UTC."""


def instant(day: pd.Timestamp, clock: str, place: str) -> pd.Timestamp:
    """Return the instant at which the row of a day is read, in UTC.

    An hour that the end of summer time repeats is its first, one that its begin skips the next.

    Raises
    ------
    DataError
        If the clock names no time of day, or no zone.
    """
    hour, zone = close_of(clock)
    if not hour:
        raise DataError(
            f"{place}: its rows are read at '{clock}', which is no time of day and zone, so that no"
            " bar can be laid beside them; give its card a clock such as '16:00 America/New_York'"
        )
    local = pd.Timestamp(f"{pd.Timestamp(day):%Y-%m-%d} {hour}")
    known = local.tz_localize(zone, ambiguous=True, nonexistent="shift_forward")
    return known.tz_convert("UTC")


def bars_between(
    records: pd.DataFrame, columns: Iterable[str], first: pd.Timestamp, last: pd.Timestamp,
    *, gap: float, place: str,
) -> pd.DataFrame:  # fmt: skip
    """Return the bars that close from the first instant to the last, in order of time.

    Parameters
    ----------
    records : of prices, indexed by the time at which a bar closes.
    columns : that are read, all numbers; each must be there and filled.
    first, last : in UTC; a bar must close at either.
    gap : minutes that may lie between two closes; zero: those of the commonest bar of the records.
    place : opens the sentence of a refusal.

    Returns
    -------
    The columns, indexed by the closing time in UTC.

    Raises
    ------
    DataError
        A time without a zone or given twice, a column that is missing or has holes, instants at
        which no bar closes, bars that lie further apart.
    """
    names = list(columns)
    for name in names:
        if name not in records:
            raise DataError(
                f"{place}: no column '{name}'{nearest(name, map(str, records.columns))}; correct"
                " the model, or add it to the file and its card"
            )
        if not pd.api.types.is_numeric_dtype(records[name].dtype):
            raise DataError(f"{place}: '{name}' holds no numbers; correct its card")
    times = _closing_times(records.index, place)
    table = records[names].set_axis(times).sort_index()
    inside = table.loc[first:last]
    for wanted, at in (("the row before", first), ("the event's row", last)):
        if at not in inside.index:
            raise DataError(
                f"{place}: no bar closes at {_said(at)}, when {wanted} is read; its bars close from"
                f" {_said(table.index[0])} to {_said(table.index[-1])}: add it, key bars by their"
                " closing time, or correct the clock of the rows"
            )
    _refuse_gaps(inside, table, gap, place)
    holes = inside.isna()
    if holes.to_numpy().any():
        row, column = np.argwhere(holes.to_numpy())[0]
        raise DataError(
            f"{place}: '{names[column]}' is empty at {_said(inside.index[row])}, within the event's"
            " day; fill it in, or take a feed that has it"
        )
    return inside


def _closing_times(index: pd.Index, place: str) -> pd.DatetimeIndex:
    texts = pd.Series(index.astype(str))
    zoned = texts.str.fullmatch(INSTANT)
    if not zoned.all():
        text = texts[~zoned].iloc[0]
        raise DataError(
            f"{place}: bar '{text}' names no instant; write its closing time with its offset from"
            " UTC, such as 2026-02-05T16:00:00-05:00"
        )
    try:
        times = pd.DatetimeIndex(pd.to_datetime(texts, format="ISO8601", utc=True))
    except ValueError as error:
        raise DataError(f"{place}: a closing time is no date ({error}); correct it") from None
    twice = times.duplicated()
    if twice.any():
        raise DataError(f"{place}: two bars close at {_said(times[twice][0])}; keep one")
    return times


def _refuse_gaps(inside: pd.DataFrame, table: pd.DataFrame, gap: float, place: str) -> None:
    """Refuse bars that lie further apart than may be."""
    apart = minutes_between(inside.index)
    allowed = gap or float(np.median(minutes_between(table.index)))
    wide = apart > allowed + 1e-9
    if wide.any():
        at = int(wide.argmax())
        raise DataError(
            f"{place}: no bar closes between {_said(inside.index[at])} and"
            f" {_said(inside.index[at + 1])}, {apart[at]:.0f} minutes where {allowed:.0f} may pass;"
            " add the bars, or set gap in [event.bars] if nothing traded"
        )


def minutes_between(times: pd.Index) -> np.ndarray:
    """Minutes between neighbours of increasing instants."""
    return np.asarray(np.diff(pd.DatetimeIndex(times).asi8) / _ticks(times) / 60.0)


def _ticks(times: pd.Index) -> float:
    """Ticks of a second in the unit of an index of instants."""
    return {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}[pd.DatetimeIndex(times).unit]


def _said(at: pd.Timestamp) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
