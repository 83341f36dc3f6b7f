"""A question of local projections and its evidence in; responses and the event's share out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import pandas as pd
import xarray as xr
from scipy.stats import norm

from attribution.core.moves import log_mean_weight
from attribution.errors import SpecError
from attribution.finding import Finding
from attribution.model.study import StudySpec
from attribution.panel import Evidence
from attribution.panel.measures import levels_of, refuse_no_change
from attribution.runs.study import Effort, Study, of_draws, of_error
from attribution.studies.projection.event import ProjectionEvent, project_event
from attribution.studies.projection.fit import Projections, project
from attribution.studies.projection.question import ProjectionQuestion
from attribution.studies.projection.rows import (
    ProjectionRows,
    projection_design,
    projection_rows,
    refuse_dependent,
)

# Estimated local projections in; their tables, findings and headline out.

LOG_POINTS = "log points"
NORMAL_90 = float(norm.ppf(0.95))


@dataclass(frozen=True)
class Projected:
    """Everything that tables and findings are made of."""

    question: ProjectionQuestion
    rows: ProjectionRows
    found: Projections
    event: ProjectionEvent
    units: Mapping[str, str]

    @property
    def size(self) -> float:
        """Size of the impulse that responses are told for, unit of the impulse."""
        return self.found.scale if self.question.scale == "sd" else 1.0

    @property
    def step(self) -> str:
        """What a row is."""
        return "trading days" if isinstance(self.rows.values.index, pd.DatetimeIndex) else "rows"

    @property
    def source(self) -> str:
        """The series whose own innovations an event's window is told in."""
        instrument = self.question.instrument
        return instrument.column if instrument else self.question.impulse

    @property
    def outcome(self) -> int:
        """Place of the outcome among the variables."""
        return self.question.variables.index(self.question.outcome)

    @property
    def words(self) -> str:
        """The impulse in words."""
        question = self.question
        amount = f"{self.size:.3g} {self.units[question.impulse]}"
        sized = f"one sd ({amount})" if question.scale == "sd" else f"one {amount[2:]}"
        by = f", moved by {question.instrument.column}" if question.instrument else ""
        return f"{sized} of {question.impulse}{by}"


def tables_of(projected: Projected) -> dict[str, pd.DataFrame]:
    """Return every table; the answers first."""
    tables = {"answers": _answers(projected)}
    if projected.event.point:
        tables["windows"] = _windows(projected)
        tables["innovations"] = _innovations(projected)
    tables["responses"] = _responses(projected)
    if len(projected.found.first_stage):
        tables["first_stage"] = pd.DataFrame(
            {"rows": projected.found.rows, "robust_f": projected.found.first_stage},
            index=[f"horizon {h}" for h in range(len(projected.found.rows))],
        )
    return tables


def _answers(projected: Projected) -> pd.DataFrame:
    question, event = projected.question, projected.event
    unit = projected.units[question.outcome]
    found = {}
    for window in question.event.windows:
        same = window.start == window.end
        days = f"{window.start}" if same else f"{window.start} to {window.end}"
        found[window.name] = of_draws(
            f"innovations of {projected.source} times responses, {days}",
            event.draws[window.name],
            unit,
            mean=event.point[window.name],
        )
    for h in range(min(2, question.horizons + 1)):
        value = projected.found.response[h, projected.outcome] * projected.size
        error = projected.found.error[h, projected.outcome] * projected.size
        kind = "cumulated response" if question.cumulative else "response"
        found[f"horizon {h}"] = of_error(f"{kind} to {projected.words}", value, error, unit)
    return pd.DataFrame.from_dict(found, orient="index")


def observed(projected: Projected, window: str) -> float:
    """Observed move of the outcome over a window: of a level, its last row over the eve.

    The eve is there: lags are needed before the window.
    """
    outcome = projected.rows.values[projected.question.outcome].to_numpy(float)
    at = projected.rows.windows[window]
    if projected.question.outcome in projected.question.levels:
        return float(outcome[at[-1]] - outcome[at[0] - 1])
    return float(outcome[at].sum())


def _windows(projected: Projected) -> pd.DataFrame:
    """Set what each window owes to the impulse beside what was seen, in per cent too."""
    found, unit = {}, projected.units[projected.question.outcome]
    for name, point in projected.event.point.items():
        seen = observed(projected, name)
        weight = log_mean_weight(seen)
        for part, value in {"owed": point, "rest": seen - point, "observed": seen}.items():
            row = {"mean": value, "unit": unit}
            if unit == LOG_POINTS:
                row["per_cent"] = value * weight
            found[f"{name}/{part}"] = row
    return pd.DataFrame.from_dict(found, orient="index")


