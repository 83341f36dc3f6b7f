"""Claims about what moved the price, held against the decomposition of a saved run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from attribution.audit.sources import Sources
from attribution.audit.tested import Tested, Untestable, by_chance
from attribution.core.moves import leading
from attribution.errors import SpecError, nearest
from attribution.report import draws as saved
from attribution.report.numbers import label
from attribution.sampling.diagnostics import mean_with_error

if TYPE_CHECKING:
    import xarray as xr


# A saved run of a VAR in; contributions to its windows, draw by draw, out.


@dataclass(frozen=True)
class Window:
    """What one run says of one window, day by day.

    Attributes
    ----------
    run, name, unit : of the run, of the window, of the outcome.
    days, channels : names of the two axes.
    contribution : (sample, day, channel).
    baseline : (sample, day); what was expected before the window began.
    observed : (day,).
    weight : (sample,), sum one.
    chains : that the samples came from, one after another.
    """

    run: str
    name: str
    unit: str
    days: pd.DatetimeIndex
    channels: tuple[str, ...]
    contribution: np.ndarray
    baseline: np.ndarray
    observed: np.ndarray
    weight: np.ndarray
    chains: int

    def sum_of(self, channels: tuple[str, ...], day: str = "") -> np.ndarray:
        """Sum of channels over the window, or on one day of it, (sample,)."""
        for name in channels:
            if name not in self.channels:
                raise Untestable(
                    f"the run of '{self.run}' has no channel '{name}'{nearest(name, self.channels)}"
                )
        picked = self.contribution[:, :, [self.channels.index(name) for name in channels]]
        total: np.ndarray = self._cut(picked.sum(-1), day).sum(-1)
        return total

    def move(self, day: str = "") -> float:
        """Return what was observed over the window, or on one day of it."""
        return float(self._cut(self.observed[None], day).sum())

    def _cut(self, values: np.ndarray, day: str) -> np.ndarray:
        if not day:
            return values
        stamp = pd.Timestamp(day)
        if stamp not in self.days:
            raise Untestable(f"window '{self.name}' of '{self.run}' does not hold {day}")
        cut: np.ndarray = values[:, self.days == stamp]
        return cut

    def chance(self, true: np.ndarray) -> tuple[float, float]:
        """Posterior probability of what is true of some draws, (sample,), and its error."""
        lead = (self.chains, -1)
        return mean_with_error(true.reshape(lead), self.weight.reshape(lead))

    def said(self, draws: np.ndarray) -> str:
        """Mean and 90 % interval of draws, (sample,), in words."""
        found = saved.band(draws, self.weight)
        return f"{found.mean:+.1f} (90 % {found.q05:+.1f} to {found.q95:+.1f})"


def _changes(data: xr.Dataset) -> xr.Dataset:
    """Turn the path of a level into its changes, which add up to the move from the eve."""
    before = {"contribution": 0.0, "baseline": data["eve"], "observed": data["eve"]}
    parts = {
        name: data[name] - data[name].shift(time=1).fillna(eve) for name, eve in before.items()
    }
    return data.assign(parts)


def window(sources: Sources, run: str, name: str) -> Window:
    """Read one window of a run.

    Raises
    ------
    Untestable
        If the run was not given, or has no such window.
    """
    tree = sources.run(run).tree
    known = saved.windows(tree)
    if name not in known:
        raise Untestable(f"the run of '{run}' has no window '{name}'{nearest(name, known)}")
    data = saved.group(tree, f"windows/{name}")
    data = _changes(data) if "eve" in data else data
    return Window(
        run=run,
        name=name,
        unit=str(tree.attrs["outcome_unit"]),
        days=pd.DatetimeIndex(data["time"].to_numpy()),
        channels=tuple(str(channel) for channel in data["channel"].to_numpy()),
        contribution=saved.samples(data["contribution"].transpose(..., "time", "channel")),
        baseline=saved.samples(data["baseline"].transpose(..., "time")),
        observed=np.asarray(data["observed"].to_numpy(), float),
        weight=saved.weights(tree),
        chains=data.sizes["chain"],
    )


SIGNS = {"+": 1.0, "-": -1.0}


@dataclass(frozen=True)
class ShareOfMove:
    """Channels together make at least a share of the move of a window, or of one day of it."""

    run: str
    window: str
    channels: tuple[str, ...]
    at_least: float
    day: str = ""


@dataclass(frozen=True)
class Compare:
    """Some channels together did more of the move than others."""

    run: str
    window: str
    more: tuple[str, ...]
    than: tuple[str, ...]


@dataclass(frozen=True)
class Largest:
    """A channel is the largest part of the move of a window."""

    run: str
    window: str
    channel: str


@dataclass(frozen=True)
class Joint:
    """Several contributions have their signs at once, each beyond ``least``.

    ``days`` holds a day for each channel, or the word ``window`` for the whole of it.
    """

    run: str
    window: str
    channels: tuple[str, ...]
    days: str
    signs: str
    least: float = 0.0


@dataclass(frozen=True)
class Lead:
    """A channel's shocks before a window reached into it, in the direction of its move.

    ``long`` is the window that begins earlier, ``short`` the one that they reach into; ``least``
    is in the unit of the outcome.
    """

    run: str
    long: str
    short: str
    channel: str
    least: float


@dataclass(frozen=True)
class Forecast:
    """At least a share of a window's move was expected on its eve, from all shocks to then.

    With ``denied`` the claim is that it was not.
    """

    run: str
    window: str
    at_least: float
    denied: bool = False


def share_of_move(ask: ShareOfMove, sources: Sources) -> Tested:
    """Ask how much of a move is some channels'."""
    found = window(sources, ask.run, ask.window)
    part, move = found.sum_of(ask.channels, ask.day), found.move(ask.day)
    chance, error = found.chance(np.sign(move) * part >= ask.at_least * abs(move))
    return by_chance(
        f"{_and(ask.channels)}: {found.said(part)} of {move:+.1f} {found.unit}"
        f"{f' on {ask.day}' if ask.day else ''}, window {ask.window} of {ask.run}; at least"
        f" {100 * ask.at_least:g} % of the move with probability {chance:.2f}",
        chance,
        error,
    )


