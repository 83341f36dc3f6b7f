"""A move without some mechanisms in; a table, lines on a screen, or JSON out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from attribution.core.moves import simple_return
from attribution.report.answers import answer_cells, grid
from attribution.report.cells import LOG_POINTS
from attribution.report.numbers import label, number, per_cent, probability
from attribution.report.results import by_name
from attribution.report.terminal import escape
from attribution.runs.study import of_draws
from attribution.runs.switch_off import Switched

ALL_ON, DIFFERENCE, INTERACTION = "everything on", "difference", "interaction"
SHOWN = ("mean", "sd", "90 %")


def table(found: Switched) -> pd.DataFrame:
    """Tabulate the move with and without, and the difference: mean, sd and 90 % interval."""
    unit, off = found.together.unit, _listed(found.together.players)
    rows = {
        ALL_ON: of_draws(f"move of {found.outcome}", found.together.whole, unit),
        f"without {off}": of_draws("move with these off", found.together.left, unit),
        DIFFERENCE: of_draws("but-for effect", found.together.difference, unit),
    }
    for one in found.alone:
        name = label(one.players[0])
        rows[f"only {name} off"] = of_draws(f"but-for effect of {name}", one.difference, unit)
    if found.alone:
        summed = np.sum([one.difference for one in found.alone], axis=0)
        shared = found.together.difference - summed
        rows[INTERACTION] = of_draws("difference less the sum of these", shared, unit)
    return pd.DataFrame.from_dict(rows, orient="index")


def lines(found: Switched) -> Iterator[Any]:
    """Yield the table and what it says in one sentence."""
    headings, rows = answer_cells(table(found))
    kept = [headings.index(name) for name in SHOWN]
    off, unit = _listed(found.together.players), found.together.unit
    yield f"\n[bold]{escape(found.outcome)}[/bold] without {escape(off)}, {escape(unit)}"
    yield grid("", [*SHOWN], [(name, [cells[i] for i in kept]) for name, cells in rows])
    if found.alone:
        yield (
            "What mechanisms do only together is in the effect of each, so effects of one at a time"
            " do not add up; interaction is the difference less their sum."
        )
    chance, error = found.probability
    left = float(found.together.left.mean())
    seen = "" if found.observed is None else f" instead of {_moved(found.observed, unit)}"
    within = f" \N{PLUS-MINUS SIGN} {error:.3f}" if error > 0.0 else ""
    yield (
        f"Under this model and its priors the move would have been {_moved(left, unit)} without"
        f" {escape(off)}{seen}; P(smaller {_way(found)}) {probability(chance)}{within}."
    )
    used = found.together.left.size
    if used < found.drawn:
        yield (
            f"Of {found.drawn:,} draws {used:,} are used: the others run away in some coalition, or"
            " are dropped to keep chains even, which understates how far moves can go."
        )
    if found.prior_driven:
        yield (
            f"The ledger calls the effect of {escape(_listed(found.prior_driven))} prior-driven:"
            " the data left most of the spread of its prior."
        )


def as_json(found: Switched) -> str:
    """Return every number as JSON."""
    chance, error = found.probability
    content = {
        "model": found.model,
        "outcome": found.outcome,
        "unit": found.together.unit,
        "without": list(found.together.players),
        **({} if found.observed is None else {"observed": found.observed}),
        "draws": found.together.left.size,
        "draws_left_out": found.drawn - found.together.left.size,
        "answers": by_name(table(found)),
        "prior_driven": list(found.prior_driven),
        "p_smaller": chance,
        "p_smaller_error": error,
    }
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)


def _way(found: Switched) -> str:
    return "fall" if found.together.whole.mean() < 0.0 else "rise"


def _moved(value: float, unit: str) -> str:
    text = f"{number(value, 1)} {unit}"
    simple = per_cent(simple_return(value), 1) if unit == LOG_POINTS else ""
    return f"{text} ({simple})" if simple else text


def _listed(names: tuple[str, ...]) -> str:
    """Return names as words: ``a``, ``a and b``, ``a, b and c``."""
    words = [label(name) for name in names]
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
