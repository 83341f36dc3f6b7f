"""What a card says: the columns of a data file, and the columns that may be derived from them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from attribution.errors import DataError, SpecError, nearest
from attribution.model.grammar import REQUIRED, Table, read_toml

CALENDARS = ("XNYS", "weekdays", "daily", "weekly", "monthly", "quarterly", "yearly", "none")
LAYOUTS = ("series", "long", "records")
TYPES = ("number", "text")
CHANGE, LEVEL = "change", "level"
"""What adds up over days, and what moves by its last value over its first."""


@dataclass(frozen=True)
class Series:
    """A raw column of the file: what was measured, in which unit, at which clock, and by whom.

    ``magnitude`` bounds the median of the absolute values: a file in decimals where the card says
    points falls outside it.  ``repeats`` marks series that may stand still without being stale;
    ``known_ahead`` marks calendar facts, known before the day they describe.
    """

    name: str
    unit: str
    type: str
    clock: str
    source: str
    vintage: str
    refresh: str
    note: str
    magnitude: tuple[float, float] | None
    repeats: bool
    known_ahead: bool


@dataclass(frozen=True)
class Column:
    """A column that a model may name, and how it is made from the raw series.

    The quantity is ``of``, multiplied by ``times`` and divided by ``over``; the transform is
    applied to it, then ``scale``, then a shift by ``lag`` rows (or forward by ``lead``).  With
    ``expiry`` (a series of days to expiry) it is empty under ``min_days`` and on the day of a roll,
    and never differenced across either; ``annualised`` multiplies by 365 over those days.
    ``stated`` says whether the card writes the transform or leaves the column as it stands.
    """

    name: str
    transform: str
    unit: str
    of: str = ""
    times: str = ""
    over: str = ""
    scale: float = 1.0
    lag: int = 0
    lead: int = 0
    expiry: str = ""
    min_days: float = 0.0
    annualised: bool = False
    window: int = 0
    threshold: float = 0.0
    start: date | None = None
    confirmed: tuple[date, ...] = ()
    note: str = ""
    stated: bool = True

    @property
    def measure(self) -> str:
        """What a value is: ``change``, ``level``, or empty where the card does not say.

        A column as it stands may hold either; a deviation or an indicator is neither.
        """
        if self.transform in ("change", "log_change"):
            return CHANGE
        told = self.transform == "log_level" or (self.transform == "level" and self.stated)
        return LEVEL if told else ""

    @property
    def inputs(self) -> tuple[str, ...]:
        """Raw series that the column is made from, each once."""
        named = (self.of, self.times, self.over, self.expiry)
        return tuple(dict.fromkeys(name for name in named if name))

    @property
    def quoted(self) -> tuple[str, ...]:
        """Raw series whose values enter, the calendar of ``expiry`` aside."""
        return tuple(dict.fromkeys(name for name in (self.of, self.times, self.over) if name))

    @property
    def logged(self) -> bool:
        """Whether a logarithm is taken, so that every quoted value must be positive."""
        return self.transform.startswith("log_")

    @property
    def reach(self) -> int:
        """Rows before its own that a value needs."""
        back = 1 if self.transform in ("change", "log_change") else self.window
        return back + self.lag


@dataclass(frozen=True)
class Card:
    """What a data file holds: one clock, one calendar, a description of every column.

    An empty ``calendar`` is taken from the rows.  ``unit``, where there is one, stands for the unit
    of whatever names none, and then a column of the file needs no description of its own.
    """

    name: str
    path: Path
    title: str
    file: str
    layout: str
    index: str
    entity: str
    clock: str
    calendar: str
    closed: tuple[date, ...]
    licence: str
    source: str
    vintage: str
    refresh: str
    note: str
    series: dict[str, Series]
    columns: dict[str, Column]
    unit: str = ""

    @property
    def close(self) -> tuple[str, str]:
        """Time of day and IANA zone of the clock; an empty text for what it does not name."""
        return close_of(self.clock)

    def clock_of(self, name: str) -> str:
        """Clock of a column: that of the first series whose quotes enter it."""
        made = self.columns.get(name)
        quoted = made.quoted if made is not None else (name,)
        return self.series[quoted[0]].clock if quoted else "none"

    def known_before(self, column: Column) -> bool:
        """Whether a value of ``column`` is known before the day (the row) it stands on."""
        return column.lag > 0 or all(self.series[name].known_ahead for name in column.inputs)


def close_of(clock: str) -> tuple[str, str]:
    """Time of day and IANA zone that a clock names; an empty text for what it does not."""
    found = re.fullmatch(r"(?:(\d\d:\d\d) )?([A-Za-z][\w+\-/]*)", clock)
    if found is None or clock == "none":
        return "", ""
    return found.group(1) or "", found.group(2)


# Reading cards: TOML in, a `Card` out, or one located sentence.

_PROVENANCE = ("source", "vintage", "refresh")
_TOP = (
    *("schema", "title", "file", "layout", "index", "entity", "clock", "calendar", "closed"),
    *("licence", "unit", *_PROVENANCE, "note", "series", "columns"),
)
_SERIES = ("unit", "type", "clock", *_PROVENANCE, "note", "magnitude", "repeats", "known_ahead")
_COMMON = ("transform", "unit", "note")
_QUANTITY = ("of", "times", "over", "scale", "lag", "lead", "expiry", "min_days")
TRANSFORMS = {
    "level": (*_QUANTITY, "annualised"),
    "log_level": (*_QUANTITY, "annualised"),
    "change": _QUANTITY,
    "log_change": (*_QUANTITY, "confirmed"),
    "log_excess": (*_QUANTITY, "window"),
    "at_most": ("of", "threshold", "lag"),
    "since": ("start",),
}
"""The transforms, each with the keys that it understands beside `transform`, `unit` and `note`."""

_LOG_SCALES = {"log points": 100.0, "basis points": 1e4}
_MAGNITUDES = {"percent a year": (0.5, 500.0), "fraction": (1e-6, 1.0)}


def read_card(path: Path) -> Card:
    """Read a card.

    Raises
    ------
    DataError
        With the file, the key and the remedy, if the card cannot be accepted.
    """
    try:
        card = _card(Table(path.name, read_toml(path)), path)
    except SpecError as error:  # the grammar of model files, put to work on a description of data
        raise DataError(str(error)) from None
    _check_clock(card)
    return card


def _card(table: Table, path: Path) -> Card:
    if "kind" in table.values and "system" in table.values:
        raise DataError(
            f"{path.name}: a model file, where the card of a data set should stand; give the two"
            " different names"
        )
    table.known(_TOP)
    if table.integer("schema", at_least=1) != 1:
        raise DataError(
            f"{table.place}: schema {table.values['schema']} is unknown; use schema = 1"
        )
    layout = _one_of(table, "layout", LAYOUTS, "series")
    unit = table.text("unit") if "unit" in table.values else ""
    rows = table.sub("series", required=not unit)
    series = {name: _series(rows.sub(name), name, table) for name in rows.values}
    columns = table.sub("columns")
    if layout == "records" and columns.values:
        raise DataError(f'{table.place}: [columns] needs layout = "series" or "long"; remove one')
    card = Card(
        name=path.stem,
        path=path,
        title=table.text("title", path.stem),
        file=table.text("file", f"{path.stem}.csv"),
        layout=layout,
        index=table.text("index"),
        entity=table.text("entity") if layout == "long" else "",
        clock=table.text("clock", "none"),
        calendar=_one_of(table, "calendar", CALENDARS) if "calendar" in table.values else "",
        closed=_dates(table, "closed"),
        licence=table.text("licence", ""),
        source=table.text("source", ""),
        vintage=table.text("vintage", ""),
        refresh=table.text("refresh", ""),
        note=table.text("note", ""),
        series=series,
        columns={},
        unit=unit,
    )
    derived = {name: _column(columns.sub(name), name, card) for name in columns.values}
    for column in derived.values():
        if unit:  # whatever a column is made of is described by the default
            series |= {n: plain_series(n, card) for n in column.inputs if n not in series}
        _check_column(column, series, f"{table.place}: [columns]: [{column.name}]")
    return replace(card, series=series, columns=derived)


def plain_series(name: str, card: Card) -> Series:
    """Describe a number column by what the card says of all."""
    return Series(
        name=name,
        unit=card.unit,
        type="number",
        clock=card.clock,
        source=card.source,
        vintage=card.vintage,
        refresh=card.refresh,
        note="",
        magnitude=None,
        repeats=False,
        known_ahead=False,
    )


def _series(table: Table, name: str, card: Table) -> Series:
    table.known(_SERIES)
    kind = _one_of(table, "type", TYPES, "number")
    unit = table.text("unit", "" if kind == "text" else card.values.get("unit", REQUIRED))
    inherited = {key: card.text(key, "") for key in ("clock", *_PROVENANCE)}
    return Series(
        name=name,
        unit=unit,
        type=kind,
        magnitude=_magnitude(table, unit),
        repeats=table.flag("repeats", False),
        known_ahead=table.flag("known_ahead", False),
        note=table.text("note", ""),
        **{key: table.text(key, default) for key, default in inherited.items()},
    )


def _column(table: Table, name: str, card: Card) -> Column:
    transform = _one_of(table, "transform", TRANSFORMS, "level")
    table.known((*_COMMON, *TRANSFORMS[transform]))
    column = Column(
        name=name,
        transform=transform,
        unit=table.text("unit", _unit_of(table, name, transform, card)),
        of=table.text("of", "" if transform == "since" else name),
        times=table.text("times", ""),
        over=table.text("over", ""),
        scale=table.number("scale", 1.0),
        lag=table.integer("lag", 0),
        lead=table.integer("lead", 0),
        expiry=table.text("expiry", ""),
        min_days=table.number("min_days", 0.0),
        annualised=table.flag("annualised", False),
        window=table.integer("window", at_least=2) if transform == "log_excess" else 0,
        threshold=table.number("threshold") if transform == "at_most" else 0.0,
        start=table.day("start") if transform == "since" else None,
        confirmed=_dates(table, "confirmed"),
        note=table.text("note", ""),
        stated="transform" in table.values,
    )
    return column


def _unit_of(table: Table, name: str, transform: str, card: Card) -> Any:
    """Return the unit of a column that names none: log points, the card's, or its series' own."""
    scale = table.values.get("scale", 1.0)
    if transform.startswith("log_"):
        return "log points" if scale == _LOG_SCALES["log points"] else REQUIRED
    if card.unit:
        return card.unit
    made_of = card.series.get(table.text("of", name))
    same = transform in ("level", "change") and scale == 1 and made_of is not None
    same = same and not {"times", "over", "annualised"} & set(table.values)
    return made_of.unit if same and made_of is not None else REQUIRED


def _check_column(column: Column, series: dict[str, Series], place: str) -> None:
    """Refuse inputs that are not numbers of this file, and scales that contradict the unit."""
    for name in column.inputs:
        if name not in series:
            raise DataError(
                f"{place}: '{name}' is not described under [series]{nearest(name, series)};"
                " describe it or correct the name"
            )
        if series[name].type != "number":
            raise DataError(f"{place}: '{name}' is a text; derive columns from numbers only")
    if column.lag and column.lead:
        raise DataError(f"{place}: both lag and lead are given; keep one of them")
    if (column.annualised or column.min_days) and not column.expiry:
        raise DataError(
            f"{place}: annualised and min_days need the days to expiry; name their series with"
            " expiry"
        )
    words = " ".join(column.unit.split()[:2])
    wanted = _LOG_SCALES.get(words)
    if column.logged and not column.annualised and wanted and column.scale != wanted:
        raise DataError(
            f"{place}: the unit '{column.unit}' of a logarithm needs scale = {wanted:g}, found"
            f" {column.scale:g}; correct the scale or the unit"
        )


def _magnitude(table: Table, unit: str) -> tuple[float, float] | None:
    if "magnitude" not in table.values:
        return _MAGNITUDES.get(unit)
    value = table.values["magnitude"]
    pair = value if isinstance(value, list) and len(value) == 2 else []
    numeric = [float(v) for v in pair if isinstance(v, int | float) and not isinstance(v, bool)]
    if len(numeric) != 2 or not 0 <= numeric[0] < numeric[1]:
        raise DataError(
            f"{table.place}: magnitude = {value!r} is not two rising numbers that bound the median"
            " of the absolute values; correct it"
        )
    return numeric[0], numeric[1]


def _dates(table: Table, key: str) -> tuple[date, ...]:
    value = table.values.get(key, [])
    plain = isinstance(value, list) and all(
        isinstance(day, date) and not isinstance(day, datetime) for day in value
    )
    if not plain:
        raise DataError(f"{table.place}: {key} = {value!r} is not a list of dates; correct it")
    return tuple(value)


def _one_of(table: Table, key: str, known: Iterable[str], default: Any = REQUIRED) -> str:
    names = tuple(known)
    value = table.text(key, default)
    if value not in names:
        raise DataError(
            f"{table.place}: {key} '{value}' is unknown{nearest(value, names)}; correct it"
        )
    return str(value)


def _check_clock(card: Card) -> None:
    """Refuse a clock that is neither ``HH:MM Zone``, ``Zone`` nor ``none``."""
    if card.clock == "none":
        return
    at, zone = card.close
    try:
        time.fromisoformat(at or "00:00")
        ZoneInfo(zone)
    except (ValueError, KeyError, OSError):  # an unknown zone is a key that is not there
        raise DataError(
            f"{card.path.name}: clock '{card.clock}' is not a time and a zone such as"
            " '16:00 America/New_York', a zone alone, or 'none'; correct it"
        ) from None
