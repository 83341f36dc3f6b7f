"""The law of a number that no source states, read from the braces of a model file.

A law is its two numbers: ``{ low = 40, high = 65 }`` for any value between two as likely as
another, ``{ median = 800, sd = 0.35 }`` for a log-normal one (sd of the logarithm),
``{ mean = 0.5, sd = 0.03 }`` for a normal and ``{ p = 1, q = 3 }`` for a beta one; beside them,
where the belief comes from, ``source = "..."``, which some readers insist on.
"""

from __future__ import annotations

from dataclasses import dataclass

from attribution.errors import SpecError
from attribution.model.grammar import Table

LAWS = {
    "uniform": ("low", "high"),
    "lognormal": ("median", "sd"),
    "normal": ("mean", "sd"),
    "beta": ("p", "q"),
}
"""Law -> the names of its two numbers."""


@dataclass(frozen=True)
class Uncertain:
    """What is believed of a number, and why.

    Attributes
    ----------
    law : one of ``LAWS``.
    first, second : its numbers, in the order of ``LAWS``.
    source : of the belief; empty where none is given.
    """

    law: str
    first: float
    second: float
    source: str

    @property
    def words(self) -> str:
        """The law as a reader is told of it."""
        a, b = f"{self.first:g}", f"{self.second:g}"
        if self.law == "uniform":
            return f"{a} to {b}"
        if self.law == "normal":
            return f"mean {a}, sd {b}"
        return f"median {a}, sd of log {b}" if self.law == "lognormal" else f"beta({a}, {b})"


BELIEVED = ("uniform", "lognormal", "beta")
"""Laws of a number that may lie anywhere in a range, if a reader names none."""


def uncertain(
    table: Table, key: str, laws: tuple[str, ...] = BELIEVED, *, sourced: bool = True
) -> Uncertain:
    """Read what is believed of a number.

    Parameters
    ----------
    laws : those that it may have.
    sourced : whether its source must be given.

    Raises
    ------
    SpecError
        With the key and the remedy.
    """
    found = table.sub(key, required=True)
    found.known((*(name for law in laws for name in LAWS[law]), "source"))
    law = next((law for law in laws if LAWS[law][0] in found.values), None)
    if law is None:
        forms = " or ".join(", ".join(LAWS[law]) for law in laws)
        raise SpecError(f"{found.place}: it has no law; give {forms}")
    found.known((*LAWS[law], "source"))
    first, second = LAWS[law]
    low = -1e300 if law in ("uniform", "normal") else 0.0
    law_of = Uncertain(
        law,
        found.number(first, above=low),
        found.number(second, above=-1e300 if law == "uniform" else 0.0),
        found.text("source") if sourced else found.text("source", ""),
    )
    if law == "uniform" and not law_of.first < law_of.second:
        raise SpecError(
            f"{found.place}: low = {law_of.first:g} is not below high = {law_of.second:g}; swap"
            " them, or widen the range"
        )
    return law_of
