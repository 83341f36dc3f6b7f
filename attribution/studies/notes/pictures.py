"""The figures of a study of structured notes: flow by note and in total, flow against the move."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from attribution.report.draws import group, samples
from attribution.report.style import (
    FIXED,
    GREY,
    INK,
    QUIET,
    Picture,
    drawing,
    fan,
    figure,
    zero_line,
)

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GREEN, ORANGE = FIXED["barrier_hedging"], FIXED["crypto_liquidation"]
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
TOTALS = {
    "without_overlay": ("all notes, without overlay", GREEN),
    "overlay": ("overlay of listed puts", ORANGE),
    "total": ("all notes, with overlay", INK),
}
FLOW = "USD million, bought above zero"


def pictures(tree: xr.DataTree, tables: Mapping[str, pd.DataFrame]) -> list[Picture]:
    """Draw every figure of a study of structured notes."""
    return [
        Picture(
            "by_note",
            "What the hedge of each note traded",
            "Bought to the right of zero, sold to the left; thick and thin lines are 50 % and 90 %"
            " intervals, dots medians. Green notes state their face, grey ones share what is left"
            " of the total, so that their intervals are wide and their sum's is less so. The two"
            " panels have scales of their own; notes stand without the overlay.",
            by_note(tree, tables["notes"]),
        ),
        Picture(
            "profile",
            "What hedges trade at other moves",
            "Flow of the day's hedges had the fund closed elsewhere: bands are 50 % and 90 %, with"
            " volatility at the close as it was; the dashed line is the median with volatility"
            " still as on the eve, so that the gap between the two lines is what volatility alone"
            " trades. Dotted: what the fund did. Below: mean face whose barrier lies there, buffers"
            " left out, whose hedges do not jump.",
            profile(tree, tables["notes"]),
        ),
    ]


@drawing
def by_note(tree: xr.DataTree, notes: pd.DataFrame) -> Figure:
    """Draw intervals note by note, and of the totals."""
    posterior = group(tree, "posterior")
    bands = np.quantile(samples(posterior["flow"]), LEVELS, axis=0)
    order = np.argsort(bands[2])
    drawn = figure(height=0.21 * len(order) + 1.95)
    upper, lower = drawn.subplots(2, 1, height_ratios=(len(order) + 1, len(TOTALS) + 0.6))
    for place, i in enumerate(order):
        row = notes.iloc[int(i)]
        stated = "face" not in str(row["drawn"])
        _interval(upper, place, bands[:, i], GREEN if stated else GREY)
    upper.set_yticks(range(len(order)), [_label(notes.iloc[int(i)]) for i in order])
    for place, (name, (_, colour)) in enumerate(reversed(TOTALS.items())):
        _interval(lower, place, np.quantile(samples(posterior[name]), LEVELS), colour)
    lower.set_yticks(range(len(TOTALS)), [words for words, _ in reversed(TOTALS.values())])
    for axis, count in ((upper, len(order)), (lower, len(TOTALS))):
        axis.set_ylim(-0.7, count - 0.3)
        axis.tick_params(axis="y", length=0)
        axis.grid(axis="x")
        zero_line(axis, vertical=True)
        axis.set_xlabel(FLOW)
    return drawn


def _label(row: pd.Series) -> str:
    face = float(row["face"])
    size = f"{face:.0f}" if face >= 10.0 else f"{face:.1g}"
    return f"{row.name}  {row['kind']}, {'about ' if 'face' in row['drawn'] else ''}{size} m"


def _interval(axis: Axes, place: float, band: np.ndarray, colour: str) -> None:
    axis.hlines(place, band[0], band[4], color=colour, linewidth=1.0)
    axis.hlines(place, band[1], band[3], color=colour, linewidth=3.2)
    axis.plot(band[2], place, "o", color=colour, markersize=4.5, zorder=4)


@drawing
def profile(tree: xr.DataTree, notes: pd.DataFrame) -> Figure:
    """Draw flow against the move, without and with the overlay, above where barriers lay."""
    data = group(tree, "profile")
    move = data["move"].to_numpy()
    posterior = group(tree, "posterior").isel(note=np.flatnonzero(notes["kind"] != "buffer"))
    drawn = figure(height=3.6)
    grid = drawn.subplots(2, 2, sharex=True, sharey="row", height_ratios=(4, 1))
    for (axis, strip), name, colour in zip(
        grid.T, data["book"].to_numpy(), (GREEN, INK), strict=True
    ):
        flow = data["flow"].sel(book=name).transpose("volatility", "quantile", "move").to_numpy()
        _bands(axis, move, flow[0], colour)
        axis.plot(move, flow[1, 2], color=colour, linewidth=1.1, linestyle=(0, (4, 2)))
        axis.set_title({"notes": "Without overlay"}.get(str(name), "With overlay"))
        zero_line(axis, vertical=False)
        for each in (axis, strip):
            each.axvline(data.attrs["observed"], color=QUIET, linewidth=0.9, linestyle=":")
            each.margins(x=0.0)
        _barriers(strip, posterior, float(data.attrs["eve"]), move)
        strip.set_xticks(np.arange(-20, 21, 10))
        strip.set_xlabel("move of the fund, log points")
    grid[0, 0].set_ylabel("USD million,\nbought above zero")
    grid[1, 0].set_ylabel("barriers,\nUSD million")
    drawn.align_ylabels([grid[0, 0], grid[1, 0]])
    _name_lines(grid[0, 0])
    return drawn


def _bands(axis: Axes, x: np.ndarray, band: np.ndarray, colour: str) -> None:
    fan(axis, x, band, colour)
    axis.plot(x, band[2], color=colour, linewidth=1.5)


def _name_lines(axis: Axes) -> None:
    """Say once which line is which, on the panel with room."""
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=GREEN, linewidth=1.5, label="volatility of the day"),
        Line2D([], [], color=GREEN, linewidth=1.1, linestyle=(0, (4, 2)), label="of the eve"),
    ]
    axis.legend(handles=handles, loc="upper right")


def _barriers(axis: Axes, posterior: xr.Dataset, eve: float, move: np.ndarray) -> None:
    """Draw the mean face whose barriers lie in each stretch of moves."""
    level = 100.0 * np.log(samples(posterior["barrier"]) / eve)
    face = samples(posterior["face_by_note"])
    edges = np.arange(move[0], move[-1] + 1.0, move[1] - move[0])
    held, _ = np.histogram(level, bins=edges, weights=face / len(face))
    axis.stairs(held, edges, fill=True, color=GREEN, alpha=0.55)
