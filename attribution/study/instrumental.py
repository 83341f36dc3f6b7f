"""Equations with instruments in; coefficients, tests, sets robust to weak instruments, out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from attribution.estimate.anderson_rubin import inverted
from attribution.estimate.instrumental import instrumental
from attribution.model.instrumental import Equation, InstrumentalQuestion
from attribution.model.study import StudySpec
from attribution.panel import Evidence
from attribution.study.answer import of_error
from attribution.study.cell import cell
from attribution.study.instrumental_findings import (
    LEVELS,
    Answered,
    instrumental_findings,
    instrumental_headline,
)
from attribution.study.instrumental_rows import columns_of
from attribution.study.shape import ANSWERS, Effort, Study

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
