"""Draws under a table in; the group of a run that holds for every prior on rotations out."""

from __future__ import annotations

import numpy as np
import xarray as xr

from attribution.core.certified import MARGIN
from attribution.estimation.shape import Groups
from attribution.estimation.table_claims import claims_of
from attribution.identify.robust_ranges import robust_ranges
from attribution.model.restriction import Identification
from attribution.model.spec import ModelSpec
from attribution.panel import Panel
from attribution.posterior import StructuralPosterior

SEARCHED = 64
"""Draws whose admissible rotations are searched."""


def robust_group(
    spec: ModelSpec,
    table: Identification,
    panel: Panel,
    posterior: StructuralPosterior,
    seed: np.random.SeedSequence,
) -> Groups:
    """Make group ``/robust``; nothing where no event is asked about."""
    if not spec.event.asked:
        return {}
    claims = claims_of(spec, table, panel)
    (own,) = seed.spawn(1)
    found = robust_ranges(
        posterior,
        claims,
        panel.values,
        spec.event.windows,
        outcome=spec.event.outcome,
        constant=spec.system.constant,
        draws=min(SEARCHED, posterior.weight.size),
        rng=np.random.default_rng(own),
    )
    searched = ("searched", "window", "channel")
    data = xr.Dataset(
        {
            "lower": (searched, found.lower),
            "upper": (searched, found.upper),
            "clear": (searched, found.clear),
            "margin": ("window", MARGIN * np.ptp(found.no_assumption, axis=-1)),
            "weight": ("searched", found.weight),
            "agreed": (("window", "channel"), found.agreed),
            "identification_strength": (("window", "channel"), found.identification_strength),
            "region": (("window", "channel", "bound"), found.region),
            "dilution": ("window", found.dilution),
            "no_assumption": (("window", "bound"), found.no_assumption),
            "uniform_sd": ("window", found.uniform_sd),
        },
        {"window": list(found.windows), "channel": list(found.channels)},
    )
    data.attrs["claims_left_out"] = "; ".join(found.left_out)
    return {"/robust": data}
