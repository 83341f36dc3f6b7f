"""A counterfactual question and its evidence in; the rows before and after, complete, out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from attribution.errors import DataError, EventError
from attribution.panel import Evidence
from attribution.panel.card import LEVEL
from attribution.studies.counterfactual.question import CounterfactualQuestion, Row, Span

SPARE = 10
"""Rows of the pre-period beyond the number of coefficients, at least."""


@dataclass(frozen=True)
class CounterfactualRows:
    """Rows of the pre-period and those that follow it, to the end of the last window.

    Attributes
    ----------
    labels : (row,); days or numbers, the ``pre`` rows first.
    pre : rows of the pre-period.
    outcome, controls, scale : (row,), (row, control), (row, column); in their units.  Rows outside
        the pre-period and the windows may be missing.
    windows : window -> (row,) of numbers counted from the first row after the pre-period.
    """

    labels: pd.Index
    pre: int
    outcome: np.ndarray
    controls: np.ndarray
    scale: np.ndarray
    windows: Mapping[str, np.ndarray]


def counterfactual_rows(
    question: CounterfactualQuestion, evidence: Evidence, place: str
) -> CounterfactualRows:
    """Lay out the rows of the question.

    Raises
    ------
    DataError
        If a value that is needed is missing, a control is constant or collinear, or rows are few.
    EventError
        If a window or the pre-period holds no row, or runs past the data.
    """
    labels = _labels(question, evidence, place)
    before = _within(labels, question.pre)
    after = np.asarray(labels > _label(question.pre.end)) & np.asarray(
        labels <= max(_label(span.end) for span in question.windows)
    )
    frame = evidence.rows.loc[before | after]
    pre = int(before.sum())
    windows = {
        span.name: np.flatnonzero(_within(frame.index[pre:], span)) for span in question.windows
    }
    for span in question.windows:
        if not len(windows[span.name]) or _label(span.end) > labels[-1]:
            raise EventError(
                f"{place}: window '{span.name}' ({span.start} to {span.end}) is not covered by the"
                f" data, which end {_said(labels[-1])}; move it or lengthen the sample"
            )
    asked = np.unique(np.concatenate(list(windows.values())))
    if evidence.measures.get(question.outcome) == LEVEL:  # it moves from the eve of each window
        asked = np.unique(np.r_[asked, [max(at[0] - 1, 0) for at in windows.values()]])
    needed = np.r_[np.arange(pre), pre + asked]
    _refuse_missing(frame.take(needed), place)
    names = list(question.controls)
    _refuse_degenerate(frame.iloc[:pre], names, (question.outcome, *question.scale), place)
    return CounterfactualRows(
        labels=frame.index,
        pre=pre,
        outcome=frame[question.outcome].to_numpy(float),
        controls=frame[names].to_numpy(float),
        scale=frame[list(question.scale)].to_numpy(float),
        windows=windows,
    )


def _labels(question: CounterfactualQuestion, evidence: Evidence, place: str) -> pd.Index:
    """Labels of the rows, increasing, of the kind in which the question is asked."""
    if evidence.entity:
        raise DataError(f"{place}: its data have entities; hand over one row a day or period")
    labels = evidence.rows.index
    numbered = isinstance(question.pre.end, int)
    if numbered and not pd.api.types.is_integer_dtype(labels.dtype):
        raise DataError(
            f"{place}: its periods are numbers of rows and the rows are labelled otherwise"
            f" ('{_said(labels[0])}'); give dates, or an index of whole numbers"
        )
    if not numbered and not evidence.dated:
        raise DataError(
            f"{place}: its periods are dates and the rows have none; give numbers of rows, or an"
            " index of days"
        )
    if not labels.is_monotonic_increasing:
        raise DataError(f"{place}: the labels of its rows do not increase; sort the rows")
    for name in question.columns:
        if not pd.api.types.is_numeric_dtype(evidence.rows[name].dtype):
            raise DataError(f"{place}: column '{name}' holds texts; name a column of numbers")
    return labels


def _label(row: Row) -> pd.Timestamp | int:
    return row if isinstance(row, int) else pd.Timestamp(row)


def _within(labels: pd.Index, span: Span) -> np.ndarray:
    return np.asarray(labels >= _label(span.start)) & np.asarray(labels <= _label(span.end))


def _said(label: object) -> str:
    return f"{label:%Y-%m-%d}" if isinstance(label, pd.Timestamp) else str(label)


def _refuse_missing(frame: pd.DataFrame, place: str) -> None:
    missing = frame.isna()
    if missing.to_numpy().any():
        column = missing.any().idxmax()
        label = _said(frame.index[missing[column]][0])
        raise DataError(
            f"{place}: column '{column}' has no value on row {label}, which the question needs;"
            " supply it, move pre or the window, or leave the column out"
        )


def _refuse_degenerate(
    frame: pd.DataFrame, names: list[str], others: tuple[str, ...], place: str
) -> None:
    if len(frame) < len(names) + SPARE:
        raise EventError(
            f"{place}: {len(frame)} rows in the pre-period are too few for {len(names)} controls;"
            f" start pre earlier, so that it has at least {len(names) + SPARE}"
        )
    for name in (*others, *names):
        if np.ptp(frame[name].to_numpy(float)) == 0:
            raise DataError(f"{place}: column '{name}' is constant in the pre-period; leave it out")
    x = frame[names].to_numpy(float)
    if np.linalg.matrix_rank((x - x.mean(0)) / x.std(0)) < len(names):
        raise DataError(
            f"{place}: controls {', '.join(names)} are collinear in the pre-period; drop one"
        )
