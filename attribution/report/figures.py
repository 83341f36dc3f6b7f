"""The figures of a run, in the order of the page; what a run does not hold is not drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from attribution.errors import DataError
from attribution.model.kinds import KINDS, loaded
from attribution.model.spec import UNATTRIBUTED
from attribution.report import cells, numbers
from attribution.report.comparison import event_in_comparison, robust_bounds
from attribution.report.draws import (
    Band,
    band,
    days,
    group,
    has,
    longest_window,
    period,
    samples,
    weights,
    windows,
)
from attribution.report.learned import prior_against_posterior
from attribution.report.style import (
    INK,
    QUIET,
    Picture,
    colours,
    column,
    drawing,
    fan,
    figure,
    name_rows,
    panels,
    whisker,
    zero_line,
)
from attribution.runs import is_study
from attribution.sampling.diagnostics import PARETO_K

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "event_in_comparison",
    "impulse_responses",
    "pictures",
    "prior_against_posterior",
    "robust_bounds",
    "through_the_window",
    "variance_shares",
    "waterfall",
]


# Impulse responses: what a shock of one standard deviation does to every series.

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


# Contributions through the window: how each channel's part built up day after day.


def cumulated(draws: np.ndarray, *, eve: float | None = None) -> np.ndarray:
    """Return moves since the eve, day by day (axis 1), zero on the eve.

    Running sums of changes or, of levels, what each day is above ``eve``.
    """
    moved = np.cumsum(draws, axis=1) if eve is None else draws - eve
    return np.insert(moved, 0, 0.0, axis=1)


def thinned(labels: list[str]) -> list[str]:
    """Blank out labels, counted from the last, so that at most four are left."""
    every = -(-len(labels) // 4)
    return [t if (len(labels) - 1 - i) % every == 0 else "" for i, t in enumerate(labels)]


@drawing
def through_the_window(tree: xr.DataTree) -> Figure:
    """Draw the cumulated contribution of each channel over the days of the longest window.

    Returns
    -------
    One panel a channel, mean with 50 % and 90 % bands, log points; a last panel with the observed
    path and the baseline.
    """
    window = longest_window(tree)
    data, weight = group(tree, f"windows/{window}"), weights(tree)
    draws = samples(data["contribution"].transpose("chain", "draw", "time", "channel"))
    names = [str(name) for name in data["channel"].to_numpy()]
    paint = colours(names)
    drawn, axes = panels(len(names) + 1, columns=4, row_height=1.55, sharex=True, sharey=True)
    for i, (axis, name) in enumerate(zip(axes, names, strict=False)):
        level = 0.0 if "eve" in data else None
        _path(axis, cumulated(draws[:, :, i], eve=level), weight, colour=paint[name])
        axis.set_title(numbers.wrapped(name, 20))
    _observed(axes[-1], data, weight)
    labels = thinned(["eve", *(f"{day.day} {day:%b}" for day in days(tree, window))])
    for axis in axes:
        zero_line(axis, vertical=False)
        axis.grid(axis="y")
        axis.set_xticks(range(len(labels)), labels=labels, fontsize=7)
        axis.set_xlim(-0.3, len(labels) - 0.7)
        axis.locator_params(axis="y", nbins=6)
    drawn.supxlabel("day, close", fontsize=8.5)
    drawn.supylabel(f"cumulated, {tree.attrs['outcome_unit']}", fontsize=8.5)
    return drawn


def _path(axis: Axes, paths: np.ndarray, weight: np.ndarray, *, colour: str) -> None:
    it, x = band(paths, weight), range(paths.shape[1])
    fan(axis, x, (it.q05, it.q25, None, it.q75, it.q95), colour)
    axis.plot(x, it.mean, color=colour, linewidth=1.6, marker="o", markersize=3)


def _observed(axis: Axes, data: xr.Dataset, weight: np.ndarray) -> None:
    """Draw the observed path, black, and the baseline expected on the eve, dashed."""
    eve = float(data["eve"]) if "eve" in data else None
    path = cumulated(data["observed"].to_numpy()[None], eve=eve)[0]
    base = band(cumulated(samples(data["baseline"]), eve=eve), weight)
    x = range(len(path))
    axis.fill_between(x, base.q05, base.q95, color=QUIET, alpha=0.25, linewidth=0)
    axis.plot(x, base.mean, color=QUIET, linewidth=1.3, linestyle="--")
    axis.plot(x, path, color=INK, linewidth=1.8, marker="o", markersize=3)
    axis.set_title("observed")
    axis.annotate(
        "baseline", (x[-1], base.q95[-1]), xytext=(0, 2), textcoords="offset points", ha="right",
        va="bottom", fontsize=7.5, color=QUIET,
    )  # fmt: skip


# Variance shares: whose shocks make forecasts of each series miss, horizon by horizon.


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
    edge, hatch = ("white", "////") if paint[name] in earlier else (paint[name], "")
    return {"facecolor": paint[name], "edgecolor": edge, "hatch": hatch}


# The waterfall, from what was expected to what was seen: a table enters, a figure leaves.


def steps(table: pd.DataFrame) -> dict[str, tuple[float, float]]:
    """Return where each bar starts and ends, log points; the last ends where the data are."""
    found: dict[str, tuple[float, float]] = {}
    here = 0.0
    for name, row in cells.rows(table).items():
        start = 0.0 if name == "observed" else here
        found[name] = (start, start + row["mean"])
        here = found[name][1]
    return found


@drawing
def waterfall(tree: xr.DataTree, table: pd.DataFrame, *, window: str) -> Figure:
    """Draw posterior means as bars that add up to the observed move.

    Parameters
    ----------
    tree : the run; names the outcome and the days.
    table : the window's summary table, log points; every number drawn is a number of the table.
    window : its name.

    Returns
    -------
    A bar from one running sum of means to the next; on it the 50 % (thick) and 90 % (thin)
    intervals of its length; right of it the mean in the unit and, of log points, in per cent.
    """
    cells.checked(table, window)
    rows, bars = cells.rows(table), steps(table)
    drawn = figure(height=0.33 * len(rows) + 1.25)
    axis = drawn.subplots()
    paint = colours(list(rows))
    for place, (name, (start, end)) in enumerate(bars.items()):
        axis.barh(place, end - start, left=start, height=0.66, color=paint[name], zorder=3)
        if name != "observed":
            q05, q25, q75, q95 = (start + rows[name][q] for q in ("q05", "q25", "q75", "q95"))
            whisker(axis, place, (q05, q25, q75, q95))
    _connectors(axis, list(bars.values()))
    zero_line(axis, vertical=True)
    name_rows(axis, list(rows))
    axis.get_yticklabels()[-1].set_fontweight("bold")
    outcome, unit = tree.attrs["outcome"], tree.attrs["outcome_unit"]
    axis.set_xlabel(f"{outcome}, cumulated posterior means, {unit}")
    drawn.suptitle(
        f"{numbers.label(window)}, {period(tree, window)}", x=0.01, ha="left", fontsize=9
    )
    places = cells.decimals(table)
    means = [numbers.number(row["mean"], places) for row in rows.values()]
    cents = [numbers.per_cent(row["percent"], places) for row in rows.values()]
    column(axis, unit, means, offset=52)
    if any(cents):
        column(axis, "per cent", cents, offset=104)
    _legend(drawn)
    return drawn


def _connectors(axis: Axes, bars: list[tuple[float, float]]) -> None:
    """Join the end of each bar to the start of the next, and the last to the observed move."""
    for place, (_, end) in enumerate(bars[:-1]):
        axis.plot([end, end], [place + 0.33, place + 0.67], color=QUIET, linewidth=0.7, zorder=2)
    axis.plot([bars[-1][1]] * 2, [len(bars) - 1.33, len(bars) - 0.67], color=INK, linewidth=0.9)


def _legend(drawn: Figure) -> None:
    from matplotlib.lines import Line2D

    widths = {50: 3.0, 90: 1.1}
    handles = [Line2D([], [], color=INK, lw=w, label=f"{p} % interval") for p, w in widths.items()]
    drawn.legend(handles=handles, loc="outside lower center", ncols=2)


def pictures(tree: xr.DataTree, summaries: Mapping[str, pd.DataFrame]) -> list[Picture]:
    """Draw every figure that the run supports; ``summaries`` holds one table a window."""
    if is_study(tree):
        return study_pictures(tree, summaries)
    names = offered(tree)
    of_each = [name for name in names if name in OF_WINDOWS]
    drawn = [picture(tree, summaries, name, each) for each in windows(tree) for name in of_each]
    return drawn + [picture(tree, summaries, name) for name in names if name not in OF_WINDOWS]


def offered(tree: xr.DataTree) -> list[str]:
    """Return the names of the figures that the run of a VAR supports, in the order of the page."""
    return [name for name, (needed, _) in FIGURES.items() if has(tree, needed)]


def picture(
    tree: xr.DataTree, summaries: Mapping[str, pd.DataFrame], name: str, window: str = ""
) -> Picture:
    """Draw one of the figures offered, of the first window if none is named."""
    return FIGURES[name][1](tree, summaries, window or next(iter(windows(tree)), ""))


def study_pictures(tree: xr.DataTree, summaries: Mapping[str, pd.DataFrame]) -> list[Picture]:
    """Draw every figure of a study, named after its kind, so that a later run replaces it."""
    kind = str(tree.attrs["study"])
    drawn: list[Picture] = loaded(KINDS[kind].pictures).pictures(tree, summaries)
    return [picture._replace(name=f"{kind}_{picture.name}") for picture in drawn]


def _waterfall(tree: xr.DataTree, table: pd.DataFrame, window: str) -> Picture:
    caption = (
        "Each bar is a posterior mean and starts where the one above ends; means add up to the"
        " observed move. The thick line on a bar is the 50 % interval of its length, the thin line"
        " the 90 % interval. Per cent by the log-mean weight, which adds up too."
    )
    title = f"Waterfall, {numbers.label(window)}"
    drawn = waterfall(tree, table, window=window)
    return Picture(f"waterfall_{window}", title, caption, drawn, window)


def _through(tree: xr.DataTree) -> Picture:
    caption = (
        f"Window {numbers.label(longest_window(tree))}. Contributions summed from the eve to each"
        " day: posterior mean with 50 % and 90 % bands. The last panel shows the observed path and"
        " the baseline expected on the eve (mean and 90 % band)."
    )
    return Picture("through_the_window", "Day by day", caption, through_the_window(tree))


def _prior(tree: xr.DataTree, window: str) -> Picture:
    caption = (
        f"Window {numbers.label(window)}. Dashed: contributions under prior draws of the impact"
        " matrix, given the observed event. Filled: posterior. Overlap is the area both share:"
        " near 1, the data taught nothing and the row repeats its prior. Heights differ by panel."
    )
    drawn = prior_against_posterior(tree, window=window)
    return Picture("prior_against_posterior", "Prior against posterior", caption, drawn)


def _robust(tree: xr.DataTree, table: pd.DataFrame, window: str) -> Picture:
    caption = (
        "Pale bar: posterior mean of the bounds over all priors on what the restrictions leave"
        " open. Line: the interval under the uniform prior on rotations. Where the line is much"
        " shorter than the bar, its length is that prior’s and not the data’s. Dashed: what the"
        " same prior gives every channel when nothing is restricted."
    )
    title = f"Bounds, {numbers.label(window)}"
    drawn = robust_bounds(tree, table, window=window)
    return Picture(f"robust_bounds_{window}", title, caption, drawn, window)


def _event_in(tree: xr.DataTree, window: str) -> Picture:
    caption = (
        f"Window {numbers.label(window)}. The same contribution with the event’s days left out of"
        " the estimate, scaled in, and kept in: posterior mean, 50 % and 90 % intervals. k is the"
        f" tail index of the reweighted draws; above {PARETO_K} the comparison is not reliable."
    )
    drawn = event_in_comparison(tree, window=window)
    return Picture("event_in", "With and without the event", caption, drawn)


def _impulse(tree: xr.DataTree) -> Picture:
    caption = (
        "Response of each series (rows, in its unit) to a shock of one standard deviation of each"
        " channel (columns): median with 50 % and 90 % bands. One scale a row."
    )
    return Picture("impulse_responses", "Impulse responses", caption, impulse_responses(tree))


def _variance(tree: xr.DataTree) -> Picture:
    caption = (
        "Posterior mean of each channel’s share in the forecast error variance of each series, by"
        " horizon; horizon h is the error of the forecast h + 1 periods ahead. Means add up to one."
    )
    return Picture("variance_shares", "Variance shares", caption, variance_shares(tree))


Draw = Callable[["xr.DataTree", "Mapping[str, pd.DataFrame]", str], Picture]
FIGURES: Mapping[str, tuple[str, Draw]] = {
    "waterfall": ("windows", lambda tree, found, name: _waterfall(tree, found[name], name)),
    "robust_bounds": ("robust", lambda tree, found, name: _robust(tree, found[name], name)),
    "through_the_window": ("windows", lambda tree, found, name: _through(tree)),
    "prior_against_posterior": ("prior", lambda tree, found, name: _prior(tree, name)),
    "event_in": ("event_in", lambda tree, found, name: _event_in(tree, name)),
    "impulse_responses": ("responses", lambda tree, found, name: _impulse(tree)),
    "variance_shares": ("fevd", lambda tree, found, name: _variance(tree)),
}
"""The group that a figure needs, and what draws it."""
OF_WINDOWS = ("waterfall", "robust_bounds")
"""Figures that there are of every window."""
