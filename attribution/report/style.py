"""How every figure looks: one colour a channel, one style; a figure enters, its bytes leave."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from io import BytesIO
from typing import TYPE_CHECKING, Any, NamedTuple, ParamSpec, TypeVar

from attribution.model.spec import UNATTRIBUTED
from attribution.report.numbers import wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

P = ParamSpec("P")
R = TypeVar("R")

INK = "#1a1a1a"
QUIET = "#5a5a5a"
GRID = "#e3e3e3"
GREY = "#8c8c8c"
PALE = "#c4c4c4"

# Okabe and Ito's colours without yellow, which vanishes on white; grey is kept for the unnamed.
OKABE_ITO = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#56b4e9", "#cc79a7")
FIXED = {
    "factor_derisking": "#0072b2",
    "basis_unwind": "#e69f00",
    "barrier_hedging": "#009e73",
    "crypto_liquidation": "#d55e00",
    "spot_selling": "#56b4e9",
    "macro_risk_off": "#cc79a7",
    UNATTRIBUTED: GREY,
    "baseline": PALE,
    "observed": INK,
}
WIDTH = 6.6  # inches: one text column of the page and of the README
PIXELS_PER_INCH = 200

# Text stays text. The faces after the first are no wider: a reader without it sees no overlap.
FACES = ["DejaVu Sans", "Verdana", "Helvetica", "Arial"]
STYLE: dict[str, object] = {
    "font.family": "sans-serif",
    "font.sans-serif": FACES,
    "font.size": 8.5,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": QUIET,
    "axes.linewidth": 0.7,
    "axes.titlesize": 8.5,
    "axes.titlelocation": "left",
    "axes.labelsize": 8.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "text.parse_math": False,  # a dollar in a title is a dollar
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "legend.handlelength": 1.4,
    "figure.facecolor": "white",
    "figure.constrained_layout.use": True,
    "savefig.facecolor": "white",
    "svg.fonttype": "none",
    "svg.hashsalt": "attribution",
}


def styled(draw: Callable[P, R]) -> Callable[P, R]:
    """Draw under the house style alone, whatever the reader's own matplotlib settings are."""

    @wraps(draw)
    def inside(*args: P.args, **kwargs: P.kwargs) -> R:
        from matplotlib.style import context

        with context(["default", STYLE]):
            return draw(*args, **kwargs)

    return inside


def drawing(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Draw under the house style, and settle the layout so that every save finds the same one."""

    @styled
    @wraps(draw)
    def settled(*args: P.args, **kwargs: P.kwargs) -> Figure:
        drawn = draw(*args, **kwargs)
        drawn.draw_without_rendering()
        drawn.set_layout_engine("none")
        return drawn

    return settled


def colours(names: Sequence[str]) -> Mapping[str, str]:
    """Return one colour a name: known channels keep their own, others take free ones in order."""
    free = [c for c in OKABE_ITO if c not in {FIXED[n] for n in names if n in FIXED}] or [
        *OKABE_ITO
    ]
    unknown = [name for name in names if name not in FIXED]
    return {name: FIXED[name] for name in names if name in FIXED} | {
        name: free[i % len(free)] for i, name in enumerate(unknown)
    }


def figure(*, width: float = WIDTH, height: float) -> Figure:
    """Return an empty figure, inches, that belongs to no global state."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height))


def panels(
    count: int, *, columns: int, row_height: float, sharex: bool = False, sharey: bool = False
) -> tuple[Figure, list[Axes]]:
    """Return a figure and its axes, row by row; the places after the last are left blank."""
    rows = -(-count // columns)
    drawn = figure(height=row_height * rows + 0.5)
    grid = drawn.subplots(rows, columns, sharex=sharex, sharey=sharey, squeeze=False)
    axes = list(grid.flat)
    for blank in axes[count:]:
        blank.remove()
    for axis in axes[max(count - columns, 0) : count]:  # the last of each column tells the scale
        axis.tick_params(labelbottom=True)
    return drawn, axes[:count]


@styled
def svg_bytes(drawn: Figure, *, title: str) -> bytes:
    """Return the figure as SVG; the same figure gives the same bytes."""
    stream = BytesIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    drawn.savefig(stream, format="svg", metadata={**nothing, "Title": title})
    return stream.getvalue()


@styled
def png_bytes(drawn: Figure, *, title: str) -> bytes:
    """Return the figure as PNG; the same figure gives the same bytes."""
    stream = BytesIO()
    drawn.savefig(
        stream, format="png", dpi=PIXELS_PER_INCH, metadata={"Software": None, "Title": title}
    )
    return stream.getvalue()


def fan(axes: Axes, x: Any, band: Any, colour: str, *, alpha: float = 1.0, **more: Any) -> None:
    """Fill the 90 % and the 50 % band.

    Parameters
    ----------
    band : quantiles at 5, 25, 50, 75 and 95 %, (quantile, x); the middle one is not drawn.
    alpha : paler below one.
    """
    for low, high, shade in ((0, 4, 0.22), (1, 3, 0.38)):
        axes.fill_between(
            x, band[low], band[high], color=colour, alpha=shade * alpha, linewidth=0, **more
        )


def zero_line(axes: Axes, *, vertical: bool) -> None:
    """Mark zero, the value of a channel that did nothing."""
    (axes.axvline if vertical else axes.axhline)(0.0, color=QUIET, linewidth=0.8, zorder=1)


# Intervals and columns of text, the same in every figure that has rows of names.


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


# A figure and what the page says of it.


class Picture(NamedTuple):
    """A figure with the name of its file, a short title, and what to read in it.

    ``window`` names the window whose table it shows, and is empty for figures of the whole run.
    """

    name: str
    title: str
    caption: str
    figure: Figure
    window: str = ""
