"""Rows of a sample in; nothing out, or a refusal of too few, and of columns that say nothing."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from attribution.errors import DataError
from attribution.model.kinds import KINDS
from attribution.model.spec import ModelSpec

DAYS_PER_VARIABLE = 10
"""Days of estimation that each variable needs."""
DAYS_UNDER_A_PRIOR = 2
"""The same where a proper prior shrinks the lags."""
SQUARED = 1e-140
"""Spread of a series whose squares, and products of them, are still numbers; so is one over it."""
UNEXPLAINED = 0.01
"""Share of a variable's variance that must remain when the closest other one is taken out."""
CONDITION = 1e3
"""Largest condition number of the correlation matrix."""


def refuse_short(
    spec: ModelSpec, days: pd.DatetimeIndex, place: str, *, left_out: bool = True
) -> None:
    """Refuse fewer days of estimation than ten a variable, or than the lags alone use up.

    A proper prior on the lags of an ``svar`` carries what the data leave open: two a variable do.
    The event's days count where they are not ``left_out``.
    """
    n, lags = len(spec.system.variables), spec.system.lags
    found = len(_estimation(spec, days, left_out)) - lags
    needed = max(DAYS_PER_VARIABLE * n, n * lags + 1 + n)
    if "dummies" in KINDS[spec.kind].reads and not spec.prior.flat:
        needed = DAYS_UNDER_A_PRIOR * n
    if found < needed:
        raise DataError(
            f"{spec.name}: {place} leaves {max(found, 0)} days for estimation, {n} variables with"
            f" {lags} lag(s) need {needed}; extend the sample, or drop variables or lags"
        )


def refuse_degenerate(spec: ModelSpec, values: pd.DataFrame, *, left_out: bool = True) -> None:
    """Refuse constant columns, and variables that are combinations of others; the pair is named.

    What is compared is what the row before leaves unexplained: levels that share a trend are no
    combinations of each other.  The event's days do not enter where they are ``left_out``: what
    they would add is what the model is asked.
    """
    seen = values.loc[_estimation(spec, pd.DatetimeIndex(values.index), left_out)]
    for name in seen.columns:
        column = seen[name].dropna()
        if len(column) and float(column.max() - column.min()) <= 1e-12 * float(column.abs().max()):
            raise DataError(
                f"{spec.name}: '{name}' is {column.iloc[0]:g} on every day of the sample; remove it"
                " from the model or change the sample"
            )
        spread = float(column.max() - column.min()) if len(column) else 1.0
        if not SQUARED < spread < 1.0 / SQUARED:
            raise DataError(
                f"{spec.name}: '{name}' moves by {spread:.1g}, and no floating-point number holds"
                " the square of that; give it in another unit"
            )
    names = spec.system.variables
    if len(names) < 2 or len(seen) < 3 * (len(names) + 1):  # of few rows any two are collinear
        return
    correlation = np.corrcoef(_news(seen[list(names)].to_numpy()), rowvar=False)
    off = np.abs(correlation - np.eye(len(names)))
    i, j = sorted(int(k) for k in np.unravel_index(off.argmax(), off.shape))
    if 1 - off[i, j] ** 2 < UNEXPLAINED:
        raise DataError(
            f"{spec.name}: '{names[i]}' and '{names[j]}' are collinear (correlation"
            f" {correlation[i, j]:.4f}); remove one of the two"
        )
    roots, vectors = np.linalg.eigh(correlation)
    if roots[-1] > CONDITION * roots[0]:
        i, j = sorted(int(k) for k in np.argsort(-np.abs(vectors[:, 0]))[:2])
        raise DataError(
            f"{spec.name}: the variables are collinear together (condition number above"
            f" {CONDITION:g}), '{names[i]}' and '{names[j]}' most of all; remove one of the two"
        )


def _news(values: np.ndarray) -> np.ndarray:
    """Return what the last row of all variables (time, variable), and a constant, do not explain.

    One regression for all keeps a variable that combines others their combination.
    """
    moved = values - values.mean(0)
    moved /= np.abs(moved).max(0)  # neither units nor distance from zero hide a variable
    past = np.column_stack([np.ones(len(values) - 1), moved[:-1]])
    news: np.ndarray = moved[1:] - past @ np.linalg.lstsq(past, moved[1:])[0]
    return news


def held_out(spec: ModelSpec) -> tuple[date, date]:
    """First and last day of the windows and of the days that are held out."""
    held = spec.event.hold_out
    return min(spec.event.start, held[0]), max(spec.event.end, held[1])


def _estimation(spec: ModelSpec, days: pd.DatetimeIndex, left_out: bool) -> pd.DatetimeIndex:
    """Days outside the event, or all."""
    if not left_out:
        return days
    start, end = (pd.Timestamp(day) for day in held_out(spec))
    return days[(days < start) | (days > end)]
