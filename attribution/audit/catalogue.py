"""The name of a test in; the class of its parameters and the function that runs it out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from attribution.audit import arithmetic, contributions, correlation, hedges, rows, saved
from attribution.audit import arithmetic as published
from attribution.audit import correlation as follow
from attribution.audit import correlation as growth
from attribution.audit import hedges as notes
from attribution.audit import hedges as options
from attribution.audit import saved as predicted
from attribution.audit.sources import Sources
from attribution.audit.tested import Tested, Untestable, by_bound, by_chance
from attribution.errors import SpecError
from attribution.report.numbers import significant
from attribution.sampling.diagnostics import mean_with_error
from attribution.studies.flows.true_basis import Observed, Smoothed, smooth

# Was a jump of the futures basis real, and one of the largest: with the error of a clock.

YEAR = 525_600.0
LEAST = 30
"""Changes under which no history is taken."""


@dataclass(frozen=True)
class BasisJump:
    r"""The true change of a day is among the ``top`` share of the largest in its history.

    The two legs of a basis are not read at the same instant. With a mismatch of m minutes at an
    annual volatility :math:`\sigma` and T days to expiry, the error of an annualised basis has, in
    points of percent a year, the standard deviation

    .. math:: \sigma \sqrt{m / 525600}\;\frac{365}{T}

    The true changes, Student-t, are smoothed out of the observed ones; m is estimated unless given.

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


# Was the day extreme: its value against a published figure, the prior record, its rank.

SIDES = ("near", "at least", "at most")


@dataclass(frozen=True)
class RecordOf:
    """A day's value is at least ``multiple`` times the highest of the days before it.

    ``times`` multiplies the column, as a price turns shares into dollars; ``scale`` and ``unit``
    are those of the sentence; ``since`` leaves out earlier days.
    """

    column: str
    day: date
    times: str = ""
    multiple: float = 1.0
    scale: float = 1.0
    unit: str = ""
    since: date | None = None
    data: str = "daily"


@dataclass(frozen=True)
class OnDay:
    """A day's value is near, at least or at most a published figure or a given level.

    ``tolerance`` is a share of that level.
    """

    column: str
    day: date
    figure: str = ""
    level: float = 0.0
    side: str = "near"
    tolerance: float = 0.05
    times: str = ""
    scale: float = 1.0
    unit: str = ""
    data: str = "daily"


@dataclass(frozen=True)
class RankOfDay:
    """A day is among the ``top`` lowest (or, with ``high``, highest) of all days to then.

    ``less`` subtracts another column, such as the market's return.
    """

    column: str
    day: date
    top: int
    less: str = ""
    high: bool = False
    since: date | None = None
    data: str = "daily"


def record_of(ask: RecordOf, sources: Sources) -> Tested:
    """Compare a day with the highest of the days before it."""
    values, unit = _values(ask, sources)
    here = sources.on(values, ask.day)
    before = values[values.index < pd.Timestamp(ask.day)].dropna()
    if ask.since is not None:
        before = before[before.index >= pd.Timestamp(ask.since)]
    if before.empty:
        raise Untestable(f"no day before {ask.day} was observed")
    high, when = float(before.max()), before.idxmax()
    if not high > 0:
        raise Untestable(f"'{ask.column}' was never above zero before {ask.day}")
    ratio = here / high
    return by_bound(
        f"{_say(here, unit)} on {ask.day}, {ratio:.2f} times the highest of the {len(before)} days"
        f" before ({_say(high, unit)} on {when:%Y-%m-%d}); the claim needs {ask.multiple:g} times",
        ratio >= ask.multiple,
    )


def on_day(ask: OnDay, sources: Sources) -> Tested:
    """Compare a day with a published figure."""
    if ask.side not in SIDES:
        raise SpecError(f"on_day: side '{ask.side}' is none of {', '.join(SIDES)}; correct it")
    values, unit = _values(ask, sources)
    here = sources.on(values, ask.day)
    level = sources.figure(ask.figure).value if ask.figure else ask.level
    slack = ask.tolerance * abs(level)
    met = {
        "near": abs(here - level) <= slack,
        "at least": here >= level,
        "at most": here <= level,
    }[ask.side]
    said = f"within {100 * ask.tolerance:g} % of" if ask.side == "near" else ask.side
    source = f" ({sources.quote(ask.figure)})" if ask.figure else ""
    return by_bound(
        f"{_say(here, unit)} on {ask.day} by the data; the claim needs {said}"
        f" {_say(level, unit)}{source}",
        met,
    )


