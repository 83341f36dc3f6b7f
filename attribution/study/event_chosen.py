"""A solved event in; what was learnt from the named days' own moves, and what follows, out.

What holds on named days only, as the hedging of options may, is learnt from those few days only if
their moves are in the likelihood.  They were named for what happened on them, so a sign that is
learnt there changes with the days that are named: it has a probability, and is no verdict.
"""

from __future__ import annotations

import numpy as np

from attribution.finding import Finding
from attribution.study.event_solved import Solved


def learnt_from_named(solved: Solved, name: str) -> bool:
    """Whether a mechanism's sign is learnt from the moves of the days that were named."""
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
