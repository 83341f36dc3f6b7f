"""A model's identification table and its panel in; the claims that a sampler checks out."""

from __future__ import annotations

from attribution.identify.claims import Claims
from attribution.identify.compile import compiled
from attribution.model.restriction import Identification
from attribution.model.spec import ModelSpec
from attribution.panel import Panel


def claims_of(spec: ModelSpec, table: Identification, panel: Panel) -> Claims:
    """Compile a table for the system of a model and the dates of a panel."""
    system = spec.system
    return compiled(
        table,
        system.variables,
        panel.values,
        lags=system.lags,
        constant=system.constant,
        levels=system.levels,
    )
