"""A study that asks where the outcome should have been: the sections of its model file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from attribution.errors import SpecError
from attribution.model.faults import lot, refuse
from attribution.model.grammar import Table

SECTIONS = ("event", "controls", "counterfactual", "level", "betas", "noise")
FORMS = ("returns", "level")
LAWS = {"returns": ("normal", "horseshoe"), "level": ("normal", "spike_and_slab")}
BETAS = ("fixed", "random_walk")
MOST = 10
"""Controls up to which every subset of them is weighed."""
Row = date | int
"""The label of a row: a day, or a whole number where rows are no days."""
ROW = {
    "description": "date, or number of a row",
    "anyOf": [{"$ref": "#/$defs/day"}, {"type": "integer"}],
    "examples": [101, 120],
}
SPAN = {
    "description": "2 dates, or numbers of rows",
    "type": "array",
    "items": {"anyOf": ROW["anyOf"]},
    "minItems": 2,
    "maxItems": 2,
    "examples": [[1, 100]],
}
"""JSON Schemas of a row and of a first and a last one."""


@dataclass(frozen=True)
class Span:
    """Rows from ``start`` to ``end``, both included."""

    name: str
    start: Row
    end: Row


@dataclass(frozen=True)
class ControlPrior:
    """Prior on coefficients, standardised: both sides are divided by their pre-period sd.

    Attributes
    ----------
    law : ``normal``, ``horseshoe`` (regularised) or ``spike_and_slab``.
    sd : of the normal law, and of the horseshoe's slab.
    expected : number of controls that matter, a priori; of the other two laws.
    """

    law: str = "normal"
    sd: float = 1.0
    expected: float = 1.0


@dataclass(frozen=True)
class LevelPrior:
    r"""Prior on the innovation sd of the local level, standardised.

    .. math:: 1/\sigma_\eta^2 \sim \mathrm{Gamma}(\mathrm{df}/2,\ \mathrm{df}\,\mathrm{sd}^2/2),
        \qquad \sigma_\eta < 1

    An ``sd`` of zero leaves the level out: a static regression.
    """

    sd: float = 0.01
    df: float = 32.0


@dataclass(frozen=True)
class BetaLaw:
    """Whether the coefficients wander: every ``every`` rows, by steps of prior scale ``sd``."""

    law: str = "fixed"
    every: int = 21
    sd: float = 0.1


@dataclass(frozen=True)
class CounterfactualQuestion:
    """Where should the outcome have been in each window, given what the controls did."""

    name: str
    outcome: str
    windows: tuple[Span, ...]
    pre: Span
    form: str
    controls: tuple[str, ...]
    prior: ControlPrior
    level: LevelPrior
    betas: BetaLaw
    scale: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column of the data that it reads, each once."""
        return tuple(dict.fromkeys((self.outcome, *self.controls, *self.scale)))


def question_of(table: Table) -> CounterfactualQuestion:
    """Read the question.

    Raises
    ------
    SpecError
        With the key and the remedy.
    """
    asked = table.sub("counterfactual", required=True).known(("form", "pre"))
    form = asked.choice("form", FORMS)
    _refuse_idle(table, form)
    event = table.sub("event", required=True).known(("name", "outcome", "windows"))
    pre = lot(lambda: _span(asked, "pre", *_two(asked, "pre")))
    sample = table.sub("sample", required=True)
    windows = lot(lambda: _windows(event, pre, sample))
    outcome = event.text("outcome")
    controls, prior = lot(lambda: _controls(table.sub("controls", required=True), form, outcome))
    scale = table.sub("noise").known(("scale",)).texts("scale", ())
    if outcome in scale:
        refuse(
            f"{table.place}: [noise]: scale names the outcome '{outcome}'; use columns known before"
            " the day"
        )
    return CounterfactualQuestion(
        name=event.text("name", ""),
        outcome=outcome,
        windows=windows,
        pre=pre,
        form=form,
        controls=controls,
        prior=prior,
        level=_level(table.sub("level")),
        betas=_betas(table.sub("betas")),
        scale=scale,
    )


def _refuse_idle(table: Table, form: str) -> None:
    """Refuse a section that the form would ignore."""
    for key, other in (("level", "returns"), ("betas", "level"), ("noise", "level")):
        if key in table.values and form == other:
            refuse(f"{table.place}: [{key}] says nothing to form '{form}'; remove it")


def _two(table: Table, key: str) -> tuple[Row, Row]:
    value = table.raw(key, None, SPAN)
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise SpecError(
            f"{table.place}: {key} is not the first and the last row, two dates or two whole"
            " numbers; give both"
        )
    return _row(table, key, value[0]), _row(table, key, value[1])


