"""The figures of a study of net creations: asked rows, the dating, rows left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from attribution.report.numbers import MINUS
from attribution.report.style import (
    GREY,
    INK,
    OKABE_ITO,
    PALE,
    QUIET,
    Picture,
    drawing,
    figure,
    panels,
    zero_line,
)
from attribution.studies.flows.checks import worst_days
from attribution.studies.flows.dating_checks import AskedDay, asked_days

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SAME, PREVIOUS = OKABE_ITO[0], OKABE_ITO[1]
BINS = 70
NEARLY_ALL = 0.995
"""Share of a switch's probability that its panel shows."""


def pictures(tree: xr.DataTree, tables: Mapping[str, pd.DataFrame]) -> list[Picture]:
    """Draw every figure of a study of net creations."""
    focus = str(tree["predictive"].attrs["focus"])
    low, high = (_signed(value, 0) for value in _benchmark(tree))
    return [
        Picture(
            "asked_rows",
            f"Net creation of {focus} that was to be expected",
            "Predictive distribution of the row if it answers the day it bears (blue) and if it"
            " answers the day before (orange), with the published row (line) and the flow said to"
            f" be due ({low} to {high}, grey). A spike at zero is the probability of no flow."
            " Probabilities are those of at least the published row.",
            asked(tree),
        ),
        Picture(
            "dating",
            f"Which day the rows of {focus} answer",
            "Top: probability that a row answers the day before, by all fitted rows. Bottom: where"
            " the change lies, if there is one: probability that a row is the first after it."
            " Dotted lines are asked days.",
            dating(tree),
        ),
        Picture(
            "left_out",
            f"Rows of {focus} on the worst days, each predicted from all others",
            "Left: where the published row lies in its prediction; a bar is an exact zero, which"
            " lies anywhere on it; grey is the central 90 %. Right: the same, sorted, on the band"
            " that holds 90 % of each place if the model is right.",
            left_out(tree),
        ),
    ]


def _signed(value: float, places: int = 1) -> str:
    return f"{value:+,.{places}f}".replace("-", MINUS)


def _benchmark(tree: xr.DataTree) -> tuple[float, float]:
    low, high = tree["predictive"].attrs["benchmark"]
    return float(low), float(high)


@drawing
def asked(tree: xr.DataTree) -> Figure:
    """Draw the prediction of each asked row under both readings."""
    days = asked_days(tree)
    drawn, axes = panels(len(days), columns=2, row_height=1.75, sharex=True)
    flows = [day.draws(day.focus, reading) for day in days for reading in day.readings[:2]]
    low = min(np.quantile(flow, 0.004) for flow in flows)
    high = max(np.quantile(flow, 0.996) for flow in flows)
    bins = np.linspace(low, high, BINS + 1)
    for axis, day in zip(axes, days, strict=True):
        _asked_panel(axis, day, bins, _benchmark(tree))
    for axis in axes[-2:]:
        axis.set_xlabel(f"net creation of {days[0].focus}, USD million")
    return drawn


def _asked_panel(
    axis: Axes, day: AskedDay, bins: np.ndarray, benchmark: tuple[float, float]
) -> None:
    """Draw one day: two histograms, the published row, and what was said to be due."""
    axis.axvspan(*benchmark, color=PALE, alpha=0.35, linewidth=0)
    said = []
    for reading, colour in zip(day.readings[:2], (SAME, PREVIOUS), strict=True):
        flow = day.draws(day.focus, reading).ravel()
        height, _ = np.histogram(flow, bins, weights=day.weighted.weight.ravel() / flow.size)
        axis.stairs(height, bins, color=colour, alpha=0.25, fill=True)
        axis.stairs(height, bins, color=colour, linewidth=1.1)
        said.append((reading, colour, day.weighted.mean(day.at_least(day.focus, reading))))
    published = day.published(day.focus)
    axis.axvline(published, color=INK, linewidth=1.2)
    axis.set_title(f"{day.day}, published {_signed(published)}")
    box = {"facecolor": "white", "edgecolor": "none", "pad": 1.0, "alpha": 0.8}
    where: dict[str, Any] = {"ha": "right", "va": "top", "transform": axis.transAxes, "bbox": box}
    where["fontsize"] = 8
    for place, (reading, colour, tail) in enumerate(said):
        axis.text(0.985, 0.93 - 0.14 * place, f"{reading}: {tail:.2f}", color=colour, **where)
    axis.set_yticks([])
    axis.spines["left"].set_visible(False)
    axis.margins(x=0)


