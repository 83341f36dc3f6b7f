"""Claims of which only published figures speak: whether these agree, and what nobody published."""

from __future__ import annotations

from dataclasses import dataclass

from attribution.audit.sources import Sources
from attribution.audit.tested import Tested, Untestable, by_bound


@dataclass(frozen=True)
class PublishedOnly:
    """A figure that no series at hand can confirm: quoted, and left untestable.

    ``needs`` says which data would decide.
    """

    figures: tuple[str, ...]
    needs: str


@dataclass(frozen=True)
class FiguresAgree:
    """Two published figures of one thing that no series at hand measures.

    Where they differ by more than ``tolerance`` of the smaller (ranges: at either end) the claim is
    untestable; where they agree it is still only quoted, and undecided.
    """

    first: str
    second: str
    tolerance: float = 0.1


@dataclass(frozen=True)
class FigureAtLeast:
    """A published figure is at least ``level``, in the unit of the figure."""

    figure: str
    level: float


def published_only(ask: PublishedOnly, sources: Sources) -> Tested:
    """Quote, and decide nothing."""
    quoted = "; ".join(sources.quote(key) for key in ask.figures)
    raise Untestable(f"published: {quoted}; to test it: {ask.needs}")


def figures_agree(ask: FiguresAgree, sources: Sources) -> Tested:
    """Compare two published figures."""
    one, other = sources.figure(ask.first), sources.figure(ask.second)
    if one.unit != other.unit:
        raise Untestable(f"{one.quoted()} and {other.quoted()} have different units")
    gap = max(_gap(one.low, other.low), _gap(one.high, other.high))
    said = (
        f"{one.quoted()} against {other.quoted()}: they differ by up to {100 * gap:.0f} %, and"
        f" {100 * ask.tolerance:g} % would count as agreement; quoted, not measured here"
    )
    if gap > ask.tolerance:
        raise Untestable(said)
    return Tested(said, "undecided")


def figure_at_least(ask: FigureAtLeast, sources: Sources) -> Tested:
    """Compare a published figure with a level."""
    found = sources.figure(ask.figure)
    return by_bound(
        f"published: {found.quoted()}, by {found.source}; the claim needs {ask.level:g}"
        f" {found.unit}. It is quoted, not measured here",
        found.low >= ask.level,
    )


def _gap(one: float, other: float) -> float:
    if one == other:
        return 0.0
    smaller = min(abs(one), abs(other))
    return abs(one - other) / smaller if smaller > 0 else float("inf")
