"""Rows in order of time, without gaps, doubles and columns that say nothing, or a refusal.

One gate for both: rows are sorted; a row that the frequency of the others expects is put in
without values, so that nothing is ever lagged, or changes, across its absence; weekdays that may
be holidays of a market unknown to us are counted aloud, and refused where a window is asked about.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import numpy as np
import pandas as pd

from attribution.errors import DataError, EventError
from attribution.model.kinds import KINDS
from attribution.model.spec import ModelSpec, Window
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


DAYS_PER_VARIABLE = 10
"""Days of estimation that each variable needs."""
DAYS_UNDER_A_PRIOR = 2
"""The same where a proper prior shrinks the lags."""
SQUARED = 1e-140
"""Spread of a series whose squares, and products of them, are still numbers; so is one over it."""
UNEXPLAINED = 0.01
"""Share of a variable's variance that must remain when the closest other one is taken out."""
CONDITION = 1e3
"""Largest condition number of the correlation matrix."""


def refuse_short(
    spec: ModelSpec, days: pd.DatetimeIndex, place: str, *, left_out: bool = True
) -> None:
    """Refuse fewer days of estimation than ten a variable, or than the lags alone use up.

    A proper prior on the lags of an ``svar`` carries what the data leave open: two a variable do.
    The event's days count where they are not ``left_out``.
    """
    n, lags = len(spec.system.variables), spec.system.lags
    found = len(_estimation(spec, days, left_out)) - lags
    needed = max(DAYS_PER_VARIABLE * n, n * lags + 1 + n)
    if "dummies" in KINDS[spec.kind].reads and not spec.prior.flat:
        needed = DAYS_UNDER_A_PRIOR * n
    if found < needed:
        raise DataError(
            f"{spec.name}: {place} leaves {max(found, 0)} days for estimation, {n} variables with"
            f" {lags} lag(s) need {needed}; extend the sample, or drop variables or lags"
        )


def refuse_degenerate(spec: ModelSpec, values: pd.DataFrame, *, left_out: bool = True) -> None:
    """Refuse constant columns, and variables that are combinations of others; the pair is named.

    What is compared is what the row before leaves unexplained: levels that share a trend are no
    combinations of each other.  The event's days do not enter where they are ``left_out``: what
    they would add is what the model is asked.
    """
    seen = values.loc[_estimation(spec, pd.DatetimeIndex(values.index), left_out)]
    for name in seen.columns:
        column = seen[name].dropna()
        if len(column) and float(column.max() - column.min()) <= 1e-12 * float(column.abs().max()):
            raise DataError(
                f"{spec.name}: '{name}' is {column.iloc[0]:g} on every day of the sample; remove it"
                " from the model or change the sample"
            )
        spread = float(column.max() - column.min()) if len(column) else 1.0
        if not SQUARED < spread < 1.0 / SQUARED:
            raise DataError(
                f"{spec.name}: '{name}' moves by {spread:.1g}, and no floating-point number holds"
                " the square of that; give it in another unit"
            )
    names = spec.system.variables
    if len(names) < 2 or len(seen) < 3 * (len(names) + 1):  # of few rows any two are collinear
        return
    correlation = np.corrcoef(_news(seen[list(names)].to_numpy()), rowvar=False)
    off = np.abs(correlation - np.eye(len(names)))
    i, j = sorted(int(k) for k in np.unravel_index(off.argmax(), off.shape))
    if 1 - off[i, j] ** 2 < UNEXPLAINED:
        raise DataError(
            f"{spec.name}: '{names[i]}' and '{names[j]}' are collinear (correlation"
            f" {correlation[i, j]:.4f}); remove one of the two"
        )
    roots, vectors = np.linalg.eigh(correlation)
    if roots[-1] > CONDITION * roots[0]:
        i, j = sorted(int(k) for k in np.argsort(-np.abs(vectors[:, 0]))[:2])
        raise DataError(
            f"{spec.name}: the variables are collinear together (condition number above"
            f" {CONDITION:g}), '{names[i]}' and '{names[j]}' most of all; remove one of the two"
        )


def _news(values: np.ndarray) -> np.ndarray:
    """Return what the last row of all variables (time, variable), and a constant, do not explain.

    One regression for all keeps a variable that combines others their combination.
    """
    moved = values - values.mean(0)
    moved /= np.abs(moved).max(0)  # neither units nor distance from zero hide a variable
    past = np.column_stack([np.ones(len(values) - 1), moved[:-1]])
    news: np.ndarray = moved[1:] - past @ np.linalg.lstsq(past, moved[1:])[0]
    return news


def held_out(spec: ModelSpec) -> tuple[date, date]:
    """First and last day of the windows and of the days that are held out."""
    held = spec.event.hold_out
    return min(spec.event.start, held[0]), max(spec.event.end, held[1])


def _estimation(spec: ModelSpec, days: pd.DatetimeIndex, left_out: bool) -> pd.DatetimeIndex:
    """Days outside the event, or all."""
    if not left_out:
        return days
    start, end = (pd.Timestamp(day) for day in held_out(spec))
    return days[(days < start) | (days > end)]
