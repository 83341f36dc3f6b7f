"""The figure of local projections: every series' response, its band, and the VAR's beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from attribution.report import numbers
from attribution.report.draws import group
from attribution.report.style import FIXED, INK, Picture, drawing, panels, zero_line

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from matplotlib.figure import Figure

BLUE = FIXED["factor_derisking"]
NORMAL = {0.50: 0.6744898, 0.90: 1.6448536}
"""Half widths, in standard errors, of the intervals drawn."""


def pictures(tree: xr.DataTree, tables: Mapping[str, pd.DataFrame]) -> list[Picture]:
    """Draw the responses."""
    attrs = group(tree, "projection").attrs
    size = numbers.significant(float(attrs["size"]), 3)
    said = f"an innovation of {size} {attrs['size_unit']} of {attrs['impulse']}"
    if attrs["instrument"]:
        said += f", moved by {attrs['instrument']}"
    caption = (
        f"Response of each series, in its unit, to {said}: local projection with 50 % and 90 %"
        " bands, horizon by horizon."
        + (
            " Dashed: the recursive VAR of the same lags on the same rows."
            if _has_var(tree)
            else ""
        )
        + (" Responses are summed over horizons." if attrs["cumulative"] else "")
    )
    return [Picture("responses", "Projected responses", caption, responses(tree))]


def _has_var(tree: xr.DataTree) -> bool:
    return bool(np.isfinite(group(tree, "projection")["var"].to_numpy()).any())


@drawing
def responses(tree: xr.DataTree) -> Figure:
    """Draw one panel a series."""
    data = group(tree, "projection")
    names = [str(name) for name in data["variable"].to_numpy()]
    units = dict(zip(names, [str(unit) for unit in data["unit"].to_numpy()], strict=True))
    drawn, axes = panels(len(names), columns=2, row_height=1.4, sharex=True)
    x = data["horizon"].to_numpy()
    for axis, name in zip(axes, names, strict=True):
        one = data.sel(variable=name)
        middle, error = one["response"].to_numpy(), one["error"].to_numpy()
        for level, alpha in ((0.90, 0.22), (0.50, 0.38)):
            width = NORMAL[level] * error
            axis.fill_between(
                x, middle - width, middle + width, color=BLUE, alpha=alpha, linewidth=0
            )
        axis.plot(x, middle, color=BLUE, linewidth=1.4, marker=".", markersize=4)
        if np.isfinite(one["var"].to_numpy()).any():
            axis.plot(x, one["var"].to_numpy(), color=INK, linewidth=1.0, linestyle=(0, (4, 2)))
        zero_line(axis, vertical=False)
        weight = "bold" if name == tree.attrs["outcome"] else "normal"
        axis.set_title(f"{numbers.label(name)}, {units[name]}", fontweight=weight)
        axis.margins(x=0.02)
        axis.locator_params(axis="y", nbins=4)
        axis.set_xticks(x[:: max(len(x) // 6, 1)])
    drawn.supxlabel(f"{data.attrs['step']} after the innovation", fontsize=8.5)
    return drawn
