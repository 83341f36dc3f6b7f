"""A solved event in; its tables out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from attribution import allocate
from attribution.core.moves import NOBODY, chances, leading, likeliest
from attribution.finding import SURE
from attribution.runs.study import Row, of_draws, of_interval, spread
from attribution.sampling.diagnostics import effective_size, mean_with_error
from attribution.studies.event.abduction import RULES, interaction_share
from attribution.studies.event.ledger import ledger_table
from attribution.studies.event.question import AMPLIFIERS, BASIS, REST
from attribution.studies.event.sampling import LawFit
from attribution.studies.event.solved import Day, Solved
from attribution.studies.event.world import LOG_POINTS, POINTS

# Draws under every law of impact in; whether forced orders left a mark on the price, out.


@dataclass(frozen=True)
class Absorbed:
    r"""Whether forced orders left no mark on the price.

    The indicator is integrated out of the density that is sampled, so that its posterior
    probability is the mean over draws of what each draw says of it, and no count of zeros and ones:

    .. math::
        P(\delta = 1 \mid y) = \sum_l w_l\, E\bigl[P(\delta = 1 \mid \theta, l, y)\bigr], \qquad
        B = \frac{P(\delta = 1 \mid y)}{1 - P(\delta = 1 \mid y)} \Big/ \frac{a}{1 - a}

    Attributes
    ----------
    prior : probability before the data.
    chance : after them, over all laws; ``error`` its Monte Carlo standard error.
    by_law : (law,), under each law of impact alone.
    """

    prior: float
    chance: float
    error: float
    by_law: np.ndarray

    def factor(self, chance: float | None = None) -> float:
        """Bayes factor of no mark against a mark; NaN where the prior leaves no choice.

        Parameters
        ----------
        chance : posterior probability to be turned into it; None: that of all laws.
        """
        after = self.chance if chance is None else chance
        if not self.prior or after >= 1.0:
            return float("nan") if not self.prior else float("inf")
        return float(after / (1.0 - after) * (1.0 - self.prior) / self.prior)


def absorbed_of(prior: float, fits: Sequence[LawFit], weight: np.ndarray) -> Absorbed:
    """Average the draws' own probabilities over each law's draws, then over laws.

    Parameters
    ----------
    weight : posterior probabilities of the laws, (law,).
    """
    each = np.array([float(fit.chance.mean()) for fit in fits])
    chance = float(weight @ each)
    own = np.array([_error(fit.chance) for fit in fits])
    evidence = np.array([fit.evidence_error for fit in fits])
    # a law's log evidence moves its weight, and with it the mean, by how far the law lies from it
    error = np.sqrt((weight**2) @ own**2 + (weight * (each - chance)) ** 2 @ evidence**2)
    return Absorbed(prior, chance, float(error), each)


def _error(chance: np.ndarray) -> float:
    """Monte Carlo standard error of a mean over (chain, draw); zero where it never moves."""
    size = float(effective_size(chance[..., None])[0])
    return 0.0 if np.isnan(size) else float(chance.std() / np.sqrt(size))


# A solved event in; how surely forced orders left no mark on the price, as rows, out.

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


RATIO, PROBABILITY = "ratio", "probability"
AMPLIFIES = 1.25
"""Amplification from which the loop is said to amplify (the essay's claim, made precise)."""
ESTIMANDS = {
    "but_for": "M all on less this one off",
    "stand_alone": "M this one on less all off",
    "triggers_first": "M mean over orders with triggers before amplifiers",
    "shapley": "M mean over all orders",
}
MECHANISMS = (BASIS, *AMPLIFIERS)
"""Players that are named by what they do; drivers and the rest are where a move came from."""


def tables_of(solved: Solved) -> dict[str, pd.DataFrame]:
    """Return every table; the answers first."""
    return {
        "answers": answers(solved),
        "laws": laws(solved),
        "placebo": placebo(solved),
        "interactions": interactions(solved),
        "ledger": ledger_table(solved),
        "stability": stability(solved),
    }


def answers(solved: Solved) -> pd.DataFrame:
    """M by four rules, O, amplification, and the probability of the joint claim."""
    parts, rows = solved.parts, {}
    low, high = (ends.mean(axis=0) for ends in (parts.orders.low, parts.orders.high))
    for rule, word in RULES.items():
        for place, name in enumerate(parts.players):
            rows[f"{word}: {name}"] = of_draws(
                ESTIMANDS[rule], parts.of(rule, name), LOG_POINTS,
                order_low=float(low[place]), order_high=float(high[place]),
            )  # fmt: skip
    rows["M but-for: all amplifiers"] = of_draws(
        "M all on less every amplifier off", answer(solved), LOG_POINTS
    )
    if parts.path is not None:
        for name, draws in zip(parts.players, parts.path.T, strict=True):
            rows[f"M Aumann-Shapley: {name}"] = of_draws(
                f"M all turned up together, {len(draws)} draws", draws, LOG_POINTS
            )
    for name, draws in zip(parts.players, parts.order_flow.T, strict=True):
        rows[f"O order flow: {name}"] = of_draws("O impact shared by who traded", draws, LOG_POINTS)
    factor = amplification(solved)
    rows["alpha"] = middle(factor)
    share = interaction_share(solved.played.game, daily(solved))
    if share is not None:
        rows["interaction share"] = of_draws("M share that no player makes alone", share, RATIO)
    chance, error = joint(solved)
    first = solved.question.triggers[0]
    ends = (max(chance - 1.645 * error, 0.0), min(chance + 1.645 * error, 1.0))
    rows["P(joint claim)"] = of_interval(
        f"{first} the largest trigger (Shapley) and alpha above {AMPLIFIES}; Monte Carlo error",
        chance,
        error,
        ends,
        PROBABILITY,
    )
    rows |= absorption_rows(solved)
    return pd.DataFrame.from_dict(rows, orient="index")


def answer(solved: Solved) -> np.ndarray:
    """Return what the move gains from all amplifiers together (draw,), log points."""
    game = solved.played.game
    found: np.ndarray = game.values[:, -1] - game.value(*solved.parts.triggers)
    return found


def middle(factor: np.ndarray) -> Row:
    """Lay out a ratio by quantiles: where its denominator comes near zero, moments say nothing."""
    low, left, mid, right, high = np.quantile(factor, (0.05, 0.16, 0.5, 0.84, 0.95))
    estimand = "M all on over amplifiers off, median"
    return of_interval(estimand, mid, 0.5 * (right - left), (low, high), RATIO)


def amplification(solved: Solved) -> np.ndarray:
    """Amplification (draw,) where the triggers alone move the price at all."""
    factor: np.ndarray = solved.parts.amplification
    finite: np.ndarray = factor[np.isfinite(factor)]
    return finite


def daily(solved: Solved) -> float:
    """Return a day's standard deviation as options implied it the evening before, log points."""
    return POINTS * float(solved.fit.rows.sigma[solved.fit.rows.event])


def first_trigger(solved: Solved) -> np.ndarray:
    """Place of the trigger that did most for the move, on the average over orders (draw,)."""
    count = len(solved.parts.triggers)
    return leading(solved.parts.contribution["shapley"][:, :count], solved.way)


def led(solved: Solved) -> np.ndarray:
    """Share of draws in which each trigger did most (trigger,)."""
    return chances(first_trigger(solved), len(solved.parts.triggers))


def claimed(solved: Solved) -> np.ndarray:
    """Whether the first driver is the largest trigger and the loop amplifies (draw,)."""
    with np.errstate(invalid="ignore"):
        amplified = solved.parts.amplification > AMPLIFIES
    return np.asarray((first_trigger(solved) == 0) & amplified)


def chance_of(solved: Solved, held: np.ndarray) -> tuple[float, float]:
    """Posterior probability of a statement (draw,), and its Monte Carlo standard error."""
    share, error = mean_with_error(held.reshape(solved.shape))
    return share, error or 1.0 / held.size


def joint(solved: Solved) -> tuple[float, float]:
    """Probability of the joint claim, and its Monte Carlo standard error."""
    return chance_of(solved, claimed(solved))


def laws(solved: Solved) -> pd.DataFrame:
    """Tabulate what every law of impact says of the day, each under its own posterior."""
    rows, absorbed = {}, absorption(solved).by_law
    prior = {law.name: law.weight for law in solved.question.impact.laws}
    for place, each in enumerate(solved.fit.laws):
        day = solved.laws[each.law]
        rows[each.law] = {
            "prior weight": prior[each.law],
            "posterior weight": float(solved.fit.weight[place]),
            "error": float(solved.fit.weight_error[place]),
            "absorbed": float(absorbed[place]),
            **_effects(day),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def placebo(solved: Solved) -> pd.DataFrame:
    """Every named day under the same questions."""
    rows = {
        label: {
            "observed": day.observed,
            **_effects(day),
            "PIT": solved.tail[label],
            "left out": day.played.left_out,
        }
        for label, day in solved.days.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def _effects(day: Day | None) -> dict[str, float]:
    """Median amplification, and mean but-for effects of mechanisms, with the ends of 90 %."""
    nothing = float("nan")
    if day is None:
        return {"alpha": nothing, **dict.fromkeys(MECHANISMS, nothing)}
    found = {"alpha": float(np.nanmedian(day.amplification))}
    for name in MECHANISMS:
        draws = day.of(name)
        low, high = np.quantile(draws, (0.05, 0.95))
        found |= {name: float(draws.mean()), f"{name} q05": float(low), f"{name} q95": float(high)}
    return found


def interactions(solved: Solved) -> pd.DataFrame:
    """Interaction of every pair, and of all."""
    pairs = solved.parts.pairs
    rows = {
        f"{first} and {second}": of_draws("pair", pairs.of(first, second), LOG_POINTS)
        for first, second in pairs.pairs
    }
    whole = allocate.interaction(solved.played.game)
    rows["all"] = of_draws("move less every stand-alone", whole, LOG_POINTS)
    return pd.DataFrame.from_dict(rows, orient="index").drop(columns="estimand")


def stability(solved: Solved) -> pd.DataFrame:
    """Draws that have no answer, before and after the data."""
    found = {"prior": solved.prior.played, "posterior": solved.played}
    found |= {label: day.played for label, day in solved.days.items()}
    rows = {
        name: {
            "unstable": float(each.unstable.mean()),
            "other fixed point": float(each.missed.mean()),
            "multiple": float(each.multiple.mean()),
            "left out": each.left_out,
            "median gain": float(np.nanmedian(each.gain)),
            "gain q95": float(np.nanquantile(each.gain, 0.95)),
            "draws": float(each.unstable.size),
        }
        for name, each in found.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index")


# A solved event in; its answer in one sentence out: what would be missing, and of whom.

SMALL = 0.05
"""Log points that one decimal does not show."""
NONE = "none"
"""Stands for no player."""
HALF = 0.5
"""Share of the move that only players together make, above which there is no single cause."""


def largest(solved: Solved, among: tuple[str, ...] = MECHANISMS) -> tuple[str, float]:
    """Return the player whose but-for effect in the move's direction is most often the largest.

    A player that does nothing in a draw, or works against the move, is not the largest there,
    whatever the others do; ``none`` where it is likelier that none works for it.
    """
    effects = np.stack([solved.parts.of("but_for", name) for name in among], axis=-1)
    place, chance = likeliest(chances(leading(effects, solved.way), len(among)))
    return (NONE if place == NOBODY else among[place]), chance


def headline_of(solved: Solved) -> str:
    """Say what would be missing, and of whom that can be said."""
    day, word = solved.question.day, solved.word
    start = "Under the model and its priors, without"
    move = f"the {word} of {abs(solved.observed):.1f} {LOG_POINTS} on {day} would have been"
    together = (
        f"{start} the market's answers to its own {word} (notes, options, liquidations) {move}"
        f" {missing(solved, answer(solved))}"
    )
    share = interaction_share(solved.played.game, daily(solved))
    name, chance = largest(solved)
    if share is not None and float(np.abs(share).mean()) > HALF:
        said = f"{together}; more than half of it is interaction, so that no cause is named"
    elif chance < SURE or name == NONE:
        said = (
            f"{together}; none of the mechanisms surely does most ({name} with probability"
            f" {chance:.2f})"
        )
    else:
        said = (
            f"{start} {name} {move} {missing(solved, solved.parts.of('but_for', name))}, the"
            f" largest such effect of {len(MECHANISMS)} mechanisms with probability {chance:.2f}"
        )
    return f"{said}; {_started(solved)}"


def _started(solved: Solved) -> str:
    """Say which trigger did most, on the average over orders."""
    place, chance = likeliest(led(solved))
    if place == NOBODY:
        return f"no trigger works for it with probability {chance:.2f}"
    name = solved.parts.triggers[place]
    mean = float((solved.way * solved.parts.of("shapley", name)).mean())
    return (
        f"the largest trigger is {called(name)} (Shapley {mean:.1f} of {abs(solved.observed):.1f},"
        f" probability {chance:.2f})"
    )


def called(name: str) -> str:
    """Return a player in words."""
    return "what no driver explains" if name == REST else name


def missing(solved: Solved, effect: np.ndarray) -> str:
    """Put a but-for effect in words."""
    found = spread(solved.way * effect + 0.0)  # no minus before a zero
    low, high, mean = found["q05"], found["q95"], found["mean"]
    if abs(mean) < SMALL:
        return f"as large (90 % {low:.1f} to {high:.1f} {LOG_POINTS} smaller)"
    if mean < 0.0:
        return f"{-mean:.1f} {LOG_POINTS} larger (90 % {-high:.1f} to {-low:.1f})"
    return f"{mean:.1f} {LOG_POINTS} smaller (90 % {low:.1f} to {high:.1f})"
