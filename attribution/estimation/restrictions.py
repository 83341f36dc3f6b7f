"""The restrictions-alone posterior in; its bounds and how hard the table bites, out."""

from __future__ import annotations

from typing import Any

import xarray as xr

from attribution.estimate.acceptance import Acceptance
from attribution.estimate.bvar_signs import SignsFit
from attribution.estimation.shape import Estimate, Groups
from attribution.finding import Finding


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


def restrictions_alone(fitted: SignsFit) -> Estimate:
    """Hand on the draws with robust bounds, identification strength and acceptance."""
    robust, accepted = fitted.robust, fitted.acceptance
    dims = ("chain", "draw", "window", "channel")

    def groups(contribution: xr.DataArray) -> Groups:
        data = xr.Dataset(
            {
                "lower": (dims, robust.lower),
                "upper": (dims, robust.upper),
                "identification_strength": (("window", "channel"), robust.identification_strength),
                "dilution": ("window", robust.dilution),
                "no_assumption": (("window", "bound"), robust.no_assumption),
            },
            {"window": list(robust.windows), "channel": list(robust.channels)},
        )
        return {"/robust": data}

    return Estimate(
        posterior=fitted.posterior,
        findings=(acceptance_finding(accepted),),
        notes={"acceptance": acceptance_note(accepted)},
        groups=groups,
    )
