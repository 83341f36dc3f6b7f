r"""Was a jump of the futures basis real, and one of the largest: with the error of a clock.

The two legs of a basis are not read at the same instant.  With a mismatch of m minutes at an
annual volatility :math:`\sigma` and T days to expiry, the error of an annualised basis has, in
points of percent a year, the standard deviation

.. math:: \sigma \sqrt{m / 525600}\;\frac{365}{T}

The true changes, Student-t, are smoothed out of the observed ones; m is estimated unless given.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from attribution.audit.sources import Sources
from attribution.audit.tested import Tested, Untestable, by_chance
from attribution.core.local_level import Observed, Smoothed, smooth
from attribution.diagnostics import mean_with_error
from attribution.errors import SpecError

YEAR = 525_600.0
LEAST = 30
"""Changes under which no history is taken."""


@dataclass(frozen=True)
class BasisJump:
    """The true change of a day is among the ``top`` share of the largest in its history.

    Attributes
    ----------
    column : annualised basis, percent a year.
    expiry, vol : days to expiry; implied volatility, percent a year.
    minutes : mismatch of the clocks; zero: estimated from the changes.
    least_days : days to expiry under which a day is left out.
    dof : degrees of freedom of the true changes; many make jumps rare.
    before, after : keys of the published levels, quoted beside ours.
    """

    column: str
    expiry: str
    vol: str
    day: date
    top: float = 0.01
    minutes: float = 0.0
    least_days: float = 5.0
    since: date | None = None
    before: str = ""
    after: str = ""
    dof: float = 4.0
    draws: int = 2000
    data: str = "daily"


@dataclass(frozen=True)
class BasisMove:
    """The true change of the basis on a day was up (``+``) or down (``-``)."""

    column: str
    expiry: str
    vol: str
    day: date
    sign: str
    minutes: float = 0.0
    least_days: float = 5.0
    since: date | None = None
    dof: float = 4.0
    draws: int = 2000
    data: str = "daily"


def basis_jump(ask: BasisJump, sources: Sources) -> Tested:
    """Rank a day's true change in its history."""
    seen, found, here = changes(ask, sources)
    rank = 1 + (found.true > found.true[:, [here]]).sum(1)
    count = len(seen)
    within = max(round(ask.top * count), 1)
    chance, error = mean_with_error(rank <= within)
    published = ""
    if ask.before and ask.after:
        early, late = sources.figure(ask.before), sources.figure(ask.after)
        jump = late.value - early.value
        published = f"; published {early.value:g} to {late.value:g}, {jump:+.1f}"
    return by_chance(
        f"{_said(ask, seen, found, here)}; observed rank"
        f" {1 + int((seen > seen.iloc[here]).sum())} of {count} changes, true rank"
        f" {np.median(rank):.0f} (90 % {np.quantile(rank, 0.05):.0f} to"
        f" {np.quantile(rank, 0.95):.0f}); among the largest {within} with probability"
        f" {chance:.2f}{published}",
        chance,
        error,
    )


def basis_move(ask: BasisMove, sources: Sources) -> Tested:
    """Ask for the sign of a day's true change."""
    if ask.sign not in ("+", "-"):
        raise SpecError(f"basis_move: sign '{ask.sign}' is neither + nor -; correct it")
    seen, found, here = changes(ask, sources)
    true = found.true[:, here]
    chance, error = mean_with_error((true > 0) if ask.sign == "+" else (true < 0))
    return by_chance(
        f"{_said(ask, seen, found, here)}; {'up' if ask.sign == '+' else 'down'} with probability"
        f" {chance:.2f}",
        chance,
        error,
    )


def changes(ask: BasisJump | BasisMove, sources: Sources) -> tuple[pd.Series, Smoothed, int]:
    """Return the observed changes, draws of the true ones, and the place of the day among them."""
    if ask.minutes < 0 or not ask.dof > 0:
        raise SpecError(f"{ask.column}: minutes must not be negative, nor dof zero; correct them")
    level = sources.column(ask.data, ask.column)
    days = sources.column(ask.data, ask.expiry)
    vol = sources.column(ask.data, ask.vol)
    level = level.where((days >= ask.least_days) & (vol > 0))
    error = (vol * 365.0 / days) ** 2 / YEAR  # variance of a level, for one minute
    change = level.diff().mask(days > days.shift(1))
    table = pd.DataFrame(
        {
            "change": change,
            "now": error,
            "before": error.shift(1),
            "follows": change.shift(1).notna().astype(float),
        }
    ).dropna()
    if ask.since is not None:
        table = table[table.index >= pd.Timestamp(ask.since)]
    stamp = pd.Timestamp(ask.day)
    if stamp not in table.index:
        raise Untestable(f"'{ask.column}' has no change on {ask.day} that stays in one contract")
    if len(table) < LEAST:
        raise Untestable(f"'{ask.column}' has {len(table)} changes, {LEAST} are needed")
    here = int(table.index.get_indexer(pd.DatetimeIndex([stamp]))[0])
    seen = Observed(
        change=table["change"].to_numpy(),
        now=table["now"].to_numpy(),
        before=table["before"].to_numpy(),
        follows=table["follows"].to_numpy() > 0,
    )
    found = smooth(seen, draws=ask.draws, rng=sources.rng(), size=ask.minutes, dof=ask.dof)
    return table["change"], found, here


def _said(ask: BasisJump | BasisMove, seen: pd.Series, found: Smoothed, here: int) -> str:
    low, high = np.quantile(found.true[:, here], [0.05, 0.95])
    return (
        f"{ask.column} moved by {seen.iloc[here]:+.1f} points on {ask.day}, its true change"
        f" {found.true[:, here].mean():+.1f} (90 % {low:+.1f} to {high:+.1f}) with clocks"
        f" {found.size.mean():.1f} minutes apart"
    )
