r"""The headline's companion: latent channel factors seen through measurement noise, by NUTS.

.. math::
    y_t = c + \sum_l A_l y_{t-l} + \Lambda f_t + v_t

with the law of :math:`f_t` and :math:`v_t` in ``core.laws.factors``.  Loadings have the elasticity
priors of the identification table, as the headline's impact matrix has.  Every series has noise,
the outcome too: its noise is the move that no channel explains, and with the channels' importance
it shares one Dirichlet prior.

The companion errs differently from the headline.  There is no unnamed news and no shock of a
single series: what the factors do not explain of a series is noise of constant relative size,
never a jump that sets the series aside.  Each factor has heavy tails of its own, independently of
the others, so that several may be large on one day; in the headline at most one shock jumps.

Its own fault: heavy tails of one series are read as a factor's.  With a wide prior on the noise a
factor can become that series (its noise goes to nothing), and two channels may trade the part: keep
``own_sd`` small enough that every series keeps some noise.

The lags are those of the series as observed, noise and all: lags of the latent series would make
the noise a moving average, under which the states of different days no longer integrate out one
by one.  So a day's noise can move the next day's forecast; it never reaches a channel.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from attribution.core.laws.factors import draw_factors, log_density
from attribution.errors import SpecError
from attribution.model.spec import ModelSpec
from attribution.posterior import StructuralPosterior
from attribution.sampling.engine import flat_draws, random_vector
from attribution.sampling.warmup import sample_warmed
from attribution.var.estimate.design import Design, design
from attribution.var.estimate.factor_kernel import (
    CALM,
    LARGE,
    FactorKernel,
    FactorParameters,
    prior_parameters,
)
from attribution.var.estimate.kernel import operation
from attribution.var.estimate.loadings import structural

ACCEPT = 0.95
"""Acceptance that the steps aim at; at 0.85 two of 14,000 transitions diverged."""


@dataclass(frozen=True)
class FactorFit:
    """Draws of the factor model.

    Attributes
    ----------
    lead : chains and draws.
    parameters : the draws, chain by chain on one axis.
    tree : the sampler's own output.
    """

    design: Design
    kernel: FactorKernel
    lead: tuple[int, int]
    parameters: FactorParameters
    tree: xr.DataTree


def fit_factor(
    spec: ModelSpec,
    values: pd.DataFrame,
    *,
    draws: int = 1000,
    tune: int = 500,
    chains: int = 4,
    cores: int | None = None,
    seed: int,
    event_in: str = "out",
    progress: bool = False,
    sampler: str = "pymc",
) -> FactorFit:
    """Sample the posterior; diagnostics are the caller's to judge.

    Parameters
    ----------
    values : (time, column); the panel, in units.
    draws, tune : kept and warm-up iterations of each chain.
    seed : one integer; the same seed gives the same draws.
    event_in : whether the event's days are left out, on a scale of their own, or in.

    Raises
    ------
    SpecError
        If the model asks for unnamed news, which this one does not have.

    References
    ----------
    plagborg2022; stock2016
    """
    if spec.structural.unnamed:
        raise SpecError(
            f"{spec.name}: [structural] unnamed: kind 'factor' has no unnamed news, what no channel"
            " explains is noise; remove it or use kind 'bvar'"
        )
    data = design(spec, values, event_in)
    data = replace(data, prior=replace(data.prior, jumpers=np.arange(data.prior.channels)))
    model, kernel = build(spec, data)
    tree = sample_warmed(
        model,
        draws=draws,
        tune=tune,
        chains=chains,
        cores=cores,
        seed=seed,
        progress=progress,
        sampler=sampler,
        target_accept=ACCEPT,
    )
    return collect(data, kernel, tree)


def build(spec: ModelSpec, data: Design) -> tuple[Any, FactorKernel]:
    """Build the PyMC model: the priors as random variables, one potential for the likelihood."""
    import pymc as pm

    prior, settings = data.prior, spec.structural
    kernel = FactorKernel.from_design(spec, data)
    regressors, variables = kernel.coefficients.start.shape
    factors = prior.channels
    with pm.Model() as model:
        share = pm.Dirichlet("share", np.ones(factors + 1))
        log_scale = pm.Normal("log_scale", 0.0, settings.outcome_scale_sd)
        standard = [
            random_vector(partial(pm.Normal, mu=0.0), name, 1.0, len(getattr(prior, name)))
            for name in ("signed", "banded", "own")
        ]
        whitened = pm.Flat(
            "whitened", shape=(regressors, variables), initval=np.zeros((regressors, variables))
        )
        burst = pm.Beta("burst", LARGE, CALM, shape=factors)
        jump = pm.Normal("jump", 0.0, 1.0, shape=factors)
        slope = random_vector(pm.HalfNormal, "slope", settings.exposure_sd, len(kernel.exposed))
        scale_slope = random_vector(
            partial(pm.Normal, mu=0.0), "scale_slope", settings.scale_sd, kernel.scale.shape[1]
        )
        held = random_vector(
            lambda name, sigma, shape: pm.Exponential(name, 1.0 / sigma, shape=shape),
            "own_log_scale",
            1.0,
            int(data.own_scale.max()) + 1,
        )
        dof = 2.1 + pm.Gamma("tail", settings.tail_shape, settings.tail_rate)
        reach = np.zeros(0)
        density = operation(kernel)(
            share, log_scale, *standard, reach, whitened, slope, burst, jump, scale_slope, held, dof
        )[0]
        pm.Potential("likelihood", density)
    return model, kernel


def collect(data: Design, kernel: FactorKernel, tree: xr.DataTree) -> FactorFit:
    """Turn the sampler's raw parameters into loadings, noise and coefficients."""
    posterior = tree["posterior"].to_dataset()
    lead = (posterior.sizes["chain"], posterior.sizes["draw"])
    flat = flat_draws(posterior)
    share, log_scale = flat("share"), flat("log_scale")
    impact = data.prior.assemble(
        share, log_scale, flat("signed"), flat("banded"), flat("own"), np.zeros((len(share), 0))
    )
    return FactorFit(
        design=data,
        kernel=kernel,
        lead=lead,
        parameters=FactorParameters(
            loading=np.ascontiguousarray(impact[..., : data.prior.channels]),
            noise=kernel.noise(impact, share, log_scale),
            coefficients=kernel.coefficients.colour(flat("whitened")),
            slope=flat("slope"),
            burst=flat("burst"),
            jump=flat("jump"),
            scale_slope=flat("scale_slope"),
            dof=2.1 + flat("tail"),
        ),
        tree=tree,
    )


# Draws of the factor model in; factors and noise of the event's days out.


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
