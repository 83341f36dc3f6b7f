"""The figures of a structural event: its waterfall, its loop, and what the data taught of both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from attribution.report.draws import group, has, samples
from attribution.report.learned import Learned, densities, density_panel, reach
from attribution.report.numbers import decimals_for, label, number, probability
from attribution.report.style import (
    INK,
    OKABE_ITO,
    QUIET,
    Picture,
    column,
    drawing,
    figure,
    name_rows,
    panels,
    whisker,
    zero_line,
)
from attribution.runs import game_of
from attribution.studies.event.picture_curves import (
    amplification,
    amplifiers,
    colours,
    day_by_step,
    hedge_profile,
    players,
    triggers,
    unit,
)

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


# But-for effects, before and after the data and by law of impact: a tree enters, figures leave.

LARGEST, LEAST = 110.0, 8.0
"""Areas of dots, square points: of a law that has all the weight, and the least one drawn."""


def taught(tree: xr.DataTree) -> dict[str, Learned]:
    """Compare prior and posterior of each but-for effect, given the same day."""
    names = players(tree)
    after = samples(group(tree, "allocation")["contribution"].sel(rule="but_for", player=names))
    before = group(tree, "prior")["but_for"].sel(player=names).transpose("draw", "player")
    return {name: told(before.to_numpy()[:, i], after[:, i]) for i, name in enumerate(names)}


def told(before: np.ndarray, after: np.ndarray) -> Learned:
    """Compare prior and posterior draws of an effect that may be exactly zero.

    Densities are those of effects that are not, times their probability; what both laws have at
    zero itself is part of the overlap.
    """
    some = [draws[draws != 0.0] for draws in (before, after)]
    if not all(map(len, some)):
        some = [before, after]
    share = [len(kept) / len(draws) for kept, draws in zip(some, (before, after), strict=True)]
    it = densities(some[0], some[1], np.full(len(some[1]), 1.0 / len(some[1])))
    prior, posterior = share[0] * it.prior, share[1] * it.posterior
    step = it.edges[1] - it.edges[0]
    overlap = float(np.minimum(prior, posterior).sum() * step) + 1.0 - max(share)
    return Learned(it.edges, prior, posterior, float(before.std()), float(after.std()), overlap)


def none_said(tree: xr.DataTree, name: str) -> str:
    """Say how probable an effect of exactly zero is, before and after the data; else nothing."""
    before = group(tree, "prior")["but_for"].sel(player=name).to_numpy()
    after = group(tree, "allocation")["contribution"].sel(rule="but_for", player=name).to_numpy()
    none = [float(np.mean(draws == 0.0)) for draws in (before, after)]
    return f"none {none[0]:.2f}, then {none[1]:.2f}" if any(none) else ""


@drawing
def effects_learned(tree: xr.DataTree) -> Figure:
    """Draw the density of each but-for effect before (dashed) and after (filled) the data.

    Where an effect may be none at all, the panel says how probable that was and is.
    """
    found = taught(tree)
    paint = colours(list(found))
    drawn, axes = panels(len(found), columns=3, row_height=1.5)
    for axis, (name, it) in zip(axes, found.items(), strict=True):
        low, high = reach([it])
        room = 0.04 * (max(high, 0.0) - min(low, 0.0))
        ends = (min(low, -room), max(high, room))  # zero is in every panel
        density_panel(axis, it, ends, colour=paint[name])
        axis.set_xlim(ends)
        axis.set_title(f"{label(name)}, overlap {it.overlap:.2f}")
        axis.text(0.03, 0.96, none_said(tree, name), transform=axis.transAxes, va="top", fontsize=7)
    drawn.supxlabel(f"but-for effect, {unit(tree)}", fontsize=8.5)
    drawn.supylabel(f"density, per {unit(tree).removesuffix('s')}", fontsize=8.5)
    return drawn


@drawing
def effects_by_law(tree: xr.DataTree) -> Figure:
    """Draw each amplifier's but-for effect under each law of impact, area by weight."""
    from matplotlib.lines import Line2D

    data = group(tree, "laws")
    laws = [str(name) for name in data["law"].to_numpy()]
    weight = data["weight"].to_numpy()
    names = [*(name for name in players(tree) if name == "basis"), *amplifiers(tree)]
    q = data["q"].transpose("law", "player", "quantile")
    mean = data["mean"].transpose("law", "player")
    step = min(0.2, 0.8 / len(laws))
    drawn = figure(height=(0.14 * len(laws) + 0.18) * len(names) + 1.1)
    axis = drawn.subplots()
    for i, law in enumerate(laws):
        colour = OKABE_ITO[i % len(OKABE_ITO)]
        for place, name in enumerate(names):
            row = place + step * (i - (len(laws) - 1) / 2)
            ends = q.sel(law=law, player=name).to_numpy()
            axis.plot(ends[[0, -1]], [row, row], color=colour, linewidth=1.1, zorder=4)
            centre = float(mean.sel(law=law, player=name))
            area = max(LARGEST * weight[i], LEAST)
            axis.scatter(centre, row, s=area, color=colour, linewidth=0, zorder=6)
    handles = [
        Line2D(
            [], [], color=OKABE_ITO[i % len(OKABE_ITO)], marker="o", linewidth=1.1,
            markeredgewidth=0,
            markersize=np.sqrt(max(LARGEST * weight[i], LEAST)),
            label=f"{label(law)}, {_said(float(weight[i]), mean.sel(law=law).to_numpy())}",
        )
        for i, law in enumerate(laws)
    ]  # fmt: skip
    zero_line(axis, vertical=True)
    name_rows(axis, names)
    for place in range(1, len(names)):
        axis.axhline(place - 0.5, color="#efefef", linewidth=0.6, zorder=0)
    axis.set_xlabel(f"but-for effect, {unit(tree)}", color=INK)
    drawn.legend(handles=handles, loc="outside lower center", ncols=2)
    return drawn


