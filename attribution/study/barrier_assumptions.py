"""Draws of a book and its flow in; what was assumed, and how far the answer rests on it, out."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from attribution.estimate.barrier_book import Assumed
from attribution.estimate.barrier_flows import DayFlows
from attribution.mechanics.notes import AT_MATURITY
from attribution.model.barrier_book import WATCHED, BarrierQuestion
from attribution.model.uncertain import Uncertain

USD = "USD million"
FILINGS = "filings, where they say; what they leave open is drawn"


def assumptions_of(question: BarrierQuestion, found: Assumed, event: DayFlows) -> pd.DataFrame:
    """List every uncertain input, why it is believed, and its rank correlation with the flow."""
    overlay = question.overlay
    beliefs: list[tuple[str, Uncertain, str, np.ndarray]] = [
        ("face of all notes", question.face, USD, found.face),
        ("long-dated volatility on the eve", question.level, "% a year", found.level),
        ("pass-through of volatility", question.pass_through, "ratio", found.pass_through),
        ("overlay ratio", overlay.ratio, "share of vega", found.ratio),
        ("overlay strike", overlay.strike, "of the eve's price", found.strike),
        ("overlay tenor", overlay.tenor, "years", found.tenor),
    ]
    rows = {
        name: _assumption(belief.words, unit, belief.source, value, event)
        for name, belief, unit, value in beliefs
    }
    rows["vega by root time"] = _assumption(
        f"probability {overlay.root_time:g}", "yes or no", overlay.root_time_source,
        found.rooted.astype(float), event,
    )  # fmt: skip
    book = event.book
    late = ", ".join(f"{w} {p:g}" for w, p in zip(WATCHED, question.watched, strict=True))
    eve = float(event.day.spot[0])
    for name, belief, unit, source, values in (
        ("barrier watched before maturity", late, "share of face", question.watched_source,
         (book.watched != AT_MATURITY).astype(float)),
        ("barrier", "by note", "of the eve's price", FILINGS, book.level / eve),
        ("initial value", "by note", "of the eve's price", FILINGS, book.initial / eve),
        ("time to maturity", "by note", "years", FILINGS, book.maturity),
    ):  # fmt: skip
        rows[name] = _assumption(belief, unit, source, _weighted(values, book.face), event)
    return pd.DataFrame.from_dict(rows, orient="index")


def _weighted(values: np.ndarray, face: np.ndarray) -> np.ndarray:
    """Mean over notes by face, (draw,)."""
    whole = face.sum(axis=-1)
    total = (values * face).sum(axis=-1)
    found: np.ndarray = np.divide(total, whole, out=np.zeros(len(whole)), where=whole > 0.0)
    return found


def _assumption(
    belief: str, unit: str, source: str, value: np.ndarray, event: DayFlows
) -> dict[str, object]:
    return {
        "belief": belief,
        "unit": unit,
        "rank_correlation": rank_correlation(value, event.total),
        "rank_correlation_without_overlay": rank_correlation(value, event.alone),
        "source": source,
    }


def rank_correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Spearman's rank correlation; zero where one of the two does not vary."""
    a, b = rankdata(one), rankdata(other)
    if np.ptp(a) == 0.0 or np.ptp(b) == 0.0:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])
