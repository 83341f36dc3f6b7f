"""A model, its rows and its draws in; nothing out, or a refusal of what no memory would hold."""

from __future__ import annotations

from datetime import date

import pandas as pd

from attribution.errors import SpecError
from attribution.limits import MEMORY_BYTES
from attribution.model.spec import ModelSpec
from attribution.model.study import StudySpec

_NUMBER = 8


def refuse_masses(spec: ModelSpec, days: pd.Index, draws: int, fits: int = 1) -> None:
    """Refuse draws of a VAR that would take more memory than the limit, before one is made.

    Counted are the coefficients, the responses and variance shares of every shock to the last
    horizon, and what each channel adds on each day of each window: a lower bound.

    Raises
    ------
    SpecError
        With the numbers that make it large.
    """
    n, horizons = len(spec.system.variables), spec.system.horizons + 1
    named = len(spec.channels) + 1
    steps = [_steps(days, w.start, w.end) for w in spec.event.windows]
    each = n * (n * spec.system.lags + n + 1)
    each += horizons * n * (n + 2 * named)
    each += sum(count * (named + 1) for count in steps)
    _refuse(
        spec.name,
        _NUMBER * draws * each * fits,
        f"{draws:,} draws of {n} variables, {spec.system.lags} lags, {horizons} horizons and"
        f" {sum(steps):,} days",
    )


def refuse_many_rows(spec: StudySpec, rows: pd.DataFrame, draws: int) -> None:
    """Refuse draws of a counterfactual path that would take more memory than the limit.

    Raises
    ------
    SpecError
        With the numbers that make it large.
    """
    if spec.kind == "counterfactual":  # each control's part is kept, row by row
        count, width = rows.shape
        _refuse(
            spec.name,
            _NUMBER * draws * count * (width + 2),
            f"{draws:,} draws of {count:,} rows and {width} columns",
        )


def _steps(days: pd.Index, start: date, end: date) -> int:
    return int(((days >= pd.Timestamp(start)) & (days <= pd.Timestamp(end))).sum())


def _refuse(name: str, size: float, made_of: str) -> None:
    if size > MEMORY_BYTES:
        raise SpecError(
            f"{name}: {made_of} need at least {size / 1e9:,.1f} GB of memory, above the limit of"
            f" {MEMORY_BYTES / 1e9:g} GB; ask for fewer draws or horizons"
        )
