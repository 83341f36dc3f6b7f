"""A study and its kind in; what the estimator of that kind says out."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from attribution.model.study import StudySpec
from attribution.panel import Evidence
from attribution.study.shape import Effort, Study

DRAWS: dict[str, int] = {
    "barrier": 4000,
    "counterfactual": 4000,
    "event": 4000,
    "flows": 4000,
    "projection": 4000,
}
"""Kept draws by kind, over all chains; a kind that is not here draws nothing unless told."""
ESTIMATORS: dict[str, tuple[str, str]] = {
    "barrier": ("attribution.study.barrier", "barrier_study"),
    "counterfactual": ("attribution.study.counterfactual", "counterfactual_study"),
    "flows": ("attribution.study.flows", "flows_study"),
    "event": ("attribution.study.event", "event_study"),
    "fama_macbeth": ("attribution.study.fama_macbeth", "fama_macbeth_study"),
    "iv": ("attribution.study.instrumental", "instrumental_study"),
    "panel": ("attribution.study.panel", "panel_study"),
    "projection": ("attribution.study.projection", "projection_study"),
}
"""Kind -> module and name: a kind's packages are loaded when it is asked for."""


def estimate_study(spec: StudySpec, evidence: Evidence, effort: Effort) -> Study:
    """Estimate a study by the estimator of its kind."""
    module, name = ESTIMATORS[spec.kind]
    estimator: Callable[[StudySpec, Evidence, Effort], Study] = getattr(import_module(module), name)
    return estimator(spec, evidence, effort)
