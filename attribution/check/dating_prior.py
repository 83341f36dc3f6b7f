"""The saved prediction of asked rows in; what other prior weights of the dating make of it out."""

from __future__ import annotations

import numpy as np
import pandas as pd

from attribution.check.asked_rows import AskedDay
from attribution.diagnostics import PARETO_K

PRIORS = {
    "equal thirds": (1 / 3, 1 / 3, 1 / 6, 1 / 6),
    "no switch, half and half": (1 / 2, 1 / 2, 0.0, 0.0),
    "a switch for sure": (0.0, 0.0, 1 / 2, 1 / 2),
    "the previous day for sure": (0.0, 1.0, 0.0, 0.0),
    "the same day for sure": (1.0, 0.0, 0.0, 0.0),
}
"""Prior probabilities of same day, previous day and the two switches, of the focus alone."""


def under_priors(days: list[AskedDay], prior: np.ndarray) -> pd.DataFrame:
    """Answer again under other prior weights of the focus's dating, exactly, by reweighting.

    A draw's likelihood is a sum over conventions, so that changing their weights multiplies it by
    a known factor.  Other funds keep the prior of the run.

    Parameters
    ----------
    prior : (convention,), probabilities of the run.
    """
    rows = {}
    for day in days:
        path = _draws(day, "focus_path")
        with_previous = _draws(day, "focus_path_and_previous_day")
        with_tail = _draws(day, "focus_path_and_at_least_published")
        for name, weights in PRIORS.items():
            wanted = np.asarray(weights)
            if (wanted[prior == 0.0] > 0.0).any():
                continue  # the run gave this convention no weight: its draws do not know of it
            factor = np.divide(wanted, prior, out=np.zeros(len(prior)), where=prior > 0.0)
            mass = path @ factor
            if not (mass > 0.0).all():
                continue
            chance = (with_previous @ factor) / mass
            weighted = day.tilted(np.log(mass))
            answer = (with_tail @ factor) / mass
            rows[f"{day.day}, {name}"] = {
                "previous_day": weighted.mean(chance),
                "at_least": weighted.mean(answer),
                "error": weighted.error(answer),
                "effective_draws": weighted.size,
                "pareto_k": weighted.shown_k,
                "reliable": "yes" if weighted.pareto_k <= PARETO_K else "no",
            }
    return pd.DataFrame.from_dict(rows, orient="index")


def _draws(day: AskedDay, name: str) -> np.ndarray:
    return np.asarray(day.predicted[name].transpose("chain", "draw", "path").to_numpy())
