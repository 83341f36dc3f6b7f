"""What a mechanism trades as the price moves, and what the loop makes of a shock: figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from attribution.report.draws import group
from attribution.report.event_players import colours, unit
from attribution.report.numbers import decimals_for, label, number, span
from attribution.report.style import FIXED, INK, QUIET, drawing, fan, figure, zero_line

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BEYOND, LEAST = 1.25, 5.0
"""How far a profile is drawn: so many times the observed move, and at least so many log points."""
FALL, RISE = FIXED["crypto_liquidation"], FIXED["factor_derisking"]


def _bands(axis: Axes, x: np.ndarray, q: np.ndarray, colour: str) -> None:
    """Draw quantiles (5, x): the median, and 50 % and 90 % bands."""
    fan(axis, x, q, colour)
    axis.plot(x, q[2], color=colour, linewidth=1.4)


def _observed(tree: xr.DataTree) -> float:
    return float(group(tree, "coalitions").attrs["observed"])


@drawing
def hedge_profile(tree: xr.DataTree) -> Figure:
    """Draw what each mechanism trades against the move of the day, one panel a mechanism."""
    flow = group(tree, "profile")["flow"].transpose("mechanism", "quantile", "move")
    names = [str(name) for name in flow["mechanism"].to_numpy()]
    seen = _observed(tree)
    far = max(BEYOND * abs(seen), LEAST)
    flow = flow.sel(move=slice(-far, far))  # beyond, tails of extrapolated books set the scale
    move = flow["move"].to_numpy()
    paint = colours(names)
    drawn = figure(height=2.9)
    axes = drawn.subplots(1, len(names), squeeze=False)[0]
    for axis, name in zip(axes, names, strict=True):
        q = flow.sel(mechanism=name).to_numpy()
        _bands(axis, move, q, paint[name])
        zero_line(axis, vertical=False)
        axis.axvline(0.0, color=QUIET, linewidth=0.5, linestyle=(0, (1, 2)), zorder=1)
        axis.axvline(seen, color=INK, linewidth=1.0, linestyle=(0, (4, 2)), zorder=2)
        axis.set_title(f"{label(name)}\n{_at(seen, move, q)}", fontsize=8)
        axis.set_xlim(move[0], move[-1])
        axis.margins(y=0.08)
        axis.yaxis.set_major_formatter(lambda value, _: number(value, 0))
    axes[0].set_ylabel("bought (+) or sold (\N{MINUS SIGN}), USD million")
    drawn.supxlabel(f"move of the day, {unit(tree)}; dashed: observed", fontsize=8.5)
    return drawn


def _at(seen: float, move: np.ndarray, q: np.ndarray) -> str:
    """Say what is traded at the observed move: median and 90 % interval."""
    low, middle, high = (float(np.interp(seen, move, q[i])) for i in (0, 2, 4))
    places = min(decimals_for(max(abs(low), abs(high))), 1)
    return f"{number(middle, places)} ({span(low, high, places)})"


@drawing
def amplification(tree: xr.DataTree) -> Figure:
    """Draw shock in, move out; and by how much the loop multiplies falls and rises of one size."""
    data = group(tree, "curve")
    shock = data["shock"].to_numpy()
    on, off = (
        data[name].transpose("quantile", "shock").to_numpy()
        for name in ("with_feedback", "without_feedback")
    )
    drawn = figure(height=3.2)
    left, right = drawn.subplots(1, 2, width_ratios=(1.15, 1.0))
    for part, colour in ((shock <= 0, FALL), (shock >= 0, RISE)):
        _bands(left, shock[part], on[:, part], colour)
    left.plot(shock, off[2], color=INK, linewidth=1.1, linestyle=(0, (4, 2)))
    _mark_observed(left, tree, shock)
    for sign, colour, name in ((-1.0, FALL, "falls"), (1.0, RISE, "rises")):
        part = np.sign(shock) == sign
        ratio = np.sort(on[:, part] / shock[part], axis=0)
        order = np.argsort(np.abs(shock[part]))
        size, ends = np.abs(shock[part])[order], ratio[:, order]
        right.fill_between(size, ends[0], ends[4], color=colour, alpha=0.13, linewidth=0)
        right.plot(size, ends[[0, 4]].T, color=colour, linewidth=0.8)
        right.plot(size, ends[2], color=colour, linewidth=1.6, label=name)
    right.axhline(1.0, color=INK, linewidth=1.1, linestyle=(0, (4, 2)), label="no feedback")
    right.set_xlim(0.0, np.abs(shock).max())
    right.set_xlabel(f"size of the shock, {unit(tree)}")
    right.set_ylabel("move / shock")
    drawn.legend(*right.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    left.set_xlabel(f"shock, {unit(tree)}")
    left.set_ylabel(f"move, {unit(tree)}")
    left.set_xlim(shock[0], shock[-1])
    zero_line(left, vertical=False)
    zero_line(left, vertical=True)
    return drawn


def _mark_observed(axis: Axes, tree: xr.DataTree, shock: np.ndarray) -> None:
    """Draw the observed move across, with its number where the curve is not."""
    seen = _observed(tree)
    axis.axhline(seen, color=QUIET, linewidth=0.8, linestyle=":", zorder=1)
    axis.annotate(
        f"observed {number(seen, 1)}",
        (shock[-1] if seen < 0 else shock[0], seen),
        xytext=(-3 if seen < 0 else 3, 3),
        textcoords="offset points",
        ha="right" if seen < 0 else "left",
        va="bottom",
        color=QUIET,
        fontsize=7.5,
    )
