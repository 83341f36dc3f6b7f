"""Raw series in; a refusal of sizes that no unit explains and of quotes that stand still."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from attribution.errors import DataError, EventError
from attribution.panel.card import Card

STILL = 3
"""Equal quotes in a row that make a series suspect."""
MOVED = 3.0
"""Robust standard deviations by which another series must move meanwhile."""
_NORMAL = 1.4826
"""Median absolute deviation to standard deviation, under a normal law."""


def refuse_magnitudes(card: Card, rows: pd.DataFrame, names: Iterable[str], place: str) -> None:
    """Refuse a series whose typical size contradicts its unit, such as decimals for points.

    The median of the absolute values that are not zero is compared with the card's ``magnitude``;
    a few wild values do not move it.
    """
    for name in names:
        series = card.series[name]
        seen = rows[name].abs().replace(0.0, np.nan).dropna()
        if series.magnitude is None or seen.empty:
            continue
        low, high = series.magnitude
        middle = float(seen.median())
        if not low <= middle <= high:
            raise DataError(
                f"{place}: '{name}' is typically {middle:g}, outside {low:g} to {high:g} that"
                f" {card.path.name} expects of {series.unit}; convert the file or correct the unit"
            )


def refuse_stale(
    card: Card,
    rows: pd.DataFrame,
    names: Iterable[str],
    event: tuple[pd.Timestamp, pd.Timestamp],
    place: str,
) -> None:
    """Refuse quotes that stand still: in the event, or while another series moves far.

    ``rows`` are the sample's days.  Series that the card marks ``repeats`` or ``known_ahead`` may
    stand still.
    """
    numbers = [card.series[name] for name in names]
    watched = [s.name for s in numbers if not (s.repeats or s.known_ahead)]
    changes = rows[watched].diff()
    spread = _NORMAL * (changes - changes.median()).abs().median()
    far = changes.abs().gt(MOVED * spread.where(spread > 0))
    for name in watched:
        runs = _runs(rows[name])
        for first, last in runs:
            days = f"{rows.index[first]:%Y-%m-%d} to {rows.index[last]:%Y-%m-%d}"
            found = f"{place}: '{name}' stands still at {rows[name].iloc[first]:g} from {days}"
            if rows.index[last] >= event[0] and rows.index[first] <= event[1]:
                raise EventError(
                    f"{found}, in the event; supply its quotes, remove the series from the model,"
                    f" or mark it repeats in {card.path.name}"
                )
            moved = far.iloc[first + 1 : last + 1].any().drop(name)
            if moved.any():
                raise DataError(
                    f"{found} while '{moved.idxmax()}' moves by more than {MOVED:g} standard"
                    " deviations; supply its quotes, empty stale cells, or mark the series repeats"
                    f" in {card.path.name}"
                )


def _runs(values: pd.Series) -> list[tuple[int, int]]:
    """First and last positions of runs of equal values."""
    new = (values.diff() != 0).cumsum()  # a missing value starts a run of its own
    positions = pd.Series(np.arange(len(values)), index=new.to_numpy())
    bounds = positions.groupby(level=0).agg(["min", "max"])
    long = bounds[bounds["max"] - bounds["min"] >= STILL - 1]
    return [(int(first), int(last)) for first, last in long.to_numpy()]
