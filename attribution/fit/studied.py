"""A study's specification and its data in; its run out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from attribution import runs
from attribution.errors import DiagnosticsError, SpecError
from attribution.fit.judge import diagnosed, drawn, marked, repairs_finding
from attribution.fit.settings import Settings, refuse_many_rows
from attribution.model.kinds import KINDS, loaded
from attribution.model.study import StudySpec
from attribution.panel import Evidence, read_evidence
from attribution.report.run import Run
from attribution.runs.run import digest_of, versions
from attribution.runs.study import ANSWER, ANSWERS, Effort, Study

NO_ANSWERS = pd.DataFrame(columns=list(ANSWER))


def fit_study(
    spec: StudySpec,
    *,
    data: Path | str | pd.DataFrame | None,
    settings: Settings,
    say: Callable[[str], None],
) -> Run:
    """Estimate a study and record its answer.

    Raises
    ------
    SpecError, DataError, EventError, DiagnosticsError
        Each names the place, what was found and what to do.
    """
    if settings.event_in != "out":
        raise SpecError(f"--event-in: kind '{spec.kind}' does not know it; leave it out")
    if settings.sampler is not None:
        raise SpecError(f"--sampler: kind '{spec.kind}' has one way to estimate; leave it out")
    say(f"reading {spec.sample.panel or 'data'}")
    evidence = read_evidence(spec, data)
    draws = settings.draws or KINDS[spec.kind].draws
    refuse_many_rows(spec, evidence.rows, draws)
    say(f"estimating {spec.name}")
    effort = Effort(draws, settings.seed, settings.progress, say)
    try:
        study: Study = loaded(KINDS[spec.kind].estimate)(spec, evidence, effort)
    except DiagnosticsError as error:
        if error.draws:
            error.run = _unconverged(spec, evidence, effort, error)
        raise
    tree = runs.study_tree(study.groups, study.tables, spec, evidence.units)
    return Run(tree, _manifest(spec, evidence, study, draws, settings.seed))


def _unconverged(
    spec: StudySpec, evidence: Evidence, effort: Effort, error: DiagnosticsError
) -> Run:
    """Make a run of draws that failed: all that was sampled, and no answer."""
    study = Study({}, {ANSWERS: NO_ANSWERS}, (), "", diagnostics=diagnosed(error.draws))
    run = Run(
        drawn(error.draws, spec, evidence.units),
        _manifest(spec, evidence, study, effort.draws, effort.seed),
    )
    return marked(run, str(error))


def _manifest(
    spec: StudySpec, evidence: Evidence, study: Study, draws: int, seed: int
) -> dict[str, Any]:
    sample = spec.sample
    repaired = repairs_finding(evidence.repairs)
    findings = [*study.findings, *([] if repaired is None else [repaired])]
    span = f"{sample.start} to {sample.end}" if sample.dated else "every row"
    return {
        "model": spec.name,
        "title": spec.title,
        "event": "",
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "seed": seed,
        "headline": study.headline,
        "about": study.about,
        "settings": {"draws": draws, "sample": span, "rows": len(evidence.rows)},
        "digests": {"model": digest_of(spec), "data": evidence.digest},
        "versions": versions(),
        "checks": {"converged": True} if study.diagnostics else {},
        "diagnostics": dict(study.diagnostics),
        "repairs": list(evidence.repairs),
        "notes": dict(study.notes),
        "findings": [finding.record() for finding in findings],
    }
