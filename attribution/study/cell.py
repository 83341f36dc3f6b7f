"""A table and the names of a row and a column in; the number that stands there out."""

from __future__ import annotations

from typing import Any

import pandas as pd


def cell(table: pd.DataFrame, row: str, column: str) -> float:
    """Return one number of a table."""
    cells: Any = table.at
    return float(cells[row, column])
