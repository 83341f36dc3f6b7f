"""A solved event in; what each contribution and each parameter rests on out.

Contributions come first: a contribution under the prior is what the prior says of the day once its
move is known, so that what is left of its spread is what the other data did not settle.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from scipy import stats

from attribution.sampling.pareto import LIMIT, power_scaling
from attribution.studies.event.abduction import Drawn, law_of
from attribution.studies.event.flows import net_multiple
from attribution.studies.event.layout import Layout, layout
from attribution.studies.event.question import EventQuestion
from attribution.studies.event.solved import Solved
from attribution.studies.event.world import POINTS
from attribution.var.check.ledger import ledger, spread

UNIT_FLOW = 1000.0
"""USD million; laws of impact have no common parameter, so what this much does is tabulated."""
BLOCKS = {
    "impact": ("log_impact", "exponent"),
    "drivers and noise": ("mu", "beta", "s0", "s1", "nu"),
    "liquidations": (
        *("alpha_long", "base_long", "power_long", "funding_long"),
        *("alpha_short", "base_short", "power_short", "funding_short"),
        *("liquidation_multiple", "absorbed"),
    ),
    "gamma": ("gross_gamma", "gamma_width", "dealer_position"),
    "notes": ("face", "pass_through", "overlay"),
    "basis": ("unwound", "leg_ratio", "arbitrage", "redeemed"),
}  # fmt: skip
"""Parts of the prior that are raised to a power, one at a time."""


def ledger_table(solved: Solved) -> pd.DataFrame:
    """Tabulate spreads before and after, contraction, sensitivity and class."""
    parts = _log_parts(solved.question, solved)
    effects = solved.parts.contribution["but_for"]
    names = [f"but-for {name}" for name in solved.parts.players]
    first = _ledger(names, solved.prior.effect, effects, solved, parts, solved.observed)
    after = parameters(solved, solved.kept)
    before = parameters(solved, solved.prior_drawn)
    rest = _ledger(
        list(after), np.stack(list(before.values()), 1), np.stack(list(after.values()), 1),
        solved, parts, 0.0,
    )  # fmt: skip
    for name, keys in _own(solved).items():
        if (rest.loc[list(keys), "prior_driven"] == "yes").any():
            first.loc[f"but-for {name}", "prior_driven"] = "yes"
    return pd.concat([first, rest])


def _own(solved: Solved) -> dict[str, tuple[str, ...]]:
    """Parameters without which a mechanism's part is not known, however well the rest is."""
    return {
        "gamma": ("dealer_position",),
        "notes": ("log face", "overlay"),
        "liquidations": ("net multiple",),
        "basis": (f"unwound {solved.question.day}",),
    }


def _ledger(
    names: list[str], before: np.ndarray, after: np.ndarray, solved: Solved,
    parts: Mapping[str, np.ndarray], move: float,
) -> pd.DataFrame:  # fmt: skip
    scaled = after.reshape(*solved.shape, -1)
    each = {name: power_scaling(scaled, part) for name, part in parts.items()}
    moved = np.stack(list(each.values()))
    table = ledger(
        names, spread(before), spread(after), move=move, sensitivity=moved.max(axis=0)
    ).drop(columns="informativeness")
    words = list(each)
    table["to"] = [words[k] if moved[k, i] >= LIMIT else "" for i, k in enumerate(moved.argmax(0))]
    # Half of the prior's variance left, or a prior that still moves what little is left.
    prior = (table["class"] == "prior-only") | ~(table["contraction"] >= 0.5)
    table["prior_driven"] = np.where(prior, "yes", "no")
    return table


def parameters(solved: Solved, drawn: Drawn) -> dict[str, np.ndarray]:
    """Parameters that carry the answers, (draw,); positive ones as logarithms."""
    question, draws = solved.question, drawn.draws
    law = law_of(question, solved.fit.rows, drawn, solved.fit.rows.event)
    found = {
        f"log impact of USD {UNIT_FLOW:,.0f} million": np.log(POINTS * law.move(UNIT_FLOW)),
        **{f"beta {name}": draws["beta"][:, i] for i, name in enumerate(solved.fit.rows.names)},
        "log gross_gamma": np.log(draws["gross_gamma"]),
        "dealer_position": draws["dealer_position"],
        "net gamma": draws["gross_gamma"] * draws["dealer_position"],
        "log gamma_width": np.log(draws["gamma_width"]),
        "log face": np.log(draws["face"]),
        "overlay": draws["overlay"],
        "log pass_through": np.log(draws["pass_through"]),
        "log liquidation_multiple": np.log(draws["liquidation_multiple"]),
        "net multiple": net_multiple(draws),
    }
    if question.liquidations.absorbed:
        found["absorbed"] = draws["absorbed"]
    for side in ("long", "short"):
        found |= {f"alpha_{side}": draws[f"alpha_{side}"]}
        found |= {f"log power_{side}": np.log(draws[f"power_{side}"])}
    for i, label in enumerate(solved.fit.rows.labels):
        found[f"unwound {label}"] = draws["unwound"][:, i]
    found |= {name: draws[name] for name in ("arbitrage", "redeemed")}
    found["log leg_ratio"] = np.log(draws["leg_ratio"])
    return found


def _log_parts(question: EventQuestion, solved: Solved) -> dict[str, np.ndarray]:
    """Log prior density of every block at the kept draws (chain, draw), up to a constant."""
    kept = solved.kept
    found = {name: np.zeros(kept.count) for name in BLOCKS}
    for place, law in enumerate(question.impact.laws):
        own = kept.law == place
        if not own.any():
            continue
        plan = layout(question, solved.fit.rows, law)
        for name, keys in BLOCKS.items():
            found[name][own] = _log_density(plan, kept.at(own).draws, keys)
    chance, absorbed = question.liquidations.absorbed, kept.draws["absorbed"] == 1
    if chance:
        found["liquidations"] += np.where(absorbed, np.log(chance), np.log1p(-chance))
    return {name: part.reshape(solved.shape) for name, part in found.items()}


def _log_density(plan: Layout, draws: Mapping[str, np.ndarray], keys: Iterable[str]) -> np.ndarray:
    wanted = set(keys)
    total = np.zeros(len(draws["log_impact"]))
    for entry in plan.entries:
        if entry.name not in wanted:
            continue
        value = draws[entry.name]
        drawn = np.log(value - entry.floor) if entry.log else value
        squares = ((drawn - entry.mean) / entry.sd) ** 2
        total -= 0.5 * squares.reshape(len(total), -1).sum(axis=1)
    for name, law in plan.shares:
        if name in wanted:
            x = draws[name]
            if name == "dealer_position":
                x = (x - plan.none) / (plan.all - plan.none)
            total += stats.beta.logpdf(x, law.p, law.q)
    return total