def _row(table: Table, key: str, value: object) -> Row:
    whole = isinstance(value, int) and not isinstance(value, bool)
    if whole or (isinstance(value, date) and not isinstance(value, datetime)):
        return value  # type: ignore[return-value]  # one of the two by the line above
    raise SpecError(
        f"{table.place}: {key} = {value!r} is neither a date without quotes nor the number of a"
        " row; correct it"
    )


def _span(table: Table, name: str, start: Row, end: Row) -> Span:
    if type(start) is not type(end):
        refuse(f"{table.place}: {name} mixes a date with a number; use one of the two")
    if start > end:  # type: ignore[operator]  # of one type by the line above
        refuse(f"{table.place}: {name} ends before it starts; swap its two ends")
    return Span(name, start, end)


def _windows(event: Table, pre: Span, sample: Table) -> tuple[Span, ...]:
    found = []
    for row in event.many("windows"):
        row.known(("name", "start", "end"))
        name = row.text("name")
        if "/" in name:
            refuse(f"{row.place}: name '{name}' holds a slash; rename it")
        start, end = (_row(row, key, row.raw(key, None, ROW)) for key in ("start", "end"))
        span = _span(row, name, start, end)
        if type(span.start) is not type(pre.end):
            raise SpecError(
                f"{row.place}: its rows are named otherwise than those of pre; use dates in both,"
                " or numbers in both"
            )
        if span.start <= pre.end:  # type: ignore[operator]  # of one type by the line above
            refuse(
                f"{row.place}: it starts inside the pre-period, which ends {pre.end}; what is asked"
                " about must be held out, so end pre before it"
            )
        found.append(span)
    if not found:
        refuse(f"{event.place}: no window; add [[event.windows]] with name, start and end")
    if len({span.name for span in found}) != len(found):
        refuse(f"{event.place}: two windows share a name; rename one")
    _refuse_kinds_of_rows(sample, pre)
    return tuple(found)


def _controls(table: Table, form: str, outcome: str) -> tuple[tuple[str, ...], ControlPrior]:
    default = ControlPrior()
    table.known(("columns", "prior", "sd", "expected"))
    columns = table.texts("columns")
    if not columns:
        refuse(f"{table.place}: columns is empty; name the series that explain")
    if outcome in columns:
        refuse(
            f"{table.place}: columns names the outcome '{outcome}', which would explain itself;"
            " remove it"
        )
    law = table.choice("prior", LAWS[form], default.law)
    if law == "normal" and "expected" in table.values:
        refuse(f"{table.place}: expected says nothing to prior 'normal'; remove it")
    if law == "spike_and_slab" and "sd" in table.values:
        refuse(f"{table.place}: sd says nothing to prior 'spike_and_slab'; remove it")
    if law == "spike_and_slab" and len(columns) > MOST:
        refuse(
            f"{table.place}: {len(columns)} controls have too many subsets to weigh each; name at"
            f" most {MOST}, or use prior = 'normal'"
        )
    # as the package does: a model of three, or of every control where there are fewer
    usual = min(3.0, len(columns) / 2.0) if law != "normal" else default.expected
    expected = table.number("expected", usual, above=0)
    if law != "normal" and not expected < len(columns) + 1e-12:
        refuse(
            f"{table.place}: expected = {expected:g} is more than the {len(columns)} controls there"
            " are; lower it"
        )
    sd = table.number("sd", default.sd, above=0)
    return columns, ControlPrior(law, sd, expected)


def _refuse_kinds_of_rows(sample: Table, pre: Span) -> None:
    dated = "start" in sample.values or "end" in sample.values
    if dated and isinstance(pre.end, int):
        refuse(
            f"{sample.place}: the sample is cut by dates and the periods by numbers; use dates in"
            " both, or remove start and end"
        )


def _level(table: Table) -> LevelPrior:
    default = LevelPrior()
    table.known(("sd", "df"))
    sd = table.number("sd", default.sd, above=-1e-12)
    if sd == 0 and "df" in table.values:
        refuse(f"{table.place}: sd = 0 leaves the level out and df idle; remove df")
    return LevelPrior(sd, table.number("df", default.df, above=0))


def _betas(table: Table) -> BetaLaw:
    default = BetaLaw()
    law = table.choice("law", BETAS, default.law)
    table.known(("law", "every", "sd") if law == "random_walk" else ("law",))
    return BetaLaw(
        law,
        table.integer("every", default.every, at_least=1),
        table.number("sd", default.sd, above=0),
    )
