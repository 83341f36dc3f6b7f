"""The columns of an equation with instruments, and the refusal of those that cannot stand in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from attribution.errors import DataError

CONSTANT = "constant"


@dataclass(frozen=True)
class Columns:
    """The complete rows of an equation, as numbers; a category is one column a text but the first.

    ``exogenous`` begins with the constant.
    """

    outcome: pd.Series
    endogenous: pd.DataFrame
    exogenous: pd.DataFrame
    instruments: pd.DataFrame


def refuse_collinear(columns: Columns) -> None:
    """Refuse too few rows, and a column that others span.

    Raises
    ------
    DataError
        With the column.
    """
    w, x, z = columns.exogenous, columns.endogenous, columns.instruments
    y = columns.outcome.to_frame()
    needed = w.shape[1] + x.shape[1] + z.shape[1]
    if len(w) <= needed:
        raise DataError(
            f"'{columns.outcome.name}' has {len(w)} complete row(s) for {needed} columns; give more"
            " rows or fewer columns"
        )
    for parts in ((w, z), (w, x), (w, z, x), (w, z, x, y)):
        group = pd.concat(parts, axis=1)
        values: np.ndarray = group.to_numpy(float)
        for place, name in enumerate(group.columns):
            before, own = values[:, :place], values[:, place]
            fit = before @ np.linalg.lstsq(before, own, rcond=None)[0] if place else 0 * own
            if float(np.linalg.norm(own - fit)) <= 1e-8 * float(np.linalg.norm(own)):
                raise DataError(
                    f"column '{name}' is constant or a sum of others in the equation for"
                    f" '{columns.outcome.name}'; remove it"
                )
