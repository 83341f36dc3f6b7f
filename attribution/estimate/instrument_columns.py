"""The columns of an equation with instruments, and the refusal of those that cannot stand in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from attribution.errors import DataError
from attribution.estimate.grouped_errors import Grouping

CONSTANT = "constant"


@dataclass(frozen=True)
class Columns:
    """The complete rows of an equation, as numbers; a category is one column a text but the first.

    ``exogenous`` begins with the constant; ``grouping`` says which rows move together, if any do.
    """

    outcome: pd.Series
    endogenous: pd.DataFrame
    exogenous: pd.DataFrame
    instruments: pd.DataFrame
    grouping: Grouping | None = None


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


def refuse_few_groups(columns: Columns) -> None:
    """Refuse fewer groups than instruments to be tested, and a kernel that reaches beyond them.

    Raises
    ------
    DataError
        With their number.
    """
    grouping, count = columns.grouping, columns.instruments.shape[1]
    if grouping is None:
        return
    said = " and ".join(grouping.names)
    if grouping.groups <= max(count, 1):
        raise DataError(
            f"the equation for '{columns.outcome.name}' has {grouping.groups} group(s) by {said}"
            f" and {count} instrument(s); group by what there is more of, or name fewer instruments"
        )
    if grouping.bandwidth is not None and grouping.bandwidth >= grouping.groups:
        raise DataError(
            f"bandwidth = {grouping.bandwidth} reaches beyond the {grouping.groups} days of"
            f" '{columns.outcome.name}'; shorten it"
        )


def refuse_no_number(errors: pd.DataFrame, outcome: str, covariance: str) -> None:
    """Refuse a standard error that is no number: then the covariance is no covariance.

    Raises
    ------
    DataError
        With the column and the method.
    """
    bad = np.argwhere(~np.isfinite(errors.to_numpy()))
    for row, column in bad[:1].tolist():
        name, method = errors.index[row], errors.columns[column]
        raise DataError(
            f"the equation for '{outcome}' has no standard error of '{name}' by {method}: the"
            f" {covariance} covariance is not positive there, as with few or overlapping groups;"
            " group one way, or by what there is more of"
        )
