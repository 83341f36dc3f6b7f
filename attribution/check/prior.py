"""Contributions under the prior in; whether the prior takes sides out."""

from __future__ import annotations

import xarray as xr

from attribution.core.largest import chances, leading
from attribution.finding import Finding
from attribution.model.spec import UNATTRIBUTED


def neutral(prior: xr.DataArray, observed: float) -> Finding:
    """Ask whether the prior alone would name a culprit.

    Parameters
    ----------
    prior : (draw, channel); contributions to the first window under the prior, given the event.
    observed : the move of the outcome over that window.

    Returns
    -------
    A finding that holds if every channel's prior probability of being the largest lies between
    half and twice the neutral one.
    """
    named = [str(name) for name in prior["channel"].to_numpy() if name != UNATTRIBUTED]
    draws = prior.sel(channel=named).transpose("draw", "channel").to_numpy()
    chance = chances(leading(draws, observed), len(named))
    fair = 1.0 / len(named)
    inside = (chance >= fair / 2) & (chance <= 2 * fair)
    said = ", ".join(f"{name} {p:.2f}" for name, p in zip(named, chance, strict=True))
    return Finding(
        name="prior importance",
        question="Is the prior, given the size of the event, neutral on who is the largest?",
        evidence=(
            f"prior probability of being the largest: {said}; neutral is {fair:.2f}, and"
            f" {fair / 2:.2f} to {2 * fair:.2f} is called neutral"
        ),
        verdict="holds" if inside.all() else "fails",
    )
