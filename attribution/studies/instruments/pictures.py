"""A run of regressions with instruments in; what the instruments reject, out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from attribution.report.numbers import label
from attribution.report.style import GREY, INK, OKABE_ITO, PALE, Picture, drawing, panels, zero_line

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HEIGHT = 3.0
"""Of the drawn statistic, in critical values."""
MARKS = {"ols": ("s", "white"), "2sls": ("o", OKABE_ITO[0]), "liml": ("D", OKABE_ITO[1])}
CAPTION = (
    "The Anderson-Rubin statistic of every value of the effect. Values below a dashed line (shaded"
    " for 90 %) are not rejected at that level, however weak the instruments. Marks: least squares"
    " and the estimates with instruments, whose intervals suppose that these are strong; only their"
    " place from left to right has a meaning."
)


def pictures(tree: xr.DataTree, tables: Mapping[str, pd.DataFrame]) -> list[Picture]:
    """Draw the curve of every equation with one endogenous column."""
    if "anderson_rubin" not in tree.children:
        return []
    return [Picture("anderson_rubin", "What the instruments reject", CAPTION, curves(tree))]


@drawing
def curves(tree: xr.DataTree) -> Figure:
    """Draw the statistic over values of the effect, one equation a row."""
    data = tree["anderson_rubin"].to_dataset()
    names = data["equation"].to_numpy()
    drawn, axes = panels(len(names), columns=1, row_height=1.75)
    units, columns = np.atleast_1d(data.attrs["units"]), np.atleast_1d(data.attrs["columns"])
    for axis, name, unit, column in zip(axes, names, units, columns, strict=True):
        _curve(axis, data.sel(equation=name))
        axis.set_title(label(str(name)))
        axis.set_xlabel(f"effect, {unit} per unit of {column}")
        axis.set_ylabel("statistic")
    handles, texts = axes[0].get_legend_handles_labels()
    drawn.legend(handles, texts, loc="outside upper right", ncols=len(handles))
    return drawn


def _curve(axis: Axes, one: xr.Dataset) -> None:
    value, statistic = one["value"].to_numpy(), one["statistic"].to_numpy()
    critical = one["critical"].to_numpy()
    top = HEIGHT * critical.max()
    kept = statistic <= critical[0]
    axis.fill_between(value, 0, top, where=kept.tolist(), color=PALE, alpha=0.45, linewidth=0)
    axis.plot(value, statistic, color=INK, linewidth=1.3)
    order = np.argsort(np.argsort(critical))
    for level, height, rank in zip(one["level"].to_numpy(), critical, order, strict=True):
        axis.axhline(height, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)))
        axis.annotate(
            f"{100 * level:g} %",
            (1.0, height),
            xycoords=("axes fraction", "data"),
            xytext=(3, 0),
            textcoords="offset points",
            va="bottom" if rank else "top",
            fontsize=8,
        )
    for number, method in enumerate(one["method"].to_numpy()):
        marker, face = MARKS.get(str(method), ("^", OKABE_ITO[2]))
        axis.plot(
            float(one["estimate"].sel({"method": method})),
            (0.55 + 0.1 * number) * top,
            linestyle="",
            marker=marker,
            markersize=5,
            markerfacecolor=face,
            markeredgecolor=INK,
            markeredgewidth=0.7,
            label="least squares" if method == "ols" else str(method).upper(),
            zorder=4,
        )
    zero_line(axis, vertical=True)
    axis.set_xlim(value[0], value[-1])
    axis.set_ylim(0, top)
