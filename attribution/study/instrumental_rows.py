"""The rows of an equation in; its complete columns as numbers out."""

from __future__ import annotations

import numpy as np
import pandas as pd

from attribution.errors import DataError
from attribution.estimate.grouped_errors import Grouping
from attribution.estimate.instrument_columns import CONSTANT, Columns
from attribution.model.instrumental import Equation, InstrumentalQuestion
from attribution.panel import Evidence


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
