"""Named draws and narratives that were not imposed in; the share that violates each out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from attribution.diagnostics import mean_with_error
from attribution.estimation.shape import Estimate
from attribution.estimation.table_claims import claims_of
from attribution.finding import Finding
from attribution.identify.fits import on_columns
from attribution.identify.margins import violation
from attribution.model.spec import ModelSpec
from attribution.panel import Panel
from attribution.posterior import StructuralPosterior

TOGETHER = "all together"


def with_asked(spec: ModelSpec, panel: Panel, found: Estimate) -> Estimate:
    """Ask the draws about every narrative that the table does not impose.

    Adds a finding for each, which holds where nine draws in ten agree, and the shares to the notes.
    """
    asked = violated(spec, panel, found.posterior)
    if not asked:
        return found
    weight = found.posterior.weight
    means = {words: mean_with_error(fails, weight) for words, fails in asked.items()}
    findings = tuple(
        Finding.by_chance(
            f"narrative: {words}",
            f"Do the draws agree: {words}?",
            f"{100 * share:.3g} % of the draws violate it",
            probability=1.0 - share,
            error=error,
        )
        for words, (share, error) in means.items()
    )
    return replace(
        found,
        findings=(*found.findings, *findings),
        notes={
            **found.notes,
            "narratives_violated": {words: share for words, (share, _) in means.items()},
        },
    )


def violated(
    spec: ModelSpec, panel: Panel, posterior: StructuralPosterior
) -> dict[str, np.ndarray]:
    """Whether each draw violates each narrative that is asked (chain, draw), by its words."""
    table = spec.identification
    if table is None or not table.asked:
        return {}
    alone = replace(
        table, direction=0, cells=(), rankings=(), shares=(), narratives=table.asked,
        reading="unconditional",
    )  # fmt: skip
    claims = claims_of(spec, alone, panel)
    lead, n = posterior.impact.shape[:2], len(posterior.variables)
    order = [posterior.shocks.index(name) for name in claims.channels]
    order += [j for j in range(n) if j not in order]
    impact = posterior.impact.reshape(-1, n, n)[:, :, order]
    slopes = posterior.lag_coefficients.reshape(-1, *posterior.lag_coefficients.shape[2:])
    columns = on_columns(claims, impact, slopes, posterior.intercept.reshape(-1, n))
    unit = np.broadcast_to(np.eye(n), impact.shape)
    found = {
        claim.words: (violation(replace(claims, claims=(claim,)), columns, unit) > 0).reshape(lead)
        for claim in claims.claims
    }
    if len(found) > 1:
        found[TOGETHER] = np.any(list(found.values()), axis=0)
    return found
