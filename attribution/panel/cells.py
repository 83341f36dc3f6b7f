"""A data file in, CSV or Parquet; its columns out, as text or as numbers, nothing filled in."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd

from attribution.errors import DataError, SpecError, nearest
from attribution.limits import CELLS, DATA_BYTES, bounded
from attribution.model.names import refuse_name
from attribution.panel.card import Card


def read_cells(card: Card, path: Path) -> pd.DataFrame:
    """Read every column that the card describes; an empty cell stays missing.

    Raises
    ------
    DataError
        If the file cannot be read, is empty, ragged, or disagrees with the card about its columns,
        or if a cell of a number column is no finite number.
    """
    columns = _columns(path)
    _check_header(card, path, tuple(columns))
    if not len(next(iter(columns.values()))):
        raise DataError(f"{path.name}: a header without rows; add the observations")
    keys = [key for key in (card.index, card.entity) if key]
    data: dict[str, pd.Series] = {key: columns[key] for key in keys}
    labels = columns[card.index]
    for name, series in card.series.items():
        found = columns[name]
        place = f"{path.name}: column '{name}'"
        if series.type == "number":
            data[name] = pd.Series(_numbers(found, labels, place), index=found.index)
        else:
            data[name] = found.fillna("").astype(str)
    return pd.DataFrame(data)


def header_of(path: Path) -> tuple[str, ...]:
    """Names of the columns of a data file.

    Raises
    ------
    DataError
        If the file cannot be read.
    """
    return tuple(_columns(path))


def _columns(path: Path) -> dict[str, pd.Series]:
    """Columns of a file within the limits, by name."""
    bounded(path, DATA_BYTES, "keep the days and columns that a model reads", DataError)
    found = _parquet(path) if path.suffix == ".parquet" else _csv(path)
    try:
        for name in found:
            refuse_name(name, f"{path.name}: column", raw=True)
    except SpecError as error:  # the rule of model files, put to work on data
        raise DataError(str(error)) from None
    return found


def _csv(path: Path) -> dict[str, pd.Series]:
    """Columns as text; every row must have as many cells as the header."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.reader(file, strict=True) if row]
    except OSError as error:
        raise DataError(f"{path.name}: cannot be read ({error.strerror}); check the path") from None
    except UnicodeDecodeError:
        raise DataError(f"{path.name}: not a text file; save it as CSV in UTF-8") from None
    except csv.Error as error:
        raise DataError(f"{path.name}: not valid CSV ({error}); correct its quoting") from None
    if not rows:
        raise DataError(f"{path.name}: an empty file; add a header and the observations")
    header, body = [name.strip() for name in rows[0]], rows[1:]
    for mark, word in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        if len(header) == 1 and mark in header[0]:
            raise DataError(
                f"{path.name}: its cells are separated by {word}; save it with commas, and points"
                " in numbers"
            )
    _refuse_masses(path, len(body), len(header))
    for row, cells in enumerate(body, start=1):
        if len(cells) != len(header):
            raise DataError(
                f"{path.name}: row {row} ({cells[0]}) has {len(cells)} cells, the header"
                f" {len(header)}; correct the row"
            )
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise DataError(f"{path.name}: column '{twice[0]}' appears twice; remove or rename one")
    table = np.array(body, dtype=object).reshape(len(body), len(header))
    return {name: pd.Series(table[:, j], dtype=object) for j, name in enumerate(header)}


def _parquet(path: Path) -> dict[str, pd.Series]:
    try:
        import pyarrow as arrow  # type: ignore[import-untyped,import-not-found,unused-ignore]
        from pyarrow import parquet  # type: ignore[import-untyped,import-not-found,unused-ignore]
    except ImportError:
        raise DataError(f"{path.name}: reading Parquet needs pyarrow; install it") from None
    try:
        shape = parquet.ParquetFile(path).metadata
        _refuse_masses(path, shape.num_rows, shape.num_columns)
        table = parquet.read_table(path)
    except (arrow.ArrowException, OSError):
        raise DataError(f"{path.name}: not a Parquet file; write it again, or give CSV") from None
    return {name: table.column(name).to_pandas() for name in table.column_names}


def _refuse_masses(path: Path, rows: int, columns: int) -> None:
    if rows * columns > CELLS:
        raise DataError(
            f"{path.name}: {rows:,} rows of {columns:,} columns, above the limit of {CELLS:,}"
            " cells; keep the days and columns that a model reads"
        )


def _check_header(card: Card, path: Path, header: tuple[str, ...]) -> None:
    """Refuse a column without a description, and a description without a column."""
    keys = [key for key in (card.index, card.entity) if key]
    described = (*keys, *card.series)
    for name in described:
        if name not in header:
            raise DataError(
                f"{path.name}: column '{name}' of {card.path.name} is not in the file"
                f"{nearest(name, header)}; add it or correct the card"
            )
    for name in header:
        if name not in described:
            raise DataError(
                f"{path.name}: column '{name}' is not described in {card.path.name}"
                f"{nearest(name, described)}; add [series.{name}] with its unit, or remove"
                " the column"
            )


def _numbers(found: pd.Series, labels: pd.Series, place: str) -> np.ndarray:
    """Finite numbers, missing where the cell is empty."""
    if found.dtype == object or pd.api.types.is_string_dtype(found.dtype):
        # a Python float's own spelling: no thousands separator, no bracket, no word for "missing"
        cells = np.array([_number(cell) for cell in found], dtype=float)
        filled = ~(found.isna() | (found.astype(str).str.strip() == "")).to_numpy()
    elif pd.api.types.is_numeric_dtype(found.dtype) and not pd.api.types.is_bool_dtype(found.dtype):
        cells = found.to_numpy(dtype=float, na_value=np.nan)
        filled = ~np.isnan(cells)
    else:
        raise DataError(f"{place}: holds {found.dtype}, not numbers; convert it or mark it as text")
    wrong = np.flatnonzero(filled & ~np.isfinite(cells))
    if len(wrong):
        row = int(wrong[0])
        raise DataError(
            f"{place}: '{found.iloc[row]}' on row {row + 1} ({labels.iloc[row]}) is not a finite"
            " number; correct it, or leave the cell empty if nothing was observed"
        )
    return cells


def _number(cell: object) -> float:
    if isinstance(cell, str) and "_" in cell:  # Python would read 1_000
        return float("nan")
    try:
        return float(cell) if isinstance(cell, str | int | float) else float("nan")
    except ValueError:
        return float("nan")
