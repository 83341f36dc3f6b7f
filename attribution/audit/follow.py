"""Does a signal of flows and basis come before returns: inflows that no wider basis explains."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from attribution.audit.sources import Sources
from attribution.audit.tested import Tested, Untestable, by_chance
from attribution.diagnostics import mean_with_error

LEAST = 10
"""Signal days, and other days, under which no comparison is made."""


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