def _said(weight: float, effects: np.ndarray) -> str:
    """Say how much a law weighs, or that it has nothing to show."""
    if np.isnan(effects).all():
        return "no draw has an answer"
    return f"weight {probability(weight)}"


# One day under every question that is put to it: a tree enters, a figure leaves.

RULES = {
    "but_for": ("M but-for", "o"),
    "triggers_first": ("M triggers-first", "s"),
    "shapley": ("M Shapley", "D"),
    "stand_alone": ("M stand-alone", "^"),
}
ORDER_FLOW = ("O order flow", "v")


def asked(tree: xr.DataTree) -> dict[tuple[str, str], np.ndarray]:
    """Return draws (sample, player) by the words and the mark of a question."""
    names = players(tree)
    parts = group(tree, "allocation")["contribution"]
    held = {str(rule) for rule in parts["rule"].to_numpy()}
    found = {
        look: samples(parts.sel(rule=rule, player=names))
        for rule, look in RULES.items()
        if rule in held
    }
    if has(tree, "order_flow"):
        traded = group(tree, "order_flow")["contribution"]
        if set(names) <= {str(part) for part in traded["part"].to_numpy()}:
            found[ORDER_FLOW] = samples(traded.sel(part=names))
    return found


@drawing
def estimands(tree: xr.DataTree) -> Figure:
    """Draw each player's posterior mean and 90 % interval under every estimand and rule."""
    from matplotlib.lines import Line2D

    found, names = asked(tree), players(tree)
    step = min(0.16, 0.8 / len(found))
    drawn = figure(height=(0.12 * len(found) + 0.14) * len(names) + 1.1)
    axis = drawn.subplots()
    handles = []
    for i, ((words, mark), draws) in enumerate(found.items()):
        colour = OKABE_ITO[i % len(OKABE_ITO)]
        low, high = np.quantile(draws, (0.05, 0.95), axis=0)
        rows = np.arange(len(names)) + step * (i - (len(found) - 1) / 2)
        axis.hlines(rows, low, high, color=colour, linewidth=1.1, zorder=4)
        looks: dict[str, Any] = {
            "color": colour,
            "marker": mark,
            "markersize": 4.0,
            "markerfacecolor": "white",
        }
        axis.plot(draws.mean(0), rows, linestyle="none", zorder=5, **looks)
        handles.append(Line2D([], [], linewidth=1.1, label=words, **looks))
    zero_line(axis, vertical=True)
    name_rows(axis, names)
    for place in range(1, len(names)):
        axis.axhline(place - 0.5, color="#efefef", linewidth=0.6, zorder=0)
    axis.set_xlabel(f"contribution to the move, {unit(tree)}", color=INK)
    drawn.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    return drawn


