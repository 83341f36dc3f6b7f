"""The sections of regressions with instruments: a TOML table in, the question out."""

from __future__ import annotations

from dataclasses import dataclass

from attribution.errors import SpecError, nearest
from attribution.model.faults import each, refuse
from attribution.model.grammar import Table

SECTIONS = ("methods", "categories", "errors", "equations")
METHODS = ("2sls", "liml", "gmm")
COVARIANCES = ("robust", "unadjusted", "kernel", "clustered", "driscoll_kraay")
CLUSTERS = ("entity", "time")
LAGGED = ("kernel", "driscoll_kraay")


@dataclass(frozen=True)
class Equation:
    """One regression: what is explained, by what that is not random, and what moves only that.

    ``ahead`` rows later stands the outcome that a row explains; ``lagged`` says how many past rows
    of a column are exogenous; ``reason`` why the instruments may be left out of the equation.
    """

    name: str
    outcome: str
    endogenous: tuple[str, ...]
    instruments: tuple[str, ...]
    exogenous: tuple[str, ...] = ()
    lagged: tuple[tuple[str, int], ...] = ()
    ahead: int = 0
    reason: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that it reads, each once."""
        named = (self.outcome, *self.endogenous, *self.exogenous, *self.instruments)
        return tuple(dict.fromkeys((*named, *(name for name, _ in self.lagged))))


@dataclass(frozen=True)
class InstrumentalQuestion:
    """How much one column does to another, where both move together.

    ``categories`` are columns of texts, entered as one dummy a text but the first; ``bandwidth``
    is the last lag of a kernel's covariance and of that of Driscoll and Kraay; ``clusters`` what
    rows are taken together by, of ``CLUSTERS``; ``small_sample`` whether rows with instruments are
    divided by n - k and follow Student's t, as least squares always does.
    """

    equations: tuple[Equation, ...]
    methods: tuple[str, ...]
    categories: tuple[str, ...]
    covariance: str
    bandwidth: int
    clusters: tuple[str, ...] = ()
    small_sample: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that it reads, each once."""
        return tuple(dict.fromkeys(name for e in self.equations for name in e.columns))

    @property
    def outcome(self) -> str:
        """The column that the first equation explains."""
        return self.equations[0].outcome


def question_of(table: Table) -> InstrumentalQuestion:
    """Type the sections of a model of kind ``iv``.

    Raises
    ------
    SpecError
        If there is no equation, a key is unknown, or an equation has too few instruments.
    """
    equations = each(table.many("equations"), _equation)
    if not equations:
        refuse(
            f"{table.place}: no equation; add [[equations]] with name, outcome, endogenous and"
            " instruments"
        )
    names = [equation.name for equation in equations]
    if len(set(names)) != len(names):
        refuse(f"{table.place}: two equations share a name; rename one")
    methods = table.texts("methods", METHODS, among=METHODS)
    for name in methods:
        if name not in METHODS:
            refuse(f"{table.place}: method '{name}' is unknown{nearest(name, METHODS)}; correct it")
    if not methods:
        refuse(f"{table.place}: methods is empty; name one of {', '.join(METHODS)}")
    errors = _errors(table.sub("errors"), methods)
    categories = table.texts("categories", ())
    read = {name for equation in equations for name in equation.columns}
    for name in categories:
        if name not in read:
            refuse(
                f"{table.place}: categories names '{name}', which no equation reads"
                f"{nearest(name, read)}; correct it"
            )
    for equation in equations:
        for name in (equation.outcome, *equation.endogenous, *(n for n, _ in equation.lagged)):
            if name in categories:
                refuse(
                    f"{table.place}: '{name}' is a category, and equation '{equation.name}' needs"
                    " it as a number; let it be exogenous or an instrument"
                )
    return InstrumentalQuestion(equations, methods, categories, *errors)


def _errors(table: Table, methods: tuple[str, ...]) -> tuple[str, int, tuple[str, ...], bool]:
    table.known(("covariance", "bandwidth", "clusters", "small_sample"))
    covariance = table.choice("covariance", COVARIANCES, COVARIANCES[0])
    if (covariance in LAGGED) != ("bandwidth" in table.values):
        raise SpecError(
            f'{table.place}: bandwidth, the last lag, belongs to covariance = "kernel" or'
            ' "driscoll_kraay"; give both or neither'
        )
    if (covariance == "clustered") != ("clusters" in table.values):
        raise SpecError(
            f'{table.place}: clusters, such as ["entity"], belong to covariance = "clustered"; give'
            " both or neither"
        )
    clusters = table.texts("clusters", (), among=CLUSTERS)
    for name in clusters:
        if name not in CLUSTERS or clusters.count(name) > 1:
            raise SpecError(
                f"{table.place}: clusters names '{name}', which is not one of"
                f" {' and '.join(CLUSTERS)}, each once{nearest(name, CLUSTERS)}; correct it"
            )
    if "clusters" in table.values and not clusters:
        raise SpecError(f'{table.place}: clusters is empty; name "entity", "time" or both')
    if "gmm" in methods and (covariance == "driscoll_kraay" or len(clusters) > 1):
        raise SpecError(
            f"{table.place}: gmm weighs by one grouping of rows alone; take it out of methods, or"
            " cluster one way"
        )
    bandwidth = table.integer("bandwidth", at_least=1) if covariance in LAGGED else 0
    return covariance, bandwidth, clusters, table.flag("small_sample", False)


def _equation(table: Table) -> Equation:
    table.known(
        ("name", "outcome", "endogenous", "instruments", "exogenous", "lagged", "ahead", "reason")
    )
    lagged = table.sub("lagged")
    found = Equation(
        name=table.text("name"),
        outcome=table.text("outcome"),
        endogenous=table.texts("endogenous"),
        instruments=table.texts("instruments"),
        exogenous=table.texts("exogenous", ()),
        lagged=tuple((name, lagged.integer(name, at_least=1)) for name in lagged.values),
        ahead=table.integer("ahead", 0),
        reason=table.text("reason", ""),
    )
    if not found.endogenous:
        refuse(f"{table.place}: endogenous is empty; name what moves with the outcome")
    if len(found.instruments) < len(found.endogenous):
        refuse(
            f"{table.place}: {len(found.instruments)} instrument(s) for {len(found.endogenous)}"
            " endogenous column(s); name at least as many"
        )
    named = [*found.endogenous, *found.exogenous, *found.instruments]
    named += [] if found.ahead else [found.outcome]  # today's row may explain tomorrow's
    for name in named:
        if named.count(name) > 1:
            refuse(f"{table.place}: '{name}' has two parts to play; keep one")
    return found
