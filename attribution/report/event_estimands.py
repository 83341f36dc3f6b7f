"""One day under every question that is put to it: a tree enters, a figure leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from attribution.report.draws import group, has, samples
from attribution.report.event_players import players, unit
from attribution.report.intervals import name_rows
from attribution.report.style import INK, OKABE_ITO, drawing, figure, zero_line

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

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
