"""The figures of a structural event: its waterfall, its loop, and what the data taught of both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from attribution.report.draws import group, has
from attribution.report.event_by_step import day_by_step
from attribution.report.event_curves import amplification, hedge_profile
from attribution.report.event_effects import effects_by_law, effects_learned
from attribution.report.event_estimands import estimands
from attribution.report.event_waterfall import event_waterfall
from attribution.report.numbers import number, probability
from attribution.report.picture import Picture

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr


def pictures(tree: xr.DataTree, tables: Mapping[str, pd.DataFrame]) -> list[Picture]:
    """Draw every figure of a structural event."""
    return [
        Picture(
            "waterfall",
            "Triggers first",
            "From nothing to the observed move. Triggers strike in random order, then amplifiers"
            " answer in random order: each bar is what a player adds on average over such orders,"
            " posterior mean, and the bars add up. On a bar, the intervals of its length. The"
            " grey bracket is no interval of draws: it runs from the least to the most that the"
            " player adds over all orders. But-for, right, is the move less the move without the"
            " player; it does not add up.",
            event_waterfall(tree),
        ),
        Picture(
            "estimands",
            "One day, several questions",
            "Posterior mean and 90 % interval of each player under each question. Triggers-first,"
            " Shapley and order flow add up to the move; but-for and stand-alone do not. Where the"
            " marks of a player lie far apart, its number means nothing without its question.",
            estimands(tree),
        ),
        Picture(
            "profile",
            "What each mechanism trades",
            "Flow of each mechanism over the day if the move of the day were the one below: median"
            " with 50 % and 90 % bands; above each panel, median and 90 % interval at the observed"
            " move. A flow with the sign of the move amplifies it, one against"
            " it dampens. Scales differ by panel." + _straight(tree),
            hedge_profile(tree),
        ),
        Picture(
            "amplification",
            "What the loop makes of a shock",
            "Left: the move that a shock of any size would have ended in on the day, with every"
            " amplifier on (bands: 50 % and 90 %, orange for falls, blue for rises) and with none"
            " (dashed). Right: the move over the shock, falls and rises of one size together,"
            " median and 90 %; above one is amplified, below one dampened." + _left_out(tree),
            amplification(tree),
        ),
        Picture(
            "learned",
            "But-for effects, prior against posterior",
            "Dashed: the effect under prior draws, given the day’s move. Filled: posterior. Overlap"
            " is the area both share: near 1, the data taught nothing and the effect repeats its"
            " prior. Scales differ by panel.",
            effects_learned(tree),
        ),
        Picture(
            "laws",
            "But-for effects by law of impact",
            "Posterior mean and 90 % interval under each law alone; the area of a dot is"
            " the law’s posterior weight. Where laws disagree, the answer rests on their weights.",
            effects_by_law(tree),
        ),
        *_by_step(tree),
    ]


def _by_step(tree: xr.DataTree) -> list[Picture]:
    """Draw the event's day by steps, if it was solved so."""
    if not has(tree, "steps"):
        return []
    attrs = group(tree, "steps").attrs
    difference = number(float(attrs["clock_difference"]), 2)
    return [
        Picture(
            "steps",
            "The day by steps",
            "Top: the observed path since the eve’s close, and medians of the paths without a"
            " mechanism and without all (grey, with 50 % and 90 % bands). Middle: what each"
            " mechanism had added by then, the observed path less the path without it. Bottom: what"
            " it had bought on the observed path. Above each panel, median and 90 % interval at the"
            f" close. The first step holds the clock difference of {difference} log points.",
            day_by_step(tree),
        )
    ]


def _straight(tree: xr.DataTree) -> str:
    """Say which way a move is taken to go where the day was solved by steps."""
    if not has(tree, "steps"):
        return ""
    return " The way to a move is straight here; what extremes on the way closed is below, by step."


def _left_out(tree: xr.DataTree) -> str:
    """Say how many draws the curve leaves out, if any."""
    share = float(group(tree, "curve").attrs.get("left_out", 0.0))
    if not share:
        return ""
    return (
        f" A share of {probability(share)} of all draws runs away at some shock and is left out,"
        " so that the bands understate what the loop can do."
    )
