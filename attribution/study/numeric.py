"""Evidence and the names of its columns in; nothing out, or a refusal of texts among numbers."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from attribution.errors import DataError
from attribution.panel import Evidence


def refuse_texts(evidence: Evidence, names: Iterable[str]) -> None:
    """Refuse a column of texts where a number is needed.

    Raises
    ------
    DataError
        With the column.
    """
    for name in names:
        if not pd.api.types.is_numeric_dtype(evidence.rows[name].dtype):
            raise DataError(
                f"{evidence.name}: column '{name}' holds texts where numbers are needed; correct"
                " its cells, or the model"
            )
