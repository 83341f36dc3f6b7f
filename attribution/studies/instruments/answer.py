"""Equations with instruments in; coefficients, tests, sets robust to weak instruments, out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from scipy import stats

from attribution.core.instruments.first_stage import WEAK_F
from attribution.finding import Finding
from attribution.model.study import StudySpec
from attribution.panel import Evidence
from attribution.runs.study import ANSWERS, Effort, Study, cell, of_error
from attribution.studies.instruments.fit import Instrumented, instrumental
from attribution.studies.instruments.grouped_errors import Grouping
from attribution.studies.instruments.question import Equation, InstrumentalQuestion
from attribution.studies.instruments.rows import Columns, columns_of
from attribution.studies.instruments.sets import RealSet, inverted

# An equation and what was found in; findings and one sentence out.

LEVELS = (0.9, 0.95)
SIZE = 0.05
FEW = 30
"""Groups below which sums over them tend to understate errors."""


@dataclass(frozen=True)
class Answered:
    """An equation and what was found."""

    equation: Equation
    columns: Columns
    found: Instrumented
    unit: str
    sets: dict[float, RealSet]

    @property
    def rows(self) -> int:
        """Complete rows."""
        return len(self.columns.outcome)


def instrumental_findings(a: Answered) -> list[Finding]:
    """Say what the instruments are worth, what they find, and what they suppose."""
    name, tests = a.equation.name, a.found.tests
    out = [_strength(a, column) for column in a.equation.endogenous]
    key = "wooldridge_overidentification"
    if key in tests.index:
        p = cell(tests, key, "p")
        said = "; ".join(
            f"{str(t).replace('_', ' ')} p = {r.p:.3f}" for t, r in _over(tests).iterrows()
        )
        out.append(
            Finding(
                f"{name}: instruments agree",
                "Do the instruments give one answer?",
                f"{said}; agreement does not show that any of them may be left out",
                "fails" if p < SIZE else "undecided",
            )
        )
    p = cell(tests, "wooldridge_exogeneity", "p")
    out.append(
        Finding(
            f"{name}: least squares differs",
            "Is least squares off by more than chance, if the instruments are right?",
            f"robust test of exogeneity p = {p:.3f}, Wu-Hausman p ="
            f" {cell(tests, 'wu_hausman', 'p'):.3f}",
            "holds" if p < SIZE else "undecided",
        )
    )
    if a.sets:
        level = max(LEVELS)
        out.append(
            Finding(
                f"{name}: effect",
                f"Does {a.equation.endogenous[0]} move {a.equation.outcome}, however weak the"
                " instruments?",
                f"Anderson-Rubin {100 * level:g} % set: {a.sets[level]} {a.unit} per unit",
                "undecided" if 0.0 in a.sets[level] or not a.sets[level].parts else "holds",
            )
        )
    if a.columns.grouping is not None:
        out.append(_groups(a.equation.name, a.columns.grouping))
    out.append(_exclusion(a))
    return out


def _groups(name: str, grouping: Grouping) -> Finding:
    """Say by what rows are taken together, and whether there are enough of them."""
    kernel = "" if grouping.bandwidth is None else f", with a kernel of {grouping.bandwidth} lags"
    return Finding(
        f"{name}: groups",
        "Are there groups of rows enough for errors that sum over them?",
        f"rows are taken together by {' and '.join(grouping.names)}{kernel}: {grouping.groups}"
        f" groups, t with {grouping.groups - 1} degrees of freedom; below {FEW} they may"
        " still be too short",
        "holds" if grouping.groups >= FEW else "undecided",
    )


def _over(tests: pd.DataFrame) -> pd.DataFrame:
    return tests.loc[[n for n in tests.index if not n.startswith("wu_") and "exog" not in n]]


def _strength(a: Answered, column: str) -> Finding:
    stage = a.found.first_stage.loc[column]
    if np.isfinite(stage.f_effective):
        weak, strong = stage.f_effective < WEAK_F, stage.f_effective >= stage.f_critical
        said = (
            f"effective F {stage.f_effective:.1f}, {stage.f_critical:.1f} needed for a bias of at"
            " most a tenth of the worst"
        )
    else:
        weak, strong = stage.f_robust < WEAK_F, False
        said = f"robust F {stage.f_robust:.1f} of this column alone, Shea's R2 {stage.shea_r2:.2f}"
    advice = "; the instruments are weak: read the Anderson-Rubin set, not the intervals"
    return Finding(
        f"{a.equation.name}: instruments of {column}",
        f"Do the instruments move {column} enough?",
        f"{said}; partial R2 {stage.partial_r2:.2f}" + ("" if strong else advice),
        "fails" if weak else "holds" if strong else "undecided",
    )


def _exclusion(a: Answered) -> Finding:
    """Say what cannot be tested, and what a breach of it would do."""
    why = f" The model's reason: {a.equation.reason}." if a.equation.reason else ""
    evidence = (
        f"{', '.join(a.equation.instruments)} must move {a.equation.outcome} through"
        f" {' and '.join(a.equation.endogenous)} alone; if a share of their effect is direct (as"
        " when the same investors leave all risk), the estimate is off by that share."
    )
    return Finding(
        f"{a.equation.name}: exclusion",
        "May the instruments be left out of the equation?",
        evidence + why,
        "untestable",
    )


def instrumental_headline(a: Answered, method: str) -> str:
    """Say the effect by one method, robustly to weak instruments, and by least squares."""
    name = a.equation.endogenous[0]
    mean = cell(a.found.coefficients, name, method)
    least = cell(a.found.coefficients, name, "ols")
    law = stats.t(float(a.found.freedom[method]))  # the normal law where that is infinite
    reach = float(law.ppf(0.95)) * cell(a.found.errors, name, method)
    sets = f", Anderson-Rubin {a.sets[LEVELS[0]]}" if a.sets else ""
    return (
        f"{a.equation.name}: one unit of {name} moves {a.equation.outcome} by {mean:+.4g} {a.unit}"
        f" ({method}, 90 % {mean - reach:.4g} to {mean + reach:.4g}{sets}; least squares"
        f" {least:+.4g})."
    )


POINTS = 401
REACH = 1.6
"""Of the figure, in distances from the estimate to the ends of the set of 95 %."""
ABOUT = (
    "What one unit of a column that is not random does to another, learned only from the part of it"
    " that the instruments move. This is a causal effect if the instruments act on the outcome"
    " through that column alone; the data cannot test all of that, and the finding on exclusion"
    " says what is assumed. Least squares has errors from n - k and the intervals of Student's t;"
    " with instruments they divide by n and use the normal law, as ivregress prints them, unless"
    " small_sample is asked for or rows are grouped. Intervals of the estimates suppose strong"
    " instruments; the"
    " Anderson-Rubin sets hold whatever their strength, and need not be intervals. Where the"
    " instruments reject every value, the set is empty: then the equation is wrong."
)


def instrumental_study(spec: StudySpec, evidence: Evidence, effort: Effort) -> Study:
    """Estimate every equation by every method; nothing is drawn, so settings change nothing.

    Raises
    ------
    DataError
        If a column cannot be used.
    """
    question = spec.question
    assert isinstance(question, InstrumentalQuestion)
    answered = []
    for equation in question.equations:
        effort.say(f"equation {equation.name}")
        answered.append(_answer(question, equation, evidence))
    tables = {
        ANSWERS: pd.concat([_answer_rows(a) for a in answered]),
        "instruments": pd.concat([_stage_rows(a) for a in answered]),
        "tests": pd.concat([_test_rows(a) for a in answered]),
    }
    if any(a.sets for a in answered):
        tables["anderson_rubin"] = pd.concat([_set_rows(a) for a in answered if a.sets])
    tables["coefficients"] = pd.concat([_coefficient_rows(a) for a in answered])
    return Study(
        groups={"/anderson_rubin": _curves(answered)} if "anderson_rubin" in tables else {},
        tables=tables,
        findings=tuple(finding for a in answered for finding in instrumental_findings(a)),
        headline=instrumental_headline(answered[0], question.methods[0]),
        about=ABOUT,
        notes={"reasons": {e.name: e.reason for e in question.equations}},
    )


def _answer(question: InstrumentalQuestion, equation: Equation, evidence: Evidence) -> Answered:
    columns = columns_of(question, equation, evidence)
    found = instrumental(
        columns,
        methods=question.methods,
        covariance=question.covariance,
        bandwidth=question.bandwidth,
        small_sample=question.small_sample,
    )
    test, units = found.anderson_rubin, evidence.units
    sets = {} if test is None else {level: inverted(test, level) for level in LEVELS}
    return Answered(equation, columns, found, units[equation.outcome], sets)


def _answer_rows(a: Answered) -> pd.DataFrame:
    rows = {}
    for name in a.equation.endogenous:
        for method in map(str, a.found.coefficients):
            mean = cell(a.found.coefficients, name, method)
            sd = cell(a.found.errors, name, method)
            single = len(a.equation.endogenous) == 1
            label = a.equation.name if single else f"{a.equation.name}: {name}"
            later = f" {a.equation.ahead} row(s) later" if a.equation.ahead else ""
            said = f"one unit of {name} on {a.equation.outcome}{later}"
            rows[f"{label}, {method}"] = of_error(
                said, mean, sd, f"{a.unit} per unit", freedom=float(a.found.freedom[method])
            )
    return pd.DataFrame.from_dict(rows, orient="index")


def _stage_rows(a: Answered) -> pd.DataFrame:
    table = a.found.first_stage.assign(rows=float(a.rows))
    return table.set_axis([f"{a.equation.name}: {name}" for name in table.index])


def _test_rows(a: Answered) -> pd.DataFrame:
    table = a.found.tests
    return table.set_axis([f"{a.equation.name}: {name}" for name in table.index])


def _set_rows(a: Answered) -> pd.DataFrame:
    rows = {}
    for level, found in a.sets.items():
        first, last = (found.parts[0], found.parts[-1]) if found.parts else ((np.nan,) * 2,) * 2
        rows[f"{a.equation.name}: {100 * level:g} %"] = {
            "set": str(found),
            "shape": found.shape,
            "lowest": first[0],
            "highest": last[1],
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def _coefficient_rows(a: Answered) -> pd.DataFrame:
    """Every coefficient and its standard error, one row a column and method."""
    rows = {
        f"{a.equation.name}: {name}, {method}": {
            "coefficient": cell(a.found.coefficients, name, method),
            "standard_error": cell(a.found.errors, name, method),
        }
        for name in map(str, a.found.coefficients.index)
        for method in map(str, a.found.coefficients)
    }
    for method, value in a.found.r2.items():
        rows[f"{a.equation.name}: r2, {method}"] = {"coefficient": value, "standard_error": np.nan}
    if np.isfinite(a.found.kappa):
        rows[f"{a.equation.name}: kappa, liml"] = {
            "coefficient": a.found.kappa,
            "standard_error": np.nan,
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def _curves(answered: list[Answered]) -> xr.Dataset:
    """Evaluate the statistic of each equation over the values it is drawn for."""
    shown = [a for a in answered if a.found.anderson_rubin is not None]
    values, heights, critical = [], [], []
    for a in shown:
        test, method = a.found.anderson_rubin, a.found.coefficients.columns[-1]
        assert test is not None
        middle = cell(a.found.coefficients, a.equation.endogenous[0], method)
        spread = 3 * cell(a.found.errors, a.equation.endogenous[0], method)
        ends = [e for part in a.sets[max(LEVELS)].parts for e in part if np.isfinite(e)]
        far = max([abs(e - middle) for e in ends] + [spread])
        values.append(middle + REACH * far * np.linspace(-1, 1, POINTS))
        heights.append(test.statistic(values[-1]))
        critical.append([test.critical(level) for level in LEVELS])
    return xr.Dataset(
        {
            "value": (("equation", "point"), np.array(values)),
            "statistic": (("equation", "point"), np.array(heights)),
            "critical": (("equation", "level"), np.array(critical)),
            "estimate": (
                ("equation", "method"),
                np.array([a.found.coefficients.loc[a.equation.endogenous[0]] for a in shown]),
            ),
        },
        {
            "equation": [a.equation.name for a in shown],
            "level": list(LEVELS),
            "method": list(shown[0].found.coefficients.columns),
        },
        {"units": [a.unit for a in shown], "columns": [a.equation.endogenous[0] for a in shown]},
    )
