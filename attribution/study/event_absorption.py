"""A solved event in; how surely forced orders left no mark on the price, as rows, out."""

from __future__ import annotations

import numpy as np

from attribution.estimate.event_absorbed import Absorbed, absorbed_of
from attribution.study.answer import Row, of_interval
from attribution.study.event_solved import Solved

NINETY = 1.645
"""Standard errors on either side of 90 % of a normal law."""
ABSORBED, FACTOR = "P(forced orders absorbed)", "Bayes factor of absorption"


def absorption(solved: Solved) -> Absorbed:
    """Return the probability that no mark was left, before and after the data."""
    fit = solved.fit
    return absorbed_of(solved.question.liquidations.absorbed, fit.laws, fit.weight)


def absorption_rows(solved: Solved) -> dict[str, Row]:
    """Rows of the answers; none where the prior leaves no choice."""
    found = absorption(solved)
    if not found.prior:
        return {}
    low, high = (
        min(max(found.chance + side * NINETY * found.error, 0.0), 1.0) for side in (-1.0, 1.0)
    )
    said = f"no mark on the price; prior {found.prior:g}; Monte Carlo error"
    rows = {ABSORBED: of_interval(said, found.chance, found.error, (low, high), "probability")}
    ends = found.factor(low), found.factor(high)
    if np.isfinite(ends).all():
        sd = (ends[1] - ends[0]) / (2.0 * NINETY)
        said = "no mark against a mark; Monte Carlo error"
        rows[FACTOR] = of_interval(said, found.factor(), sd, ends, "ratio")
    return rows
