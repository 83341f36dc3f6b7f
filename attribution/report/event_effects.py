"""But-for effects, before and after the data and by law of impact: a tree enters, figures leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from attribution.report.draws import group, samples
from attribution.report.event_players import amplifiers, colours, players, unit
from attribution.report.intervals import name_rows
from attribution.report.learned import Learned, densities
from attribution.report.numbers import label, probability
from attribution.report.prior_posterior import density_panel, reach
from attribution.report.style import INK, OKABE_ITO, drawing, figure, panels, zero_line

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

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
