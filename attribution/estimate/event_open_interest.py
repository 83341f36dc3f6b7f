"""Open interest and liquidations by day in; what was open before, what was closed, what vanished.

In dollars open interest falls with the price alone, so it is carried and compared in coins.
"""

from __future__ import annotations

import pandas as pd

from attribution.model.event_study import EventQuestion


def open_interest(question: EventQuestion, frame: pd.DataFrame) -> dict[str, pd.Series]:
    """Columns of :class:`~attribution.estimate.event_rows.EventRows` about forced closing.

    Where the series has ended, coins are those of its last row, for at most ``carry`` rows.
    Totals that a model file reports stand where the series has none.
    """
    forced, price = question.liquidations, frame[question.price]
    coins = frame[forced.open_interest] / price
    filled = coins.ffill(limit=forced.carry) if forced.carry else coins
    closed = {"longs": frame[forced.longs], "shorts": frame[forced.shorts]}
    for one in forced.reported:
        here = frame.index == pd.Timestamp(one.day)
        for side, value in (("longs", one.longs), ("shorts", one.shorts)):
            closed[side] = closed[side].mask(here & closed[side].isna(), value)
    fallen = (coins.shift(1) - coins) * price
    return {
        **{side: value.where(value > 0.0) for side, value in closed.items()},
        "open_interest": filled.shift(1) * price.shift(1),
        "vanished": fallen.where(fallen > 0.0),
        "carried": coins.shift(1).isna().astype(float),
    }
