"""The sections of a model of net creations in; the question that it asks out."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import date

from attribution.model.faults import each, refuse
from attribution.model.grammar import REQUIRED, Table

# The [[mechanisms]] of a flow model in; what each says of net creations, typed, out.

SIGNS = {"+": 1, "-": -1, "0": 0}
TIMES = ("order", "row")
FORMS = ("level", "falls", "rises", "below", "signed", "constant")
DATINGS = ("held", "free", "fixed")
SECTION = "mechanisms"
"""Name of the array of tables in a model file."""


@dataclass(frozen=True)
class Term:
    """One column of a mechanism.

    A mechanism adds one term or several to the mean of net creations, or another reading of what a
    row stands for. It changes nothing else, so that its evidence is its own.

    Attributes
    ----------
    column : of the data; empty for a constant.
    form : ``level`` (the column less its mean), ``falls`` (it where negative, else zero),
        ``rises`` (it where positive), ``below`` (one where it is below ``threshold``), ``signed``
        (its sign on a volume whose natural log is ``times``) or ``constant`` (one).
    threshold : unit of the column; for ``below`` alone.
    times : a second column that multiplies the first; empty if none.
    since : zero before this day, if there is one.
    days : sum over so many days, the last of them ``lag`` days before.
    lag : days by which the value is earlier.
    sign : +1, -1 or 0; the prior lets the coefficient have this sign alone, or either.
    """

    column: str = ""
    form: str = "level"
    threshold: float = -math.inf
    times: str = ""
    since: date | None = None
    days: int = 1
    lag: int = 0
    sign: int = 0

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that it reads."""
        return tuple(name for name in (self.column, self.times) if name)

    @property
    def label(self) -> str:
        """How it is written in a table."""
        word = {"constant": "one", "below": f"{self.column} below {self.threshold:g}"}
        text = word.get(self.form, f"{self.form} of {self.column}")
        text = self.column if self.form == "level" else text
        text += f" x {self.times}" if self.times else ""
        text += f" since {self.since}" if self.since else ""
        text += f", sum over {self.days} days" if self.days > 1 else ""
        return text + (f", {self.lag} day before" if self.lag else "")


