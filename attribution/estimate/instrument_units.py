r"""The columns of an equation in; the same of order one, and the way back for its estimates, out.

.. math:: \beta_j = \tilde\beta_j\, s_y / s_j, \qquad
    \beta_0 = m_y + s_y \tilde\beta_0 - \sum_j \beta_j m_j

with m and s the mean and the standard deviation of each column: no unit, and no distance from
zero, costs a digit or meets a threshold.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from attribution.estimate.anderson_rubin import AndersonRubin
from attribution.estimate.instrument_columns import CONSTANT, Columns

STILL = 1e-12
"""A column that moves by less than this share of its size stands still."""


@dataclass(frozen=True)
class Units:
    """Mean and size of the outcome and of every other column, which may have its name."""

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
