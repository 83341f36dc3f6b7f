"""A question put to a fitted model, what it answered, and the verdict."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

VERDICTS = ("holds", "fails", "undecided")
SURE = 0.9
"""Posterior probability from which an answer is a verdict."""


@dataclass(frozen=True)
class Finding:
    """One check.

    Attributes
    ----------
    name : a short name, unique in a run.
    question, evidence : sentences; the evidence carries its numbers and units.
    verdict : ``holds``, ``fails`` or ``undecided``.
    probability : posterior probability that the claim holds, where there is one.
    """

    name: str
    question: str
    evidence: str
    verdict: str
    probability: float | None = None

    def __post_init__(self) -> None:
        if self.verdict not in VERDICTS:
            raise ValueError(f"verdict '{self.verdict}' is none of {', '.join(VERDICTS)}")

    def record(self) -> dict[str, Any]:
        """Return the finding as plain data."""
        return asdict(self)


def verdict_of(probability: float) -> str:
    """Return the verdict of a claim that holds with a posterior probability."""
    if probability >= SURE:
        return "holds"
    return "fails" if probability <= 1.0 - SURE else "undecided"
