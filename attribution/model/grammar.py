"""Strict reading of TOML tables: every key known, every type checked, every refusal located."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from attribution.errors import SpecError, nearest
from attribution.model.period import period_of

REQUIRED: Any = object()


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file, or say in one sentence why it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SpecError(f"{path.name}: cannot be read ({error.strerror}); check the path") from None
    except UnicodeDecodeError:
        raise SpecError(f"{path.name}: not a text file; give a TOML file in UTF-8") from None
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SpecError(f"{path.name}: not valid TOML ({error}); correct that line") from None


@dataclass(frozen=True)
class Table:
    """A TOML table that knows where it stands; values are taken by name and type."""

    place: str
    values: Mapping[str, Any]

    def known(self, names: Iterable[str]) -> Table:
        """Refuse keys that are not in ``names``."""
        names = tuple(names)
        for key in self.values:
            if key not in names:
                raise SpecError(
                    f"{self.place}: unknown key '{key}'{nearest(key, names)}; correct or remove it"
                )
        return self

    def sub(self, key: str, *, required: bool = False) -> Table:
        """Return the table under ``key``; an empty one if it is absent and not required."""
        value = self._take(key, REQUIRED if required else {})
        if not isinstance(value, dict):
            raise self._wrong(key, value, "a table")
        return Table(f"{self.place}: [{key}]", value)

    def many(self, key: str) -> list[Table]:
        """Return the tables of an array of tables, numbered from one."""
        value = self._take(key, [])
        if not isinstance(value, list | tuple) or not all(isinstance(item, dict) for item in value):
            raise self._wrong(key, value, f"an array of tables [[{key}]]")
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
            raise self._wrong(key, value, "a claim in braces, or a list of such claims")
        return [
            Table(f"{self.place}: [{key}] number {number}", item)
            for number, item in enumerate(value, start=1)
        ]

    def text(self, key: str, default: Any = REQUIRED) -> str:
        """Return a text; an empty one only where there is a default."""
        value = self._take(key, default)
        if not isinstance(value, str) or (value == "" and default is REQUIRED):
            raise self._wrong(key, value, "a non-empty text")
        return value

    def choice(self, key: str, known: tuple[str, ...], default: Any = REQUIRED) -> str:
        """Return one of the known texts."""
        value = self.text(key, default)
        if value not in known:
            raise SpecError(
                f"{self.place}: {key} '{value}' is unknown{nearest(value, known)}; correct it"
            )
        return value

    def number(self, key: str, default: Any = REQUIRED, *, above: float = -math.inf) -> float:
        """Return a finite number above a bound."""
        value = self._take(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._wrong(key, value, "a number")
        if not math.isfinite(value) or not value > above:
            raise self._wrong(key, value, f"a number above {above:g}")
        return float(value)

    def integer(self, key: str, default: Any = REQUIRED, *, at_least: int = 0) -> int:
        """Return a whole number of at least a bound."""
        value = self._take(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or value < at_least:
            raise self._wrong(key, value, f"a whole number of at least {at_least}")
        return value

    def flag(self, key: str, default: bool) -> bool:
        """Return true or false."""
        value = self._take(key, default)
        if not isinstance(value, bool):
            raise self._wrong(key, value, "true or false")
        return value

    def pair(self, key: str) -> tuple[float, float]:
        """Return two numbers, the smaller first; an end may be infinite."""
        value = self._take(key, REQUIRED)
        numeric = isinstance(value, list | tuple) and len(value) == 2
        if not numeric or any(isinstance(v, bool) or not isinstance(v, int | float) for v in value):
            raise self._wrong(key, value, "two numbers")
        low, high = (float(v) for v in value)
        if not low < high:
            raise SpecError(
                f"{self.place}: {key} = {value!r} is empty; give the smaller number first"
            )
        return low, high

    def day(self, key: str) -> date:
        """Return a date; the label of a period stands for its first day."""
        return self._day(key, self._take(key, REQUIRED))

    def days(self, key: str, count: int) -> tuple[date, ...]:
        """Return a list of dates of a given length."""
        value = self._take(key, REQUIRED)
        if not isinstance(value, list | tuple) or len(value) != count:
            raise self._wrong(key, value, f"a list of {count} dates")
        return tuple(self._day(key, item) for item in value)

    def dates(self, key: str) -> tuple[date, ...]:
        """Return a list of increasing dates, empty if it is left out."""
        value = self._take(key, [])
        if not isinstance(value, list | tuple):
            raise self._wrong(key, value, "a list of dates")
        found = tuple(self._day(key, item) for item in value)
        if any(later <= earlier for earlier, later in pairwise(found)):
            raise SpecError(f"{self.place}: {key} does not increase; sort the dates")
        return found

    def texts(self, key: str, default: Any = REQUIRED) -> tuple[str, ...]:
        """Return a list of texts without repetitions."""
        value = self._take(key, default)
        if not isinstance(value, list | tuple) or not all(isinstance(v, str) for v in value):
            raise self._wrong(key, value, "a list of texts")
        if len(set(value)) != len(value):
            raise self._wrong(key, value, "a list without repetitions")
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
            raise self._wrong(key, value, "a date such as 2026-02-05, without quotes")
        return value

    def _take(self, key: str, default: Any) -> Any:
        if key in self.values:
            return self.values[key]
        if default is REQUIRED:
            raise SpecError(f"{self.place}: key '{key}' is missing; add it")
        return default

    def _wrong(self, key: str, value: Any, wanted: str) -> SpecError:
        return SpecError(f"{self.place}: {key} = {value!r} is not {wanted}; correct it")
