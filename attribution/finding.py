"""A question put to a fitted model, what it answered, and the verdict."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Self

VERDICTS = ("holds", "fails", "undecided", "untestable")
SURE = 0.9
"""Posterior probability from which an answer is a verdict."""


@dataclass(frozen=True)
class Finding:
    """One check.

    Attributes
    ----------
    name : a short name, unique in a run.
    question, evidence : sentences; the evidence carries its numbers and units.
    verdict : ``holds``, ``fails``, ``undecided``, or ``untestable`` with the data at hand.
    probability : posterior probability that the claim holds, where there is one.
    error : Monte Carlo standard error of the probability, where it is known.
    """

    name: str
    question: str
    evidence: str
    verdict: str
    probability: float | None = None
    error: float | None = None

    def __post_init__(self) -> None:
        if self.verdict not in VERDICTS:
            raise ValueError(f"verdict '{self.verdict}' is none of {', '.join(VERDICTS)}")

    @classmethod
    def by_chance(
        cls,
        name: str,
        question: str,
        evidence: str,
        *,
        probability: float,
        error: float,
        sure: float = SURE,
    ) -> Self:
        """Return the finding that a probability and its Monte Carlo error decide."""
        verdict = verdict_of(probability, sure=sure, error=error)
        return cls(name, question, evidence, verdict, probability, error)

    def record(self) -> dict[str, Any]:
        """Return the finding as plain data."""
        return asdict(self)


def verdict_of(probability: float, *, sure: float = SURE, error: float = 0.0) -> str:
    """Return the verdict of a claim that holds with a posterior probability.

    Parameters
    ----------
    sure : probability from which it is one.
    error : Monte Carlo standard error of the probability, which must be clear of ``sure`` by two.
    """
    if probability - 2.0 * error >= sure:
        return "holds"
    return "fails" if probability + 2.0 * error <= 1.0 - sure else "undecided"
