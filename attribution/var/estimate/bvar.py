r"""The headline: a structural-prior Bayesian VAR, sampled by NUTS.

.. math::
    y_t = c + \sum_l A_l y_{t-l} + H e_t

with the law of :math:`e_t` in ``core.laws.overcomplete``: every shock has heavy tails of its own,
and
a day's volatility is common.  H has more columns than rows: the channels, unnamed news, and for
every noisy series a shock of its own, so that noise is not booked to a channel.  Variables with
missing spells are rows too; their missing cells are left out of the density exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from attribution.model.spec import ModelSpec
from attribution.sampling.engine import flat_draws, random_vector
from attribution.sampling.warmup import sample_warmed
from attribution.var.estimate.design import Design, design
from attribution.var.estimate.kernel import Kernel, operation
from attribution.var.estimate.parameters import Parameters

ACCEPT = 0.97
"""Acceptance that the steps aim at.  Where macro news explains software shares the posterior is ten
times narrower than elsewhere: at 0.85 a chain that enters is stuck there for some 150 draws."""


@dataclass(frozen=True)
class BvarFit:
    """Draws of the headline model.

    Attributes
    ----------
    lead : chains and draws.
    parameters : the draws, chain by chain on one axis.
    tree : the sampler's own output.
    """

    design: Design
    kernel: Kernel
    lead: tuple[int, int]
    parameters: Parameters
    tree: xr.DataTree


def fit_bvar(
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
) -> BvarFit:
    """Sample the posterior; diagnostics are the caller's to judge.

    Parameters
    ----------
    values : (time, column); the panel, in units.
    draws, tune : kept and warm-up iterations of each chain; of the warm-up four fifths are pilot
        chains, from which the metric is learnt.
    seed : one integer; the same seed gives the same draws.
    event_in : whether the event's days are left out, on a scale of their own, or in.

    References
    ----------
    baumeister2015; lenza2022; plagborg2022
    """
    data = design(spec, values, event_in)
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


def build(spec: ModelSpec, data: Design) -> tuple[Any, Kernel]:
    """Build the PyMC model: the priors as random variables, one potential for the likelihood."""
    import pymc as pm

    prior, settings = data.prior, spec.structural
    kernel = Kernel.from_design(spec, data)
    regressors, variables = kernel.coefficients.start.shape
    jumpers = len(prior.jumpers)
    with pm.Model() as model:
        share = pm.Dirichlet("share", np.ones(prior.channels + 1))
        log_scale = pm.Normal("log_scale", 0.0, settings.outcome_scale_sd)
        standard = [
            random_vector(partial(pm.Normal, mu=0.0), name, 1.0, len(getattr(prior, name)))
            for name in ("signed", "banded", "own", "reach")
        ]
        whitened = pm.Flat(
            "whitened", shape=(regressors, variables), initval=np.zeros((regressors, variables))
        )
        state = pm.Dirichlet("state", np.append(settings.jump_calm, np.ones(jumpers)))
        jump = pm.Normal("jump", 0.0, 1.0, shape=jumpers)
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
        density = operation(kernel)(
            share, log_scale, *standard, whitened, slope, state, jump, scale_slope, held, dof
        )[0]
        pm.Potential("likelihood", density)
    return model, kernel


def collect(data: Design, kernel: Kernel, tree: xr.DataTree) -> BvarFit:
    """Turn the sampler's raw parameters into impact matrices and coefficients."""
    posterior = tree["posterior"].to_dataset()
    lead = (posterior.sizes["chain"], posterior.sizes["draw"])
    flat = flat_draws(posterior)
    impact = data.prior.assemble(
        *(flat(name) for name in ("share", "log_scale", "signed", "banded", "own", "reach"))
    )
    return BvarFit(
        design=data,
        kernel=kernel,
        lead=lead,
        parameters=Parameters(
            impact=impact,
            coefficients=kernel.coefficients.colour(flat("whitened")),
            slope=flat("slope"),
            state=flat("state"),
            jump=flat("jump"),
            scale_slope=flat("scale_slope"),
            dof=2.1 + flat("tail"),
        ),
        tree=tree,
    )
