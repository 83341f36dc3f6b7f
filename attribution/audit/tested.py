"""What one test of a claim found: a sentence with its numbers, a probability, a verdict."""

from __future__ import annotations

import math
from dataclasses import dataclass

from attribution.finding import VERDICTS, verdict_of


class Untestable(Exception):
    """The data and the runs at hand cannot decide a claim.

    ``missing`` names the run that would, where one would.
    """

    def __init__(self, reason: str, missing: str = "") -> None:
        super().__init__(reason)
        self.missing = missing


@dataclass(frozen=True)
class Tested:
    """One test of one claim.

    Attributes
    ----------
    evidence : a sentence with its numbers and units.
    verdict : one of ``finding.VERDICTS``.
    probability : that the claim holds, where there is one.
    missing : the run that would make it testable.
    """

    evidence: str
    verdict: str
    probability: float | None = None
    missing: str = ""

    def __post_init__(self) -> None:
        if self.verdict not in VERDICTS:
            raise ValueError(f"verdict '{self.verdict}' is none of {', '.join(VERDICTS)}")


def by_chance(evidence: str, probability: float, error: float) -> Tested:
    """Return what a probability of the claim decides, its Monte Carlo error allowed for."""
    if not math.isfinite(probability):
        raise Untestable(f"no probability can be computed: {evidence}")
    chance = min(max(float(probability), 0.0), 1.0)
    verdict = verdict_of(chance, error=error)
    if verdict != verdict_of(chance):
        evidence += f"; within twice its Monte Carlo error, {error:.3f}, of the limit"
    return Tested(evidence, verdict, chance)


def by_bound(evidence: str, met: bool) -> Tested:
    """Return what a stated bound decides, where the numbers carry no error of their own."""
    return Tested(evidence, "holds" if met else "fails")


def by_cases(evidence: str, met: list[bool]) -> Tested:
    """Return ``holds`` or ``fails`` if every case agrees, ``undecided`` if they differ."""
    if len(set(met)) > 1:
        return Tested(evidence, "undecided")
    return by_bound(evidence, met[0])


def untestable(reason: Untestable) -> Tested:
    """Return what is said of a claim that cannot be tested."""
    return Tested(str(reason), "untestable", missing=reason.missing)
