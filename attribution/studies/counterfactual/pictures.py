"""The figures of a counterfactual: observed beside it, the gap, its sum, the coefficients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from attribution.panel.card import LEVEL
from attribution.report import numbers
from attribution.report.draws import group, has, samples
from attribution.report.style import (
    FIXED,
    INK,
    OKABE_ITO,
    QUIET,
    Picture,
    drawing,
    fan,
    figure,
    panels,
    zero_line,
)

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BEFORE = (16, 60)
"""Fewest and most rows before the event that are drawn: as many as after it, within these."""
BLUE, ORANGE = FIXED["factor_derisking"], FIXED["crypto_liquidation"]
FEW = 20
"""Rows up to which each has an interval of its own."""
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)


def pictures(tree: xr.DataTree, tables: Mapping[str, pd.DataFrame]) -> list[Picture]:
    """Draw every figure of a counterfactual."""
    whole = LEVEL not in group(tree, "counterfactual").attrs
    summed = " Bottom: the same, summed from the first row after the pre-period." if whole else ""
    drawn = [
        Picture(
            "effects",
            "Observed and counterfactual",
            "Top: the outcome (line, dots) on the band in which the controls place it, 50 % and"
            " 90 %, median dashed; right of the vertical line nothing was used for estimation."
            " Middle: observed minus counterfactual on each row, grey where the rows taught the"
            f" coefficients.{summed} Thick"
            " and thin lines are 50 % and 90 % intervals, the noise of single rows included.",
            observed_and_counterfactual(tree),
        )
    ]
    if has(tree, "wandering"):
        drawn.append(
            Picture(
                "wandering_coefficients",
                "Coefficients through time",
                "Each control's coefficient at the end of each step: median with 50 % and 90 %"
                " bands, unit of the outcome per unit of the control. A band that narrows and"
                " widens shows where the data speak.",
                wandering(tree),
            )
        )
    return drawn


@drawing
def observed_and_counterfactual(tree: xr.DataTree) -> Figure:
    """Draw the path, the pointwise gap and, unless of a level, the summed gap above one another."""
    path, after = group(tree, "path"), group(tree, "counterfactual")
    before = path["before"].to_numpy().astype(bool)
    shown = int(np.clip((~before).sum(), *BEFORE))
    skip = max(int(before.sum()) - shown, 0)
    path, before = path.isel(row=slice(skip, None)), before[skip:]
    place = np.arange(len(before))
    drawn = figure(height=5.6)
    panels = 2 if LEVEL in after.attrs else 3
    axes = drawn.subplots(panels, 1, sharex=True, height_ratios=(1.3, 1.1, 0.8)[:panels])
    seen = path["observed"].to_numpy()
    band = path["band"].transpose("quantile", "row").to_numpy()
    _band(axes[0], place, band, BLUE, ~before)
    marker = "." if len(place) <= 150 else ""
    axes[0].plot(place, seen, color=INK, linewidth=0.9, marker=marker, markersize=4, zorder=4)
    gap = after["observed"].to_numpy() - samples(after["predicted"])
    later = place[~before]
    _gaps(axes[1], place[before], (seen - band[::-1])[:, before], colour=QUIET)
    _gaps(axes[1], later, np.quantile(gap, LEVELS, axis=0))
    if panels == 3:
        complete = np.where(np.isfinite(gap).all(0), gap, 0.0)
        _gaps(axes[2], later, np.quantile(complete.cumsum(1), LEVELS, axis=0))
    unit = str(tree.attrs["outcome_unit"])
    names = (numbers.label(str(tree.attrs["outcome"])), "observed minus\ncounterfactual", "summed")
    for axis, name in zip(axes, names[:panels], strict=True):
        axis.set_ylabel(f"{name}\n{unit}")
        axis.axvline(float(before.sum()) - 0.5, color=QUIET, linewidth=0.8, linestyle=(0, (2, 2)))
        axis.margins(x=0.02)
    for axis in axes[1:]:
        zero_line(axis, vertical=False)
    _ticks(axes[-1], path["row"].to_numpy(), before)
    drawn.align_ylabels(list(axes))
    return drawn


def _band(axis: Axes, x: np.ndarray, band: np.ndarray, colour: str, later: np.ndarray) -> None:
    """Draw the band of every row, paler where the rows taught the coefficients."""
    for part, alpha in ((~later, 0.45), (later, 1.0)):
        keep = part.copy()
        if part is later and later.any() and (~later).any():
            keep[int(later.argmax()) - 1] = True  # join the two parts
        fan(axis, x[keep], band[:, keep], colour, alpha=alpha)
    axis.plot(x, band[2], color=colour, linewidth=1.1, linestyle=(0, (4, 2)), zorder=3)


def _gaps(axis: Axes, x: np.ndarray, band: np.ndarray, colour: str = ORANGE) -> None:
    """Draw intervals row by row where rows are few, as a band where they are many."""
    if len(x) > FEW:
        fan(axis, x, band, colour)
        axis.plot(x, band[2], color=colour, linewidth=1.4)
        return
    axis.vlines(x, band[0], band[4], color=colour, linewidth=1.0)
    axis.vlines(x, band[1], band[3], color=colour, linewidth=3.2)
    axis.plot(x, band[2], "o", color=colour, markersize=4.5, zorder=4)


def _ticks(axis: Axes, labels: np.ndarray, before: np.ndarray) -> None:
    """Name some rows, the first after the pre-period among them."""
    first = int(before.sum())
    step = max(len(labels) // 6, 1)
    at = sorted({first, *range(first - step, -1, -step), *range(first + step, len(labels), step)})
    axis.set_xticks(at)
    axis.set_xticklabels([_said(labels[i]) for i in at])


def _said(label: object) -> str:
    return (
        str(np.datetime_as_string(label, "D")) if isinstance(label, np.datetime64) else str(label)
    )


@drawing
def wandering(tree: xr.DataTree) -> Figure:
    """Draw every coefficient that wanders, one panel a control."""
    data = group(tree, "wandering")
    names = [str(name) for name in data["control"].to_numpy()]
    drawn, axes = panels(len(names), columns=2, row_height=1.45, sharex=True)
    labels = data["step"].to_numpy()
    x = np.arange(len(labels))
    for place, (axis, name) in enumerate(zip(axes, names, strict=True)):
        band = data["coefficient"].sel(control=name).transpose("quantile", "step").to_numpy()
        colour = OKABE_ITO[place % len(OKABE_ITO)]
        fan(axis, x, band, colour, step="mid")
        axis.step(x, band[2], color=colour, linewidth=1.4, where="mid")
        zero_line(axis, vertical=False)
        axis.set_title(numbers.label(name))
        axis.margins(x=0.01)
        at = np.unique(np.linspace(0, len(x) - 1, 4).astype(int))
        axis.set_xticks(at)
        axis.set_xticklabels([_said(labels[i])[:7] for i in at])
    drawn.supylabel("coefficient at the end of each step", fontsize=8.5)
    return drawn
