"""Transformed columns and a model in; nothing out, or a refusal of a sample that cannot answer."""

from __future__ import annotations

import numpy as np
import pandas as pd

from attribution.errors import DataError, EventError
from attribution.model.spec import ModelSpec
from attribution.panel.gate import held_out, refuse_lost, tell_closed
from attribution.panel.timeline import Timeline, calendar_of

SLACK = {"monthly": 31, "quarterly": 92, "yearly": 366}
"""Days by which a file may miss the ends of the sample: they may be closed; 7 if not listed."""


def sample_days(
    spec: ModelSpec, days: pd.DatetimeIndex, calendar: str, place: str
) -> pd.DatetimeIndex:
    """Rows of the sample; they must reach its start, its end and the event.

    Parameters
    ----------
    calendar : of the rows; taken from their spacing if empty.

    Raises
    ------
    EventError, DataError
        Naming the days that are there.
    """
    start, end = pd.Timestamp(spec.sample.start), pd.Timestamp(spec.sample.end)
    if spec.event.asked and days[-1] < pd.Timestamp(spec.event.end):
        raise EventError(
            f"{spec.name}: {place} ends on {days[-1]:%Y-%m-%d}, before the event does"
            f" ({spec.event.end}); extend the data or move the event"
        )
    slack = pd.Timedelta(days=SLACK.get(calendar or calendar_of(days), 7))
    if days[0] > start + slack or days[-1] < end - slack:
        raise DataError(
            f"{spec.name}: the sample ({spec.sample.start} to {spec.sample.end}) is not covered by"
            f" {place} ({days[0]:%Y-%m-%d} to {days[-1]:%Y-%m-%d}); extend the data or cut the"
            " sample"
        )
    return days[(days >= start) & (days <= end)]


def refuse_absent(
    spec: ModelSpec, line: Timeline, days: pd.DatetimeIndex, place: str
) -> tuple[str, ...]:
    """Refuse rows of the sample that are absent, but for weekdays far from a window; count those.

    Raises
    ------
    DataError, EventError
        Naming the days.
    """
    within = line.within(days[0], days[-1])
    refuse_lost(within, spec.name, place)
    return tell_closed(
        within, days, spec.event.windows, spec.system.lags, name=spec.name, place=place
    )


def refuse_uncovered_event(spec: ModelSpec, days: pd.DatetimeIndex, place: str) -> None:
    """Refuse a window that starts or ends on a day without a row, or before its lags are observed.

    Raises
    ------
    EventError
        Naming the window, the day and what may be done.
    """
    first, last = days[0], days[-1]
    for window in spec.event.windows:
        for word, day in (("starts", window.start), ("ends", window.end)):
            stamp = pd.Timestamp(day)
            where = f"{spec.name}: window '{window.name}' {word} on {day}"
            if not first <= stamp <= last:
                raise EventError(
                    f"{where}, outside the rows of {place} in the sample ({first:%Y-%m-%d} to"
                    f" {last:%Y-%m-%d}); move the window or extend the data"
                )
            if stamp not in days:
                raise EventError(f"{where}, {_without_row(stamp, days, place)}")
        before = int((days < pd.Timestamp(window.start)).sum())
        if before < spec.system.lags:
            raise EventError(
                f"{spec.name}: window '{window.name}' has {before} day(s) of the sample before it,"
                f" {spec.system.lags} lag(s) need as many; start the sample earlier"
            )


def refuse_unseen_dates(spec: ModelSpec, days: pd.DatetimeIndex, place: str) -> None:
    """Refuse narratives and outliers on dates without a row, or on one that only serves as a lag.

    Raises
    ------
    DataError
        Naming the date and what may be done.
    """
    rows = spec.identification.narratives if spec.identification is not None else ()
    dated = [
        (f"the narrative of '{row.channel}'", day) for row in rows for day in (row.start, row.end)
    ]
    dated += [("an outlier", day) for day in spec.errors.outliers]
    for what, day in dated:
        stamp = pd.Timestamp(day)
        where = f"{spec.name}: {what} stands on {day}"
        if stamp not in days:
            raise DataError(f"{where}, {_without_row(stamp, days, place)}")
        if stamp in days[: spec.system.lags]:
            raise DataError(
                f"{where}, one of the first {spec.system.lags} rows of the sample, whose shocks are"
                " not estimated; move it or start the sample earlier"
            )


def _without_row(stamp: pd.Timestamp, days: pd.DatetimeIndex, place: str) -> str:
    """Say that a date has no row, and where to move it."""
    if calendar_of(days) == "none":
        return f"a {stamp:%A} without a row in {place}; move it to a trading day"
    near = days[int(np.abs((days - stamp).total_seconds()).argmin())]
    return f"without a row in {place}; rows are {calendar_of(days)}, the nearest is {near:%Y-%m-%d}"


def refuse_gaps(spec: ModelSpec, values: pd.DataFrame, place: str) -> None:
    """Refuse missing values, but for the gaps that auxiliary series and tests may have.

    Raises
    ------
    EventError
        If a variable ends before the event, or is missing in it; it is named, never dropped.
    DataError
        If it is missing elsewhere, or a column of any kind was never observed.
    """
    for name in values.columns:
        if values[name].isna().all():
            raise DataError(
                f"{spec.name}: '{name}' was never observed in the sample; supply it or remove it"
            )
    start, end = (pd.Timestamp(day) for day in held_out(spec))
    days = pd.DatetimeIndex(values.index)
    for name in dict.fromkeys((spec.event.outcome, *spec.system.variables, *spec.predetermined)):
        empty = values[name].isna().to_numpy()
        kind = "column" if name in spec.predetermined else "variable"
        where = f"{spec.name}: {kind} '{name}'"
        last = days[~empty][-1]
        if spec.event.asked and last < start:
            raise EventError(
                f"{where} ends on {last:%Y-%m-%d} in {place}, before the event ({start:%Y-%m-%d} to"
                f" {end:%Y-%m-%d}); supply it, declare it auxiliary, or remove it from the model"
            )
        lost = days[empty]
        within = lost[(lost >= start) & (lost <= end)]
        if len(within):
            raise EventError(
                f"{where} is missing on {within[0]:%Y-%m-%d}, in the event; supply it, or use a"
                " model without it"
            )
        if len(lost):
            gaps = "declare it auxiliary, " if kind == "variable" else ""
            raise DataError(
                f"{where} is missing on {len(lost)} day(s) of the sample, first {lost[0]:%Y-%m-%d};"
                f" supply them, {gaps}or move the start of the sample"
            )
