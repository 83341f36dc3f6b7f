"""Prior against posterior: what the data taught about each contribution."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from attribution.report import numbers
from attribution.report.learned import Learned, learned
from attribution.report.style import QUIET, colours, drawing, panels, zero_line

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


POINTS = 300  # of a curve in a panel: finer than a pixel


@drawing
def prior_against_posterior(tree: xr.DataTree, *, window: str) -> Figure:
    """Draw the density of each contribution before (dashed) and after (filled) the data.

    Returns
    -------
    One panel a channel, all on one scale of log points; the area shared is written in each.
    """
    found = learned(tree, window)
    paint = colours(list(found))
    drawn, axes = panels(len(found), columns=4, row_height=1.5, sharex=True)
    ends = reach(list(found.values()))
    for axis, (name, it) in zip(axes, found.items(), strict=True):
        density_panel(axis, it, ends, colour=paint[name])
        axis.set_title(numbers.wrapped(name, 20))
        axis.text(
            0.98, 0.97, f"overlap {it.overlap:.2f}", transform=axis.transAxes, ha="right", va="top",
            fontsize=7.5,
        )  # fmt: skip
    axes[0].set_xlim(ends)
    drawn.supxlabel(f"contribution, {tree.attrs['outcome_unit']}", fontsize=8.5)
    drawn.supylabel("density, per log point", fontsize=8.5)
    return drawn


def density_panel(axis: Axes, it: Learned, ends: tuple[float, float], *, colour: str) -> None:
    """Draw both densities of one quantity between two ends."""
    inside = np.flatnonzero((it.edges[:-1] >= ends[0]) & (it.edges[1:] <= ends[1]))
    shown = inside[:: max(len(inside) // POINTS, 1)]
    centre = (it.edges[shown] + it.edges[shown + 1]) / 2
    prior, posterior = it.prior[shown], it.posterior[shown]
    axis.fill_between(centre, posterior, color=colour, alpha=0.55, linewidth=0)
    axis.plot(centre, posterior, color=colour, linewidth=1.1)
    axis.plot(centre, prior, color=QUIET, linewidth=1.1, linestyle=(0, (3, 1.5)))
    zero_line(axis, vertical=True)
    axis.set_ylim(0, 1.32 * max(it.posterior.max(), it.prior.max()))
    axis.set_yticks([])


def reach(found: list[Learned]) -> tuple[float, float]:
    """Show where any density is above a fiftieth of its peak: tails are long and empty."""
    ends = []
    for it in found:
        for curve in (it.prior, it.posterior):
            inside = it.edges[:-1][curve > curve.max() / 50]
            ends += [inside[0], inside[-1]]
    return min(ends), max(ends)
