"""A number that no source states: its law and where that law comes from, read from TOML.

Written in braces, the law by its two numbers: ``{ low = 40, high = 65, source = "..." }`` for any
value between two as likely as another, ``{ median = 800, sd = 0.35, ... }`` for a log-normal one
(sd of the logarithm), ``{ p = 1, q = 3, ... }`` for a beta.
"""

from __future__ import annotations

from dataclasses import dataclass

from attribution.errors import SpecError
from attribution.model.grammar import Table

LAWS = {"uniform": ("low", "high"), "lognormal": ("median", "sd"), "beta": ("p", "q")}
"""Law -> the names of its two numbers."""


@dataclass(frozen=True)
class Uncertain:
    """What is believed of a number, and why.

    Attributes
    ----------
    law : one of ``LAWS``.
    first, second : its numbers, in the order of ``LAWS``.
    source : of the belief.
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
        return f"median {a}, sd of log {b}" if self.law == "lognormal" else f"beta({a}, {b})"


def uncertain(table: Table, key: str, laws: tuple[str, ...] = tuple(LAWS)) -> Uncertain:
    """Read what is believed of a number.

    Parameters
    ----------
    laws : those that it may have.

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
    bound = -1e300 if law == "uniform" else 0.0
    law_of = Uncertain(
        law, found.number(first, above=bound), found.number(second, above=bound),
        found.text("source"),
    )  # fmt: skip
    if law == "uniform" and not law_of.first < law_of.second:
        raise SpecError(
            f"{found.place}: low = {law_of.first:g} is not below high = {law_of.second:g}; swap"
            " them, or widen the range"
        )
    return law_of
