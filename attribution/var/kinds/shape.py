"""How a VAR is to be estimated, what every kind hands on, and the estimator of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from attribution.finding import Finding
from attribution.model.kinds import KINDS, loaded
from attribution.model.restriction import Identification
from attribution.model.spec import ModelSpec
from attribution.panel import Panel
from attribution.posterior import StructuralPosterior
from attribution.var.identify.claims import Claims
from attribution.var.identify.compile import compiled

# What every kind of model hands on, in one shape.

Groups = dict[str, xr.Dataset]
CHAINS = 4
REWEIGHTED = "event left out, on its own scale, or in"
"""Name of the finding that a fit with the event in another place takes away."""
TUNE = 500


@dataclass(frozen=True)
class Sampling:
    """How a VAR is to be estimated.

    Attributes
    ----------
    draws : kept draws over all chains, a multiple of four.
    seed : reproduces the estimate exactly.
    event_in : the event's days left ``out``, on a ``scale`` of their own, or ``in``.
    sampler : one of the kind's samplers.
    progress : whether a sampler may show a bar.
    """

    draws: int
    seed: int
    event_in: str = "out"
    sampler: str = ""
    progress: bool = False

    def nuts(self) -> dict[str, Any]:
        """Keywords of a fit by four chains of the No-U-Turn sampler."""
        return {
            "draws": -(-self.draws // CHAINS),
            "tune": TUNE,
            "chains": CHAINS,
            "seed": self.seed,
            "event_in": self.event_in,
            "progress": self.progress,
            "sampler": self.sampler,
        }

    def rng(self) -> np.random.Generator:
        """Random numbers of what follows the estimate."""
        return np.random.default_rng([self.seed, 1])


@dataclass(frozen=True)
class Estimate:
    """What every kind of model hands on.

    Attributes
    ----------
    posterior : draws of the structural VAR, with the event's shocks where they must be drawn.
    prior : the same under the prior, where there is one.
    stats : the sampler's statistics (chain, draw), where there are any.
    parameters : further scalars and vectors of the posterior, with dims (chain, draw, ...).
    findings : checks of this kind of model.
    notes : further numbers for the manifest.
    extra : further groups of the run.
    groups : those that need the contributions (chain, draw, window, channel) of an event, or the
        draws that they are of, which weigh the same.
    """

    posterior: StructuralPosterior
    prior: StructuralPosterior | None = None
    stats: Mapping[str, np.ndarray] = field(default_factory=dict)
    parameters: Mapping[str, xr.DataArray] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    notes: Mapping[str, Any] = field(default_factory=dict)
    extra: Mapping[str, xr.Dataset] = field(default_factory=dict)
    groups: Callable[[xr.DataArray, StructuralPosterior], Groups] = lambda contribution, of: {}


def estimate(spec: ModelSpec, panel: Panel, how: Sampling) -> Estimate:
    """Estimate a model by the estimator of its kind."""
    found: Estimate = loaded(KINDS[spec.kind].estimate)(spec, panel, how)
    return found


# A model's identification table and its panel in; the claims that a sampler checks out.


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
