"""The sections of a panel of entities and events: a TOML table in, the question out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from attribution.errors import SpecError, nearest
from attribution.model.faults import each, refuse
from attribution.model.grammar import Table

SECTIONS = ("outcome", "panel", "regressors", "datings", "events", "placebo")
SCALES = ("typical_day", "none")
AS_STAMPED = "as_stamped"
GROUPS = 10
LEAST = 2
"""Entities below which nothing is compared."""


@dataclass(frozen=True)
class Regressor:
    """A covariate: a column, so many rows back, of every entity or of those named alone."""

    name: str
    column: str
    lag: int = 0
    entities: tuple[str, ...] = ()


@dataclass(frozen=True)
class Dating:
    """What the day of a row stands for.

    Rows of ``entity`` stamped up to ``until`` describe the row before; without an entity every row
    describes its own day.
    """

    name: str
    entity: str = ""
    until: date = date.min
    reason: str = ""


@dataclass(frozen=True)
class PlaceboEvent:
    """Days, and who was exposed: a column, or the entities named (one) against the rest (zero)."""

    name: str
    days: tuple[date, ...]
    entities: tuple[str, ...] = ()
    exposure: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Placebo:
    """How event days are matched: days in the same of ``groups`` groups of the column's size."""

    column: str
    groups: int = GROUPS


@dataclass(frozen=True)
class PanelQuestion:
    """Whether exposed entities differed on an event from what they do on like days.

    ``scale`` divides each entity's outcome by its own mean absolute value, event days left out;
    ``lags`` rows of the outcome enter as covariates.
    """

    column: str
    scale: str
    lags: int
    entities: tuple[str, ...]
    entity_effects: bool
    time_effects: bool
    regressors: tuple[Regressor, ...]
    datings: tuple[Dating, ...]
    events: tuple[PlaceboEvent, ...]
    placebo: Placebo | None

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that it reads, the outcome first."""
        named = [self.column, *(r.column for r in self.regressors)]
        named += [e.exposure for e in self.events if e.exposure]
        named += [self.placebo.column] if self.placebo else []
        return tuple(dict.fromkeys(named))

    @property
    def outcome(self) -> str:
        """The column that is explained."""
        return self.column


def question_of(table: Table) -> PanelQuestion:
    """Type the sections of a model of kind ``panel``.

    Raises
    ------
    SpecError
        If a key is unknown, two parts share a name, or an event says not who was exposed.
    """
    outcome = table.sub("outcome", required=True).known(("column", "scale", "lags"))
    panel = table.sub("panel").known(("entities", "entity_effects", "time_effects"))
    entities = panel.texts("entities", ())
    if entities and len(entities) < LEAST:
        raise SpecError(
            f"{panel.place}: entities names one entity, and a panel compares; name more of them, or"
            " leave it out for all"
        )
    datings = each(table.many("datings"), lambda row: _dating(row, entities))
    events = each(table.many("events"), lambda row: _event(row, entities))
    placebo = _placebo(table.sub("placebo")) if "placebo" in table.values else None
    if placebo is not None and not events:
        refuse(f"{table.place}: [placebo] belongs to events; add [[events]] or remove it")
    found = PanelQuestion(
        column=outcome.text("column"),
        scale=outcome.choice("scale", SCALES, "none"),
        lags=outcome.integer("lags", 0),
        entities=entities,
        entity_effects=panel.flag("entity_effects", True),
        time_effects=panel.flag("time_effects", True),
        regressors=each(table.many("regressors"), lambda row: _regressor(row, entities)),
        datings=datings or (Dating(AS_STAMPED),),
        events=events,
        placebo=placebo,
    )
    if not (found.regressors or found.events or found.lags):
        refuse(
            f"{table.place}: nothing explains '{found.column}'; add [[regressors]] or [[events]]"
        )
    for what in (found.regressors, found.datings, found.events):
        _refuse_namesakes(table, [part.name for part in what])
    return found


def _refuse_namesakes(table: Table, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            refuse(f"{table.place}: two parts share the name '{name}'; rename one")


def _known(table: Table, named: tuple[str, ...], entities: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse entities that the panel leaves out."""
    for name in named:
        if entities and name not in entities:
            refuse(
                f"{table.place}: entity '{name}' is not in the panel{nearest(name, entities)};"
                " correct it"
            )
    if entities and set(named) == set(entities):
        refuse(
            f"{table.place}: it names every entity, and none is left to compare with; leave one out"
        )
    return named


def _regressor(table: Table, entities: tuple[str, ...]) -> Regressor:
    table.known(("name", "column", "lag", "entities"))
    column, lag = table.text("column"), table.integer("lag", 0)
    among = _known(table, table.texts("entities", ()), entities)
    back = f", {lag} back" if lag else ""
    plain = f"{column}{back}" + (f", {' '.join(among)}" if among else "")
    return Regressor(table.text("name", plain), column, lag, among)


def _dating(table: Table, entities: tuple[str, ...]) -> Dating:
    table.known(("name", "entity", "until", "reason"))
    name, entity = table.text("name"), table.text("entity", "")
    if bool(entity) != ("until" in table.values):
        raise SpecError(
            f"{table.place}: entity and until belong together; give both, or neither for rows as"
            " they are stamped"
        )
    if not entity:
        return Dating(name, reason=table.text("reason", ""))
    _known(table, (entity,), entities)
    return Dating(name, entity, table.day("until"), table.text("reason"))


def _event(table: Table, entities: tuple[str, ...]) -> PlaceboEvent:
    table.known(("name", "days", "entities", "exposure", "reason"))
    days = table.dates("days")
    if not days:
        refuse(f"{table.place}: days is empty; name the days of the event")
    among, exposure = table.texts("entities", ()), table.text("exposure", "")
    if bool(among) == bool(exposure):
        refuse(
            f"{table.place}: say who was exposed, either entities = [...] or exposure = a column;"
            " with time effects an event that hits all alike cannot be seen"
        )
    return PlaceboEvent(
        table.text("name"), days, _known(table, among, entities), exposure, table.text("reason")
    )


def _placebo(table: Table) -> Placebo:
    table.known(("column", "groups"))
    return Placebo(table.text("column"), table.integer("groups", GROUPS, at_least=1))
