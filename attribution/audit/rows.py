"""Claims about rows of a table of flows, under every reading of the rows' dates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from attribution.audit.sources import Sources
from attribution.audit.tested import Tested, Untestable, by_cases
from attribution.errors import SpecError

SIDES = ("at least", "at most", "near")


@dataclass(frozen=True)
class DatedRow:
    """The flow of a day is at least, at most or near a published figure or a level.

    Attributes
    ----------
    columns : added up.
    lags : rows after the day in which their flow may stand: 0 for its own row, 1 for the next.
    steady : further columns, whose rows stand on their own day under every reading.
    figure, level : what is compared with; ``figure`` where it is given.
    tolerance : share of that by which the row may miss it.
    """

    columns: tuple[str, ...]
    day: date
    lags: tuple[int, ...]
    side: str = "at least"
    figure: str = ""
    level: float = 0.0
    tolerance: float = 0.02
    steady: tuple[str, ...] = ()
    data: str = "daily"


@dataclass(frozen=True)
class NearZero:
    """A sum of flows over ``days`` days from ``start`` is within ``within`` sd of such sums."""

    columns: tuple[str, ...]
    start: date
    days: int
    lags: tuple[int, ...]
    within: float = 0.5
    steady: tuple[str, ...] = ()
    since: date | None = None
    data: str = "daily"


@dataclass(frozen=True)
class FlowShare:
    """The flow out of a fund over a span was about a stated share of its assets.

    ``assets`` is in the unit of the flow, ``stated`` and ``tolerance`` in percent of them.
    """

    column: str
    start: date
    end: date
    lags: tuple[int, ...]
    assets: float
    stated: float
    tolerance: float
    data: str = "daily"


def dated_row(ask: DatedRow, sources: Sources) -> Tested:
    """Compare the row of a day, wherever it may stand, with a level."""
    if ask.side not in SIDES:
        raise SpecError(f"dated_row: side '{ask.side}' is none of {', '.join(SIDES)}; correct it")
    level = sources.figure(ask.figure).value if ask.figure else ask.level
    slack = ask.tolerance * abs(level)
    unit = sources.unit(ask.data, ask.columns[0])
    met, said = [], []
    for lag in ask.lags:
        flow = _flow(sources, ask.data, ask.columns, ask.steady, lag)
        value = _at(flow, ask.day)
        met.append(
            {
                "at least": value >= level - slack,
                "at most": value <= level + slack,
                "near": abs(value - level) <= slack,
            }[ask.side]
        )
        said.append(f"{value:+,.1f} {unit} ({_reading(lag, ask.steady)})")
    source = f" ({sources.quote(ask.figure)})" if ask.figure else ""
    return by_cases(
        f"flow of {ask.day}: {' or '.join(said)}; the claim needs {ask.side} {level:+,.0f}"
        f" {unit}{source}",
        met,
    )


def near_zero(ask: NearZero, sources: Sources) -> Tested:
    """Compare a sum of flows with how large such sums usually are."""
    unit = sources.unit(ask.data, ask.columns[0])
    sums = {
        lag: _flow(sources, ask.data, ask.columns, ask.steady, lag).rolling(ask.days).sum()
        for lag in ask.lags
    }
    first = sums[ask.lags[0]]
    history = first[first.index < pd.Timestamp(ask.start)].dropna()
    if ask.since is not None:
        history = history[history.index >= pd.Timestamp(ask.since)]
    sd = float(history.std())
    if not sd > 0:
        raise Untestable(f"'{first.name}' has no history before {ask.start}")
    met, said = [], []
    for lag, total in sums.items():
        value = _at(total.shift(1 - ask.days), ask.start)
        met.append(abs(value) <= ask.within * sd)
        said.append(f"{value:+,.1f} {unit} ({_reading(lag, ask.steady)})")
    return by_cases(
        f"{ask.days} days from {ask.start}: {' or '.join(said)}; such sums had sd {sd:,.0f} {unit}"
        f" before, and the claim needs at most {ask.within:g} sd",
        met,
    )


def flow_share(ask: FlowShare, sources: Sources) -> Tested:
    """Compare the flow out over a span, as a share of assets, with the share that is stated."""
    if not ask.assets > 0:
        raise SpecError(f"flow_share: assets of {ask.assets:g} are none; give them above zero")
    unit = sources.unit(ask.data, ask.column)
    met, said = [], []
    for lag in ask.lags:
        moved = _flow(sources, ask.data, (ask.column,), (), lag)
        span = moved[(moved.index >= pd.Timestamp(ask.start)) & (moved.index <= str(ask.end))]
        if span.isna().any() or span.empty:
            raise Untestable(f"'{ask.column}' was not observed throughout {ask.start} to {ask.end}")
        share = -100.0 * float(span.sum()) / ask.assets
        met.append(abs(share - ask.stated) <= ask.tolerance)
        said.append(f"{span.sum():+,.1f} {unit}, {share:.2f} % out ({_reading(lag)})")
    return by_cases(
        f"net flow {ask.start} to {ask.end}: {' or '.join(said)}, of assets of {ask.assets:,.0f}"
        f" {unit}; stated {ask.stated:g} % (within {ask.tolerance:g} counts as equal)",
        met,
    )


def _flow(
    sources: Sources, data: str, columns: tuple[str, ...], steady: tuple[str, ...], lag: int
) -> pd.Series:
    """Flow of every day, (time,), if ``columns`` stand ``lag`` rows late and ``steady`` do not."""
    parts = [sources.column(data, name).shift(-lag) for name in columns]
    parts += [sources.column(data, name) for name in steady]
    total = pd.Series(np.sum([part.to_numpy(float) for part in parts], axis=0), parts[0].index)
    return total.rename(" + ".join((*columns, *steady)))


def _at(flow: pd.Series, day: date) -> float:
    value = float(flow.get(pd.Timestamp(day), np.nan))
    if not np.isfinite(value):
        raise Untestable(
            f"'{flow.name}' was not observed for {day} under every reading of its rows"
        )
    return value


def _reading(lag: int, steady: tuple[str, ...] = ()) -> str:
    if lag == 0:
        return "rows stand on their own day"
    rest = f", those of {' + '.join(steady)} on their own" if steady else ""
    return f"rows stand {lag} day{'s' * (lag > 1)} late{rest}"
