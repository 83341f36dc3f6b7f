"""Was the day extreme: its value against a published figure, the prior record, its rank."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pandas as pd

from attribution.audit.sources import Sources
from attribution.audit.tested import Tested, Untestable, by_bound
from attribution.errors import SpecError
from attribution.report.numbers import significant

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
