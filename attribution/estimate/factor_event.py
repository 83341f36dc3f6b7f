"""Draws of the factor model in; factors and noise of the event's days out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from attribution.core.factors import draw_factors, log_density
from attribution.estimate.event_shocks import structural
from attribution.estimate.factor import FactorFit
from attribution.estimate.factor_parameters import FactorParameters, prior_parameters
from attribution.model.spec import ModelSpec
from attribution.posterior import StructuralPosterior


@dataclass(frozen=True)
class EventFactors:
    """What struck on the days of the event.

    Attributes
    ----------
    posterior : the draws, with the event's factors and noise; complete variables only, in units.
    large : (day, factor); posterior probability that the factor was at its larger scale.
    log_in : (chain, draw); log density of the event's errors: what ``--event-in in`` would add.
    """

    posterior: StructuralPosterior
    large: pd.DataFrame
    log_in: np.ndarray


def event_factors(spec: ModelSpec, fit: FactorFit, rng: np.random.Generator) -> EventFactors:
    """Draw the factors and the noise of every day of the event, one set a posterior draw."""
    rows = fit.design.event
    struck, large, log_in = _draw(fit, fit.parameters, rng)
    return EventFactors(
        posterior=_posterior(spec, fit, fit.parameters, fit.lead, struck),
        large=pd.DataFrame(large, rows.time, list(spec.channels)),
        log_in=log_in.reshape(fit.lead),
    )


def prior_factors(
    spec: ModelSpec, fit: FactorFit, draws: int, rng: np.random.Generator
) -> StructuralPosterior:
    """Draw the event under the prior of everything but the lag coefficients, as chain = 1.

    What separates these contributions from the posterior's is what the data taught.
    """
    pick = rng.choice(len(fit.parameters.dof), size=draws, replace=False)
    prior = prior_parameters(spec, fit.kernel, fit.parameters.coefficients[pick], rng)
    struck, _, _ = _draw(fit, prior, rng)
    return _posterior(spec, fit, prior, (1, draws), struck)


def _draw(
    fit: FactorFit, parameters: FactorParameters, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Factors and noise (draw, day, shock), mean chances (day, factor), log densities (draw,)."""
    rows = fit.design.event
    errors = parameters.errors(rows)
    struck, large, log_in = [], [], np.zeros(len(parameters.dof))
    for day in range(len(rows.time)):
        seen = np.isfinite(rows.response[day])
        law = parameters.law(fit.kernel, rows, day)
        factors, noise, chance = draw_factors(law, errors[:, day], seen, rng)
        log_in += log_density(law, errors[:, day], seen)
        struck.append(np.concatenate([factors, noise], axis=1))
        large.append(chance.mean(0))
    return np.stack(struck, axis=1), np.stack(large), log_in


def _posterior(
    spec: ModelSpec,
    fit: FactorFit,
    parameters: FactorParameters,
    lead: tuple[int, int],
    struck: np.ndarray,
) -> StructuralPosterior:
    """Channels, then the noise of every series, as the shocks of a structural posterior."""
    variables = fit.design.prior.variables
    noise = np.sqrt(parameters.noise)[:, :, None] * np.eye(len(variables))
    return structural(
        spec,
        fit.design,
        (*spec.channels, *(f"{name}_noise" for name in variables)),
        np.concatenate([parameters.loading, noise], axis=2),
        parameters.coefficients,
        lead,
        struck,
    )
