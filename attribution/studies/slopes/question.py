"""The sections of cross-sectional regressions: a TOML table in, the question out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from attribution.errors import nearest
from attribution.model.faults import each, refuse
from attribution.model.grammar import Table

SECTIONS = ("assets", "factors", "exposures", "average", "events")
LEAST = 60


@dataclass(frozen=True)
class Factor:
    """A traded return, or one return less another."""

    name: str
    column: str
    less: str = ""


@dataclass(frozen=True)
class DatedDay:
    """A day whose slopes are ranked among those of all days."""

    name: str
    day: date


@dataclass(frozen=True)
class SlopesQuestion:
    """How much exposure to a factor cost on a day, and whether it explains an asset set apart.

    Attributes
    ----------
    assets : columns of returns, one an asset; empty where ``column`` holds the returns of all and
        rows are (asset, day).
    column : column of returns; empty where assets are columns.
    apart : assets that are explained and do not explain.
    window : rows before a day from which its exposures come; all earlier rows if zero.
    least : rows that an exposure needs.
    lags : last lag of the average's standard errors.
    """

    assets: tuple[str, ...]
    column: str
    apart: tuple[str, ...]
    factors: tuple[Factor, ...]
    window: int
    least: int
    lags: int
    events: tuple[DatedDay, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that it reads, each once."""
        named = [self.outcome, *(self.assets or (self.column,))]
        named += [name for f in self.factors for name in (f.column, f.less) if name]
        return tuple(dict.fromkeys(named))

    @property
    def outcome(self) -> str:
        """The column of returns, or the first asset that is explained."""
        return self.column or (self.apart or self.assets)[0]


def question_of(table: Table) -> SlopesQuestion:
    """Type the sections of a model of kind ``fama_macbeth``.

    Raises
    ------
    SpecError
        If a key is unknown, assets are named twice over or too few, or there is no factor.
    """
    assets = table.sub("assets", required=True).known(("columns", "column", "apart"))
    columns, column = assets.texts("columns", ()), assets.text("column", "")
    if bool(columns) == bool(column):
        refuse(
            f"{assets.place}: say where returns are; columns names one an asset, column one for all"
            " where rows are assets and days"
        )
    apart = assets.texts("apart", ())
    factors = each(table.many("factors"), _factor)
    if not factors:
        refuse(f"{table.place}: no factor; add [[factors]] with name and column")
    if columns:
        for name in apart:
            if name not in columns:
                refuse(
                    f"{assets.place}: apart names '{name}', which is not among columns"
                    f"{nearest(name, columns)}; correct it"
                )
        if len(columns) - len(apart) < len(factors) + 2:
            refuse(
                f"{assets.place}: {len(columns) - len(apart)} assets cannot price"
                f" {len(factors)} factor(s) and a constant; name at least {len(factors) + 2}"
            )
    window, least = _exposures(table.sub("exposures"), len(factors))
    events = each(table.many("events"), _event)
    for names in ([f.name for f in factors], [e.name for e in events]):
        if len(set(names)) != len(names):
            refuse(f"{table.place}: two factors or two events share a name; rename one")
    lags = table.sub("average").known(("lags",)).integer("lags", 5)
    return SlopesQuestion(columns, column, apart, factors, window, least, lags, events)


def _factor(table: Table) -> Factor:
    table.known(("name", "column", "less"))
    found = Factor(table.text("name"), table.text("column"), table.text("less", ""))
    if found.less == found.column:
        refuse(f"{table.place}: '{found.column}' less itself is zero; correct it")
    return found


def _exposures(table: Table, factors: int) -> tuple[int, int]:
    table.known(("window", "least"))
    window = table.integer("window", 0)
    least = table.integer("least", min(LEAST, window) if window else LEAST, at_least=factors + 2)
    if window and least > window:
        refuse(f"{table.place}: least = {least} rows are never in a window of {window}; widen it")
    return window, least


def _event(table: Table) -> DatedDay:
    table.known(("name", "day"))
    return DatedDay(table.text("name"), table.day("day"))
