"""Verdicts of a design in; its ECDF differences with simultaneous bands, drawn, out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from attribution.report.style import GRID, INK, OKABE_ITO, PALE, QUIET, drawing, panels
from attribution.validate.calibration import RANKS, Verdicts
from attribution.validate.uniformity import band, counts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS, ROW_HEIGHT = 4, 1.25


@drawing
def ecdf_differences(found: Verdicts) -> Figure:
    """One panel a quantity: share of ranks below each cut, minus what uniform ranks would have.

    References
    ----------
    sailynoja2022; modrak2025
    """
    limits = band(found.replications, RANKS + 1)
    low, high = (x / found.replications - limits.cut for x in (limits.low, limits.high))
    drawn, axes = panels(
        len(found.rows), columns=COLUMNS, row_height=ROW_HEIGHT, sharex=True, sharey=True
    )
    for axis, row in zip(axes, found.rows, strict=True):
        share = counts(row.ranks, RANKS + 1) / found.replications
        fails = row.p_value < found.limit
        axis.fill_between(limits.cut, low, high, color=GRID, linewidth=0, step="mid")
        axis.axhline(0.0, color=QUIET, linewidth=0.6)
        axis.step(
            limits.cut,
            share - limits.cut,
            where="mid",
            color=OKABE_ITO[3] if fails else OKABE_ITO[0],
            linewidth=1.1,
        )
        axis.set_title(row.quantity, fontsize=7, color=INK)
        axis.text(
            0.98,
            0.04,
            f"p = {row.p_value:.3f}" if row.p_value >= 0.001 else "p < 0.001",
            transform=axis.transAxes,
            ha="right",
            fontsize=6.5,
            color=QUIET,
        )
        axis.set_xticks([0, 0.5, 1], ["0", "½", "1"])
        axis.spines[["left", "bottom"]].set_color(PALE)
        axis.tick_params(labelsize=6.5)
    reach = 1.15 * max(
        float(np.abs([low, high]).max()),
        *(
            float(np.abs(counts(row.ranks, RANKS + 1) / found.replications - limits.cut).max())
            for row in found.rows
        ),
    )
    for axis in axes:
        axis.set_ylim(-reach, reach)
    drawn.supxlabel("place of the truth in the posterior", fontsize=7.5)
    drawn.supylabel("ECDF minus uniform", fontsize=7.5)
    return drawn
