"""Cards in; what each data set holds, or its raw values, out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from attribution.errors import DataError
from attribution.panel.card import Card, Column
from attribution.panel.find import cards_in, find_data
from attribution.panel.quotes import refuse_magnitudes
from attribution.panel.rows import Rows, read_rows


@dataclass(frozen=True)
class Described:
    """A column that a model may name, or a raw one where rows are no series or none is derived."""

    name: str
    unit: str
    transform: str
    source: str
    note: str


@dataclass(frozen=True)
class DataSet:
    """What a data set holds; ``first`` and ``last`` are empty where its rows are not days."""

    name: str
    title: str
    layout: str
    rows: int
    first: str
    last: str
    columns: tuple[Described, ...]
    repairs: tuple[str, ...]


def data_sets(data: Path | str | None = None) -> tuple[DataSet, ...]:
    """Describe every data set of a folder, the one of a data file, or every shipped one.

    Raises
    ------
    DataError
        If a card or its file cannot be used, or there is none.
    """
    data = Path(data) if isinstance(data, str) else data
    if data is None or data.is_dir():
        found = [find_data(path.stem, path) for path in cards_in(data)]
    else:
        found = [find_data(data.stem, data)]
    if not found:
        raise DataError(f"{data}: a folder without cards; add a card (.toml) for each data file")
    return tuple(_describe(card, path) for card, path in found)


def read_frame(name: str, data: Path | str | None = None) -> pd.DataFrame:
    """Read a data set's raw values in the units of its card, with every check of the file.

    Returns
    -------
    Indexed by ``time`` (layout series), by the entity and ``time`` (long), or by the record's key
    (records).  Missing numbers are NaN; missing texts are empty.

    Raises
    ------
    DataError
        If the card or its file cannot be used.
    """
    return _read(*find_data(name, data)).frame


def _read(card: Card, path: Path) -> Rows:
    rows = read_rows(card, path)
    numbers = [series.name for series in card.series.values() if series.type == "number"]
    refuse_magnitudes(card, rows.frame, numbers, path.name)
    return rows


def _describe(card: Card, path: Path) -> DataSet:
    rows = _read(card, path)
    index = rows.frame.index
    days = None if card.layout == "records" else pd.DatetimeIndex(index.get_level_values("time"))
    return DataSet(
        name=card.name,
        title=card.title,
        layout=card.layout,
        rows=len(index),
        first="" if days is None else f"{days.min():%Y-%m-%d}",
        last="" if days is None else f"{days.max():%Y-%m-%d}",
        columns=_columns(card),
        repairs=rows.repairs,
    )


def _columns(card: Card) -> tuple[Described, ...]:
    derived = tuple(_derived(column, card) for column in card.columns.values())
    if derived and card.layout == "series":
        return derived
    raw = tuple(
        Described(s.name, s.unit, "level" if s.type == "number" else "text", s.source, s.note)
        for s in card.series.values()
        if s.name not in card.columns
    )
    return derived + raw


def _derived(column: Column, card: Card) -> Described:
    """Say where a derived column comes from: the source of each series that enters."""
    sources = dict.fromkeys(card.series[name].source for name in column.quoted)
    words = {"of": column.of, "times": column.times, "over": column.over}
    made = " ".join(f"{key} {name}" for key, name in words.items() if name)
    return Described(
        name=column.name,
        unit=column.unit,
        transform=f"{column.transform.replace('_', ' ')} {made}".strip(),
        source="; ".join(source for source in sources if source),
        note=column.note,
    )
