r"""Claims that numbers alone decide: how rare a score is, what shorting does to shares.

.. math:: p(z) = 2\,\Pr(Z > |z|), \qquad N = L - S

with Z normal or Student-t of the same variance; N shares outstanding, L held long, S sold short.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from attribution.audit.sources import Sources
from attribution.audit.tested import Tested, by_bound
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
