"""Flows of hedges in; the tables of a study of notes and its headline out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from attribution.mechanics.notes import AT_MATURITY, NoteTerms
from attribution.model.uncertain import Uncertain
from attribution.runs.study import Row, of_draws, of_error, spread
from attribution.studies.notes.book import Assumed
from attribution.studies.notes.flows import BreakEven, DayFlows
from attribution.studies.notes.question import WATCHED, BarrierQuestion

# Draws of a book and its flow in; what was assumed, and how far the answer rests on it, out.

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


PER_FACE = "USD million per 1,000 of face"
THOUSAND = 1000.0
WORDS = {"knock_in_put": "knock-in", "dual_directional": "dual directional", "buffer": "buffer"}
"""What kinds of notes are called."""


@dataclass(frozen=True)
class Hedged:
    """Everything that tables and findings are made of; the first day is the event's.

    Attributes
    ----------
    calm : the event's day had no volatility moved.
    """

    question: BarrierQuestion
    found: Assumed
    flows: tuple[DayFlows, ...]
    calm: DayFlows
    even: BreakEven

    @property
    def event(self) -> DayFlows:
        """The event's day."""
        return self.flows[0]

    @property
    def known(self) -> np.ndarray:
        """Whether the terms of a note are known in full, (note,)."""
        return np.array([not drawn_of(one) for one in self.found.terms])

    @property
    def per_face(self) -> np.ndarray:
        """Flow of the notes whose terms are known, for USD 1,000 million of face, (draw,)."""
        event, known = self.event, self.known
        flow = event.notes[:, known].sum(axis=-1)
        face = event.book.face[:, known].sum(axis=-1)
        found: np.ndarray = np.divide(
            THOUSAND * flow, face, out=np.zeros(len(flow)), where=face > 0.0
        )
        return found


def drawn_of(terms: NoteTerms) -> tuple[str, ...]:
    """Terms of a note that its filing leaves open, the watching of its barrier aside."""
    open_terms = {
        "face": terms.face is None,
        "initial value": len(terms.fixings) > 1,
        "barrier": len(terms.fractions) > 1,
        "maturity": terms.maturity[0] != terms.maturity[1],
    }
    return tuple(name for name, unknown in open_terms.items() if unknown)


def tables_of(hedged: Hedged) -> dict[str, pd.DataFrame]:
    """Return every table, answers first."""
    return {
        "answers": _answers(hedged),
        "notes": _notes(hedged),
        "break-even": _break_even(hedged),
        "assumptions": assumptions_of(hedged.question, hedged.found, hedged.event),
    }


def _answers(hedged: Hedged) -> pd.DataFrame:
    event, calm = hedged.event, hedged.calm
    whole = event.alone + event.whole.sum(axis=-1)
    moved, moved_alone = event.total - calm.total, event.alone - calm.alone
    rows = {
        "flow/without overlay": of_draws("hedge flow, no vega sold", event.alone, USD),
        "flow/overlay alone": of_draws("what listed puts add", event.overlay.sum(-1), USD),
        "flow/with overlay": of_draws("hedge flow, a share of the vega sold", event.total, USD),
        "flow/all vega sold": of_draws("hedge flow, all of the vega sold", whole, USD),
        "flow/at the touch": of_draws("of it, at once at a touch", event.block.sum(-1), USD),
        "volatility/without overlay": of_draws("of it, as volatility moved", moved_alone, USD),
        "volatility/with overlay": of_draws("of it, as volatility moved", moved, USD),
        "sells/without overlay": of_chance("P(hedges sell)", event.alone),
        "sells/with overlay": of_chance("P(hedges sell)", event.total),
    }
    if hedged.known.any():
        rows["known terms/without overlay"] = of_draws("hedge flow", hedged.per_face, PER_FACE)
    for flows in hedged.flows[1:]:
        day = flows.day.day
        rows[f"{day}/without overlay"] = of_draws("hedge flow", flows.alone, USD)
        rows[f"{day}/with overlay"] = of_draws("hedge flow", flows.total, USD)
    return pd.DataFrame.from_dict(rows, orient="index")


def of_chance(estimand: str, flow: np.ndarray) -> Row:
    """Answer with the probability of a sale and its Monte Carlo error."""
    share = float((flow < 0.0).mean())
    error = float(np.sqrt(share * (1.0 - share) / flow.size))
    return of_error(estimand, share, error, "probability")


def _notes(hedged: Hedged) -> pd.DataFrame:
    event = hedged.event
    face = np.broadcast_to(event.book.face, event.notes.shape)
    whole = face.sum(axis=-1, keepdims=True)
    share = np.divide(face, whole, out=np.zeros(face.shape), where=whole > 0.0)
    rows = {
        terms.name: {
            **spread(event.notes[:, i]),
            "unit": USD,
            "face": float(face[:, i].mean()),
            "share_of_face": float(share[:, i].mean()),
            "barrier": float(np.mean(event.book.level[:, i])),
            "sells": float((event.notes[:, i] < 0.0).mean()),
            "kind": WORDS[terms.kind],
            "drawn": ", ".join(drawn_of(terms)) or "nothing",
        }
        for i, terms in enumerate(hedged.found.terms)
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def _break_even(hedged: Hedged) -> pd.DataFrame:
    """Say what turns buying into selling: a rise of long-dated volatility, or vega sold.

    Beside each, what was drawn for the day; ``share_at_zero`` of the draws sell without any.
    """
    day, even = hedged.event.day, hedged.even
    rise = 100.0 * hedged.found.pass_through * float(np.diff(day.listed)[0])
    points, share = "volatility points", "share of vega"
    rows = {
        "rise/without overlay": _quantiles(even.alone, points),
        "rise/with overlay": _quantiles(even.with_overlay, points),
        "rise/as drawn": _quantiles(rise, points),
        "overlay ratio": _quantiles(even.ratio, share),
        "overlay ratio/as drawn": _quantiles(hedged.found.ratio, share),
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def _quantiles(draws: np.ndarray, unit: str) -> dict[str, object]:
    levels = {"q05": 0.05, "q25": 0.25, "median": 0.5, "q75": 0.75, "q95": 0.95}
    found = {name: float(np.quantile(draws, level)) for name, level in levels.items()}
    return {**found, "unit": unit, "share_at_zero": float((draws <= 0.0).mean())}


def headline_of(hedged: Hedged) -> str:
    """Say in one sentence what hedges traded."""
    event = hedged.event
    day = event.day
    parts = []
    ways = {"without an overlay": event.alone, "with a share of their vega sold": event.total}
    for words, flow in ways.items():
        low, high = np.quantile(flow, (0.05, 0.95))
        parts.append(
            f"{'bought' if flow.mean() >= 0.0 else 'sold'} {abs(flow.mean()):.0f} USD million"
            f" on average {words} (90 %: {low:+.0f} to {high:+.0f}, + buys; they sold with"
            f" probability {(flow < 0.0).mean():.2f})"
        )
    return (
        f"as {hedged.question.outcome.upper()} went from {day.spot[0]:.2f} to {day.spot[1]:.2f} USD"
        f" on {day.day}, hedges of structured notes on it {' and '.join(parts)}"
    )
