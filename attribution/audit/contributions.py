"""Claims about what moved the price, held against the decomposition of a saved run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attribution.audit.draws import window
from attribution.audit.sources import Sources
from attribution.audit.tested import Tested, by_chance
from attribution.core.largest import leading
from attribution.errors import SpecError
from attribution.report.numbers import label

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
