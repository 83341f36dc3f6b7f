"""Impulse responses: what a shock of one standard deviation does to every series."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from attribution.errors import DataError
from attribution.model.spec import UNATTRIBUTED
from attribution.report import numbers
from attribution.report.draws import Band, band, group, samples, weights
from attribution.report.style import colours, drawing, fan, figure, zero_line

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROW = 0.82
ABBREVIATED = {
    "log points": "log pt",
    "vol points": "vol pt",
    "basis points": "bp",
    "percentage points": "pp",
    "USD million": "USD m",
}


def units_of(tree: xr.DataTree) -> Mapping[str, str]:
    """Return the unit of every variable from the ``unit`` coordinate of /responses.

    Raises
    ------
    DataError
        If the run does not carry it: a response without a unit means nothing.
    """
    data = group(tree, "responses")
    if "unit" not in data.coords:
        raise DataError(
            "run: /responses has no coordinate 'unit' along 'variable';"
            " write the unit of every variable there"
        )
    names = [str(name) for name in data["variable"].to_numpy()]
    return dict(zip(names, [str(unit) for unit in data["unit"].to_numpy()], strict=True))


def period_of(tree: xr.DataTree) -> str:
    """Say what a step of the model is: models of any frequency name a scheme, others are daily."""
    return "periods" if "scheme" in tree.attrs else "trading days"


@drawing
def impulse_responses(tree: xr.DataTree) -> Figure:
    """Draw the response of every variable (rows) to a shock of every channel (columns).

    Returns
    -------
    Median with 50 % and 90 % bands, unit of the variable per shock of one standard deviation; one
    scale a row, so that channels compare.
    """
    response = group(tree, "responses")["response"].transpose(
        "chain", "draw", "horizon", "variable", "channel"
    )
    units = units_of(tree)
    channels = [str(c) for c in response["channel"].to_numpy() if c != UNATTRIBUTED]
    variables = list(units)
    it = band(samples(response.sel(channel=channels)), weights(tree))
    paint = colours(channels)
    drawn = figure(width=1.15 * len(channels) + 1.3, height=ROW * len(variables) + 0.9)
    grid = drawn.subplots(len(variables), len(channels), sharex=True, sharey="row", squeeze=False)
    for row, variable in enumerate(variables):
        for place, channel in enumerate(channels):
            _panel(grid[row, place], it, (row, place), colour=paint[channel])
        _row_label(grid[row, 0], variable, units[variable])
    for place, channel in enumerate(channels):
        grid[0, place].set_title(numbers.wrapped(channel, 12), loc="center")
    drawn.align_ylabels(grid[:, 0])
    drawn.supxlabel(f"{period_of(tree)} after the shock", fontsize=8.5)
    return drawn


def _panel(axis: Axes, it: Band, cell: tuple[int, int], *, colour: str) -> None:
    q05, q25, median, q75, q95 = (
        a[:, cell[0], cell[1]] for a in (it.q05, it.q25, it.median, it.q75, it.q95)
    )
    x = range(len(median))
    fan(axis, x, (q05, q25, median, q75, q95), colour)
    axis.plot(x, median, color=colour, linewidth=1.4)
    zero_line(axis, vertical=False)
    axis.margins(x=0.02)
    axis.locator_params(axis="y", nbins=3)


def _row_label(axis: Axes, variable: str, unit: str) -> None:
    """Write the variable and, below it, its unit, left of the row."""
    words = numbers.wrapped(variable, 18)
    axis.set_ylabel(f"{words}\n{ABBREVIATED.get(unit, unit)}", rotation=0, ha="right", va="center",
                    fontsize=8)  # fmt: skip
