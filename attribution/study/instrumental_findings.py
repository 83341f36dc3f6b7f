"""An equation and what was found in; findings and one sentence out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from attribution.core.first_stage import WEAK_F
from attribution.estimate.anderson_rubin import RealSet
from attribution.estimate.grouped_errors import Grouping
from attribution.estimate.instrument_columns import Columns
from attribution.estimate.instrumental import Instrumented
from attribution.finding import Finding
from attribution.model.instrumental import Equation
from attribution.study.cell import cell

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
