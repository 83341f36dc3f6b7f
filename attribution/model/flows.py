"""The sections of a model of net creations in; the question that it asks out."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from attribution.model.faults import refuse
from attribution.model.flow_mechanisms import mechanisms_of
from attribution.model.grammar import Table

if TYPE_CHECKING:
    from attribution.model.flow_mechanisms import Mechanism

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
    """

    same_day: float = 1.0
    previous_day: float = 1.0
    switch: float = 1.0

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
    found = Dating(**{name: table.number(name, 0.0, above=-1e-300) for name in table.values})
    if not sum(found.weights) > 0:
        refuse(f"{table.place}: every weight is zero; give one convention some weight")
    return found


def _prior_of(table: Table) -> FlowPrior:
    default = FlowPrior()
    table.known(default.__dataclass_fields__)
    return FlowPrior(**{name: table.number(name, above=0) for name in table.values})
