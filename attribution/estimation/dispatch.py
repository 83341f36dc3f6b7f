"""The estimator of each kind of model."""

from __future__ import annotations

import numpy as np

from attribution.estimate.bvar import fit_bvar
from attribution.estimate.bvar_signs import fit_bvar_signs
from attribution.estimate.var import estimate_var
from attribution.estimation.headline import headline
from attribution.estimation.restrictions import restrictions_alone
from attribution.estimation.shape import Estimate
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
        return Estimate(fitted.posterior, notes={"criteria": dict(fitted.criteria)})
    if spec.kind == "bvar_signs":
        return restrictions_alone(
            fit_bvar_signs(spec, panel.values, draws=draws, seed=seed, event_in=event_in)
        )
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
