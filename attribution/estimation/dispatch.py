"""The estimator of each kind of VAR."""

from __future__ import annotations

from attribution.estimation.shape import Estimate, Sampling
from attribution.model.kinds import KINDS, loaded
from attribution.model.spec import ModelSpec
from attribution.panel import Panel


def estimate(spec: ModelSpec, panel: Panel, how: Sampling) -> Estimate:
    """Estimate a model by the estimator of its kind."""
    found: Estimate = loaded(KINDS[spec.kind].estimate)(spec, panel, how)
    return found
