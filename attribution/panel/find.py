"""The name of a data set in; its card and the path of its data file out."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path

from attribution.content import content
from attribution.errors import DataError, nearest
from attribution.panel.card import Card, Column
from attribution.panel.cells import header_of
from attribution.panel.spelling import plain_series, read_card

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
