"""The restrictions-alone posterior in; its bounds and how hard the table bites, out."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from attribution.core.rotations.bounds import MARGIN
from attribution.finding import Finding
from attribution.model.spec import ModelSpec
from attribution.panel import Panel
from attribution.posterior import StructuralPosterior
from attribution.runs.labels import rows_note
from attribution.var.check.companion import expectations
from attribution.var.estimate.acceptance import Acceptance
from attribution.var.estimate.bvar_signs import SignsFit, fit_bvar_signs
from attribution.var.estimate.loadings import implied_shocks, regressed
from attribution.var.kinds.shape import Estimate, Groups, Sampling


def bvar_signs(spec: ModelSpec, panel: Panel, how: Sampling) -> Estimate:
    """Draw what a table of signs and the data allow, and nothing else."""
    fitted = fit_bvar_signs(
        spec, panel.values, draws=how.draws, seed=how.seed, event_in=how.event_in
    )
    return restrictions_alone(spec, panel, fitted, how.rng())


def acceptance_finding(accepted: Acceptance) -> Finding:
    """Say how hard the table bites."""
    return Finding(
        name="acceptance",
        question="Do the data leave room for the table?",
        evidence=(
            f"{accepted.accepted:,} of {accepted.tried:,} uniform rotations satisfy it; an"
            f" admissible rotation exists for {100 * accepted.plausibility:.0f} % of reduced-form"
            " draws"
        ),
        verdict="holds" if accepted.plausibility >= 0.5 else "fails",
    )


def acceptance_note(accepted: Acceptance) -> dict[str, Any]:
    """Make plain numbers of it for the manifest."""
    return {
        "tried": accepted.tried,
        "accepted": accepted.accepted,
        "rate": accepted.rate,
        "plausibility": accepted.plausibility,
        "turned_away_by_one_cell_alone": dict(accepted.sole),
    }


def restrictions_alone(
    spec: ModelSpec, panel: Panel, fitted: SignsFit, rng: np.random.Generator
) -> Estimate:
    """Hand on the draws with robust bounds and acceptance, and ask them the model's questions."""
    robust, accepted = fitted.robust, fitted.acceptance
    dims = ("chain", "draw", "window", "channel")

    def groups(contribution: xr.DataArray, of: StructuralPosterior) -> Groups:
        data = xr.Dataset(
            {
                "lower": (dims, robust.lower),
                "upper": (dims, robust.upper),
                "clear": (dims, robust.clear),
                "margin": ("window", MARGIN * np.ptp(robust.no_assumption, axis=-1)),
                "identification_strength": (("window", "channel"), robust.identification_strength),
                "dilution": ("window", robust.dilution),
                "no_assumption": (("window", "bound"), robust.no_assumption),
            },
            {"window": list(robust.windows), "channel": list(robust.channels)},
        )
        return {"/robust": data}

    return Estimate(
        posterior=fitted.posterior,
        findings=(acceptance_finding(accepted), *_expectations(spec, panel, fitted, rng)),
        notes={"acceptance": acceptance_note(accepted), **rows_note(fitted.time)},
        extra=fitted.log_prior,
        groups=groups,
    )


def _expectations(
    spec: ModelSpec, panel: Panel, fitted: SignsFit, rng: np.random.Generator
) -> tuple[Finding, ...]:
    if not spec.expectations:
        return ()
    shocks = implied_shocks(fitted.posterior, panel.values, fitted.time)
    return expectations(
        spec, panel, rng, lambda series: regressed(spec.channels, fitted.time, shocks, series)
    )
