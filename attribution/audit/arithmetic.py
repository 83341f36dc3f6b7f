r"""Claims that numbers alone decide: how rare a score is, what shorting does to shares.

.. math:: p(z) = 2\,\Pr(Z > |z|), \qquad N = L - S

with Z normal or Student-t of the same variance; N shares outstanding, L held long, S sold short.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from attribution.audit.sources import Sources
from attribution.audit.tested import Tested, Untestable, by_bound
from attribution.errors import SpecError


@dataclass(frozen=True)
class TailProbability:
    """A score of ``figure`` standard deviations has about the stated probability.

    ``law`` is ``normal`` or ``student``; Student's, of ``dof`` above 2, has the same variance.
    """

    figure: str
    stated: float
    tolerance: float = 0.1
    law: str = "normal"
    dof: float = 4.0
    sides: int = 2


@dataclass(frozen=True)
class TailRatio:
    """A score of ``figure`` sd is at least ``times`` rarer than one of ``against`` sd."""

    figure: str
    against: float
    times: float
    tolerance: float = 0.1
    law: str = "normal"
    dof: float = 4.0
    sides: int = 2


@dataclass(frozen=True)
class ShortingCreates:
    """A short sale of ``shorted`` million shares raises shares outstanding by ``figure``.

    ``lent`` is the share of the borrowed stock that was created in order to be lent.
    """

    figure: str
    shorted: float
    lent: float = 0.0


def tail_probability(ask: TailProbability, sources: Sources) -> Tested:
    """Compare the probability of a score with the one stated."""
    if not 0 < ask.stated < 1:
        raise SpecError(f"tail_probability: stated {ask.stated:g} is no probability; give a share")
    z = sources.figure(ask.figure).value
    p = rarity(z, ask.law, ask.dof, ask.sides)
    return by_bound(
        f"{z:g} standard deviations: {100 * p:.3g} % {_law(ask.law, ask.dof, ask.sides)}, stated"
        f" {100 * ask.stated:g} % (within {100 * ask.tolerance:g} % counts as equal)",
        abs(p / ask.stated - 1.0) <= ask.tolerance,
    )


def tail_ratio(ask: TailRatio, sources: Sources) -> Tested:
    """Compare how much rarer one score is than another with what is stated."""
    z = sources.figure(ask.figure).value
    ratio = rarity(ask.against, ask.law, ask.dof, ask.sides) / rarity(
        z, ask.law, ask.dof, ask.sides
    )
    return by_bound(
        f"{z:g} standard deviations are {ratio:.1f} times rarer than {ask.against:g}"
        f" {_law(ask.law, ask.dof, ask.sides)}; stated {ask.times:g} times",
        ratio >= ask.times * (1.0 - ask.tolerance),
    )


def shorting_creates(ask: ShortingCreates, sources: Sources) -> Tested:
    """Apply the identity of longs, shorts and shares outstanding."""
    wanted = sources.figure(ask.figure).value
    created = ask.lent * ask.shorted
    return by_bound(
        f"shares outstanding are longs less shorts: a short sale of {ask.shorted:g} million adds as"
        f" much to both, so with {100 * ask.lent:g} % of the borrowed shares created to be lent it"
        f" adds {created:g} million to shares outstanding, against {sources.quote(ask.figure)}",
        created >= wanted,
    )


def rarity(z: float, law: str, dof: float, sides: int) -> float:
    """Probability of a score at least as far out, under a law of unit variance."""
    if law not in ("normal", "student") or sides not in (1, 2):
        raise SpecError(
            f"law '{law}' with {sides} sides is unknown; use normal or student, and 1 or 2 sides"
        )
    if law == "normal":
        return float(sides * stats.norm.sf(abs(z)))
    if not dof > 2:
        raise SpecError(f"dof = {dof:g}: such a law has no variance; give more than 2")
    return float(sides * stats.t.sf(abs(z) * np.sqrt(dof / (dof - 2.0)), dof))


def _law(law: str, dof: float, sides: int) -> str:
    name = "a normal law" if law == "normal" else f"Student's t({dof:g}) of the same variance"
    return f"under {name}, {'two-sided' if sides == 2 else 'one-sided'}"


# Claims of which only published figures speak: whether these agree, and what nobody published.


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