@drawing
def dating(tree: xr.DataTree) -> Figure:
    """Draw the reading of every row of the focus, and the posterior of the switch."""
    focus = str(tree["predictive"].attrs["focus"])
    data = tree["dating"].to_dataset().sel(fund=focus)
    days = data["time"].to_numpy()
    asked_at = tree["predictive"]["day"].to_numpy()
    drawn = figure(height=3.9)
    top, bottom = drawn.subplots(2, 1, height_ratios=(1.0, 1.2))
    top.plot(days, data["previous_day_probability"].to_numpy(), color=PREVIOUS, linewidth=1.3)
    top.set_ylim(-0.03, 1.03)
    top.set_ylabel("P(day before)")
    mass = data["switch"].sum("direction").to_numpy()
    chance = data["convention_probability"].mean(("chain", "draw")).to_numpy()[2:].sum()
    first, last = _span(mass)
    shown = slice(first, last + 1)
    bottom.vlines(days[shown], 0.0, mass[shown], color=SAME, linewidth=2.2)
    bottom.set_ylim(0.0, 1.12 * mass.max())
    bottom.set_ylabel("P(first after a change)")
    bottom.set_xlim(days[max(first - 3, 0)], days[min(last + 3, len(days) - 1)])
    words = f"probability of a change {chance:.2f}"
    bottom.text(0.01, 0.95, words, transform=bottom.transAxes, va="top", color=QUIET, fontsize=8)
    for axis in (top, bottom):
        for day in asked_at:
            axis.axvline(day, color=GREY, linewidth=0.8, linestyle=":", zorder=1)
        axis.tick_params(axis="x", rotation=0)
        _date_axis(axis)
    top.margins(x=0.01)
    return drawn


def _span(mass: np.ndarray) -> tuple[int, int]:
    """First and last row of the narrowest central part that holds nearly all of the mass."""
    total = mass.sum()
    if not total > 0.0:
        return 0, len(mass) - 1
    below = np.cumsum(mass) / total
    tail = (1.0 - NEARLY_ALL) / 2
    return int(np.searchsorted(below, tail)), int(np.searchsorted(below, 1.0 - tail))


def _date_axis(axis: Axes) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(minticks=4, maxticks=8)  # type: ignore[no-untyped-call]
    axis.xaxis.set_major_locator(locator)
    axis.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]


@drawing
def left_out(tree: xr.DataTree) -> Figure:
    """Draw where the rows of the worst days lie in predictions that leave them out."""
    worst = worst_days(tree)
    low, high = worst["low"].to_numpy(), worst["high"].to_numpy()
    count = len(low)
    place = np.arange(count)[::-1]
    drawn = figure(height=3.9)
    left, right = drawn.subplots(1, 2, width_ratios=(1.25, 1.0))
    left.axvspan(0.05, 0.95, color=PALE, alpha=0.25, linewidth=0)
    left.hlines(place, low, high, color=SAME, linewidth=3.0)
    left.plot((low + high) / 2, place, "o", color=SAME, markersize=3.5)
    names = [
        f"{str(day)[:10]}  {_signed(float(value))}"
        for day, value in zip(worst["time"].to_numpy(), worst["return"].to_numpy(), strict=True)
    ]
    left.set_yticks(place, names, fontsize=6.5)
    left.set_xlim(0.0, 1.0)
    left.set_ylim(-0.7, count - 0.3)
    left.set_xlabel("probability below the published row")
    left.set_title("the day's return, log points", fontsize=8)
    rank = np.arange(1, count + 1)
    law = stats.beta(rank, count + 1 - rank)
    right.fill_between(rank, law.ppf(0.05), law.ppf(0.95), color=PALE, alpha=0.5, linewidth=0)
    right.plot(rank, rank / (count + 1), color=QUIET, linewidth=0.9)
    right.plot(rank, np.sort((low + high) / 2), "o", color=SAME, markersize=3.5)
    right.set_xlabel("rank among them")
    right.set_title("the same, sorted", fontsize=8)
    right.set_ylim(0.0, 1.0)
    return drawn


