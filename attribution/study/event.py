"""A structural question about one day and its evidence in; what made the day's move out."""

from __future__ import annotations

from typing import cast

import numpy as np

from attribution.estimate.event_book import surface_of
from attribution.estimate.event_fit import EventFit, fit_event, prior_draws
from attribution.estimate.event_rows import event_rows
from attribution.model.event_study import EventQuestion
from attribution.model.study import StudySpec
from attribution.panel import Evidence
from attribution.panel.measures import refuse_levels
from attribution.study.event_abduction import flat
from attribution.study.event_findings import findings_of
from attribution.study.event_groups import groups_of
from attribution.study.event_headline import headline_of
from attribution.study.event_judged import judged_draws
from attribution.study.event_path import DayPath, path_of
from attribution.study.event_solved import solved_of
from attribution.study.event_stepping import (
    stepping_tables,
    steps_group,
    within_day,
    within_words,
)
from attribution.study.event_tables import tables_of
from attribution.study.shape import Effort, Study

PRIOR = 4000
"""Draws from the prior."""
ABOUT = (
    "Two questions are kept apart. Where did the move start: drivers that bitcoin is taken not to"
    " move, the basis trade, and an unexplained rest. How much smaller would it have been without a"
    " mechanism that answers the price: structured notes, listed options, liquidations. For the"
    " second every draw infers the day's shocks so that the model ends at the observed move, then"
    " switches mechanisms off with those shocks held. But-for effects do not add up where"
    " mechanisms work through each other; triggers-first and Shapley contributions do, and the"
    " range over orders says how much that choice matters. Order-flow rows (O) share the impact of"
    " all trades by who traded and answer neither question. Forced orders may have been absorbed,"
    " leaving no mark: the probability of that is learnt, the sign of a mark is assumed."
    " Dealers' side in options, the face of"
    " notes and their second hedge are not observed: the ledger says which answers rest on priors."
    " Terms of notes keep their prior, and four laws of impact are weighed by how well each"
    " predicts."
)


def event_study(spec: StudySpec, evidence: Evidence, effort: Effort) -> Study:
    """Attribute one day's move to what started it and what amplified it.

    Raises
    ------
    SpecError, DataError, EventError, DiagnosticsError
        Each names the place, what was found and what to do.
    """
    question, place = cast(EventQuestion, spec.question), f"model '{spec.name}'"
    terms, sampler, prior = np.random.SeedSequence(effort.seed).spawn(3)
    refuse_levels((question.outcome,), evidence.measures, place)
    rows = event_rows(question, evidence, place)
    path = path_of(question, evidence, rows, place)
    effort.say("pricing the notes on every day")
    surface = surface_of(question, evidence, rows, np.random.default_rng(terms))
    fit = fit_event(
        question,
        rows,
        surface,
        draws=effort.draws,
        seed=int(sampler.generate_state(1)[0] % 2**31),
        progress=effort.progress,
        say=effort.say,
    )
    return answer_of(spec, fit, np.random.default_rng(prior), effort, path)


def answer_of(
    spec: StudySpec,
    fit: EventFit,
    rng: np.random.Generator,
    effort: Effort,
    path: DayPath | None = None,
) -> Study:
    """Turn draws into the study: groups, tables, findings and the headline."""
    question, place = cast(EventQuestion, spec.question), f"model '{spec.name}'"
    before = prior_draws(question, fit.rows, PRIOR, rng)
    laws = tuple(law.name for law in question.impact.laws)
    drawn = flat(
        {n: x[None] for n, x in before.items()}, before["law"][None], laws, fit.surface.scenarios
    )
    solved = solved_of(question, fit, drawn, effort.say, path=path)
    converged = judged_draws(solved, place)
    return Study(
        groups={**groups_of(solved), **steps_group(solved)},
        tables={**tables_of(solved), **stepping_tables(solved)},
        findings=(*findings_of(solved), within_day(solved), *converged.findings),
        headline=headline_of(solved),
        about=ABOUT + within_words(solved),
        diagnostics=converged.diagnostics,
        notes={
            "days": len(fit.rows.days),
            "days_left_out": fit.rows.left_out,
            "contradicted_liquidations": fit.rows.contradicted,
            "draws_left_out": round(solved.played.left_out, 6),
            "steps": 1 if path is None else len(path.move),
        },
    )