@dataclass(frozen=True)
class Mechanism:
    """One account of why shares were created.

    Attributes
    ----------
    name : short, unique; ``title`` is for people.
    terms : what enters the mean; none for the baseline or for a mechanism of dating alone.
    time : ``order`` (the terms belong to the day on which orders were placed, and shift with the
        dating) or ``row`` (to the day that the row bears).
    scale : prior standard deviation of the effect of a term of its usual size, USD million; where
        the term has a sign, that of the normal law of which the prior is one half.  The usual size
        is the root mean square over the days on which it is not zero.
    dating : ``held`` (the rows of the event are read as those before it), ``free`` (the rows may
        change their meaning on any day) or ``fixed`` (they never do).
    reason : why the terms may stand for the mechanism, and how they may fail to.
    source : where it was put forward.
    """

    name: str
    title: str
    terms: tuple[Term, ...] = ()
    time: str = "order"
    scale: float = 0.0
    dating: str = "held"
    reason: str = ""
    source: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that it reads, each once."""
        return tuple(dict.fromkeys(name for term in self.terms for name in term.columns))

    @property
    def baseline(self) -> bool:
        """Whether it adds nothing: the model that the others are held against."""
        return not self.terms and self.dating == "held"


def mechanisms_of(table: Table) -> tuple[Mechanism, ...]:
    """Read every [[mechanisms]] of a model file; none is allowed.

    Raises
    ------
    SpecError
        If a key is unknown or wrong, two share a name, or there is not exactly one baseline.
    """
    found = each(table.many(SECTION), _mechanism_of)
    names = [mechanism.name for mechanism in found]
    for place, name in enumerate(names):
        if name in names[:place]:
            refuse(f"{table.place}: two [[{SECTION}]] are named '{name}'; rename one")
    count = sum(mechanism.baseline for mechanism in found)
    if found and count != 1:
        refuse(
            f"{table.place}: {count} of the [[{SECTION}]] have no terms and dating 'held'; keep"
            " exactly one such baseline"
        )
    return found


def _mechanism_of(table: Table) -> Mechanism:
    table.known(("name", "title", "terms", "time", "scale", "dating", "reason", "source"))
    name = table.text("name")
    if "/" in name:
        refuse(f"{table.place}: name '{name}' holds a slash; rename it")
    terms = tuple(_term_of(row) for row in table.some("terms")) if "terms" in table.values else ()
    if not terms and "scale" in table.values:
        refuse(f"{table.place}: scale belongs to terms; add terms or remove it")
    return Mechanism(
        name=name,
        title=table.text("title"),
        terms=terms,
        time=table.choice("time", TIMES, "order"),
        scale=table.number("scale", above=0.0) if terms else 0.0,
        dating=table.choice("dating", DATINGS, "held"),
        reason=table.text("reason", REQUIRED if terms else ""),
        source=table.text("source", ""),
    )


def _term_of(table: Table) -> Term:
    table.known(("column", "form", "threshold", "times", "since", "days", "lag", "sign"))
    form = table.choice("form", FORMS, "level")
    term = Term(
        column=table.text("column", ""),
        form=form,
        threshold=table.number("threshold") if form == "below" else -math.inf,
        times=table.text("times", ""),
        since=table.day("since") if "since" in table.values else None,
        days=table.integer("days", 1, at_least=1),
        lag=table.integer("lag", 0),
        sign=SIGNS[table.choice("sign", tuple(SIGNS), "0")],
    )
    if "threshold" in table.values and form != "below":
        refuse(f"{table.place}: form '{form}' has no threshold; remove it, or say 'below'")
    if (form == "constant") == bool(term.column):
        remedy = "remove the column" if term.column else "add column"
        refuse(
            f"{table.place}: form '{form}' {'reads no' if term.column else 'needs a'} column;"
            f" {remedy}"
        )
    if form == "constant" and term.since is None:
        refuse(f"{table.place}: a constant is in the model already; add since, its first day")
    if form == "signed" and not term.times:
        refuse(f"{table.place}: form 'signed' needs the volume that takes the sign; add times")
    return term


SECTIONS = ("flows", "dating", "event", "prior", "mechanisms")
"""Sections of a model file of this kind, beside those that every model has."""
FLOWS = (
    "net_creation",
    "return",
    "focus",
    "basis",
    "volatility",
    "volume",
    "crash",
    "shared_demand",
)


@dataclass(frozen=True)
class Dating:
    """Prior weights of what the rows of a fund stand for.

    ``same_day`` and ``previous_day`` hold on all rows; ``switch`` is a single change between them,
    in either direction, before any row with equal probability.  What is left out weighs one.
    ``gradual``, zero to one, is the share of the weight of a switch that is of gradual ones: half
    of a day's orders are a day late for some rows, a month on average.  Left out, it is a half.
    """

    same_day: float = 1.0
    previous_day: float = 1.0
    switch: float = 1.0
    gradual: float = 0.5

    @property
    def weights(self) -> tuple[float, float, float]:
        """Same day, previous day, switch."""
        return self.same_day, self.previous_day, self.switch


@dataclass(frozen=True)
class FlowPrior:
    """Prior scales, of flows in units of a fund's typical flow and of covariates in their sd.

    Attributes
    ----------
    response : sd of the average response over funds, per sd of the covariate.
    spread : scale of the half-normal law of the sd of responses between funds.
    crash : sd of the average change of slope beyond the crash threshold, per sd of the return.
    loading : sd of the log of a fund's average exposure to the demand that all funds share.
    """

    response: float = 1.0
    spread: float = 0.5
    crash: float = 0.5
    loading: float = 0.5


@dataclass(frozen=True)
class FlowsQuestion:
    """Were the published net creations of some days surprising, and by which dating.

    Attributes
    ----------
    net_creation, fund_return : columns with one value a fund and day.
    focus : the fund that the question is about.
    basis, volatility, volume : columns with one value a day, the last two in logs; empty if none.
    crash : fall of a day, log points, beyond which the response may bend.
    shared_demand : whether demand that all funds share enters beside what the day brought.
    hold_out : first and last day whose rows are kept from the estimation.
    asked : days whose rows are put to the model.
    benchmark : flow of the focus fund that was said to be due, USD million, lower end first.
    """

    net_creation: str
    fund_return: str
    focus: str
    hold_out: tuple[date, date]
    asked: tuple[date, ...]
    benchmark: tuple[float, float]
    basis: str = ""
    volatility: str = ""
    volume: str = ""
    crash: float = 5.0
    shared_demand: bool = True
    dating: Dating = field(default_factory=Dating)
    prior: FlowPrior = field(default_factory=FlowPrior)
    mechanisms: tuple[Mechanism, ...] = ()

    @property
    def common(self) -> tuple[str, ...]:
        """Columns with one value a day."""
        own = (self.basis, self.volatility, self.volume)
        others = (name for mechanism in self.mechanisms for name in mechanism.columns)
        fund = (self.net_creation, self.fund_return)
        return tuple(dict.fromkeys(name for name in (*own, *others) if name and name not in fund))

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column of the data that is read."""
        return (self.net_creation, self.fund_return, *self.common)

    @property
    def outcome(self) -> str:
        """The column that is explained."""
        return self.net_creation


def question_of(table: Table) -> FlowsQuestion:
    """Read the sections of a model of net creations.

    Raises
    ------
    SpecError
        With the file, the key and the remedy.
    """
    flows = table.sub("flows", required=True).known(FLOWS)
    event = table.sub("event", required=True).known(("hold_out", "asked", "benchmark"))
    first, last = event.days("hold_out", 2)
    if last < first:
        refuse(f"{event.place}: hold_out ends before it starts; swap the two dates")
    asked = event.dates("asked")
    if not asked:
        refuse(f"{event.place}: asked names no day; list the days whose rows are asked")
    return FlowsQuestion(
        net_creation=flows.text("net_creation"),
        fund_return=flows.text("return"),
        focus=flows.text("focus"),
        basis=flows.text("basis", ""),
        volatility=flows.text("volatility", ""),
        volume=flows.text("volume", ""),
        crash=flows.number("crash", 5.0, above=0),
        shared_demand=flows.flag("shared_demand", True),
        hold_out=(first, last),
        asked=asked,
        benchmark=event.pair("benchmark"),
        dating=_dating_of(table.sub("dating")),
        prior=_prior_of(table.sub("prior")),
        mechanisms=mechanisms_of(table),
    )


def _dating_of(table: Table) -> Dating:
    default = Dating()
    table.known(default.__dataclass_fields__)
    found = Dating(**{k: table.number(k, v, above=-1e-300) for k, v in vars(default).items()})
    if not sum(found.weights) > 0:
        refuse(f"{table.place}: every weight is zero; give one convention some weight")
    if not found.gradual <= 1:
        refuse(
            f"{table.place}: gradual is {found.gradual:g}, and it is the share of switches that are"
            " gradual; write a number from 0 (all sudden) to 1 (all gradual), such as 0.5"
        )
    return found


def _prior_of(table: Table) -> FlowPrior:
    default = FlowPrior()
    table.known(default.__dataclass_fields__)
    return FlowPrior(**{k: table.number(k, v, above=0) for k, v in vars(default).items()})