def rank_of_day(ask: RankOfDay, sources: Sources) -> Tested:
    """Rank a day among all observed days to then."""
    values = sources.column(ask.data, ask.column)
    name = ask.column
    if ask.less:
        values, name = values - sources.column(ask.data, ask.less), f"{name} less {ask.less}"
    here = sources.on(values.rename(name), ask.day)
    seen = values[values.index <= pd.Timestamp(ask.day)].dropna()
    if ask.since is not None:
        seen = seen[seen.index >= pd.Timestamp(ask.since)]
    if seen.empty:
        raise Untestable(f"no day from {ask.since} to {ask.day} was observed")
    beyond = int(((seen > here) if ask.high else (seen < here)).sum())
    unit = sources.unit(ask.data, ask.column)
    return by_bound(
        f"{name} was {here:+.2f} {unit} on {ask.day}: rank {beyond + 1} from the"
        f" {'top' if ask.high else 'bottom'} of {len(seen)} days since {seen.index[0]:%Y-%m-%d};"
        f" the claim needs rank {ask.top} or better",
        beyond < ask.top,
    )


def _values(ask: RecordOf | OnDay, sources: Sources) -> tuple[pd.Series, str]:
    values = sources.column(ask.data, ask.column) * ask.scale
    if ask.times:
        values = values * sources.column(ask.data, ask.times)
    unit = ask.unit or sources.unit(ask.data, ask.column)
    return values.rename(ask.column), unit


def _say(value: float, unit: str) -> str:
    return f"{significant(value, 4)} {unit}".strip()


Test = Callable[[Any, Sources], Tested]

TESTS: dict[str, tuple[type, Test]] = {
    "basis_jump": (BasisJump, basis_jump),
    "basis_move": (BasisMove, basis_move),
    "compare": (contributions.Compare, contributions.compare),
    "correlation": (correlation.Correlation, correlation.correlation),
    "correlation_compare": (correlation.CorrelationCompare, correlation.correlation_compare),
    "dated_row": (rows.DatedRow, rows.dated_row),
    "delta_above": (hedges.DeltaAbove, hedges.delta_above),
    "figure_at_least": (published.FigureAtLeast, published.figure_at_least),
    "figures_agree": (published.FiguresAgree, published.figures_agree),
    "finding_of": (saved.FindingOf, saved.finding_of),
    "first_below": (notes.FirstBelow, notes.first_below),
    "flow_share": (rows.FlowShare, rows.flow_share),
    "follow_through": (follow.FollowThrough, follow.follow_through),
    "forecast": (contributions.Forecast, contributions.forecast),
    "growth_compare": (growth.GrowthCompare, growth.growth_compare),
    "joint": (contributions.Joint, contributions.joint),
    "largest": (contributions.Largest, contributions.largest),
    "lead": (contributions.Lead, contributions.lead),
    "long_option_hedge": (options.LongOptionHedge, options.long_option_hedge),
    "near_zero": (rows.NearZero, rows.near_zero),
    "note_hedge": (hedges.NoteHedge, hedges.note_hedge),
    "note_size": (notes.NoteSize, notes.note_size),
    "on_day": (OnDay, on_day),
    "predicted_flow": (predicted.PredictedFlow, predicted.predicted_flow),
    "published_only": (published.PublishedOnly, published.published_only),
    "rank_of_day": (RankOfDay, rank_of_day),
    "record_of": (RecordOf, record_of),
    "rival": (saved.Rival, saved.rival),
    "share_of_move": (contributions.ShareOfMove, contributions.share_of_move),
    "shorting_creates": (arithmetic.ShortingCreates, arithmetic.shorting_creates),
    "tail_probability": (arithmetic.TailProbability, arithmetic.tail_probability),
    "tail_ratio": (arithmetic.TailRatio, arithmetic.tail_ratio),
}
"""Every test; each is a pure function of its parameters and the sources."""
