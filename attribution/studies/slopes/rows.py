"""Returns as columns, or as rows of assets and days, in; arrays on one time axis out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from attribution.errors import DataError, EventError, nearest
from attribution.panel import Evidence
from attribution.panel.measures import refuse_levels
from attribution.runs.study import refuse_texts
from attribution.studies.slopes.question import SlopesQuestion


@dataclass(frozen=True)
class Market:
    """Returns of assets and factors.

    Attributes
    ----------
    days, assets : labels of the axes.
    returns : (time, asset); NaN where missing.
    factors : (time, factor).
    used : (asset,), those that are not set apart.
    apart : places of those that are.
    events : event -> its row.
    """

    days: pd.DatetimeIndex
    assets: list[str]
    returns: np.ndarray
    factors: np.ndarray
    used: np.ndarray
    apart: tuple[int, ...]
    events: dict[str, int]


def market_of(question: SlopesQuestion, evidence: Evidence) -> Market:
    """Lay returns on (time, asset) and factors on (time, factor).

    Raises
    ------
    SpecError
        If the card of a return calls it a level.
    DataError
        If rows are not what the model says, or a factor differs between assets on a day.
    EventError
        If an event is no day of the sample.
    """
    if not evidence.dated or bool(evidence.entity) != bool(question.column):
        wanted = "rows of assets and days" if question.column else "one row a day"
        raise DataError(
            f"{evidence.name}: the model wants {wanted}; give such data, or change [assets] column"
        )
    refuse_texts(evidence, question.columns)
    returns = (question.column,) if question.column else question.assets
    refuse_levels(returns, evidence.measures, evidence.name)
    days = evidence.days
    wide = evidence.wide(question.column) if question.column else _columns(question, evidence)
    assets = [str(name) for name in wide.columns]
    for name in question.apart:
        if name not in assets:
            raise DataError(
                f"{evidence.name}: there is no asset '{name}'{nearest(name, assets)}; correct apart"
            )
    factors = [
        _of_day(f.column, evidence) - (_of_day(f.less, evidence) if f.less else 0.0)
        for f in question.factors
    ]
    events = {}
    for event in question.events:
        row = int(days.get_indexer(pd.DatetimeIndex([event.day]))[0])
        if row < 0:
            raise EventError(
                f"event '{event.name}': {event.day} is no day of the sample ({days[0]:%Y-%m-%d} to"
                f" {days[-1]:%Y-%m-%d}); correct the day or the sample"
            )
        events[event.name] = row
    return Market(
        days=days,
        assets=assets,
        returns=wide.to_numpy(float),
        factors=np.column_stack(factors),
        used=~np.isin(assets, question.apart),
        apart=tuple(assets.index(name) for name in question.apart),
        events=events,
    )


def _columns(question: SlopesQuestion, evidence: Evidence) -> pd.DataFrame:
    return evidence.rows[list(question.assets)]


def _of_day(column: str, evidence: Evidence) -> np.ndarray:
    """One value a day: the column, or what every asset's row repeats."""
    if not evidence.entity:
        return evidence.rows[column].to_numpy(float)
    wide = evidence.wide(column).to_numpy(float)
    seen = np.isfinite(wide)
    low = np.where(seen, wide, np.inf).min(1)
    high = np.where(seen, wide, -np.inf).max(1)
    apart = seen.any(1) & (high - low > 1e-9 * np.maximum(1.0, np.abs(high)))
    if apart.any():
        day = evidence.days[int(apart.argmax())]
        raise DataError(
            f"{evidence.name}: factor '{column}' differs between assets on {day:%Y-%m-%d}; repeat"
            " one value on every row of a day"
        )
    return np.where(seen.any(1), low, np.nan)
