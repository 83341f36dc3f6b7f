"""Strict reading of TOML tables: every key known, every type checked, every refusal located."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

from attribution.errors import SpecError, nearest
from attribution.limits import (
    COUNTS,
    DEPTH,
    ENTRIES,
    EXACT,
    TEXT_LETTERS,
    TOML_BYTES,
    bounded,
    shown,
    whole_number,
)
from attribution.model.faults import fault, gathered
from attribution.model.names import file_name, period_of, refuse_name
from attribution.screen import visible

# A parsed TOML document in; nothing out, or the first place where it is beyond all bounds.

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


T = TypeVar("T")
REQUIRED: Any = object()
_ABSENT: Any = object()
"""Stands for a value whose absence has been noted, or is the consequence of another fault."""
_DOTTED = re.compile(rf"""(?<![\w"'-])[\w"'-]++(?:[ \t]*+\.[ \t]*+[\w"'-]++){{{DEPTH}}}""")
"""A dotted key of more parts than tables may be nested; TOML's reader is slow on long ones."""


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file, or say in one sentence why it cannot be read."""
    refuse_name(path.stem, f"{path.name}: the file's name")
    bounded(path, TOML_BYTES, "keep to what the program reads")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SpecError(f"{path.name}: cannot be read ({error.strerror}); check the path") from None
    except UnicodeDecodeError:
        raise SpecError(f"{path.name}: not a text file; give a TOML file in UTF-8") from None
    return parse_toml(text, path.name)


def parse_toml(text: str, place: str) -> dict[str, Any]:
    """Parse the text of a TOML file that stands within every limit."""
    try:
        if _DOTTED.search(text):
            raise RecursionError
        found = tomllib.loads(text)
    except RecursionError:
        raise SpecError(f"{place}: nested deeper than the limit of {DEPTH}; flatten it") from None
    except tomllib.TOMLDecodeError as error:
        raise SpecError(f"{place}: not valid TOML ({error}); correct that line") from None
    except ValueError:  # Python converts no text of so many digits
        raise SpecError(f"{place}: a number has thousands of digits; correct it") from None
    refuse_document(found, place)
    return found


@dataclass(frozen=True)
class Table:
    """A TOML table that knows where it stands; values are taken by name and type.

    Where faults are gathered, a value that is wrong or missing is noted, and a stand-in of its type
    is returned; ``void`` is a table that stands in for another, in which nothing is missing.
    """

    place: str
    values: Mapping[str, Any]
    void: bool = False

    def known(self, names: Iterable[str]) -> Table:
        """Refuse keys that are not in ``names``."""
        names, faults = tuple(names), gathered()
        odd = [key for key in self.values if key not in names]
        if odd:
            said = ", ".join(f"'{key}'{nearest(key, names)}" for key in odd)
            them = "it" if len(odd) == 1 else "them"
            fault(SpecError(f"{self.place}: unknown key {said}; correct or remove {them}"))
        if odd and faults is not None:
            close = [get_close_matches(key, names, n=1, cutoff=0.5) for key in odd]
            meant = names if [] in close else [name for one in close for name in one]
            faults.meant |= {(self.place, name) for name in meant}
        return self

    def sub(self, key: str, *, required: bool = False) -> Table:
        """Return the table under ``key``; an empty one if it is absent and not required."""
        value = self._take(key, REQUIRED if required else {})
        if not isinstance(value, dict):
            return self._wrong(key, value, "a table", Table(f"{self.place}: [{key}]", {}, True))
        return Table(f"{self.place}: [{key}]", value)

    def many(self, key: str) -> list[Table]:
        """Return the tables of an array of tables, numbered from one."""
        value = self._take(key, [])
        if not isinstance(value, list | tuple) or not all(isinstance(item, dict) for item in value):
            return self._wrong(key, value, f"an array of tables [[{key}]]", [])
        return [
            Table(f"{self.place}: [[{key}]] number {number}", item)
            for number, item in enumerate(value, start=1)
        ]

    def some(self, key: str) -> list[Table]:
        """Return the one table under ``key``, or the tables of an array, numbered from one."""
        value = self._take(key, REQUIRED)
        if isinstance(value, dict):
            return [self.sub(key)]
        if (
            not isinstance(value, list | tuple)
            or not value
            or not all(isinstance(v, dict) for v in value)
        ):
            return self._wrong(key, value, "a claim in braces, or a list of such claims", [])
        return [
            Table(f"{self.place}: [{key}] number {number}", item)
            for number, item in enumerate(value, start=1)
        ]

    def text(self, key: str, default: Any = REQUIRED) -> str:
        """Return a text; an empty one only where there is a default."""
        value = self._take(key, default)
        if not isinstance(value, str) or (value == "" and default is REQUIRED):
            return self._wrong(key, value, "a non-empty text", "")
        return value

    def choice(self, key: str, known: tuple[str, ...], default: Any = REQUIRED) -> str:
        """Return one of the known texts."""
        value = self._take(key, default)
        if not isinstance(value, str) or (value == "" and default is REQUIRED):
            return self._wrong(key, value, "a non-empty text", known[0])
        if value not in known:
            fault(
                SpecError(
                    f"{self.place}: {key} '{value}' is unknown{nearest(value, known)}; correct it"
                )
            )
            return known[0]
        return value

    def sign(self, key: str, known: Iterable[str], default: Any = REQUIRED) -> str:
        """Return one of the signs, each a character in quotes."""
        known, value = tuple(known), self.text(key, default)
        if value not in known and (key in self.values or value != default):
            *first, last = (repr(sign) for sign in known)
            raise SpecError(
                f"{self.place}: {key} = {value!r} is not {', '.join(first)} or {last}; correct it"
            )
        return value

    def raw(self, key: str, default: Any, form: Mapping[str, Any]) -> Any:
        """Return a value as it stands, for a reader that takes more than one type.

        Parameters
        ----------
        form : JSON Schema of what it may be, with ``examples`` that the reader accepts.
        """
        return self.values.get(key, default)

    def only(self, names: Iterable[str]) -> Table:
        """Return the same table with these keys alone."""
        kept = frozenset(names)
        return Table(self.place, {key: v for key, v in self.values.items() if key in kept})

    def number(self, key: str, default: Any = REQUIRED, *, above: float = -math.inf) -> float:
        """Return a finite number above a bound."""
        value = self._take(key, default)
        stand_in = above + 1.0 if math.isfinite(above) else 0.0
        if isinstance(value, bool) or not isinstance(value, int | float):
            return self._wrong(key, value, "a number", stand_in)
        if not math.isfinite(value) or not value > above:
            wanted = "a number that is finite" if math.isinf(above) else f"a number above {above:g}"
            return self._wrong(key, value, wanted, stand_in)
        return float(value)

    def integer(self, key: str, default: Any = REQUIRED, *, at_least: int = 0) -> int:
        """Return a whole number of at least a bound."""
        value = self._take(key, default)
        if value is _ABSENT:
            return at_least
        try:
            return whole_number(value, key, least=at_least, place=f"{self.place}: {key}")
        except SpecError as error:
            fault(error)
            return at_least

    def flag(self, key: str, default: bool) -> bool:
        """Return true or false."""
        value = self._take(key, default)
        if not isinstance(value, bool):
            return self._wrong(key, value, "true or false", default)
        return value

    def pair(self, key: str) -> tuple[float, float]:
        """Return two numbers, the smaller first; an end may be infinite."""
        value = self._take(key, REQUIRED)
        numeric = isinstance(value, list | tuple) and len(value) == 2
        if not numeric or any(isinstance(v, bool) or not isinstance(v, int | float) for v in value):
            return self._wrong(key, value, "two numbers", (0.0, 1.0))
        low, high = (float(v) for v in value)
        if not low < high:
            fault(
                SpecError(
                    f"{self.place}: {key} = {value!r} is empty; give the smaller number first"
                )
            )
        return low, high

    def day(self, key: str) -> date:
        """Return a date; the label of a period stands for its first day."""
        return self._day(key, self._take(key, REQUIRED))

    def days(self, key: str, count: int) -> tuple[date, ...]:
        """Return a list of dates of a given length."""
        value = self._take(key, REQUIRED)
        if not isinstance(value, list | tuple) or len(value) != count:
            return self._wrong(key, value, f"a list of {count} dates", (date.min,) * count)
        return tuple(self._day(key, item) for item in value)

    def dates(self, key: str) -> tuple[date, ...]:
        """Return a list of increasing dates, empty if it is left out."""
        value = self._take(key, [])
        if not isinstance(value, list | tuple):
            return self._wrong(key, value, "a list of dates", ())
        faults = gathered()
        before = 0 if faults is None else faults.noted
        found = tuple(self._day(key, item) for item in value)
        read = faults is None or faults.noted == before
        if read and any(later <= earlier for earlier, later in pairwise(found)):
            fault(SpecError(f"{self.place}: {key} does not increase; sort the dates"))
        return found

    def texts(
        self, key: str, default: Any = REQUIRED, *, among: Iterable[str] = ()
    ) -> tuple[str, ...]:
        """Return a list of texts without repetitions.

        Parameters
        ----------
        among : all that a reader takes, for the schema; the reader itself refuses any other.
        """
        value = self._take(key, default)
        if not isinstance(value, list | tuple) or not all(isinstance(v, str) for v in value):
            return self._wrong(key, value, "a list of texts", ())
        if len(set(value)) != len(value):
            return self._wrong(key, value, "a list without repetitions", ())
        return tuple(value)

    def numbers(self, key: str) -> dict[str, float]:
        """Return a table of numbers."""
        table = self.sub(key)
        return {name: table.number(name) for name in table.values}

    def _day(self, key: str, value: Any) -> date:
        period = period_of(value) if isinstance(value, str) else None
        if period is not None:
            return period[0]
        if isinstance(value, datetime) or not isinstance(value, date):
            return self._wrong(key, value, "a date such as 2026-02-05, without quotes", date.min)
        return value

    def _take(self, key: str, default: Any) -> Any:
        if key in self.values:
            return self.values[key]
        if default is not REQUIRED:
            return default
        faults = gathered()
        if faults is not None and (self.void or (self.place, key) in faults.meant):
            faults.note()
        else:
            fault(SpecError(f"{self.place}: key '{key}' is missing; add it"))
        return _ABSENT

    def _wrong(self, key: str, value: Any, wanted: str, stand_in: T) -> T:
        if value is not _ABSENT:
            fault(SpecError(f"{self.place}: {key} = {shown(value)} is not {wanted}; correct it"))
        return stand_in
