"""A question of local projections and its evidence in; the estimation rows and the event's out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from attribution.errors import DataError, EventError
from attribution.panel import Evidence
from attribution.studies.projection.question import ProjectionQuestion

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


# Rows in; regressors, controls and responses of local projections, horizon by horizon, out.

NEWEY_WEST = "newey_west"


@dataclass(frozen=True)
class ProjectionDesign:
    """The arrays of local projections.

    Attributes
    ----------
    values : (row, variable); rows that are estimated on.
    impulse : (row,); the series whose innovation is followed.
    instrument : (row,), or None.
    controls : (row, control); a constant, same-day values of the series before the impulse, and
        lags of everything; the first ``lags`` rows are not used.
    lags : of every series.
    every : the same controls (row, control) on every row, those held out included.
    """

    values: np.ndarray
    impulse: np.ndarray
    instrument: np.ndarray | None
    controls: np.ndarray
    lags: int
    every: np.ndarray


def projection_design(question: ProjectionQuestion, rows: ProjectionRows) -> ProjectionDesign:
    """Lay out the arrays.

    With an instrument the order of the series says nothing, so none of the same day is a control.
    """
    lags = question.lags + (question.errors != NEWEY_WEST)
    frame = rows.values
    full = frame.to_numpy(float)
    names = list(frame.columns)
    before = [] if question.instrument else [names.index(v) for v in question.before]
    lagged = [np.roll(full, lag, axis=0) for lag in range(1, lags + 1)]
    every = np.column_stack([np.ones(len(full)), full[:, before], *lagged])
    every[:lags] = np.nan
    n, used = len(question.variables), rows.used
    impulse = full[:, names.index(question.impulse)]
    return ProjectionDesign(
        values=full[:used, :n],
        impulse=impulse[:used],
        instrument=full[:used, n] if question.instrument else None,
        controls=every[:used],
        lags=lags,
        every=every,
    )


@dataclass(frozen=True)
class Units:
    """Origin and size of each column, variables first, then the instrument (column,)."""

    origin: np.ndarray
    size: np.ndarray

    def inward(self, values: np.ndarray, columns: list[int] | int) -> np.ndarray:
        """Return values (row, column) or (row,) from these, of order one."""
        moved: np.ndarray = (values - self.origin[columns]) / self.size[columns]
        return moved


def standardised(
    question: ProjectionQuestion, design: ProjectionDesign
) -> tuple[ProjectionDesign, Units]:
    """Return the same arrays of order one: no unit, no distance from zero costs a digit."""
    n = design.values.shape[1]
    parts = [design.values]
    if design.instrument is not None:
        parts.append(design.instrument[:, None])
    whole = np.hstack(parts)
    units = Units(whole.mean(0), whole.std(0))
    before = [] if question.instrument else [question.variables.index(v) for v in question.before]
    each = [*before, *list(range(whole.shape[1])) * design.lags]
    every = np.column_stack([design.every[:, 0], units.inward(design.every[:, 1:], each)])
    own = question.variables.index(question.impulse)
    moved = ProjectionDesign(
        values=units.inward(design.values, list(range(n))),
        impulse=units.inward(design.impulse, own),
        instrument=None if design.instrument is None else units.inward(design.instrument, n),
        controls=every[: len(design.controls)],
        lags=design.lags,
        every=every,
    )
    return moved, units


def refuse_dependent(question: ProjectionQuestion, design: ProjectionDesign, place: str) -> None:
    """Refuse a series without news of its own: what the others of the day and lags leave of it.

    Raises
    ------
    DataError
        Naming the last series that is a combination of others.
    """
    after = slice(design.lags, None)
    w = design.controls[after, 1:][:, -design.lags * len(question.columns) :]
    x = np.column_stack([w, design.values[after]])
    spread = x.std(0)
    x = (x - x.mean(0)) / np.where(spread > 0, spread, 1.0)
    rank = [np.linalg.matrix_rank(x[:, :k]) for k in range(w.shape[1], x.shape[1] + 1)]
    idle = [name for name, own in zip(question.variables, np.diff(rank), strict=True) if not own]
    if idle:
        raise DataError(
            f"{place}: '{idle[-1]}' follows from the others and their lags; leave one of them out"
        )


def response_at(series: np.ndarray, horizon: int, *, lags: int, cumulative: bool) -> np.ndarray:
    """Series ``horizon`` rows on, or summed up to then, on rows ``lags`` ... T − horizon − 1.

    Parameters
    ----------
    series : (row, ...).
    """
    if not cumulative:
        return series[lags + horizon :]
    total = np.concatenate([np.zeros_like(series[:1]), np.cumsum(series, axis=0)])
    last = len(series) - horizon
    found: np.ndarray = total[lags + horizon + 1 :] - total[lags:last]
    return found


def bandwidth(horizon: int, rows: int) -> int:
    r"""Lags of Newey and West: the horizon's overlap, and :math:`4 (T/100)^{2/9}` at least."""
    return max(horizon, int(4.0 * (rows / 100.0) ** (2.0 / 9.0)))
