"""A solved event in; its checks out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from attribution.errors import DiagnosticsError
from attribution.finding import SURE, Finding, verdict_of
from attribution.runs.study import spread
from attribution.sampling.diagnostics import mean_with_error
from attribution.sampling.judge import Sampled, sampled
from attribution.studies.event.abduction import interaction_share
from attribution.studies.event.question import AMPLIFIERS, REST
from attribution.studies.event.solved import Solved
from attribution.studies.event.tables import (
    AMPLIFIES,
    HALF,
    MECHANISMS,
    NONE,
    absorption,
    amplification,
    called,
    chance_of,
    daily,
    joint,
    largest,
    led,
    missing,
)
from attribution.studies.event.world import LOG_POINTS, SIZES

# A solved event in; what was learnt from the named days' own moves, and what follows, out.


def learnt_from_named(solved: Solved, name: str) -> bool:
    """Whether a mechanism's sign is learnt from the moves of the days that were named.

    What holds on named days only, as the hedging of options may, is learnt from those few days only
    if their moves are in the likelihood. They were named for what happened on them, so a sign that
    is learnt there changes with the days that are named: it has a probability, and is no verdict.
    """
    question = solved.question
    return name == "gamma" and question.gamma.days == "named" and not question.held_out


def ranks(solved: Solved) -> dict[str, float]:
    """Share of days whose move, over the deviation known the evening before, was no larger."""
    rows = solved.fit.rows
    size = np.abs(rows.move) / rows.sigma
    return {
        label: float(np.mean(size <= size[day]))
        for label, day in zip(rows.labels, rows.named, strict=True)
    }


def chosen_days(solved: Solved) -> Finding:
    """Say whether days that were chosen have taught the model what it says of them."""
    each = ranks(solved)
    mean = float(np.mean(list(each.values())))
    said = ", ".join(f"{label} {rank:.2f}" for label, rank in each.items())
    held, apart = solved.question.held_out, learnt_from_named(solved, "gamma")
    use = "their moves are held out of the fit" if held else "their moves are in the fit"
    what = "; options are hedged on them alone, so that their side is learnt there" if apart else ""
    return Finding(
        name="chosen days",
        question="Is nothing learnt from the moves of days that were named for their moves?",
        evidence=(
            f"share of all days that moved no more for their deviation: {said} (mean {mean:.2f});"
            f" {use}{what}"
        ),
        verdict="holds" if held else "fails",
    )


# A solved event in; whether forced orders left a mark on the price, as a finding, out.

CERTAIN = 0.95
"""Posterior probability from which a sign, or that there is no effect, is a verdict."""


def forced_orders_absorbed(solved: Solved) -> Finding:
    """Ask whether forced orders left no mark on the price.

    Longs that are closed sell into a fall, so that the sign of their effect is assumed wherever
    there is one. Whether there is one is not: whoever waits to buy may absorb them.
    """
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


# Draws of a fitted event in; whether they can be trusted, as a finding and as numbers, out.

FEW = 0.01
"""Share of transitions that may diverge: where the loop gain reaches one the density ends."""
STILL = 1e-9


def judged_draws(solved: Solved, place: str) -> Sampled:
    """Judge the mixture over laws and every contribution, and count what diverged under each law.

    Raises
    ------
    DiagnosticsError
        If parameters or contributions did not converge, or more than one transition in a hundred
        diverged under some law.

    References
    ----------
    vehtari2021
    """
    moving, answers = _moving(solved.fit.draws), _contributions(solved)
    both = [sampled(x, {}, place) for x in (moving, answers)]
    numbers = {
        name: (max if name == "max_rhat" else min)(one.diagnostics[name] for one in both)
        for name in both[0].diagnostics
    }
    diverged = {each.law: np.asarray(each.stats["diverging"]) for each in solved.fit.laws}
    worst = max(diverged, key=lambda law: float(diverged[law].mean()))
    share = float(diverged[worst].mean())
    if share > FEW:
        raise DiagnosticsError(
            f"{place}: {share:.1%} of transitions diverged under the law '{worst}'; ask for another"
            " --seed, or narrow the priors of what amplifies",
            draws=moving,
        )
    count = int(sum(each.sum() for each in diverged.values()))
    total = sum(each.size for each in diverged.values())
    evidence = (
        f"{solved.fit.law.size:,} draws, {solved.played.kept.size:,} with an answer; R-hat at most"
        f" {numbers['max_rhat']:.3f}, bulk and tail effective draws at least"
        f" {numbers['min_ess_bulk']:,.0f} and {numbers['min_ess_tail']:,.0f}; {count} of"
        f" {total:,} transitions diverged, at most {share:.1%} under one law ({worst})"
    )
    finding = Finding(
        name="sampling",
        question="Did the sampler converge on parameters and answers?",
        evidence=evidence,
        verdict="undecided" if count else "holds",
    )
    return Sampled({**numbers, "divergences": float(count)}, (finding,))


def _moving(draws: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Parameters that are no constant, (chain, draw, ...)."""
    found = {}
    for name, x in draws.items():
        flat = x.reshape(*x.shape[:2], -1)
        moves = flat.std(axis=(0, 1)) > STILL * (1.0 + np.abs(flat).max(axis=(0, 1)))
        if moves.any():
            found[name] = flat[:, :, moves]
    return found


def _contributions(solved: Solved) -> dict[str, np.ndarray]:
    """Contributions that are no constant, (chain, draw, player)."""
    found = {}
    for rule, draws in solved.parts.contribution.items():
        moves = draws.std(axis=0) > STILL
        if moves.any():
            found[rule] = draws[:, moves].reshape(*solved.shape, -1)
    return found
