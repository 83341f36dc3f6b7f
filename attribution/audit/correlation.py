r"""Did two series move together, and more than another pair did: posterior probabilities.

The Bayesian bootstrap: weights of the days are drawn from a flat Dirichlet law, and the weighted
correlation under each draw is a draw from the posterior (Rubin, The Bayesian Bootstrap, Annals of
Statistics 9, 1981).  No law of returns is assumed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from attribution.audit.sources import Sources
from attribution.audit.tested import Tested, Untestable, by_chance
from attribution.diagnostics import mean_with_error

LEAST = 10
"""Days under which no correlation is taken."""


@dataclass(frozen=True)
class Correlation:
    """The correlation of two columns is above a level, over the ``days`` days that end at ``end``.

    ``figure`` is a published correlation, quoted beside ours.
    """

    first: str
    second: str
    end: date
    days: int
    above: float = 0.0
    figure: str = ""
    draws: int = 4000
    data: str = "daily"


@dataclass(frozen=True)
class CorrelationCompare:
    """``column`` is correlated more closely with ``more`` than with ``than``."""

    column: str
    more: str
    than: str
    end: date
    days: int
    draws: int = 4000
    data: str = "daily"


def correlation(ask: Correlation, sources: Sources) -> Tested:
    """Ask whether a correlation exceeds a level."""
    rows = _rows(sources, ask.data, (ask.first, ask.second), ask.end, ask.days)
    r = bootstrap(rows, ask.draws, sources.rng())[:, 0, 1]
    chance, error = mean_with_error(r > ask.above)
    quoted = f"; published: {sources.quote(ask.figure)}" if ask.figure else ""
    return by_chance(
        f"correlation of {ask.first} and {ask.second} {_span(rows, r, 0, 1)}, over {len(rows)} days"
        f" to {rows.index[-1]:%Y-%m-%d}; above {ask.above:g} with probability {chance:.2f}{quoted}",
        chance,
        error,
    )


def correlation_compare(ask: CorrelationCompare, sources: Sources) -> Tested:
    """Ask which of two columns a third moved with more closely."""
    rows = _rows(sources, ask.data, (ask.column, ask.more, ask.than), ask.end, ask.days)
    r = bootstrap(rows, ask.draws, sources.rng())
    chance, error = mean_with_error(r[:, 0, 1] > r[:, 0, 2])
    return by_chance(
        f"{ask.column}: correlation with {ask.more} {_span(rows, r[:, 0, 1], 0, 1)}, with"
        f" {ask.than} {_span(rows, r[:, 0, 2], 0, 2)}, over {len(rows)} days to"
        f" {rows.index[-1]:%Y-%m-%d}; the first is the larger with probability {chance:.2f}",
        chance,
        error,
    )


def bootstrap(rows: pd.DataFrame, draws: int, rng: np.random.Generator) -> np.ndarray:
    r"""Posterior draws of the correlation matrix of columns, by the Bayesian bootstrap.

    .. math:: w \sim \mathrm{Dirichlet}(1, \dots, 1), \qquad
        R = \mathrm{corr}_w(x)

    Parameters
    ----------
    rows : (time, column), complete.

    Returns
    -------
    (draw, column, column).
    """
    x = rows.to_numpy(float)
    weight = rng.dirichlet(np.ones(len(x)), size=draws)
    mean = weight @ x
    cross = (weight @ (x[:, :, None] * x[:, None, :]).reshape(len(x), -1)).reshape(
        draws, x.shape[1], x.shape[1]
    )
    covariance = cross - mean[:, :, None] * mean[:, None, :]
    sd = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
    result: np.ndarray = covariance / (sd[:, :, None] * sd[:, None, :])
    return result


def _rows(
    sources: Sources, data: str, names: tuple[str, ...], end: date, days: int
) -> pd.DataFrame:
    columns = {name: sources.column(data, name) for name in names}
    if len(columns) < len(names):
        raise Untestable(f"'{names[0]}' would be compared with itself")
    whole = pd.DataFrame(columns).dropna()
    rows = whole[whole.index <= pd.Timestamp(end)].iloc[-days:]
    if len(rows) < max(LEAST, days):
        raise Untestable(f"{', '.join(names)}: {len(rows)} complete days to {end}, {days} asked")
    flat = [name for name in names if rows[name].std() == 0]
    if flat:
        raise Untestable(f"'{flat[0]}' does not move over the {days} days to {end}")
    return rows - rows.mean()  # correlations do not change, and squares lose no digits


def _span(rows: pd.DataFrame, r: np.ndarray, i: int, j: int) -> str:
    low, high = np.quantile(r, [0.05, 0.95])
    here = rows.corr().to_numpy()[i, j]
    return f"{here:+.2f} (90 % {low:+.2f} to {high:+.2f})"
