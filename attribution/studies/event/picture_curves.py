"""What a mechanism trades as the price moves, and what the loop makes of a shock: figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from attribution.report.draws import group
from attribution.report.numbers import decimals_for, label, number, span
from attribution.report.style import (
    FIXED,
    GREY,
    INK,
    OKABE_ITO,
    QUIET,
    drawing,
    fan,
    figure,
    zero_line,
)

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


# A run of kind event in; its players in the order of figures, and their colours, out.

PAINT = {
    "factor": FIXED["factor_derisking"],
    "basis": FIXED["basis_unwind"],
    "notes": FIXED["barrier_hedging"],
    "gamma": OKABE_ITO[5],
    "liquidations": FIXED["crypto_liquidation"],
    "rest": GREY,
    "observed": FIXED["observed"],
}
"""Mechanisms wear the colours of the channels that a VAR names after the same trade."""


def colours(names: Sequence[str]) -> Mapping[str, str]:
    """Return one colour a player; groups of drivers that are not known take free ones."""
    unknown = [name for name in names if name not in PAINT]
    free = [c for c in OKABE_ITO if c not in {PAINT[n] for n in names if n in PAINT}]
    free = free or [*OKABE_ITO]
    return {name: PAINT[name] for name in names if name in PAINT} | {
        name: free[i % len(free)] for i, name in enumerate(unknown)
    }


def players(tree: xr.DataTree) -> list[str]:
    """Return triggers, then amplifiers, each in the order of the run."""
    names = [str(name) for name in group(tree, "coalitions")["player"].to_numpy()]
    first = triggers(tree)
    return [*first, *(name for name in names if name not in first)]


def triggers(tree: xr.DataTree) -> list[str]:
    """Return the players that strike before anything amplifies."""
    return [str(name) for name in np.atleast_1d(group(tree, "coalitions").attrs["triggers"])]


def amplifiers(tree: xr.DataTree) -> list[str]:
    """Return the players that answer the move itself."""
    return players(tree)[len(triggers(tree)) :]


def unit(tree: xr.DataTree) -> str:
    """Return the unit of the move."""
    return str(group(tree, "coalitions").attrs["unit"])


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


# The event's day by steps: its path, what each mechanism had added, and what it had traded.

TICKS = 4
"""Spaces between the times that the axis of the path names."""


@drawing
def day_by_step(tree: xr.DataTree) -> Figure:
    """Draw the path with and without mechanisms, and below it each mechanism by itself."""
    data = group(tree, "steps")
    names = [str(name) for name in data["mechanism"].to_numpy()]
    paint = colours(names)
    hours = np.r_[0.0, data["hours"].to_numpy()]
    seen = _begun(data["observed"].to_numpy())
    without = _begun(data["without"].transpose("mechanism", "quantile", "step").to_numpy())
    alone = _begun(data["alone"].transpose("quantile", "step").to_numpy())
    flow = _begun(data["flow"].transpose("mechanism", "quantile", "step").to_numpy())
    drawn = figure(height=5.6)
    grid = drawn.add_gridspec(3, len(names), height_ratios=(1.5, 1.0, 1.0))
    _path(drawn.add_subplot(grid[0, :]), tree, hours, seen, alone, without, names)
    for place, name in enumerate(names):
        # a quantile of what was added is the observed path less the other quantile without it
        added = (seen - without[place])[::-1]
        for row, q in ((1, added), (2, flow[place])):
            axis = drawn.add_subplot(grid[row, place])
            fan(axis, hours, q, paint[name])
            axis.plot(hours, q[2], color=paint[name], linewidth=1.4)
            axis.set_title(f"{label(name)}: {_last(q)}", fontsize=8)
            zero_line(axis, vertical=False)
            axis.set_xlim(0.0, hours[-1])
            axis.set_xticks(np.linspace(0.0, hours[-1], 3))
            axis.xaxis.set_major_formatter(lambda value, _: number(value, 0))
            axis.yaxis.set_major_formatter(lambda value, _: f"{value:,.4g}".replace("-", "\u2212"))
            if not place:
                axis.set_ylabel(f"added, {unit(tree)}" if row == 1 else "bought, USD million")
    drawn.supxlabel("hours since the close of the eve", fontsize=8.5)
    return drawn


def _path(
    axis: Axes, tree: xr.DataTree, hours: np.ndarray, seen: np.ndarray, alone: np.ndarray,
    without: np.ndarray, names: list[str],
) -> None:  # fmt: skip
    paint = colours(names)
    fan(axis, hours, alone, GREY)
    axis.plot(hours, alone[2], color=GREY, linewidth=1.2, label="without all three")
    for place, name in enumerate(names):
        line = without[place, 2]
        axis.plot(hours, line, color=paint[name], linewidth=1.0, label=f"without {label(name)}")
    axis.plot(hours, seen, color=INK, linewidth=1.2, label="observed")
    zero_line(axis, vertical=False)
    axis.set_xlim(0.0, hours[-1])
    axis.set_xticks(np.linspace(0.0, hours[-1], TICKS + 1))
    axis.xaxis.set_major_formatter(lambda value, _: number(value, 0))
    axis.set_ylabel(f"since the eve, {unit(tree)}")
    axis.legend(loc="lower left", ncols=2)


def _begun(values: np.ndarray) -> np.ndarray:
    """Put nothing before the first step."""
    return np.concatenate([np.zeros((*values.shape[:-1], 1)), values], axis=-1)


def _last(q: np.ndarray) -> str:
    """Say what it was at the close: median and 90 % interval."""
    low, middle, high = (float(q[i, -1]) for i in (0, 2, 4))
    places = min(decimals_for(max(abs(low), abs(high))), 2)
    return f"{number(middle, places)}\n({span(low, high, places)})"
