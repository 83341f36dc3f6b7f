"""A table of a claim and the class of a test's parameters in; the parameters, typed, out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, fields
from typing import Any, TypeVar

from attribution.errors import SpecError
from attribution.model.grammar import Table

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
