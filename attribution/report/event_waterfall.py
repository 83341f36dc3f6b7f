"""The waterfall of an event, triggers before amplifiers: a tree enters, a figure leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from attribution.record import game_of
from attribution.report.draws import group, samples
from attribution.report.event_players import colours, players, triggers, unit
from attribution.report.intervals import column, name_rows, whisker
from attribution.report.numbers import decimals_for, label, number
from attribution.report.style import INK, QUIET, drawing, figure, zero_line

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

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
