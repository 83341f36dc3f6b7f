"""Cards in; what each data set holds, or its raw values, out."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from attribution.content import content
from attribution.errors import DataError, nearest
from attribution.panel.card import Card, Column, plain_series, read_card
from attribution.panel.cells import header_of
from attribution.panel.quotes import refuse_magnitudes
from attribution.panel.rows import Rows, read_rows

# The name of a data set in; its card and the path of its data file out.

SUFFIXES = (".csv", ".parquet")


def find_data(name: str, data: Path | str | None = None) -> tuple[Card, Path]:
    """Find a data set: shipped, in the user's folder, or the user's file beside its card.

    Parameters
    ----------
    name : stem of the card, such as ``daily``.
    data : a folder that holds ``<name>.toml`` and its file, or a data file with a card of the same
        stem beside it; the shipped data if it is left out.

    Raises
    ------
    DataError
        If the card or the file is missing, or the file is neither CSV nor Parquet.
    """
    data = Path(data) if isinstance(data, str) else data
    if data is not None and not os.path.exists(data):
        raise DataError(f"data '{data}': no such file or folder; check the path")
    if data is not None and data.is_file() and data.suffix != ".toml":
        path, card_path = data, data.with_suffix(".toml")
        if not card_path.is_file():
            raise DataError(
                f"{data.name}: no card {card_path.name} beside it; write one that gives the unit,"
                " the transform and the clock of every column"
            )
        return _complete(read_card(card_path), _known_kind(path)), path
    card_path = data if data is not None and data.is_file() else _card_in(name, data)
    card = read_card(card_path)
    if Path(card.file).name != card.file:
        raise DataError(f"{card_path.name}: file = '{card.file}' is a path; name a file beside it")
    path = card_path.parent / card.file
    if not path.is_file():
        raise DataError(
            f"{card_path.name}: its file {card.file} is not beside it; add it or correct file"
        )
    return _complete(card, _known_kind(path)), path


def _complete(card: Card, path: Path) -> Card:
    """Describe the columns of the file that the card leaves to its default unit.

    A series that no column is named after becomes a column as it stands, where the card has a
    default unit or derives no column at all.
    """
    if card.layout != "series" or (card.columns and not card.unit):
        return card
    series = dict(card.series)
    for name in header_of(path) if card.unit else ():
        if name not in (card.index, *series):
            series[name] = plain_series(name, card)
    levels = {
        name: Column(
            name=name,
            transform="level",
            unit=found.unit,
            of=name,
            note=found.note,
            stated=False,
        )
        for name, found in series.items()
        if found.type == "number" and name not in card.columns
    }
    return replace(card, series=series, columns={**card.columns, **levels})


def cards_in(folder: Path | None = None) -> tuple[Path, ...]:
    """Every card in a folder, or every shipped one, by name."""
    return tuple(sorted((folder or content("data")).glob("*.toml")))


def digest_of(card: Card, path: Path) -> str:
    """Fingerprint (SHA-256) of a data file together with its card: one changed byte changes it."""
    parts = [hashlib.sha256(file.read_bytes()).digest() for file in (path, card.path)]
    return hashlib.sha256(b"".join(parts)).hexdigest()


def _card_in(name: str, folder: Path | None) -> Path:
    names = [path.stem for path in cards_in(folder)]
    if name not in names:
        where = "the shipped data" if folder is None else f"{folder.name}/"
        raise DataError(
            f"data set '{name}': {where} has no card {name}.toml{nearest(name, names)}; add the"
            " card or correct the name"
        )
    return (folder or content("data")) / f"{name}.toml"


def _known_kind(path: Path) -> Path:
    if path.suffix not in SUFFIXES:
        raise DataError(f"{path.name}: neither CSV nor Parquet; save it as one of the two")
    return path


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