# The waterfall of an event, triggers before amplifiers: a tree enters, a figure leaves.

TALL, BELOW = 0.5, 0.38
"""Height of a bar, and how far below its middle the range over orders is drawn."""
ENDS = (0.05, 0.25, 0.75, 0.95)


@drawing
def event_waterfall(tree: xr.DataTree) -> Figure:
    """Draw triggers-first contributions as bars from nothing to the observed move.

    Returns
    -------
    A bar from one running sum of means to the next; on it the 50 % (thick) and 90 % (thin)
    intervals of its length; below it the mean range over orders; right of it the mean, and what
    would be missing but for the player.
    """
    names = players(tree)
    game = game_of(tree)
    allocated = group(tree, "allocation")["contribution"].sel(player=names)
    first = samples(allocated.sel(rule="triggers_first"))
    missing = samples(allocated.sel(rule="but_for")).mean(0)
    ranges = group(tree, "order_range").sel(player=names)
    low, high = (samples(ranges[end]).mean(0) for end in ("low", "high"))
    paint = colours([*names, "observed"])
    drawn = figure(height=0.38 * (len(names) + 1) + 1.2)
    axis = drawn.subplots()
    here = float(game.baseline.mean())
    for place, name in enumerate(names):
        part = first[:, place]
        length = float(part.mean())
        axis.barh(place, length, left=here, height=TALL, color=paint[name], zorder=3)
        whisker(axis, place, tuple(here + np.quantile(part, ENDS)))
        _range(axis, place + BELOW, here + low[place], here + high[place])
        here += length
        axis.plot([here] * 2, [place + TALL / 2, place + 1 - TALL / 2], color=QUIET, linewidth=0.7)
    seen = float(game.values[:, -1].mean()) if game.observed is None else game.observed
    axis.barh(len(names), seen, height=TALL, color=paint["observed"], zorder=3)
    _dress(axis, names, len(triggers(tree)))
    axis.set_xlabel(f"{label(str(tree.attrs['outcome']))}, running sum of means, {unit(tree)}")
    places = decimals_for(float(np.abs(first.mean(0)).max()))
    means = [number(value, places) for value in (*first.mean(0), seen)]
    column(axis, "mean", means, offset=40)
    column(axis, "but-for", [number(value, places) for value in missing], offset=84)
    _legend(drawn)
    return drawn


def _range(axis: Axes, row: float, low: float, high: float) -> None:
    """Draw the range over orders as a grey bracket, unlike any interval of draws."""
    axis.plot([low, high], [row, row], color=QUIET, linewidth=0.8, zorder=4)
    axis.plot(
        [low, high], [row, row], "|", color=QUIET, markersize=5, markeredgewidth=0.9, zorder=4
    )


def _dress(axis: Axes, names: list[str], split: int) -> None:
    zero_line(axis, vertical=True)
    name_rows(axis, [*names, "observed"])
    axis.get_yticklabels()[-1].set_fontweight("bold")
    for row in (split - 0.5 + 0.07, len(names) - 0.5 + 0.07):
        axis.axhline(row, color=QUIET, linewidth=0.5, linestyle=(0, (1, 2)), zorder=1)
    for text, row in (("triggers", -0.42), ("amplifiers", split - 0.5 + 0.13)):
        axis.annotate(
            text,
            (0, row),
            xycoords=("axes fraction", "data"),
            xytext=(3, 0),
            textcoords="offset points",
            ha="left",
            va="top",
            color=QUIET,
            fontsize=7.5,
            style="italic",
        )


def _legend(drawn: Figure) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=INK, linewidth=width, label=f"{level} % interval")
        for level, width in ((50, 3.0), (90, 1.1))
    ]
    handles.append(
        Line2D([], [], color=QUIET, linewidth=0.8, marker="|", label="range over orders, mean")
    )
    drawn.legend(handles=handles, loc="outside lower center", ncols=3)


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
