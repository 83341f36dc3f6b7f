"""A study and its data in; the rows that it explains, with every column it names, out."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from attribution.errors import DataError, nearest
from attribution.model.kinds import KINDS
from attribution.model.names import period_of
from attribution.model.spec import Window
from attribution.model.study import StudySpec
from attribution.panel.card import Card
from attribution.panel.catalogue import digest_of, find_data
from attribution.panel.dates import days_of
from attribution.panel.frame import (
    PLACE,
    column_of,
    dates_among,
    is_real,
    plain_index,
    refuse_infinite,
    refuse_repeated,
    refuse_twice,
    source_of,
)
from attribution.panel.gate import in_order, of_entities, tell_closed, without_steps
from attribution.panel.quotes import refuse_magnitudes
from attribution.panel.read import derive, refuse_leaps, refuse_undefined
from attribution.panel.rows import read_rows
from attribution.panel.timeline import NONE, REGULAR, Timeline, timeline_of

# The rows of a frame that a study reads in; the same with labels of one kind, in order, out.

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


# Data sets of records that a study reads beside its rows: names in, whole tables out.


@dataclass(frozen=True)
class Records:
    """Tables of records.

    Attributes
    ----------
    tables : data set -> its records, indexed by their key, every column of the file.
    digests : SHA-256 of each, in their order.
    repairs : one line each.
    """

    tables: Mapping[str, pd.DataFrame]
    digests: tuple[str, ...]
    repairs: tuple[str, ...]


def tables_of(spec: StudySpec) -> tuple[str, ...]:
    """Names of the data sets of records that a study reads; most read none."""
    return tuple(getattr(spec.question, "tables", ()))


def refuse_tables(spec: StudySpec) -> None:
    """Refuse a data frame where a study reads records too, which a frame cannot carry."""
    for name in tables_of(spec):
        raise DataError(
            f"{spec.name}: it reads the records '{name}' too, which {PLACE} cannot carry; hand over"
            " a folder with their cards and files"
        )


def read_records(spec: StudySpec, data: Path | None) -> Records:
    """Read every data set of records that a study names, from where its rows come from.

    Parameters
    ----------
    data : a folder, or a data file beside which the records lie; the shipped data if left out.

    Raises
    ------
    DataError
        If one is missing, is no data set of records, or disagrees with its card.
    """
    folder = data.parent if data is not None and data.is_file() else data
    tables: dict[str, pd.DataFrame] = {}
    digests: list[str] = []
    repairs: list[str] = []
    for name in tables_of(spec):
        card, path = find_data(name, folder)
        if card.layout != "records":
            raise DataError(
                f"{spec.name}: data set '{name}' has layout '{card.layout}', and records are asked"
                ' for; name one whose card says layout = "records"'
            )
        found = read_rows(card, path)
        numbers = [column for column, series in card.series.items() if series.type == "number"]
        refuse_magnitudes(card, found.frame, numbers, path.name)
        tables[name] = found.frame
        digests.append(digest_of(card, path))
        repairs += found.repairs
    return Records(tables, tuple(digests), tuple(repairs))


@dataclass(frozen=True)
class Evidence:
    """The rows of a study.

    Attributes
    ----------
    name : data set.
    rows : (time, column), ((entity, time), column), or (row, column) where rows are not days; in
        increasing order, days inside the sample.  Numbers are floats, NaN where missing; texts are
        objects.
    units : column -> unit.
    digest : SHA-256 over every file, or over the frame.
    repairs : one line each; empty if the files were used as they stand.
    tables : data set of records -> its records, indexed by their key; those of the question.
    clocks : column -> the clock at which it is read, such as ``16:00 America/New_York``.
    measures : column -> ``change`` or ``level``, where its card says.
    """

    name: str
    rows: pd.DataFrame
    units: Mapping[str, str]
    digest: str
    repairs: tuple[str, ...] = ()
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    clocks: Mapping[str, str] = field(default_factory=dict)
    measures: Mapping[str, str] = field(default_factory=dict)

    @property
    def entity(self) -> str:
        """Name of the level of entities; empty where a row is a day, or no day at all."""
        return str(self.rows.index.names[0]) if self.rows.index.nlevels == 2 else ""

    @property
    def dated(self) -> bool:
        """Whether a row stands on a day."""
        return isinstance(self.rows.index.get_level_values(-1), pd.DatetimeIndex)

    @property
    def days(self) -> pd.DatetimeIndex:
        """Days that occur, each once, increasing."""
        return pd.DatetimeIndex(self.rows.index.get_level_values(-1).unique()).sort_values()

    def wide(self, column: str) -> pd.DataFrame:
        """One column as (time, entity); NaN where an entity has no row on a day."""
        tidy = self.rows[column].reset_index()
        table = tidy.pivot_table(column, "time", self.entity, dropna=False)
        return table.reindex(self.days)


def read_evidence(
    spec: StudySpec,
    data: Path | str | pd.DataFrame | None = None,
    units: Mapping[str, str] | None = None,
) -> Evidence:
    """Read the columns that a study names, over its sample.

    Parameters
    ----------
    spec : names the data set, the one joined to it by day, the columns and the sample.
    data : a folder with cards and files, a data file with its card beside it, or a frame; the
        shipped data if it is left out.  The index of a frame holds days, periods or numbers, in
        any order, an entity and days, or anything where rows have no order in time.
    units : of a frame's columns; ``unit`` where it is silent.

    Raises
    ------
    DataError
        If data or a card cannot be used, a column is unknown, or the sample has no row.
    """
    data = source_of(data)
    if isinstance(data, pd.DataFrame):
        refuse_tables(spec)
        return _of_frame(spec, data, units or {})
    if not spec.sample.panel and (data is None or data.is_dir()):
        raise DataError(
            f"{spec.name}: [sample] names no panel; add panel = the stem of a card, or hand over a"
            " data file or a data frame"
        )
    card, path = find_data(spec.sample.panel, data)
    beside = find_data(spec.sample.beside, data) if spec.sample.beside else None
    known = dict.fromkeys(_offered(card), card)
    if beside is not None:
        known |= {name: beside[0] for name in _offered(beside[0]) if name not in known}
    for name in spec.question.columns:
        if name not in known:
            raise DataError(
                f"{spec.name}: column '{name}' is defined in no card of its sample"
                f"{nearest(name, known)}; define it there or correct the model"
            )
    own = [name for name in spec.question.columns if known[name] is card]
    rows, line, repairs = _columns(card, path, own)
    digest, unit = digest_of(card, path), {name: _unit(card, name) for name in own}
    if beside is not None:
        others = [name for name in spec.question.columns if known[name] is beside[0]]
        joined, _, more = _columns(*beside, others)
        rows = rows.join(joined, on="time") if rows.index.nlevels == 2 else rows.join(joined)
        unit |= {name: _unit(beside[0], name) for name in others}
        digest = hashlib.sha256((digest + digest_of(*beside)).encode()).hexdigest()
        repairs = (*repairs, *more)
    rows, counted = _judged(spec, rows[list(spec.question.columns)], line, path.name)
    records = read_records(spec, data)
    for one in records.digests:
        digest = hashlib.sha256((digest + one).encode()).hexdigest()
    repairs = (*repairs, *counted, *records.repairs)
    clocks = {name: known[name].clock_of(name) for name in spec.question.columns}
    measures = {
        name: known[name].columns[name].measure
        for name in spec.question.columns
        if name in known[name].columns
    }
    return Evidence(card.name, rows, unit, digest, repairs, records.tables, clocks, measures)


def _offered(card: Card) -> tuple[str, ...]:
    """Columns that a study may name: derived ones, and raw ones of another name."""
    return tuple(dict.fromkeys((*card.columns, *card.series)))


def _unit(card: Card, name: str) -> str:
    return card.columns[name].unit if name in card.columns else card.series[name].unit


def _columns(
    card: Card, path: Path, names: list[str]
) -> tuple[pd.DataFrame, Timeline, tuple[str, ...]]:
    """Make the named columns of one data set, entity by entity where it has entities."""
    found = read_rows(card, path)
    raw, made = found.frame, [card.columns[name] for name in names if name in card.columns]
    used = [name for column in made for name in column.inputs] + [n for n in names if n in raw]
    numbers = [n for n in dict.fromkeys(used) if card.series[n].type == "number"]
    refuse_magnitudes(card, raw, numbers, path.name)
    for column in made:
        refuse_undefined(column, raw, path.name)
    values = {name: raw[name] for name in names if name not in card.columns}
    for column in made:
        if card.layout == "long":
            parts = [
                derive(column, group.droplevel(0)).set_axis(group.index)
                for _, group in raw.groupby(level=0, sort=False)
            ]
            values[column.name] = pd.concat(parts).reindex(raw.index)
        else:
            values[column.name] = derive(column, raw)
            refuse_leaps(column, values[column.name], card, path.name)
    return pd.DataFrame(values, index=raw.index)[names], found.line, found.repairs


def _cut(spec: StudySpec, rows: pd.DataFrame, place: str) -> pd.DataFrame:
    """Cut to the sample; refuse an empty one, and one that the rows do not reach."""
    if not spec.sample.dated:
        return rows
    last = rows.index.get_level_values(-1)
    if not isinstance(last, pd.DatetimeIndex):
        raise DataError(
            f"{spec.name}: [sample] has dates and the rows of {place} have none; remove start and"
            " end, or hand over dated rows"
        )
    last = last.normalize()
    after = spec.sample.start <= date.min or last >= pd.Timestamp(spec.sample.start)
    before = spec.sample.end >= date.max or last <= pd.Timestamp(spec.sample.end)
    kept = rows.loc[np.broadcast_to(np.logical_and(after, before), len(rows))]
    if not len(kept):
        raise DataError(
            f"{spec.name}: no row of {place} lies in the sample ({spec.sample.start} to"
            f" {spec.sample.end}); its days run from {last.min():%Y-%m-%d} to {last.max():%Y-%m-%d}"
        )
    return kept


def _of_frame(spec: StudySpec, frame: pd.DataFrame, units: Mapping[str, str]) -> Evidence:
    for name in spec.question.columns:
        column_of(frame, name)
    refuse_twice(frame.columns)
    if not len(frame):
        raise DataError(f"{PLACE} has no rows; hand over the observations")
    if not isinstance(getattr(getattr(spec.question, "pre", None), "end", None), int):
        frame = by_its_dates(frame, spec.question.columns)
    rows = labelled(frame[list(spec.question.columns)].copy())
    for name in rows.columns:
        if is_real(rows[name].dtype):
            rows[name] = rows[name].to_numpy(float, na_value=np.nan)
            refuse_infinite(name, rows[name].to_numpy(), rows.index)
        else:
            rows[name] = rows[name].astype(object)
    rows, line, repairs = ordered(rows, lagged=KINDS[spec.kind].lagged)
    rows, counted = _judged(spec, rows, line, PLACE)
    digest = hashlib.sha256(rows.to_csv().encode()).hexdigest()
    unit = {name: units.get(name, "unit") for name in spec.question.columns}
    return Evidence(
        spec.sample.panel or "frame", rows, unit, digest, (*repairs, *counted)
    )  # fmt: skip


def _judged(
    spec: StudySpec, rows: pd.DataFrame, line: Timeline, place: str
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Cut to the sample, and count aloud the weekdays that it lacks."""
    kept = _cut(spec, rows, place)
    last = kept.index.get_level_values(-1)
    if not isinstance(last, pd.DatetimeIndex):
        return kept, ()
    days = last.unique().sort_values()
    within = line.within(days[0], days[-1])
    windows = _windows(spec)
    if windows and (last != last.normalize()).any():
        raise DataError(
            f"{spec.name}: its windows are days and {place} has several rows a day; hand over one"
            " row a day"
        )
    lags = getattr(spec.question, "lags", 1)
    return kept, tell_closed(within, days, windows, lags, name=spec.name, place=place)


def _windows(spec: StudySpec) -> tuple[Window, ...]:
    """Windows of days that a question asks about; most ask about none."""
    event = getattr(spec.question, "event", None)
    own = getattr(spec.question, "windows", None) or getattr(event, "windows", None) or ()
    return tuple(
        Window(span.name, span.start, span.end) for span in own if isinstance(span.start, date)
    )
