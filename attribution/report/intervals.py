"""Intervals and columns of text, the same in every figure that has rows of names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from attribution.report.numbers import wrapped
from attribution.report.style import INK, QUIET

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def whisker(
    axis: Axes, row: float, ends: tuple[float, float, float, float], *, colour: str = INK
) -> None:
    """Draw the 90 % interval thin and the 50 % interval thick; a white rim shows both on a bar."""
    q05, q25, q75, q95 = ends
    for low, high, width in ((q05, q95, 1.1), (q25, q75, 3.0)):
        for paint, extra in (("white", 1.4), (colour, 0.0)):
            axis.plot(
                [low, high],
                [row, row],
                color=paint,
                linewidth=width + extra,
                solid_capstyle="butt",
                zorder=4 if extra else 5,
            )


def name_rows(axis: Axes, names: Sequence[str]) -> None:
    """Write one name a row, as words, the first on top, without ticks."""
    axis.set_yticks(range(len(names)), labels=[wrapped(name, 22) for name in names])
    axis.set_ylim(len(names) - 0.45, -0.6)
    axis.tick_params(axis="y", length=0)
    axis.spines["left"].set_visible(False)
    axis.grid(axis="x")
    axis.use_sticky_edges = False
    axis.margins(x=0.03)


def column(axis: Axes, heading: str, texts: Sequence[str], *, offset: float) -> None:
    """Write a column of text right of the axes, flush right at ``offset`` points from their edge.

    Points and not widths of the axes: the layout then finds room for the column at once, and a
    figure saved first looks like the same figure saved again.
    """
    for row, text in enumerate(texts):
        axis.annotate(
            text,
            (1, row),
            xycoords=("axes fraction", "data"),
            xytext=(offset, 0),
            textcoords="offset points",
            ha="right",
            va="center_baseline",
            annotation_clip=False,
        )
    axis.annotate(
        heading,
        (1, 1),
        xycoords="axes fraction",
        xytext=(offset, 3),
        textcoords="offset points",
        ha="right",
        va="bottom",
        color=QUIET,
        fontsize=7.5,
    )
