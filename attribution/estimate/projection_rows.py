"""A question of local projections and its evidence in; the estimation rows and the event's out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from attribution.errors import DataError, EventError
from attribution.model.projection import ProjectionQuestion
from attribution.panel import Evidence

SPARE = 20
"""Rows beyond the number of coefficients at the longest horizon, at least."""


@dataclass(frozen=True)
class ProjectionRows:
    """Rows of local projections.

    Attributes
    ----------
    values : (row, column); variables, then the instrument if there is one; every row up to the
        last window's end, those held out included.
    used : rows, counted from the first, that are estimated on.
    windows : window -> rows, numbered as ``values``.
    """

    values: pd.DataFrame
    used: int
    windows: Mapping[str, np.ndarray]


def projection_rows(question: ProjectionQuestion, evidence: Evidence, place: str) -> ProjectionRows:
    """Lay out the rows, complete and enough; leading rows before every series begins are left out.

    Raises
    ------
    DataError
        If a value is missing inside the estimation rows or the windows, or a column degenerate.
    EventError
        If a window holds no row, or too few rows come before the hold-out.
    """
    if evidence.entity:
        raise DataError(f"{place}: its data have entities; hand over one row a day or period")
    if not (evidence.dated or pd.api.types.is_numeric_dtype(evidence.rows.index.dtype)):
        raise DataError(
            f"{place}: the labels of its rows ('{evidence.rows.index[0]}') have no order in time;"
            " hand over an index of days, periods or numbers"
        )
    if question.event.windows and not evidence.dated:
        raise DataError(f"{place}: its windows are days and the rows have none; hand over dates")
    frame = evidence.rows[list(question.columns)]
    for name in frame:
        if not pd.api.types.is_numeric_dtype(frame[name].dtype):
            raise DataError(f"{place}: column '{name}' holds texts; name a column of numbers")
    complete = frame.notna().all(axis=1).to_numpy()
    frame = frame.iloc[int(complete.argmax()) if complete.any() else len(frame) :]
    labels = frame.index
    if not question.event.windows:
        values, used, windows = frame, len(frame), {}
    else:
        first = pd.Timestamp(question.event.hold_out[0])
        last = pd.Timestamp(max(window.end for window in question.event.windows))
        values = frame.loc[labels <= last]
        used = int((labels < first).sum())
        windows = _windows(question, values.index, place)
    _refuse_missing(values, used, windows, question.lags + 1, place)
    _refuse_few(question, values.iloc[:used], place)
    return ProjectionRows(values, used, windows)


def _windows(question: ProjectionQuestion, labels: pd.Index, place: str) -> dict[str, np.ndarray]:
    found = {}
    for window in question.event.windows:
        inside = (labels >= pd.Timestamp(window.start)) & (labels <= pd.Timestamp(window.end))
        found[window.name] = np.flatnonzero(np.asarray(inside))
        if not len(found[window.name]) or pd.Timestamp(window.end) > labels[-1]:
            raise EventError(
                f"{place}: window '{window.name}' ({window.start} to {window.end}) is not covered"
                " by the data; move it or lengthen the sample"
            )
    return found


def _refuse_missing(
    values: pd.DataFrame, used: int, windows: Mapping[str, np.ndarray], lags: int, place: str
) -> None:
    asked = np.concatenate([np.arange(used), *windows.values()])
    needed = np.unique([max(row - lag, 0) for row in asked for lag in range(lags + 1)])
    missing = values.iloc[needed].isna()
    if missing.to_numpy().any():
        column = missing.any().idxmax()
        label = missing.index[missing[column]][0]
        said = f"{label:%Y-%m-%d}" if isinstance(label, pd.Timestamp) else str(label)
        raise DataError(
            f"{place}: column '{column}' has no value on row {said}, which the question needs;"
            " supply it, move the sample, or leave the column out"
        )


def _refuse_few(question: ProjectionQuestion, values: pd.DataFrame, place: str) -> None:
    lags = question.lags + (question.errors == "lag_augmented")
    coefficients = 1 + len(question.variables) * (lags + 1)
    rows = len(values) - lags - question.horizons
    if rows < coefficients + SPARE:
        raise EventError(
            f"{place}: {max(rows, 0)} rows are left at horizon {question.horizons} for"
            f" {coefficients} coefficients; lengthen the sample, or ask for fewer horizons or lags"
        )
    x = values.to_numpy(float)
    for name, spread in zip(values, np.ptp(x, 0), strict=True):
        if spread == 0:
            raise DataError(f"{place}: column '{name}' is constant in the sample; leave it out")
    if np.linalg.matrix_rank((x - x.mean(0)) / x.std(0)) < x.shape[1]:
        raise DataError(
            f"{place}: columns {', '.join(map(str, values))} are collinear in the sample; drop one"
        )
