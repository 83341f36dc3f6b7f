"""Flows of hedges in; whether they sold, how large they were, and how much is known, out."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from attribution.diagnostics import mean_with_error
from attribution.finding import Finding
from attribution.study.barrier_tables import Hedged

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
