"""A question about hedges of structured notes and its evidence in; what they traded, out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import numpy as np
import xarray as xr

from attribution.errors import SpecError
from attribution.finding import Finding
from attribution.model.study import StudySpec
from attribution.panel import Evidence
from attribution.runs.study import Effort, Study
from attribution.sampling.diagnostics import mean_with_error
from attribution.studies.notes.book import Assumed, assumed, day_of
from attribution.studies.notes.flows import MOVES, DayFlows, break_even, day_flows, profile
from attribution.studies.notes.question import BarrierQuestion
from attribution.studies.notes.tables import Hedged, headline_of, tables_of

# Flows of hedges in; whether they sold, how large they were, and how much is known, out.

CERTAIN = 0.95
"""Probability from which an answer is a verdict."""


def findings_of(hedged: Hedged) -> Iterator[Finding]:
    """Yield every check of a study of notes."""
    yield _sign(hedged)
    yield _size(hedged)
    yield _known(hedged)


def _sign(hedged: Hedged) -> Finding:
    """Ask whether hedges sold."""
    event = hedged.event
    (alone, _), (total, error), (whole, _) = (
        mean_with_error(flow < 0.0)
        for flow in (event.alone, event.total, event.alone + event.whole.sum(axis=-1))
    )
    turn = float(np.median(hedged.even.ratio))
    return Finding.by_chance(
        name="sign of hedging",
        question=f"Did hedges of the notes sell on {event.day.day}?",
        evidence=(
            f"they sell with probability {total:.2f} with an overlay as drawn, {alone:.2f} without"
            f" one, {whole:.2f} if all of the notes' vega was sold as listed puts; buying turns at"
            f" {turn:.2f} of the vega (median)"
        ),
        probability=total,
        error=error,
        sure=CERTAIN,
    )


def _size(hedged: Hedged) -> Finding:
    """Hold the flow against what was traded."""
    event, least = hedged.event, hedged.question.material
    name = "hedge against the day's volume"
    question = f"Were these trades {least:.0%} of the fund's dollar volume, or more?"
    traded = event.day.volume
    if not traded > 0.0:
        return Finding(
            name=name,
            question=question,
            evidence=f"the fund's volume of {event.day.day} is not in the data",
            verdict="untestable",
        )
    share = event.total / traded
    low, high = np.quantile(share, (0.05, 0.95))
    chance, error = mean_with_error(np.abs(share) >= least)
    return Finding.by_chance(
        name=name,
        question=question,
        evidence=(
            f"{share.mean():+.2%} (90 %: {low:+.2%} to {high:+.2%}, + buys) of {traded:,.0f} USD"
            f" million; the largest of {len(share):,} draws is {np.abs(share).max():.2%}"
        ),
        probability=chance,
        error=error,
        sure=CERTAIN,
    )


def _known(hedged: Hedged) -> Finding:
    """Ask how much of the face has terms that are known."""
    known, terms = hedged.known, hedged.found.terms
    face = np.broadcast_to(hedged.event.book.face, hedged.event.notes.shape)
    whole = face.sum(axis=-1)
    share = np.divide(
        face[:, known].sum(axis=-1), whole, out=np.zeros(len(whole)), where=whole > 0.0
    )
    stated = sum(one.face for one in terms if one.face is not None)
    chance, error = mean_with_error(share > 0.5)
    return Finding.by_chance(
        name="known notes",
        question="Are the terms of most of the face known?",
        evidence=(
            f"{int(known.sum())} of {len(terms)} notes have terms that are known in full,"
            f" {face[:, known].sum(axis=-1).mean():.1f} USD million or {share.mean():.1%} of the"
            f" face drawn for all; the face of {sum(one.face is not None for one in terms)} is"
            f" stated, {stated:.0f} USD million"
        ),
        probability=chance,
        error=error,
        sure=CERTAIN,
    )


CHAINS, LEAST = 4, 400
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
ABOUT = (
    "What the hedge of a book of notes must have traded, given their terms and how the day went:"
    " every draw of terms and of unquoted prices is priced in full at the eve's close and at the"
    " day's, never by gamma times the move (Haug 2007). Nothing is estimated, so an interval says"
    " how far the answer rests on what was assumed; the table of assumptions says on which. It is"
    " no price impact, and no proof that anyone hedged so. Few notes have terms that are known in"
    " full, and those of unknown face stand for the rest of the published total. Barriers are"
    " mostly compared at maturity, as the filings read say, so that no block trades at a touch."
    " Notes are priced without their automatic calls and coupons, and a note on the worse of two"
    " funds as one on this fund alone: near a call level or coupon barrier the sign of their gamma"
    " may differ. Prices are closes: a sale at the day's low that was bought back is not seen."
)


def barrier_study(spec: StudySpec, evidence: Evidence, effort: Effort) -> Study:
    """Price what hedges of structured notes traded.

    Raises
    ------
    SpecError, DataError, EventError
        If draws do not fill the chains, records or rows cannot be used, or a day lacks a price.
    """
    question = cast(BarrierQuestion, spec.question)
    place = f"model '{spec.name}'"
    if effort.draws < LEAST or effort.draws % CHAINS:
        raise SpecError(
            f"{place}: --draws {effort.draws} is fewer than {LEAST} or does not fill {CHAINS} equal"
            " chains; ask for a larger multiple of four"
        )
    days = [day_of(question, evidence, day, place) for day in question.days]
    rng = np.random.default_rng(effort.seed)
    found = assumed(question, evidence, effort.draws, rng)
    effort.say("pricing the notes")
    flows = tuple(day_flows(question, found, day, days[0]) for day in days)
    calm = day_flows(question, found, days[0], days[0], calm=True)
    effort.say("pricing other moves")
    hedged = Hedged(question, found, flows, calm, break_even(question, found, days[0]))
    return Study(
        groups=_groups(question, hedged),
        tables=tables_of(hedged),
        findings=tuple(findings_of(hedged)),
        headline=headline_of(hedged),
        about=ABOUT,
        notes={"spot": [float(price) for price in days[0].spot], "notes": len(found.terms)},
    )


def _groups(question: BarrierQuestion, hedged: Hedged) -> dict[str, xr.Dataset]:
    """Draws of flows and of what they rest on; quantiles of flows against moves."""
    event, found = hedged.event, hedged.found
    draws = {
        "total": event.total,
        "without_overlay": event.alone,
        "overlay": event.overlay.sum(axis=-1),
        "block": event.block.sum(axis=-1),
        "by_volatility": event.total - hedged.calm.total,
        "by_volatility_without_overlay": event.alone - hedged.calm.alone,
        "face": found.face,
        "level": 100.0 * found.level,
        "pass_through": found.pass_through,
        "ratio": found.ratio,
        "strike": found.strike,
        "tenor": found.tenor,
    }
    chains = ("chain", "draw")
    lead = (CHAINS, len(found.level) // CHAINS)
    laid: dict[str, tuple[tuple[str, ...], np.ndarray]] = {
        name: (chains, _laid(value, lead)) for name, value in draws.items()
    }
    by_note = {
        "flow": event.notes,
        "overlay_by_note": event.overlay,
        "face_by_note": event.book.face,
        "barrier": event.book.level,
    }
    laid |= {
        name: ((*chains, "note"), _laid(np.broadcast_to(value, event.notes.shape), lead))
        for name, value in by_note.items()
    }
    totals = np.stack([flows.total for flows in hedged.flows], axis=-1)
    alone = np.stack([flows.alone for flows in hedged.flows], axis=-1)
    laid["total_by_day"] = ((*chains, "day"), _laid(totals, lead))
    laid["without_overlay_by_day"] = ((*chains, "day"), _laid(alone, lead))
    coords = {
        "note": list(event.book.names),
        "day": np.array(question.days, dtype="datetime64[ns]"),
        "chain": np.arange(lead[0]),
        "draw": np.arange(lead[1]),
    }
    posterior = xr.Dataset(laid, coords, {"unit": "USD million"})
    return {"/posterior": posterior, "/profile": _profile(question, found, event)}


def _profile(question: BarrierQuestion, found: Assumed, event: DayFlows) -> xr.Dataset:
    """Quantiles of flows against the day's move, volatility as it was and as on the eve."""
    banded = [
        [np.quantile(one, QUANTILES, axis=0) for one in profile(question, found, event.day, calm=c)]
        for c in (False, True)
    ]
    reached = 100.0 * float(np.log(event.day.spot[1] / event.day.spot[0]))
    return xr.Dataset(
        {"flow": (("volatility", "book", "quantile", "move"), np.array(banded))},
        {
            "volatility": ["of the day", "of the eve"],
            "book": ["notes", "notes and overlay"],
            "quantile": list(QUANTILES),
            "move": MOVES,
        },
        {"observed": reached, "eve": float(event.day.spot[0]), "unit": "USD million"},
    )


def _laid(value: np.ndarray, lead: tuple[int, int]) -> np.ndarray:
    """Lay draws on chains."""
    return np.ascontiguousarray(value).reshape(*lead, *value.shape[1:])
