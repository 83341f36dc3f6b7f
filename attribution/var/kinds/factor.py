"""Draws of the factor companion in; its event, its prior, its ledger and its findings out."""

from __future__ import annotations

import numpy as np
import xarray as xr

from attribution.model.spec import ModelSpec
from attribution.panel import Panel
from attribution.posterior import StructuralPosterior
from attribution.sampling.judge import begun_again
from attribution.var.check.separation import profiles_differ
from attribution.var.estimate.factor import FactorFit, event_factors, fit_factor, prior_factors
from attribution.var.kinds.bvar import PRIOR_DRAWS, log_priors, prior_ledger
from attribution.var.kinds.shape import Estimate, Groups, Sampling


def factor(spec: ModelSpec, panel: Panel, how: Sampling) -> Estimate:
    """Sample the factor companion and ask it its questions."""
    return factor_companion(spec, fit_factor(spec, panel.values, **how.nuts()), how.rng())


def factor_companion(spec: ModelSpec, fit: FactorFit, rng: np.random.Generator) -> Estimate:
    """Draw the event's factors and noise, weigh the priors, and ask whether variances tell."""
    event = event_factors(spec, fit, rng)
    posterior = fit.tree["posterior"].to_dataset()
    stats = fit.tree["sample_stats"].to_dataset()
    parts = {
        "elasticities": [posterior[name] for name in ("signed", "banded") if name in posterior],
        "noise": [posterior[name] for name in ("own",) if name in posterior],
    }
    logs = {
        name: sum(-0.5 * (x.to_numpy() ** 2).reshape(*fit.lead, -1).sum(2) for x in arrays)
        for name, arrays in parts.items()
    }
    share, k = posterior["share"].to_numpy(), len(spec.channels)

    def groups(contribution: xr.DataArray, of: StructuralPosterior) -> Groups:
        return {
            "/ledger": prior_ledger(contribution, logs, share),
            "/sample_stats": stats.drop_attrs(),
            "/log_prior": log_priors(logs),
        }

    slope = fit.kernel.full_slope(fit.parameters.slope)[:, :k]
    return Estimate(
        posterior=event.posterior,
        prior=prior_factors(spec, fit, min(PRIOR_DRAWS, fit.lead[0] * fit.lead[1]), rng),
        stats={name: stats[name].to_numpy() for name in ("diverging", "energy") if name in stats},
        parameters=_named(spec, fit, posterior),
        findings=(
            profiles_differ(spec.channels, slope, fit.design.rows.exposure[:, :k]),
            *begun_again(stats.attrs["begun_again"], fit.lead[0]),
        ),
        notes={
            "probability_of_larger_scale": {
                f"{day:%Y-%m-%d}": {name: round(float(p), 4) for name, p in row.items()}
                for day, row in event.large.iterrows()
            }
        },
        groups=groups,
    )


def _named(spec: ModelSpec, fit: FactorFit, posterior: xr.Dataset) -> dict[str, xr.DataArray]:
    """Give the sampler's vectors the names of what they describe."""
    labels = {
        "share": ("importance", [*spec.channels, "unattributed"]),
        "slope": ("exposed", [fit.design.prior.shocks[i] for i in fit.kernel.exposed]),
        "burst": ("large", list(spec.channels)),
    }
    found = {
        name: xr.DataArray(
            posterior[name].to_numpy(), dims=("chain", "draw", dim), coords={dim: names}, name=name
        )
        for name, (dim, names) in labels.items()
        if name in posterior
    }
    found["dof"] = (2.1 + posterior["tail"]).rename("dof")
    return found
