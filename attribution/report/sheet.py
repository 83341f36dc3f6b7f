"""A table in; CSV in which no spreadsheet finds a formula out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What begins a formula in a spreadsheet."""


def harmless(cell: Any) -> Any:
    """Put an apostrophe before a text that a spreadsheet would calculate; numbers stay numbers."""
    if not isinstance(cell, str) or not cell.startswith(FORMULA):
        return cell
    try:
        float(cell)
    except ValueError:
        return f"'{cell}"
    return cell


def csv_text(table: pd.DataFrame, **settings: Any) -> str:
    """Return a table as CSV, texts that begin like formulas made texts by an apostrophe.

    Parameters
    ----------
    settings : ``index`` and ``index_label`` of `pandas.DataFrame.to_csv`.
    """
    told = table.copy()
    for place, kind in enumerate(table.dtypes):
        if kind.kind == "O":
            told.isetitem(place, table.iloc[:, place].map(harmless).to_numpy())
    told.columns = table.columns.map(harmless)
    if table.index.dtype.kind == "O":
        told.index = table.index.map(harmless)
    text: str = told.to_csv(lineterminator="\n", **settings)
    return text
