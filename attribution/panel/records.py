"""Data sets of records that a study reads beside its rows: names in, whole tables out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from attribution.errors import DataError
from attribution.model.study import StudySpec
from attribution.panel.find import digest_of, find_data
from attribution.panel.given import PLACE
from attribution.panel.quotes import refuse_magnitudes
from attribution.panel.rows import read_rows


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
