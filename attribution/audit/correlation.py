"""Did two series move together, and more than another pair did: posterior probabilities.

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
from attribution.audit.tested import Tested, Untestable, by_bound, by_chance
from attribution.sampling.diagnostics import mean_with_error

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


# Does a signal of flows and basis come before returns: inflows that no wider basis explains.


@dataclass(frozen=True)
class FollowThrough:
    """Returns after inflows that come without a wider basis are higher than after other days.

    Attributes
    ----------
    flows : added up; an inflow is a sum over ``days`` days above zero.
    basis : a signal needs its change over those days to be zero or less.
    returns : log points, summed over the ``horizon`` days that follow.
    lag : rows by which flows are known late.
    since, until : first and last day of the signals.
    """

    flows: tuple[str, ...]
    basis: str
    returns: str
    days: int = 5
    horizon: int = 5
    lag: int = 0
    since: date | None = None
    until: date | None = None
    draws: int = 4000
    data: str = "daily"


def follow_through(ask: FollowThrough, sources: Sources) -> Tested:
    """Compare mean returns, with weights drawn for blocks of days, since windows overlap."""
    table = _table(ask, sources)
    signal = table["signal"].to_numpy() > 0
    if min(signal.sum(), (~signal).sum()) < LEAST:
        raise Untestable(
            f"{int(signal.sum())} of {len(table)} days have inflows without a wider basis;"
            f" {LEAST} on either side are needed"
        )
    block = np.arange(len(table)) // (ask.days + ask.horizon)
    weight = sources.rng().standard_exponential((ask.draws, block.max() + 1))[:, block]
    later = table["later"].to_numpy()
    gap = _mean(later, weight * signal) - _mean(later, weight * ~signal)
    low, high = np.quantile(gap, [0.05, 0.95])
    chance, error = mean_with_error(gap > 0)
    return by_chance(
        f"{ask.horizon} days after {int(signal.sum())} days of inflows without a wider basis"
        f" {ask.returns} summed to {later[signal].mean():+.1f}, after the {int((~signal).sum())}"
        f" other days to {later[~signal].mean():+.1f} {sources.unit(ask.data, ask.returns)}"
        f" ({table.index[0]:%Y-%m-%d} to {table.index[-1]:%Y-%m-%d}); difference {gap.mean():+.1f}"
        f" (90 % {low:+.1f} to {high:+.1f}), above zero with probability {chance:.2f}",
        chance,
        error,
    )


def _table(ask: FollowThrough, sources: Sources) -> pd.DataFrame:
    """Signal and later return of every day on which both are known."""
    flow = sum(sources.column(ask.data, name) for name in ask.flows)
    known = pd.Series(flow).rolling(ask.days).sum().shift(ask.lag)
    basis = sources.column(ask.data, ask.basis)
    wider = basis.diff(ask.days).shift(ask.lag)
    returns = sources.column(ask.data, ask.returns)
    later = returns.rolling(ask.horizon).sum().shift(-ask.horizon)
    table = pd.DataFrame({"flow": known, "wider": wider, "later": later}).dropna()
    if ask.since is not None:
        table = table[table.index >= pd.Timestamp(ask.since)]
    if ask.until is not None:
        table = table[table.index <= pd.Timestamp(ask.until)]
    signal = (table["flow"] > 0) & (table["wider"] <= 0)
    return table.assign(signal=signal.astype(float))


def _mean(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    found: np.ndarray = weight @ values / weight.sum(1)
    return found


# Did one stock of contracts grow more than another between two days.


@dataclass(frozen=True)
class GrowthCompare:
    """``first`` grew more, in logs, than ``second`` from ``start`` to ``end``.

    Open interest must be in coins or contracts: in dollars it falls with the price alone.
    ``figures`` are quoted where a column is missing.
    """

    first: str
    second: str
    start: date
    end: date
    figures: tuple[str, ...] = ()
    data: str = "daily"


def growth_compare(ask: GrowthCompare, sources: Sources) -> Tested:
    """Compare two growth rates."""
    frame = sources.frame(ask.data)
    lost = [name for name in (ask.first, ask.second) if name not in frame]
    if lost:
        quoted = "; ".join(sources.quote(key) for key in ask.figures)
        raise Untestable(
            f"data set '{ask.data}' has no column {' and no '.join(lost)}, in coins, by day"
            + (f"; published: {quoted}" if quoted else "")
        )
    ends = [
        (sources.on(frame[name], ask.start), sources.on(frame[name], ask.end))
        for name in (ask.first, ask.second)
    ]
    if min(min(pair) for pair in ends) <= 0:
        raise Untestable(f"{ask.first} or {ask.second} is not above zero on both days")
    grown = [100.0 * np.log(end / start) for start, end in ends]
    return by_bound(
        f"{ask.first} {grown[0]:+.1f}, {ask.second} {grown[1]:+.1f} log points from {ask.start} to"
        f" {ask.end}",
        grown[0] > grown[1],
    )
