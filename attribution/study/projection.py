"""A question of local projections and its evidence in; responses and the event's share out."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import numpy as np
import pandas as pd
import xarray as xr

from attribution.errors import SpecError
from attribution.estimate.projection import project
from attribution.estimate.projection_design import projection_design, refuse_dependent
from attribution.estimate.projection_event import project_event
from attribution.estimate.projection_rows import projection_rows
from attribution.model.projection import ProjectionQuestion
from attribution.model.study import StudySpec
from attribution.panel import Evidence
from attribution.panel.measures import levels_of, refuse_no_change
from attribution.study.projection_findings import findings_of
from attribution.study.projection_tables import Projected, headline_of, tables_of
from attribution.study.shape import Effort, Study

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
