"""Rows in; regressors, controls and responses of local projections, horizon by horizon, out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attribution.errors import DataError
from attribution.estimate.projection_rows import ProjectionRows
from attribution.model.projection import ProjectionQuestion

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
