"""A parsed TOML document in; nothing out, or the first place where it is beyond all bounds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attribution.errors import SpecError
from attribution.limits import COUNTS, DEPTH, ENTRIES, EXACT, TEXT_LETTERS, shown
from attribution.model.names import file_name, refuse_name
from attribution.screen import visible

NAMING = frozenset(
    {
        *("name", "outcome", "variables", "auxiliary", "tests", "levels", "order", "shocks"),
        *("channel", "column", "panel", "beside"),
    }
)
"""Keys whose texts name something of ours; every key names a column at least."""


def refuse_document(values: Mapping[str, Any], place: str) -> None:
    """Refuse keys and names that nothing can bear, texts that steer a terminal, and masses.

    Raises
    ------
    SpecError
        With the path to the first fault.
    """
    _walk(values, "", place, 0)


def _walk(value: Any, key: str, place: str, depth: int) -> None:
    if depth > DEPTH:
        raise SpecError(f"{place}: nested deeper than the limit of {DEPTH}; flatten it")
    if isinstance(value, str):
        _text(value, key, place)
    elif isinstance(value, int) and abs(value) > EXACT:
        raise SpecError(
            f"{place}: {key} = {shown(value)} is a whole number beyond {EXACT:,}; write it as"
            " a decimal number, or correct it"
        )
    elif isinstance(value, Mapping):
        _count(value, key, place)
        for name, item in value.items():
            refuse_name(name, f"{place}: the key", raw=True)
            inside = isinstance(item, Mapping)
            _walk(item, name, f"{place}: [{name}]" if inside else place, depth + 1)
    elif isinstance(value, list | tuple):
        _count(value, key, place)
        _files(value, key, place)
        for number, item in enumerate(value, start=1):
            inside = isinstance(item, Mapping)
            _walk(item, key, f"{place}: [[{key}]] number {number}" if inside else place, depth + 1)


def _count(value: Any, key: str, place: str) -> None:
    limit = COUNTS.get(key, ENTRIES)
    if len(value) > limit:
        raise SpecError(
            f"{place}: {len(value):,} entries of '{key}', above the limit of {limit:,}; keep those"
            " that are needed"
        )


def _files(value: list[Any] | tuple[Any, ...], key: str, place: str) -> None:
    """Refuse different names after which one file would be named."""
    seen: dict[str, str] = {}
    for item in value:
        name = item.get("name") if isinstance(item, Mapping) else None
        if isinstance(name, str):
            first = seen.setdefault(file_name(name).casefold(), name)
            if first != name:
                raise SpecError(
                    f"{place}: [[{key}]]: '{first}' and '{name}' would name one file; rename one"
                )


def _text(value: str, key: str, place: str) -> None:
    if key in NAMING and value:
        refuse_name(value, f"{place}: {key}")
    if len(value) > TEXT_LETTERS:
        raise SpecError(
            f"{place}: {key} has {len(value):,} letters, above the limit of {TEXT_LETTERS:,};"
            " shorten it"
        )
    if visible(value) != value:
        raise SpecError(f"{place}: {key} = {shown(value)} holds a control character; remove it")
