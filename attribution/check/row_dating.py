"""A saved run of kind ``flows`` in; what it says of the dating of the focus's rows out."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import xarray as xr

from attribution.check.asked_rows import AskedDay
from attribution.diagnostics import mean_with_error
from attribution.finding import SURE, Finding, verdict_of

SURPRISE = 1.0 - SURE
"""Probability of at least the published row up to which it is called a surprise."""


def dating(tree: xr.DataTree, days: list[AskedDay]) -> Iterator[Finding]:
    """Did the focus's rows change what they stand for, and when; how are asked rows read."""
    focus = days[0].focus
    data = tree["dating"].to_dataset().sel(fund=focus)
    drawn = data["convention_probability"]
    chance = drawn.mean(("chain", "draw"))
    names = [str(name) for name in data["convention"].to_numpy()]
    either = drawn.sel(convention=names[2:]).sum("convention")
    switched, error = mean_with_error(either.transpose("chain", "draw").to_numpy())
    first, low, high = switch_days(data)
    yield Finding.by_chance(
        name="switch",
        question=f"Did the rows of {focus} change the day that they stand for?",
        evidence=(
            "probability "
            + ", ".join(f"{float(chance.sel(convention=name)):.3f} {name}" for name in names)
            + f"; if there was a switch, its first row is {first} ({low} to {high} at 90 %)"
        ),
        probability=switched,
        error=error,
    )
    for day in (day for day in days if day.held_out):
        draws = day.predicted["previous_day_probability"].sel(fund=focus)
        x = draws.transpose("chain", "draw").to_numpy()
        previous, error = day.weighted.mean(x), day.weighted.error(x)
        both = day.predicted["both_days_probability"].sel(fund=focus)
        two = day.weighted.mean(both.transpose("chain", "draw").to_numpy())
        yield Finding.by_chance(
            name=f"reading {day.day}",
            question=f"Does the {focus} row of {day.day} answer the day before?",
            evidence=(
                f"probability {previous:.3f} (Monte Carlo error {error:.3f}), and"
                f" {two:.3f} that it answers both days, the first row after a switch, by how other"
                " rows are dated; the row itself does not enter"
            ),
            probability=previous,
            error=error,
        )


def switch_days(data: xr.Dataset) -> tuple[str, str, str]:
    """Median and 90 % interval of a fund's first row after a switch, given that there is one."""
    mass = data["switch"].sum("direction").to_numpy()
    total = mass.sum()
    if not total > 0.0:
        return "none", "none", "none"
    below = np.cumsum(mass) / total
    at = [int(np.searchsorted(below, p)) for p in (0.5, 0.05, 0.95)]
    days = pd.DatetimeIndex(data["time"].to_numpy())[np.minimum(at, len(mass) - 1)]
    first, low, high = (f"{day:%Y-%m-%d}" for day in days)
    return first, low, high


def prior_finding(tree: xr.DataTree, days: list[AskedDay], table: pd.DataFrame) -> Finding:
    """Say what of the dating's prior the answer hangs on, for the highest asked row."""
    held = [day for day in days if day.held_out] or days
    day = max(held, key=lambda each: each.published(each.focus))
    rows = {
        str(name).removeprefix(f"{day.day}, "): row
        for name, row in table.to_dict("index").items()
        if str(name).startswith(f"{day.day}, ") and row["reliable"] == "yes"
    }
    values = [float(row["at_least"]) for row in rows.values()]
    same, previous = (
        day.weighted.mean(day.at_least(day.focus, reading)) for reading in day.readings[:2]
    )
    return Finding(
        name="dating prior",
        question=(
            f"Would other prior weights of the dating make the {day.focus} row of {day.day} a"
            " surprise, one that the model gives a tenth or less?"
        ),
        evidence=(
            f"at least the published row had probability {min(values):.3f} to {max(values):.3f}"
            f" under {', '.join(rows)}; {_needed(same, previous)}; {_odds(tree, day.focus)}"
        ),
        verdict=verdict_of(float(min(values) <= SURPRISE)),
    )


def _needed(same: float, previous: float) -> str:
    """Say how probable the previous day's reading must be for a surprise."""
    if max(same, previous) <= SURPRISE:
        return "it is a surprise under either reading"
    if min(same, previous) > SURPRISE:
        return "it is none under either reading"
    share = (same - SURPRISE) / (same - previous)
    side = "above" if previous < same else "below"
    return f"it is a surprise where the previous day's reading has a probability {side} {share:.2f}"


def _odds(tree: xr.DataTree, focus: str) -> str:
    """Say how much the fitted rows favour a switch over the previous day throughout."""
    data = tree["dating"].to_dataset().sel(fund=focus)
    prior = np.asarray(tree["predictive"].attrs["prior"], float)
    chance = data["convention_probability"].mean(("chain", "draw")).to_numpy()
    if not (prior[1] > 0.0 and prior[2:].sum() > 0.0):
        return "the prior of the run leaves no choice"
    factor = np.divide(chance[2:].sum() / prior[2:].sum(), max(chance[1], 1e-300) / prior[1])
    return (
        "the fitted rows favour a switch over the previous day throughout by a factor of about"
        f" 10^{np.log10(factor):.0f}"
    )