def compare(ask: Compare, sources: Sources) -> Tested:
    """Ask which of two groups of channels did more."""
    found = window(sources, ask.run, ask.window)
    more, than = found.sum_of(ask.more), found.sum_of(ask.than)
    chance, error = found.chance(np.sign(found.move()) * (more - than) > 0)
    return by_chance(
        f"{_and(ask.more)} {found.said(more)}, {_and(ask.than)} {found.said(than)} {found.unit},"
        f" window {ask.window} of {ask.run}; the first is the larger part with probability"
        f" {chance:.2f}",
        chance,
        error,
    )


def largest(ask: Largest, sources: Sources) -> Tested:
    """Ask whether a channel is the largest part."""
    found = window(sources, ask.run, ask.window)
    part = found.sum_of((ask.channel,))
    first = leading(found.contribution.sum(1), found.move())
    chance, error = found.chance(first == found.channels.index(ask.channel))
    return by_chance(
        f"{label(ask.channel)}: {found.said(part)} of {found.move():+.1f} {found.unit}, window"
        f" {ask.window} of {ask.run}; the largest part with probability {chance:.2f}",
        chance,
        error,
    )


def joint(ask: Joint, sources: Sources) -> Tested:
    """Ask whether several contributions have their signs in the same draw."""
    days, signs = ask.days.split(), ask.signs.split()
    if not len(days) == len(signs) == len(ask.channels) or not set(signs) <= set(SIGNS):
        raise SpecError(
            f"joint: {len(ask.channels)} channels need as many days and as many signs, + or -;"
            f" found '{ask.days}' and '{ask.signs}'"
        )
    found = window(sources, ask.run, ask.window)
    true, said = np.ones(len(found.weight), bool), []
    for channel, day, sign in zip(ask.channels, days, signs, strict=True):
        part = found.sum_of((channel,), "" if day == "window" else day)
        met = SIGNS[sign] * part > ask.least
        true &= met
        when = f"over {ask.window}" if day == "window" else f"on {day}"
        said.append(
            f"{label(channel)} {when} {found.said(part)} {found.unit}"
            f" ({sign} with probability {found.chance(met)[0]:.2f})"
        )
    chance, error = found.chance(true)
    both = f"; all at once with probability {chance:.2f}" if len(said) > 1 else ""
    return by_chance("; ".join(said) + both, chance, error)


def lead(ask: Lead, sources: Sources) -> Tested:
    """Take from the longer window what the shorter one says of its own shocks; the rest led."""
    long, short = (window(sources, ask.run, name) for name in (ask.long, ask.short))
    over = sum(long.sum_of((ask.channel,), f"{day:%Y-%m-%d}") for day in short.days)
    carried = np.asarray(over) - short.sum_of((ask.channel,))
    move = short.move()
    chance, error = short.chance(np.sign(move) * carried > ask.least)
    return by_chance(
        f"shocks of {label(ask.channel)} before {short.days[0]:%Y-%m-%d} carried"
        f" {short.said(carried)} {short.unit} into its move of {move:+.1f}, by {ask.run}; more than"
        f" {ask.least:g} in its direction with probability {chance:.2f}",
        chance,
        error,
    )


def forecast(ask: Forecast, sources: Sources) -> Tested:
    """Ask whether the model, given everything to the eve, expected the move."""
    found = window(sources, ask.run, ask.window)
    expected, move = found.baseline.sum(-1), found.move()
    chance, error = found.chance(np.sign(move) * expected >= ask.at_least * abs(move))
    return by_chance(
        f"expected on the eve, all earlier shocks still at work: {found.said(expected)} of"
        f" {move:+.1f} {found.unit}, window {ask.window} of {ask.run}; at least"
        f" {100 * ask.at_least:g} % of the move with probability {chance:.2f}",
        1.0 - chance if ask.denied else chance,
        error,
    )


def _and(names: tuple[str, ...]) -> str:
    return " + ".join(label(name) for name in names)
