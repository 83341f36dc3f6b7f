"""Least squares and a causal order in; draws by a bootstrap of residuals out."""

from __future__ import annotations

import pandas as pd

from attribution import runs
from attribution.model.spec import ModelSpec
from attribution.panel import Panel
from attribution.runs.labels import rows_note
from attribution.var.estimate.var import estimate_var
from attribution.var.kinds.shape import Estimate, Sampling


def var(spec: ModelSpec, panel: Panel, how: Sampling) -> Estimate:
    """Estimate a recursive VAR by least squares, with the bootstrap as its draws."""
    fitted = estimate_var(spec, panel.values, draws=how.draws, seed=how.seed, event_in=how.event_in)
    return Estimate(
        fitted.posterior,
        notes={
            "criteria": dict(fitted.criteria),
            "log_likelihood": fitted.loglik,
            **rows_note(pd.DatetimeIndex(fitted.residuals.index)),
        },
        extra=runs.point(fitted.point, panel.units, spec.system.horizons, spec.system.cumulated),
    )
