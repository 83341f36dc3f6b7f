"""The estimator of each kind of model."""

from __future__ import annotations

import numpy as np

from attribution import record
from attribution.estimate.bvar import fit_bvar
from attribution.estimate.bvar_signs import fit_bvar_signs
from attribution.estimate.factor import fit_factor
from attribution.estimate.var import estimate_var
from attribution.estimation.factor import factor_companion
from attribution.estimation.headline import headline
from attribution.estimation.restrictions import restrictions_alone
from attribution.estimation.shape import Estimate
from attribution.estimation.svar import structural_var
from attribution.model.spec import ModelSpec
from attribution.panel import Panel

CHAINS = 4
TUNE = 500


def estimate(
    spec: ModelSpec,
    panel: Panel,
    draws: int,
    seed: int,
    event_in: str,
    sampler: str,
    *,
    progress: bool,
) -> Estimate:
    """Estimate a model by the estimator of its kind.

    Parameters
    ----------
    draws : kept draws over all chains, a multiple of four.
    """
    if spec.kind == "var":
        fitted = estimate_var(spec, panel.values, draws=draws, seed=seed, event_in=event_in)
        return Estimate(
            fitted.posterior,
            notes={"criteria": dict(fitted.criteria), "log_likelihood": fitted.loglik},
            extra=record.point(
                fitted.point, panel.units, spec.system.horizons, spec.system.cumulated
            ),
        )
    if spec.kind == "bvar_signs":
        signs = fit_bvar_signs(spec, panel.values, draws=draws, seed=seed, event_in=event_in)
        return restrictions_alone(spec, panel, signs, np.random.default_rng([seed, 1]))
    if spec.kind == "svar":
        return structural_var(spec, panel, draws, seed, event_in, sampler)
    if spec.kind == "factor":
        found = fit_factor(
            spec,
            panel.values,
            draws=-(-draws // CHAINS),
            tune=TUNE,
            chains=CHAINS,
            seed=seed,
            event_in=event_in,
            progress=progress,
            sampler=sampler,
        )
        return factor_companion(spec, found, np.random.default_rng([seed, 1]))
    fit = fit_bvar(
        spec,
        panel.values,
        draws=-(-draws // CHAINS),
        tune=TUNE,
        chains=CHAINS,
        seed=seed,
        event_in=event_in,
        progress=progress,
        sampler=sampler,
    )
    return headline(spec, panel, fit, np.random.default_rng([seed, 1]), event_in)
