"""Draws of the headline model in; structural shocks of the event's days out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from attribution.core.laws.conditional import draw_shocks, evidence
from attribution.model.spec import ModelSpec
from attribution.posterior import StructuralPosterior
from attribution.var.estimate.bvar import BvarFit
from attribution.var.estimate.design import Design
from attribution.var.estimate.kernel import Kernel
from attribution.var.estimate.parameters import Parameters, prior_parameters


@dataclass(frozen=True)
class EventShocks:
    """What struck on the days of the event.

    Attributes
    ----------
    posterior : the draws, with the event's shocks; complete variables only, in units.
    jump : (day, shock); posterior probability that the shock jumped that day.
    log_in, log_scale : (chain, draw); log density of the event's errors, at the usual scale of
        their days and with a scale of their own: what ``--event-in in`` and ``scale`` would add.
    """

    posterior: StructuralPosterior
    jump: pd.DataFrame
    log_in: np.ndarray
    log_scale: np.ndarray


def event_shocks(spec: ModelSpec, fit: BvarFit, rng: np.random.Generator) -> EventShocks:
    """Draw the structural shocks of every day of the event, one set a posterior draw."""
    data, rows = fit.design, fit.design.event
    shocks, chance, densities = _draw(data, fit.kernel, fit.parameters, rng)
    jumpers = data.prior.jumpers
    return EventShocks(
        posterior=_structural(spec, data, fit.parameters, fit.lead, shocks),
        jump=pd.DataFrame(chance[:, 1:], rows.time, [data.prior.shocks[j] for j in jumpers]),
        log_in=densities[0].reshape(fit.lead),
        log_scale=densities[1].reshape(fit.lead),
    )


def prior_shocks(
    spec: ModelSpec, fit: BvarFit, draws: int, rng: np.random.Generator
) -> StructuralPosterior:
    """Draw the event under the prior of everything but the lag coefficients, as chain = 1.

    What separates these contributions from the posterior's is what the data taught.
    """
    data = fit.design
    pick = rng.choice(len(fit.parameters.dof), size=draws, replace=False)
    prior = prior_parameters(spec, data, fit.kernel, fit.parameters.coefficients[pick], rng)
    shocks, _, _ = _draw(data, fit.kernel, prior, rng)
    return _structural(spec, data, prior, (1, draws), shocks)


def _draw(
    data: Design, kernel: Kernel, parameters: Parameters, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Shocks (draw, day, shock), mean state probabilities (day, state), log densities (2, draw)."""
    rows = data.event
    errors = parameters.errors(rows)
    shocks, chance, densities = [], [], np.zeros((2, len(parameters.dof)))
    for day in range(len(rows.time)):
        observed = np.isfinite(rows.response[day])
        law = parameters.law(kernel, rows, day, observed)
        struck, odds = draw_shocks(law, errors[:, day, observed], rng)
        densities += np.stack(evidence(law, errors[:, day, observed]))
        shocks.append(struck)
        chance.append(odds.mean(0))
    return np.stack(shocks, axis=1), np.stack(chance), densities


def _structural(
    spec: ModelSpec,
    data: Design,
    parameters: Parameters,
    lead: tuple[int, int],
    shocks: np.ndarray,
) -> StructuralPosterior:
    names, impact = data.prior.shocks, parameters.impact
    return structural(spec, data, names, impact, parameters.coefficients, lead, shocks)


def structural(
    spec: ModelSpec,
    data: Design,
    names: tuple[str, ...],
    impact: np.ndarray,
    coefficients: np.ndarray,
    lead: tuple[int, int],
    struck: np.ndarray,
) -> StructuralPosterior:
    """Return the complete variables' part of standardised draws, in units.

    Parameters
    ----------
    names : of the shocks.
    impact : (draw, variable, shock).  coefficients : (draw, regressor, variable).
    lead : chains and draws.  struck : (draw, day, shock).
    """
    core, lags = len(spec.system.variables), spec.system.lags
    center, sd = data.center[:core], data.sd[:core]
    slopes = coefficients[:, 1:, :core].reshape(-1, lags, core, core)
    lag_coefficients = slopes.swapaxes(-1, -2) * sd[:, None] / sd
    intercept = center + sd * coefficients[:, 0, :core]
    intercept = intercept - np.einsum("dlvr,r->dv", lag_coefficients, center)
    impact = impact[:, :core] * sd[:, None]
    return StructuralPosterior(
        variables=spec.system.variables,
        shocks=names,
        channels=spec.channels,
        impact=impact.reshape(*lead, *impact.shape[1:]),
        lag_coefficients=lag_coefficients.reshape(*lead, lags, core, core),
        intercept=intercept.reshape(*lead, core),
        weight=np.ones(lead),
        days=data.event.time,
        struck=struck.reshape(*lead, *struck.shape[1:]),
    )
