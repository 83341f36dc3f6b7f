"""The columns of an equation with instruments, and the refusal of those that cannot stand in it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from attribution.errors import DataError
from attribution.panel import Evidence
from attribution.studies.instruments.grouped_errors import Grouping
from attribution.studies.instruments.question import Equation, InstrumentalQuestion
from attribution.studies.instruments.sets import AndersonRubin

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


# The columns of an equation in; the same of order one, and the way back for its estimates, out.

STILL = 1e-12
"""A column that moves by less than this share of its size stands still."""


@dataclass(frozen=True)
class Units:
    r"""Mean and size of the outcome and of every other column, which may have its name.

    .. math:: \beta_j = \tilde\beta_j\, s_y / s_j, \qquad
        \beta_0 = m_y + s_y \tilde\beta_0 - \sum_j \beta_j m_j

    with m and s the mean and the standard deviation of each column: no unit, and no distance from
    zero, costs a digit or meets a threshold.
    """

    outcome: tuple[float, float]
    mean: pd.Series
    size: pd.Series

    def coefficients(self, inner: pd.Series) -> pd.Series:
        """Coefficients in the units of the data, from those of columns of order one."""
        names = list(inner.index)
        found = self._change(names) @ inner.to_numpy()
        if CONSTANT in names:
            found[names.index(CONSTANT)] += self.outcome[0]
        return pd.Series(found, names)

    def errors(self, inner: pd.DataFrame) -> pd.Series:
        """Return standard errors in the units of the data, from a covariance of the others."""
        names = list(inner.index)
        change = self._change(names)
        covariance = change @ inner.to_numpy() @ change.T
        return pd.Series(np.sqrt(np.diag(covariance)), names)

    def _change(self, names: list[str]) -> np.ndarray:
        change = np.diag(self.outcome[1] / self.size[names].to_numpy())
        if CONSTANT in names:
            change[names.index(CONSTANT)] -= self.mean[names].to_numpy() @ change
        return change

    def test(self, inner: AndersonRubin, endogenous: str) -> AndersonRubin:
        """Return a test of the coefficient in the units of the data."""
        pair = np.array([self.outcome[1], self.size[endogenous]])
        square = np.array([pair[0] ** 2, pair[0] * pair[1], pair[1] ** 2])
        return AndersonRubin(
            inner.moment * pair[:, None], inner.covariance * square[:, None, None], inner.freedom
        )


def standardised(columns: Columns) -> tuple[Columns, Units]:
    """Centre every column but the constant and divide it by its standard deviation."""
    parts = [columns.endogenous, columns.exogenous, columns.instruments]
    answer = _moments(columns.outcome.to_frame().astype(float))
    mean, size, still = _moments(pd.concat(parts, axis=1).astype(float))
    mean[CONSTANT] = 0.0

    def inward(part: pd.DataFrame) -> pd.DataFrame:
        moved = (part - mean[part.columns]) / size[part.columns]
        moved.loc[:, still[part.columns] & (part.columns != CONSTANT)] = 0.0
        return moved

    centre, spread, flat = (float(moment.iloc[0]) for moment in answer)
    outcome = (columns.outcome.astype(float) - centre) / spread
    endogenous, exogenous, instruments = (inward(part.astype(float)) for part in parts)
    inner = replace(
        columns,
        outcome=outcome * 0.0 if flat else outcome,
        endogenous=endogenous,
        exogenous=exogenous,
        instruments=instruments,
    )
    return inner, Units((centre, spread), mean, size)


def _moments(whole: pd.DataFrame) -> tuple[pd.Series, pd.Series, pd.Series]:
    """Mean and standard deviation of each column, and which stand still; of these the sd is one."""
    mean, size = whole.mean(), whole.std(ddof=0)
    still = size <= STILL * whole.abs().max()
    size[still] = 1.0
    return mean, size, still


# The rows of an equation in; its complete columns as numbers out.


def columns_of(question: InstrumentalQuestion, equation: Equation, evidence: Evidence) -> Columns:
    """Shift, expand categories, and keep the rows on which nothing is missing.

    Raises
    ------
    DataError
        If rows that are no days are to be shifted, texts to be numbers, or rows of one entity
        after another to be one series, or the other way about.
    """
    _refuse_stack(question, equation, evidence)
    moved = equation.ahead or equation.lagged or question.covariance == "kernel"
    if moved and not evidence.dated:
        raise DataError(
            f"equation '{equation.name}': lags, ahead and a kernel's covariance need days, and the"
            f" rows of {evidence.name} have none; remove them"
        )
    rows = evidence.rows
    parts = {
        "outcome": _shifted(_number(rows, equation.outcome, equation), -equation.ahead).to_frame(),
        "endogenous": _joined([_number(rows, n, equation) for n in equation.endogenous], rows),
        "instruments": _joined(_named(rows, equation.instruments, question, equation), rows),
        "exogenous": _joined(
            [
                pd.Series(1.0, index=rows.index, name=CONSTANT),
                *_named(rows, equation.exogenous, question, equation),
                *(
                    _shifted(_number(rows, name, equation), k).rename(f"{name}, {k} back")
                    for name, count in equation.lagged
                    for k in range(1, count + 1)
                ),
            ],
            rows,
        ),
    }
    complete = pd.concat(parts, axis=1).notna().all(axis=1)
    if not complete.any():
        raise DataError(
            f"equation '{equation.name}': no row has all of its columns; drop the column that is"
            " missing most"
        )
    kept = {name: part[complete].astype(float) for name, part in parts.items()}
    return Columns(
        kept["outcome"].iloc[:, 0],
        kept["endogenous"],
        kept["exogenous"],
        kept["instruments"],
        _grouping(question, rows.index[complete]),
    )


def _refuse_stack(question: InstrumentalQuestion, equation: Equation, evidence: Evidence) -> None:
    """Refuse one kernel over several entities, and groups of rows that have none."""
    stacked, asked = bool(evidence.entity), question.covariance
    if asked == "kernel" and stacked:
        raise DataError(
            f"equation '{equation.name}': a kernel runs along one series, and {evidence.name} holds"
            f' one {evidence.entity} after another; take covariance = "driscoll_kraay" with the'
            ' same bandwidth, or "clustered" with clusters'
        )
    if asked in ("clustered", "driscoll_kraay") and not (stacked and evidence.dated):
        raise DataError(
            f"equation '{equation.name}': covariance = \"{asked}\" is for rows of several entities"
            f' and days, and those of {evidence.name} are not; take "robust", or "kernel" along'
            " days"
        )


def _grouping(question: InstrumentalQuestion, index: pd.Index) -> Grouping | None:
    """Return the groups of the rows that are left, if rows are grouped."""
    names, bandwidth = question.clusters, None
    if question.covariance == "driscoll_kraay":
        names, bandwidth = ("time",), question.bandwidth
    if not names:
        return None
    levels = [index.get_level_values(0 if name == "entity" else -1) for name in names]
    labels = tuple(np.unique(level, return_inverse=True)[1] for level in levels)
    return Grouping(labels, bandwidth, names)


def _named(
    rows: pd.DataFrame,
    names: tuple[str, ...],
    question: InstrumentalQuestion,
    equation: Equation,
) -> list[pd.Series]:
    """Columns as they are, and a category as one dummy a text but the first."""
    found = []
    for name in names:
        if name not in question.categories:
            found.append(_number(rows, name, equation))
            continue
        texts = sorted(rows[name].dropna().astype(str).unique())
        if len(texts) < 2:
            raise DataError(
                f"equation '{equation.name}': category '{name}' has one text; remove it"
            )
        own = rows[name].astype(str).where(rows[name].notna())
        found += [
            (own == text).astype(float).where(own.notna()).rename(f"{name} = {text}")
            for text in texts[1:]
        ]
    return found


def _number(rows: pd.DataFrame, name: str, equation: Equation) -> pd.Series:
    if not pd.api.types.is_numeric_dtype(rows[name].dtype):
        raise DataError(
            f"equation '{equation.name}': column '{name}' holds texts; name it under categories, or"
            " make it a number"
        )
    return rows[name]


def _shifted(values: pd.Series, count: int) -> pd.Series:
    """Move values to later rows, or to earlier ones, inside each entity."""
    if values.index.nlevels == 2:
        return values.groupby(level=0, sort=False).shift(count)
    return values.shift(count)


def _joined(columns: list[pd.Series], rows: pd.DataFrame) -> pd.DataFrame:
    return pd.concat(columns, axis=1) if columns else pd.DataFrame(index=rows.index)
