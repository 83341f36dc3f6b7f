"""A card and its file in; rows on the card's calendar out, each day once and in order of time."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from attribution.errors import DataError
from attribution.panel.card import Card
from attribution.panel.cells import read_cells
from attribution.panel.dates import days_of
from attribution.panel.gate import in_order, of_entities, without_steps
from attribution.panel.timeline import NONE, PERIODS, Timeline, expected_days, timeline_of

NOTHING = Timeline(NONE, pd.DatetimeIndex([]), pd.DatetimeIndex([]))
"""Where a card says which days to expect, nothing is left to be read off the rows."""

EVIDENT = ("monthly", "quarterly", "yearly")
"""Frequencies that need no card: nothing but an omission leaves a period without its row."""


@dataclass(frozen=True)
class Rows:
    """Raw values by row, and what had to be repaired to read them.

    ``frame`` is indexed by ``time`` (series), by the entity and ``time`` (long), or by the key of
    the record (records).  ``line`` is what the spacing of the rows shows where no calendar of the
    card says what to expect; rows that it lacks stand in ``frame`` without values.
    """

    frame: pd.DataFrame
    repairs: tuple[str, ...]
    line: Timeline = field(default=NOTHING)


def read_rows(card: Card, path: Path) -> Rows:
    """Read a data file and put its rows on the card's calendar.

    What is repaired is said: rows that repeat an earlier row value by value are dropped, and rows
    that stand out of order are sorted.

    Raises
    ------
    DataError
        If the file disagrees with its card, rows contradict each other, or the calendar expects a
        day that is absent, or excludes one that is present.
    """
    cells = read_cells(card, path)
    if card.layout == "records":
        keys = cells[card.index].fillna("").astype(str).str.strip()
        if (keys == "").any():
            row = int((keys == "").to_numpy().argmax()) + 1
            raise DataError(f"{path.name}: '{card.index}' is empty on row {row}; give it a key")
        cells[card.index] = keys
        values, repairs = _each_once(cells.set_index(card.index), path)
        return Rows(values, repairs)
    cells[card.index] = days_of(cells[card.index], card, path.name)
    cells = cells.rename(columns={card.index: "time"})
    if card.layout == "series":
        values, repairs = _each_once(cells.set_index("time"), path)
        values, more = in_order(values, path.name)
        days = pd.DatetimeIndex(values.index)
        line = NOTHING if card.calendar else timeline_of(days)
        _check_calendar(days, card, line, path.name)
        whole, absent = without_steps(values, line, path.name)
        return Rows(whole, (*repairs, *more, *absent), line)
    cells[card.entity] = cells[card.entity].fillna("").astype(str)
    values, repairs = _each_once(cells.set_index([card.entity, "time"]), path)
    values, more = in_order(values, path.name)
    if not card.calendar:
        values, line, absent = of_entities(values, path.name)
        return Rows(values, (*repairs, *more, *absent), line)
    for entity, group in values.groupby(level=card.entity, sort=False):
        place = f"{path.name}: {card.entity} '{entity}'"
        days = pd.DatetimeIndex(group.index.get_level_values("time"))
        _check_calendar(days, card, NOTHING, place)
    return Rows(values, (*repairs, *more))


def _each_once(values: pd.DataFrame, path: Path) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Drop rows that repeat an earlier one exactly; refuse rows that contradict it."""
    again = values.index.duplicated()
    if not again.any():
        return values, ()
    same = values.reset_index().duplicated().to_numpy()
    contradicting = again & ~same
    if contradicting.any():
        label = values.index[contradicting][0]
        first, other = (values.loc[[label]].iloc[i] for i in (0, -1))
        equal = (first == other) | (first.isna() & other.isna())
        name = str(equal.index[~equal.to_numpy()][0])
        raise DataError(
            f"{path.name}: {_words(label)} appears twice with different values ({name} ="
            f" {first[name]} and {other[name]}); keep the right row"
        )
    days = ", ".join(dict.fromkeys(_words(label) for label in values.index[again]))
    line = f"{path.name}: dropped {int(again.sum())} row(s) repeated value by value ({days})"
    return values[~again], (line,)


def _check_calendar(days: pd.DatetimeIndex, card: Card, line: Timeline, place: str) -> None:
    """Refuse days that are absent, and days on which nothing can have been observed."""
    calendar = card.calendar or (line.frequency if line.frequency in EVIDENT else NONE)
    if calendar == "none":
        return
    if calendar in PERIODS:
        periods = days.to_period(PERIODS[calendar])
        steps = periods[1:].astype("int64") - periods[:-1].astype("int64")
        if len(steps) and (steps != 1).any():
            row = int((steps != 1).argmax())
            raise DataError(
                f"{place}: the {calendar} calendar expects {periods[row] + 1} after"
                f" {_words(days[row])}, found {_words(days[row + 1])}; give each period one row"
            )
        return
    closed = pd.DatetimeIndex(card.closed)
    expected = expected_days(calendar, days[0].date(), days[-1].date()).difference(closed)
    extra, lost = days.difference(expected), expected.difference(days)
    if len(extra):
        raise DataError(
            f"{place}: {_words(extra[0])} is a {extra[0]:%A} on which the {calendar} calendar"
            f" is closed; remove the row or correct calendar in {card.path.name}"
        )
    if len(lost):
        raise DataError(
            f"{place}: {len(lost)} day(s) of the {calendar} calendar are missing, first"
            f" {_words(lost[0])}; add the rows with empty cells where nothing was observed, or list"
            f" the days under closed in {card.path.name}"
        )


def _words(label: object) -> str:
    """Write a label as the file does."""
    if isinstance(label, tuple):
        return " ".join(_words(part) for part in label)
    return f"{label:%Y-%m-%d}" if isinstance(label, pd.Timestamp) else str(label)
