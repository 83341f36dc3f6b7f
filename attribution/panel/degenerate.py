"""Transformed columns and a model in; nothing out, or the column that says nothing of its own."""

from __future__ import annotations

import numpy as np
import pandas as pd

from attribution.errors import DataError
from attribution.model.spec import ModelSpec
from attribution.panel.coverage import estimation_days

SQUARED = 1e-140
"""Spread of a series whose squares, and products of them, are still numbers; so is one over it."""
UNEXPLAINED = 0.01
"""Share of a variable's variance that must remain when the closest other one is taken out."""
CONDITION = 1e3
"""Largest condition number of the correlation matrix."""


def refuse_degenerate(spec: ModelSpec, values: pd.DataFrame, *, left_out: bool = True) -> None:
    """Refuse constant columns, and variables that are combinations of others; the pair is named.

    What is compared is what the row before leaves unexplained: levels that share a trend are no
    combinations of each other.  The event's days do not enter where they are ``left_out``: what
    they would add is what the model is asked.
    """
    seen = values.loc[estimation_days(spec, pd.DatetimeIndex(values.index), left_out)]
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
