"""A table in; its rows as plain data, as JSON holds them, out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

Row = dict[str, Any]


def plain_rows(table: pd.DataFrame) -> list[Row]:
    """Return each row's texts, truths and finite numbers; a cell that is missing is left out."""
    return [
        {
            str(key): value if isinstance(value, str | bool) else float(value)
            for key, value in row.items()
            if not pd.isna(value) and (isinstance(value, str) or np.isfinite(value))
        }
        for row in table.to_dict("records")
    ]


def by_name(table: pd.DataFrame) -> dict[str, Row]:
    """Return the rows of a table under their names."""
    return dict(zip(map(str, table.index), plain_rows(table), strict=True))
