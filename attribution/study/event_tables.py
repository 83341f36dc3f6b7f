"""A solved event in; its tables out."""

from __future__ import annotations

import numpy as np
import pandas as pd

from attribution import allocate
from attribution.core.largest import chances, leading
from attribution.diagnostics import mean_with_error
from attribution.model.event_study import AMPLIFIERS, BASIS
from attribution.study.answer import Row, of_draws, of_interval
from attribution.study.event_absorption import absorption, absorption_rows
from attribution.study.event_allocation import RULES, interaction_share
from attribution.study.event_ledger import ledger_table
from attribution.study.event_solved import Day, Solved
from attribution.study.event_world import LOG_POINTS, POINTS

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
