"""Variance shares: whose shocks make forecasts of each series miss, horizon by horizon."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from attribution.report import numbers
from attribution.report.draws import group, samples, weights
from attribution.report.impulse import period_of
from attribution.report.style import colours, drawing, panels

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure


@drawing
def variance_shares(tree: xr.DataTree) -> Figure:
    """Draw the mean share of every channel in each series' forecast error variance.

    Returns
    -------
    One panel a series, a stack of bars a horizon, from zero to one.
    """
    from matplotlib.patches import Patch

    share = group(tree, "fevd")["share"]
    channels = [str(name) for name in share["channel"].to_numpy()]
    variables = [str(name) for name in share["variable"].to_numpy()]
    order = ("chain", "draw", "variable", "channel", "horizon")
    mean = np.tensordot(weights(tree), samples(share.transpose(*order)), axes=(0, 0))
    seen = [name for i, name in enumerate(channels) if mean[:, i].max() > 0]
    paint = colours(channels)
    drawn, axes = panels(
        len(variables), columns=min(len(variables), 4), row_height=1.5, sharex=True, sharey=True
    )
    horizons = share["horizon"].to_numpy()
    looks = {name: _look(paint, channels, name) for name in channels}
    for axis, variable, parts in zip(axes, variables, mean, strict=True):
        below = np.zeros(len(horizons))
        for name, part in zip(channels, parts, strict=True):
            axis.bar(horizons, part, bottom=below, width=1.0, linewidth=0.3, **looks[name])
            below = below + part
        axis.set_title(numbers.wrapped(variable, 20))
        axis.set_ylim(0, 1)
        axis.set_yticks([0, 0.5, 1])
        axis.margins(x=0)
    drawn.supxlabel(f"horizon, {period_of(tree)}", fontsize=8.5)
    drawn.supylabel("share of variance", fontsize=8.5)
    handles = [Patch(**looks[name], linewidth=0.3, label=numbers.label(name)) for name in seen]
    drawn.legend(handles=handles, loc="outside upper left", ncols=min(len(handles), 4))
    return drawn


def _look(paint: Mapping[str, str], channels: list[str], name: str) -> dict[str, Any]:
    """Colour a channel; one whose colour an earlier channel has is hatched in white."""
    earlier = [paint[other] for other in channels[: channels.index(name)]]
    taken = paint[name] in earlier
    edge = "white" if taken else paint[name]
    return {"facecolor": paint[name], "edgecolor": edge, "hatch": "////" if taken else ""}
