"""A solved event in; whether forced orders left a mark on the price, as a finding, out.

Longs that are closed sell into a fall, so that the sign of their effect is assumed wherever there
is one.  Whether there is one is not: whoever waits to buy may absorb them.
"""

from __future__ import annotations

import numpy as np

from attribution.finding import Finding
from attribution.study.event_absorption import absorption
from attribution.study.event_headline import missing
from attribution.study.event_solved import Solved

CERTAIN = 0.95
"""Posterior probability from which a sign, or that there is no effect, is a verdict."""


def forced_orders_absorbed(solved: Solved) -> Finding:
    """Ask whether forced orders left no mark on the price."""
    name, question = "forced orders absorbed", "Did forced orders leave no mark on the price?"
    found = absorption(solved)
    if not found.prior:
        why = "the model file gives that no probability (absorbed = 0), so that a mark is assumed"
        return Finding(name, question, why, "untestable")
    laws = dict(zip((each.law for each in solved.fit.laws), found.by_law, strict=True))
    low, high = min(laws, key=laws.__getitem__), max(laws, key=laws.__getitem__)
    return Finding.by_chance(
        name=name,
        question=question,
        evidence=(
            f"P(no mark at the close, on any day) {found.prior:.2f} before the data,"
            f" {found.chance:.2f} \N{PLUS-MINUS SIGN} {found.error:.2f} after them; Bayes factor of"
            f" no mark against a mark {found.factor():.2f}; by law of impact {laws[low]:.2f}"
            f" ({low}) to {laws[high]:.2f} ({high}); {_marked(solved)}"
        ),
        probability=found.chance,
        error=found.error,
        sure=CERTAIN,
    )


def _marked(solved: Solved) -> str:
    """Say what the mark was in draws in which one was left."""
    effect = solved.parts.of("but_for", "liquidations")[solved.kept.draws["absorbed"] == 0]
    if not len(effect):
        return "it is left in no draw"
    return f"if they left one, the {solved.word} would have been {missing(solved, effect)} without"


def none_of(before: np.ndarray, after: np.ndarray) -> str:
    """Say that a sign is assumed and an effect is not, from prior and posterior draws of it."""
    shares = (float(np.mean(draws == 0.0)) for draws in (before, after))
    return (
        "; the sign is assumed where there is an effect, and P(none) goes from"
        f" {next(shares):.2f} to {next(shares):.2f}"
    )
