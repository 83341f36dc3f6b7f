"""A solved event in; its checks out."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from attribution.diagnostics import mean_with_error
from attribution.finding import SURE, Finding, verdict_of
from attribution.model.event_study import AMPLIFIERS, REST
from attribution.study.answer import spread
from attribution.study.event_allocation import interaction_share
from attribution.study.event_chosen import chosen_days, learnt_from_named
from attribution.study.event_headline import HALF, NONE, called, largest, missing
from attribution.study.event_mark import CERTAIN, forced_orders_absorbed, none_of
from attribution.study.event_shapes import SIZES
from attribution.study.event_solved import Solved
from attribution.study.event_tables import (
    AMPLIFIES,
    MECHANISMS,
    amplification,
    chance_of,
    daily,
    joint,
    led,
)
from attribution.study.event_world import LOG_POINTS

FIXED = 1e-3
"""Probability under the prior below which the model rules a sign, or no effect at all, out."""


def findings_of(solved: Solved) -> Iterator[Finding]:
    """Yield every check of an event."""
    for name in MECHANISMS:
        yield _but_for(solved, name)
    yield forced_orders_absorbed(solved)
    yield _joint(solved)
    yield _rises(solved)
    yield _single(solved)
    yield _gain(solved)
    yield _laws(solved)
    yield _placebo(solved)
    yield chosen_days(solved)


def _but_for(solved: Solved, name: str) -> Finding:
    effect = solved.parts.of("but_for", name)
    chance, error = chance_of(solved, solved.way * effect > 0.0)
    before = solved.prior.of(name)
    already, against = (float(np.mean(way * before > 0.0)) for way in (solved.way, -solved.way))
    fixed = min(already, against) < FIXED
    assumed = fixed and max(already, against) > 1.0 - FIXED
    note = ", an assumption and no finding" if assumed else ""
    if fixed and not assumed:
        note = none_of(before, effect)
    named = learnt_from_named(solved, name)
    if named:
        note += "; learnt from the moves of days that were named, so that the sign is no verdict"
    return Finding(
        name=f"but for {name}",
        question=f"Did {name} make the {solved.word} larger?",
        evidence=(
            f"without {name} the {solved.word} would have been {missing(solved, effect)};"
            f" P(it made the {solved.word} larger) {chance:.2f} \N{PLUS-MINUS SIGN} {error:.2f}, by"
            f" law of impact {_span(solved, name)}; of priors and this day's move alone"
            f" {missing(solved, before)}, P {already:.2f}{note}"
        ),
        verdict="undecided" if assumed or named else verdict_of(chance, sure=CERTAIN, error=error),
        probability=chance,
        error=error,
    )


def by_law(solved: Solved, name: str) -> dict[str, float]:
    """Return the probability that a mechanism made the move larger, law by law."""
    return {
        law: float(np.mean(solved.way * day.of(name) > 0.0))
        for law, day in solved.laws.items()
        if day is not None
    }


def _span(solved: Solved, name: str) -> str:
    chances = by_law(solved, name)
    low, high = min(chances, key=chances.__getitem__), max(chances, key=chances.__getitem__)
    if chances[low] == chances[high]:
        return f"{chances[low]:.2f} in all"
    return f"{chances[low]:.2f} ({low}) to {chances[high]:.2f} ({high})"


def _joint(solved: Solved) -> Finding:
    chance, error = joint(solved)
    shares = zip(solved.parts.triggers, led(solved), strict=True)
    lead = ", ".join(f"{name} {p:.2f}" for name, p in shares)
    drawn = amplification(solved)  # a ratio: its mean is that of a few draws
    factor = {**spread(drawn), "median": float(np.median(drawn))}
    above = float(np.mean(drawn > AMPLIFIES))
    return Finding.by_chance(
        name="joint claim",
        question=(
            f"Was {solved.question.triggers[0]} the largest trigger, and did the market amplify the"
            f" {solved.word} by more than a quarter?"
        ),
        evidence=(
            f"P(both) {chance:.2f} \N{PLUS-MINUS SIGN} {error:.2f}; P(largest trigger): {lead};"
            f" amplification {factor['median']:.2f} (90 %: {factor['q05']:.2f} to"
            f" {factor['q95']:.2f}), P(above {AMPLIFIES}) {above:.2f}"
        ),
        probability=chance,
        error=error,
        sure=CERTAIN,
    )


def _rises(solved: Solved) -> Finding:
    """Compare what feedback adds to a rise and to a fall of equal size (C21)."""
    curve = solved.curve
    added = {size: curve.added(size)[curve.arrives] for size in SIZES}
    said = []
    for size, both in added.items():
        fall, rise = (spread(both[:, side]) for side in (0, 1))
        said.append(
            f"to a shock of {size:.0f} {LOG_POINTS} it adds {fall['mean']:.2f} in a fall (90 %:"
            f" {fall['q05']:.2f} to {fall['q95']:.2f}) and {rise['mean']:.2f} in a rise"
            f" ({rise['q05']:.2f} to {rise['q95']:.2f})"
        )
    more = added[SIZES[-1]]
    chance, error = mean_with_error(more[:, 1] > more[:, 0])
    return Finding.by_chance(
        name="rises against falls",
        question="Does the loop amplify a rise more than a fall of equal size?",
        evidence=(
            f"evening before {solved.question.day}: {'; '.join(said)}; P(more in a rise of"
            f" {SIZES[-1]:.0f}) {chance:.2f} \N{PLUS-MINUS SIGN} {error:.2f}"
        ),
        probability=chance,
        error=error,
        sure=CERTAIN,
    )


def _single(solved: Solved) -> Finding:
    """Ask whether interactions leave room for a single cause."""
    question = f"May a single cause of the {solved.word} be named?"
    share = interaction_share(solved.played.game, daily(solved))
    if share is None:
        return Finding(
            "single cause",
            question,
            f"the {solved.word} of {abs(solved.observed):.1f} {LOG_POINTS} is within five daily"
            f" standard deviations ({5.0 * daily(solved):.1f}); shares of it are not taken",
            "untestable",
        )
    found, name_of = spread(share), solved.parts.players
    (name, chance), (lead, sure) = largest(solved), largest(solved, name_of)
    shared = float(np.abs(share).mean()) > HALF
    named = lead not in (REST, NONE) and sure >= SURE
    verdict = "holds" if named and not shared else "fails"
    if not shared and lead != REST and not named:
        verdict = "undecided"
    return Finding(
        name="single cause",
        question=question,
        evidence=(
            f"{found['mean']:.2f} of it (90 %: {found['q05']:.2f} to {found['q95']:.2f}) is made by"
            f" no player alone; the largest but-for effect of all is that of {called(lead)} with"
            f" probability {sure:.2f}, of the mechanisms that of {name} with {chance:.2f}"
        ),
        verdict=verdict,
        probability=sure if lead != REST else None,
    )


def _gain(solved: Solved) -> Finding:
    """Say how many draws have no answer."""
    before, after = solved.prior.played, solved.played
    gain = after.gain[after.kept.ravel()]
    low, mid, high = np.nanquantile(gain, (0.05, 0.5, 0.95))
    return Finding(
        name="loop gain",
        question="Does the day end where it ended, in every draw and every coalition?",
        evidence=(
            f"of {after.unstable.size:,} draws {int(after.unstable.sum())} have a coalition that"
            f" runs away, {int(after.missed.sum())} end at another fixed point than the observed"
            f" move ({before.left_out:.0%} of prior draws do either) and are left out;"
            f" {int(after.multiple.sum())} have several fixed points; loop gain at the observed"
            f" move {mid:.2f} (90 %: {low:.2f} to {high:.2f}); {_away(solved)}"
        ),
        verdict="holds" if after.left_out <= 0.01 else "fails",
    )


def _away(solved: Solved) -> str:
    """Say without whom the day runs away most often."""
    name = max(solved.played.without, key=solved.played.without.__getitem__)
    share = solved.played.without[name]
    if share == 0.0:
        return "no draw runs away without a single player"
    return f"without {name} alone {share:.0%} of draws run away, most among the players"


def _laws(solved: Solved) -> Finding:
    """Compare the signs of but-for effects under every law of impact."""
    said, agree = [], []
    for name in MECHANISMS:
        agree.append(len({p > 0.5 for p in by_law(solved, name).values()}) == 1)
        said.append(f"{name} {_span(solved, name)}")
    weight = ", ".join(
        f"{each.law} {w:.2f}" for each, w in zip(solved.fit.laws, solved.fit.weight, strict=True)
    )
    return Finding(
        name="impact laws",
        question=(
            f"Do the laws of impact agree on which mechanisms made the {solved.word} larger?"
        ),
        evidence=(f"P(made it larger) by law: {'; '.join(said)}; posterior weights {weight}"),
        verdict="holds" if all(agree) else "fails",
    )


def _placebo(solved: Solved) -> Finding:
    """Say what the same model says of the other named days."""
    own = str(solved.question.day)
    others = {label: day for label, day in solved.days.items() if label != own}
    if not others:
        return Finding(
            "placebo days", "Does the model explain other days too?", "none is named", "untestable"
        )
    said = []
    for label, day in others.items():
        parts = ", ".join(f"{name} {day.of(name).mean():+.1f}" for name in AMPLIFIERS)
        said.append(
            f"{label} ({day.observed:+.1f}): amplification {np.nanmedian(day.amplification):.2f},"
            f" {parts}, PIT {solved.tail[label]:.2f}"
        )
    odd = [label for label in others if not 0.01 <= solved.tail[label] <= 0.99]
    return Finding(
        name="placebo days",
        question="Does the model leave the other named days unsurprising?",
        evidence=f"but-for effects in {LOG_POINTS}; {'; '.join(said)}",
        verdict="fails" if len(odd) > 1 else "holds",
    )
