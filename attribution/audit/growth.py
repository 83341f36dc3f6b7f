"""Did one stock of contracts grow more than another between two days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from attribution.audit.sources import Sources
from attribution.audit.tested import Tested, Untestable, by_bound


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
