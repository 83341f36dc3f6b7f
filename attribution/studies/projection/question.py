"""A study of local projections: the sections of its model file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from attribution.errors import SpecError, nearest
from attribution.model.faults import refuse
from attribution.model.grammar import Table
from attribution.model.sections import event_of, variables_in
from attribution.model.spec import Event

SECTIONS = ("event", "projection", "instrument")
ERRORS = ("lag_augmented", "newey_west")
SCALES = ("sd", "unit")


@dataclass(frozen=True)
class Instrument:
    """A series that moves the impulse and, given the controls, nothing else that moves outcomes."""

    column: str
    reason: str


@dataclass(frozen=True)
class ProjectionQuestion:
    """What follows an innovation of one series, horizon by horizon.

    Attributes
    ----------
    event : windows that are asked about and days held out; empty windows for responses alone.
    variables : the series, in recursive order: what stands before the impulse moves it on the day.
    impulse : whose innovation.
    lags, horizons : of every series among the controls; the longest horizon.
    errors : ``lag_augmented`` (one lag more than ``lags``, heteroskedasticity-robust) or
        ``newey_west``.
    cumulative : whether responses are summed over horizons.
    scale : responses to an innovation of one ``sd`` or of one ``unit``.
    levels : variables in levels, which move by their last value; all others are changes, which
        add up.
    """

    event: Event
    variables: tuple[str, ...]
    impulse: str
    lags: int
    horizons: int
    errors: str
    cumulative: bool
    scale: str
    instrument: Instrument | None
    levels: tuple[str, ...] = ()

    @property
    def outcome(self) -> str:
        """The column that is explained."""
        return self.event.outcome

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column of the data that it reads, each once."""
        extra = () if self.instrument is None else (self.instrument.column,)
        return (*self.variables, *extra)

    @property
    def before(self) -> tuple[str, ...]:
        """Series that move the impulse on the day."""
        return self.variables[: self.variables.index(self.impulse)]


def question_of(table: Table) -> ProjectionQuestion:
    """Read the question.

    Raises
    ------
    SpecError
        With the key and the remedy.
    """
    asked = table.sub("projection", required=True)
    asked.known(
        ("variables", "impulse", "lags", "horizons", "errors", "cumulative", "scale", "levels")
    )
    variables = asked.texts("variables")
    if len(variables) < 2:
        raise SpecError(f"{asked.place}: variables names fewer than two series; add the others")
    impulse = asked.text("impulse")
    if impulse not in variables:
        refuse(
            f"{asked.place}: impulse '{impulse}' is not among variables"
            f"{nearest(impulse, variables)}; correct it"
        )
    event = _event(table, variables, impulse)
    return ProjectionQuestion(
        event=event,
        variables=variables,
        impulse=impulse,
        lags=asked.integer("lags", at_least=1),
        horizons=asked.integer("horizons", 10),
        errors=asked.choice("errors", ERRORS, ERRORS[0]),
        cumulative=asked.flag("cumulative", False),
        scale=asked.choice("scale", SCALES, SCALES[0]),
        instrument=_instrument(table, variables),
        levels=variables_in(asked, "levels", variables),
    )


def _event(table: Table, variables: tuple[str, ...], impulse: str) -> Event:
    """Read the event as a VAR does, which may be asked for responses alone."""
    event = event_of(table.sub("event", required=True), "var")
    place = f"{table.place}: [event]"
    if event.outcome not in variables:
        refuse(
            f"{place}: outcome '{event.outcome}' is not among [projection] variables"
            f"{nearest(event.outcome, variables)}; correct it"
        )
    if event.outcome == impulse:
        refuse(
            f"{place}: outcome '{event.outcome}' is the impulse itself; ask about another series"
        )
    sample = table.sub("sample", required=True)
    if event.windows and not {"start", "end"} <= set(sample.values):
        refuse(f"{sample.place}: windows are days and the sample has none; add start and end")
    for window in event.windows:
        if event.hold_out is None or not _inside(window.start, window.end, event.hold_out):
            refuse(
                f"{place}: window '{window.name}' is not inside hold_out; what is asked about must"
                " be held out"
            )
    return event


def _inside(start: date, end: date, held: tuple[date, date]) -> bool:
    return held[0] <= start and end <= held[1]


def _instrument(table: Table, variables: tuple[str, ...]) -> Instrument | None:
    if "instrument" not in table.values:
        return None
    own = table.sub("instrument").known(("column", "reason"))
    column = own.text("column")
    if column in variables:
        refuse(
            f"{own.place}: column '{column}' is one of [projection] variables and so no instrument;"
            " leave it out of one of the two"
        )
    return Instrument(column, own.text("reason"))
