"""What one test of a claim found: a sentence with its numbers, a probability, a verdict."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from typing import Any, TypeVar

from attribution.errors import SpecError
from attribution.finding import VERDICTS, verdict_of
from attribution.model.grammar import Table


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


# A table of a claim and the class of a test's parameters in; the parameters, typed, out.

P = TypeVar("P")


def _integers(table: Table, key: str) -> tuple[int, ...]:
    value = table.values.get(key)
    whole = isinstance(value, list | tuple) and all(type(item) is int for item in value)
    if not value or not whole:
        raise SpecError(
            f"{table.place}: {key} = {value!r} is not a list of whole numbers; correct it"
        )
    return tuple(value)


READERS: dict[str, Callable[[Table, str], Any]] = {
    "str": lambda table, key: table.text(key),
    "float": lambda table, key: table.number(key),
    "int": lambda table, key: table.integer(key, at_least=0 if key == "lag" else 1),
    "bool": lambda table, key: table.flag(key, False),
    "date": lambda table, key: table.day(key),
    "date | None": lambda table, key: table.day(key),
    "tuple[str, ...]": lambda table, key: table.texts(key),
    "tuple[int, ...]": _integers,
}
"""What a field may hold, by its annotation."""


def typed(kind: type[P], table: Table) -> P:
    """Read a test's parameters, strictly.

    Parameters
    ----------
    kind : a frozen dataclass; fields with a default may be left out.

    Raises
    ------
    SpecError
        If a key is unknown or missing, or a value has another type.
    """
    known = fields(kind)  # type: ignore[arg-type]
    table.known(field.name for field in known)
    values = {
        field.name: READERS[str(field.type)](table, field.name)
        for field in known
        if field.name in table.values or field.default is MISSING
    }
    return kind(**values)