# The table of a monitor in; its picture out.

SHOWN = 130
"""Last days that are drawn: half a year."""
SURE, EVEN = 0.9, 0.5
CAPTION = (
    "Above: five-day net creation as published (line) and the part that neither returns nor the"
    " basis explain (bands: 50 and 90 % of its posterior). Below: the probability that this part is"
    " an inflow, and that the basis is wider than it usually becomes in five days; it is read with"
    " error, so it is seldom sure. Green days carry the flag: an inflow with probability above 0.9"
    " while the basis is more likely narrower; where its line breaks the basis was not read."
)


def monitor_pictures(table: pd.DataFrame, fund: str = "") -> list[Picture]:
    """Draw the last half year of a monitor's table."""
    name = f"{fund} net creation" if fund else "net creation"
    return [Picture("monitor", "Inflows without basis expansion", CAPTION, watched(table, name))]


@drawing
def watched(table: pd.DataFrame, name: str) -> Figure:
    """Draw the organic part with its bands over the two probabilities."""
    last = table.tail(SHOWN)
    drawn = figure(height=4.4)
    above, below = drawn.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    _flow(above, last, table["published"].rolling(5).sum().tail(SHOWN))
    above.set_ylabel(f"five-day {name},\nUSD million")
    _probability(below, last)
    for axis in (above, below):
        _flags(axis, last)
    handles, texts = above.get_legend_handles_labels()
    more, names = below.get_legend_handles_labels()
    drawn.legend(handles + more, texts + names, loc="outside upper left", ncols=3)
    return drawn


def _flow(axis: Axes, last: pd.DataFrame, published: pd.Series) -> None:
    days, colour = last.index, OKABE_ITO[0]
    axis.fill_between(
        days, last["sum_q05"], last["sum_q95"], color=colour, alpha=0.18, linewidth=0,
        label="organic, 90 %",
    )  # fmt: skip
    axis.fill_between(
        days, last["sum_q25"], last["sum_q75"], color=colour, alpha=0.4, linewidth=0,
        label="organic, 50 %",
    )  # fmt: skip
    axis.plot(days, published, color=INK, linewidth=1.1, label="published")
    zero_line(axis, vertical=False)


def _probability(axis: Axes, last: pd.DataFrame) -> None:
    read = last["wider"].where(last["readings"] >= 3)
    axis.plot(last.index, last["inflow"], color=OKABE_ITO[0], linewidth=1.2, label="P(inflow)")
    axis.plot(last.index, read, color=OKABE_ITO[3], linewidth=1.2, label="P(basis wider)")
    for level in (SURE, EVEN):
        axis.axhline(level, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
    axis.set_ylim(-0.03, 1.03)
    axis.set_yticks([0.0, EVEN, SURE], ["0", "0.5", "0.9"])
    axis.set_ylabel("probability")


def _flags(axis: Axes, last: pd.DataFrame) -> None:
    """Shade flagged days, each up to the next row."""
    place = last.index.to_numpy("datetime64[D]").astype(float)  # as matplotlib counts days
    flag = last["flag"].fillna(False).astype(bool).to_numpy()
    ends = np.append(place[1:], place[-1] + 1.0)
    axis.broken_barh(
        list(zip(place[flag], (ends - place)[flag], strict=True)),
        (0.0, 1.0),
        transform=axis.get_xaxis_transform(),
        facecolor=OKABE_ITO[2],
        alpha=0.18,
        linewidth=0,
        label="flag" if axis.get_ylabel() == "probability" else None,
    )
