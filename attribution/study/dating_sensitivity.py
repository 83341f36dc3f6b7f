"""Net creations in; how far the dating of the held-out rows is settled, table and finding, out."""

from __future__ import annotations

import numpy as np
import pandas as pd

from attribution.check.sampling import R_HAT
from attribution.errors import DiagnosticsError
from attribution.estimate.dating_sensitivity import DatingVariant, dating_variants
from attribution.estimate.flow_data import FlowData
from attribution.finding import SURE, Finding
from attribution.model.flows import FlowsQuestion

TABLE = "dating_sensitivity"
DRAWS = 4000


def dating_tables(
    question: FlowsQuestion, data: FlowData, *, seed: np.random.SeedSequence, draws: int = DRAWS
) -> tuple[dict[str, pd.DataFrame], tuple[Finding, ...]]:
    """Date the held-out rows of the focus under one change of the model at a time.

    Raises
    ------
    DataError
        If too few rows can be used.
    DiagnosticsError
        If the chains of a variant disagree.
    """
    found = dating_variants(question, data, draws=draws, rng=np.random.default_rng(seed))
    for variant in found:
        if not variant.max_rhat <= R_HAT:
            raise DiagnosticsError(
                f"dating, {variant.name}: R-hat {variant.max_rhat:.3f} is above {R_HAT}; ask for"
                " another --seed"
            )
    days = [f"{day:%Y-%m-%d}" for day in data.days[data.held_out]]
    return {TABLE: _table(found, days)}, (_finding(question.focus, found, days),)


def _table(found: tuple[DatingVariant, ...], days: list[str]) -> pd.DataFrame:
    rows = {
        variant.name: {
            **{f"{day}: previous day": p for day, p in zip(days, variant.previous, strict=True)},
            **{f"{day}: at least": p for day, p in zip(days, variant.at_least, strict=True)},
            "switch": variant.to_same,
            **{
                name: f"{day:%Y-%m-%d}"
                for name, day in zip(
                    ("switch_q05", "switch_median", "switch_q95"), variant.switch, strict=True
                )
            },
            "reliable": "yes" if variant.reliable else "no",
        }
        for variant in found
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def _finding(focus: str, found: tuple[DatingVariant, ...], days: list[str]) -> Finding:
    first, gradual = found[:2]
    found = tuple(variant for variant in found if variant.reliable)
    p = np.array([variant.previous for variant in found])
    settled = bool((p <= 1.0 - SURE).all(axis=0).all() or (p >= SURE).all(axis=0).all())
    spans = [
        f"{day}: {low:.2f} to {high:.2f}"
        for day, low, high in zip(days, p.min(axis=0), p.max(axis=0), strict=True)
    ]
    medians = sorted(variant.switch[1] for variant in found)
    return Finding(
        name="dating sensitivity",
        question=f"Is it settled which day the held-out rows of {focus} answer?",
        evidence=(
            f"probability that a row answers the day before, over {len(found)} versions of the"
            f" regression of {focus} alone: {', '.join(spans)}; median of the switch from"
            f" {medians[0]:%Y-%m-%d} ({_named(found, medians[0])}) to {medians[-1]:%Y-%m-%d}"
            f" ({_named(found, medians[-1])}); {_moved(first, gradual, days)}"
        ),
        verdict="holds" if settled else "undecided",
    )


def _moved(first: DatingVariant, gradual: DatingVariant, days: list[str]) -> str:
    """Say what a gradual change makes of each published row."""
    if not gradual.reliable:
        return "whether the change was gradual these draws cannot say (Pareto k too large)"
    moved = [
        f"{day}: {before:.3f} to {after:.3f}"
        for day, before, after in zip(days, first.at_least, gradual.at_least, strict=True)
    ]
    return (
        "with a gradual change in place of a sudden one the probability of at least the published"
        f" row moves from {', '.join(moved)}"
    )


def _named(found: tuple[DatingVariant, ...], median: pd.Timestamp) -> str:
    return next(variant.name for variant in found if variant.switch[1] == median)