def _responses(projected: Projected) -> pd.DataFrame:
    """Every response with its 90 % interval, and the VAR's."""
    question, found, size = projected.question, projected.found, projected.size
    rows = {
        f"{name}/{h}": {
            "response": found.response[h, i] * size,
            "error": found.error[h, i] * size,
            "q05": (found.response[h, i] - NORMAL_90 * found.error[h, i]) * size,
            "q95": (found.response[h, i] + NORMAL_90 * found.error[h, i]) * size,
            "var": found.var[h, i] * size,
            "rows": int(found.rows[h]),
            "unit": projected.units[name],
        }
        for i, name in enumerate(question.variables)
        for h in range(question.horizons + 1)
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def _innovations(projected: Projected) -> pd.DataFrame:
    labels = projected.rows.values.index[projected.event.rows]
    said = pd.DatetimeIndex(labels).strftime("%Y-%m-%d")
    news = projected.event.innovation
    question, source = projected.question, projected.source
    seen = projected.rows.values[source].to_numpy(float)[projected.event.rows]
    table = {"observed": seen, "innovation": news, "unit": projected.units[source]}
    if not question.instrument:
        table["in_sds"] = news / projected.found.scale
    return pd.DataFrame(table, index=said)


def headline_of(projected: Projected) -> str:
    """Say the first window's answer, or the response on impact."""
    question = projected.question
    unit = projected.units[question.outcome]
    value = projected.found.response[0, projected.outcome] * projected.size
    error = projected.found.error[0, projected.outcome] * projected.size
    impact = (
        f"{question.outcome} answers {projected.words} by {value:+.2f} {unit} on the day (90 %:"
        f" {value - NORMAL_90 * error:.2f} to {value + NORMAL_90 * error:.2f})"
    )
    if not question.event.windows:
        return impact
    window = question.event.windows[0].name
    row = _answers(projected).loc[window]
    return (
        f"{impact}; in window '{window}' its innovations account for {row['mean']:.1f}"
        f" ({row['q05']:.1f} to {row['q95']:.1f}) of {observed(projected, window):.1f} {unit}"
    )


# Estimated local projections in; what they rest on, as findings, out.

STRONG = 10.0
"""First-stage F below which an instrument is called weak."""


def findings_of(projected: Projected) -> Iterator[Finding]:
    """Yield every check of local projections."""
    if projected.question.instrument is None:
        yield _against_var(projected)
    else:
        yield _relevance(projected)
    yield _later(projected)


def _against_var(projected: Projected) -> Finding:
    """Ask whether a VAR on the same rows and lags says the same.

    The limit is Bonferroni's over all responses: wide, since projections of neighbouring horizons
    err together, and since the VAR errs with them.
    """
    found, question = projected.found, projected.question
    gap = np.abs(found.response - found.var)
    free = found.error > 0
    ratio = np.where(free, gap / np.where(free, found.error, 1.0), 0.0)
    h, i = np.unravel_index(int(ratio.argmax()), ratio.shape)
    count = int(free.sum())
    limit = float(norm.isf(0.025 / count))
    own = ratio[:, projected.outcome]
    return Finding(
        name="against_the_var",
        question="Do the projections agree with the recursive VAR of the same lags and rows?",
        evidence=(
            f"{np.mean(ratio[free] <= 2.0):.0%} of {count} responses within two standard errors,"
            f" those of {question.outcome} within {own.max():.1f}; the farthest,"
            f" {question.variables[i]} at horizon {h}, {ratio[h, i]:.1f} against a limit of"
            f" {limit:.1f} for the farthest of all; on impact they differ by {gap[0].max():.0e}"
        ),
        verdict="holds" if ratio.max() <= limit else "fails",
    )


def _relevance(projected: Projected) -> Finding:
    strength = projected.found.first_stage
    weakest = int(strength.argmin())
    return Finding(
        name="first_stage",
        question="Is the instrument strong at every horizon?",
        evidence=(
            f"robust first-stage F between {strength.min():.1f} (horizon {weakest}) and"
            f" {strength.max():.1f}; below {STRONG:.0f} intervals are not reliable"
        ),
        verdict="holds" if strength.min() >= STRONG else "fails",
    )


def _later(projected: Projected) -> Finding:
    """Ask whether anything follows after the day: no effect is not shown by no significance."""
    later, question = projected.event.later, projected.question
    name = "lead"
    asked = f"Does {question.impulse} move {question.outcome} after the day itself?"
    if later.degrees == 0:
        return Finding(name, asked, "no horizon after the day was asked for", "undecided")
    low, high = (later.next_row + side * NORMAL_90 * later.error for side in (-1, 1))
    small = max(abs(low), abs(high)) < 0.5 * abs(later.impact)
    return Finding(
        name=name,
        question=asked,
        evidence=(
            f"{later.next_row:+.2f} (90 %: {low:.2f} to {high:.2f}) on the next row, against"
            f" {later.impact:+.2f} on the day, {projected.units[question.outcome]} per unit of"
            f" {projected.source}; no response at horizons 1 to {later.degrees}: Wald"
            f" {later.statistic:.1f}, p = {later.p_value:.2f}"
        ),
        verdict="holds" if later.p_value < 0.05 else ("fails" if small else "undecided"),
    )


CHAINS, LEAST = 4, 400
ABOUT = (
    "Local projections (Jordà 2005) regress each series h rows ahead on the impulse of the day and"
    " on controls known before it, one regression a horizon; they estimate the impulse responses of"
    " a recursive VAR without carrying its errors from one horizon to the next (Plagborg-Møller and"
    " Wolf 2021). "
)
RECURSIVE = (
    "The impulse is what the series ordered before it and the lags do not forecast; that nothing"
    " after it moves it on the same day is assumed, not found. What an event's window owes to it is"
    " the observed innovations times these responses: a share by surprise of one series, no"
    " mechanism."
)
BY_INSTRUMENT = (
    "The impulse is what the instrument moves (Stock and Watson 2018): relevant, as the first stage"
    " tells, and, by assumption, untouched by other shocks of that day or of days around it. An"
    " event's window owes to it the instrument's own innovations times the reduced-form responses;"
    " the rest of the impulse is not counted."
)


def projection_study(spec: StudySpec, evidence: Evidence, effort: Effort) -> Study:
    """Answer a question by local projections.

    Parameters
    ----------
    effort : draws are from the joint normal law of the estimates, for the event's intervals.

    Raises
    ------
    SpecError, DataError, EventError
        If draws are too few, or the rows cannot answer the question.
    """
    question = cast(ProjectionQuestion, spec.question)
    place = f"model '{spec.name}'"
    question = _with_levels(question, evidence, place)
    if effort.draws < LEAST or effort.draws % CHAINS:
        raise SpecError(
            f"{place}: --draws {effort.draws} is fewer than {LEAST} or does not fill {CHAINS} equal"
            " chains; ask for a larger multiple of four"
        )
    rows = projection_rows(question, evidence, place)
    design = projection_design(question, rows)
    refuse_dependent(question, design, place)
    effort.say(f"projecting over {question.horizons} horizons")
    found = project(question, design)
    event = project_event(question, rows, design, draws=effort.draws, seed=effort.seed)
    projected = Projected(question, rows, found, event, evidence.units)
    return Study(
        groups=_groups(projected),
        tables=tables_of(projected),
        findings=tuple(findings_of(projected)),
        headline=headline_of(projected),
        about=ABOUT + (BY_INSTRUMENT if question.instrument else RECURSIVE),
        notes={"rows": len(design.values), "lags": design.lags, "errors": question.errors},
    )


def _with_levels(
    question: ProjectionQuestion, evidence: Evidence, place: str
) -> ProjectionQuestion:
    """Take for levels what the card calls so; refuse sums of a level, and a level unsaid."""
    named = f"{place}: [projection]"
    levels = levels_of(question.variables, question.levels, evidence.measures, named)
    outcome = question.outcome
    if outcome in levels and question.cumulative:
        raise SpecError(
            f"{named}: cumulative adds up responses of changes, and '{outcome}' is a level, whose"
            " response is that of a level already; remove cumulative"
        )
    if question.event.windows and outcome not in levels:
        measure, unit = evidence.measures.get(outcome), evidence.units[outcome]
        refuse_no_change(outcome, evidence.rows[outcome], unit, measure, place)
    return replace(question, levels=levels)


def _groups(projected: Projected) -> dict[str, xr.Dataset]:
    """Responses for the figure, and draws of what each window owes to the impulse."""
    question, found, event = projected.question, projected.found, projected.event
    size = projected.size
    groups = {
        "/projection": xr.Dataset(
            {
                "response": (("horizon", "variable"), found.response * size),
                "error": (("horizon", "variable"), found.error * size),
                "var": (("horizon", "variable"), found.var * size),
            },
            {
                "horizon": np.arange(question.horizons + 1),
                "variable": list(question.variables),
                "unit": ("variable", [projected.units[name] for name in question.variables]),
            },
            attrs={
                "impulse": question.impulse,
                "size": size,
                "size_unit": projected.units[question.impulse],
                "cumulative": int(question.cumulative),
                "instrument": question.instrument.column if question.instrument else "",
                "step": projected.step,
            },
        )
    }
    if event.draws:
        names = list(event.draws)
        stacked = np.stack([event.draws[name] for name in names], axis=-1)
        groups["/posterior"] = xr.Dataset(
            {
                "contribution": (
                    ("chain", "draw", "answer"),
                    stacked.reshape(CHAINS, -1, len(names)),
                )
            },
            {"answer": names},
        )
        groups["/innovation"] = xr.Dataset(
            {"innovation": ("time", event.innovation)},
            {"time": cast(pd.DatetimeIndex, projected.rows.values.index)[event.rows]},
        )
    return groups
