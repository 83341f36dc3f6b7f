r"""The headline: a structural-prior Bayesian VAR, sampled by NUTS.

.. math::
    y_t = c + \sum_l A_l y_{t-l} + H e_t, \qquad
    e_t \mid \lambda_t \sim N(0, \lambda_t s_t^2 V_t), \qquad
    \lambda_t \sim \text{inverse gamma with mean one}

H has more columns than rows: the channels, unnamed news, and for every noisy series a shock of
its own, so that noise is not booked to a channel.  Variables with missing spells are rows too;
their missing cells are left out of the density exactly.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from attribution import compat
from attribution.core.overcomplete import Groups
from attribution.errors import EventError, SpecError
from attribution.estimate.kernel import Coefficients, Kernel, operation
from attribution.estimate.structural_prior import ImpactPrior, impact_prior
from attribution.model.spec import ModelSpec
from attribution.posterior import StructuralPosterior

EVENT_IN = ("out", "scale", "in")


@dataclass(frozen=True)
class Design:
    """Estimation rows in standardised units, and what is needed to go back to units.

    Attributes
    ----------
    time : estimation days.
    center, sd : (variable,); of the estimation rows.
    response : (time, variable), NaN where not observed.  regressors : (time, regressor).
    exposure : (time, shock) zero or one.  scale : (time, column), standardised.
    own_scale : (time,) int; index of the day's own scale, −1 where it has none.
    reference : number of leading rows that precede the hold-out.
    threshold : column -> cut of each exposure; scale_moments : column -> (mean, sd).
    """

    prior: ImpactPrior
    time: pd.DatetimeIndex
    center: np.ndarray
    sd: np.ndarray
    response: np.ndarray
    regressors: np.ndarray
    exposure: np.ndarray
    scale: np.ndarray
    own_scale: np.ndarray
    reference: int
    threshold: dict[str, float]
    scale_moments: dict[str, tuple[float, float]]


@dataclass(frozen=True)
class BvarFit:
    """Draws of the headline model, arrays (chain, draw, ...), in the variables' units.

    Attributes
    ----------
    impact : (chain, draw, variable, shock); every row, also those with missing spells.
    coefficients : (chain, draw, regressor, variable); standardised units.
    slope : (chain, draw, shock); of the log variance on the exposure.
    scale_slope : (chain, draw, column).  dof : (chain, draw).
    tree : the sampler's own output.
    """

    design: Design
    kernel: Kernel
    impact: np.ndarray
    coefficients: np.ndarray
    slope: np.ndarray
    scale_slope: np.ndarray
    dof: np.ndarray
    tree: xr.DataTree


def design(spec: ModelSpec, values: pd.DataFrame, event_in: str) -> Design:
    """Choose the estimation rows, standardise them and build regressors.

    ``out`` keeps the days before the hold-out; ``scale`` and ``in`` keep those of the hold-out
    too, ``scale`` with a scale of their own for each.  No later day is used.

    Raises
    ------
    SpecError
        If ``event_in`` is unknown.
    EventError
        If the hold-out leaves fewer than ten rows a variable.
    """
    if event_in not in EVENT_IN:
        raise SpecError(f"--event-in '{event_in}': unknown; choose one of {', '.join(EVENT_IN)}")
    first, last = (pd.Timestamp(day) for day in spec.event.hold_out)
    until = first - pd.Timedelta(1, "D") if event_in == "out" else last
    frame = values.loc[:until]
    core, variables = spec.system.variables, (*spec.system.variables, *spec.system.auxiliary)
    lags = spec.system.lags
    need = 10 * len(core) + lags
    if len(frame) < need:
        raise EventError(
            f"{spec.name}: {len(frame)} days precede the hold-out of {first:%Y-%m-%d}, {need} are"
            " needed; start the sample earlier or drop variables"
        )
    before = frame.loc[: first - pd.Timedelta(1, "D"), list(variables)]
    center, sd = before.mean().to_numpy(), before.std().to_numpy()
    standard = (frame[list(variables)].to_numpy() - center) / sd
    rows = np.arange(lags, len(frame))
    lagged = [standard[rows - lag, : len(core)] for lag in range(1, lags + 1)]
    time = pd.DatetimeIndex(frame.index[rows])
    held = time >= first
    own_scale = np.full(len(rows), -1)
    if event_in == "scale":
        own_scale[held] = np.arange(held.sum())
    prior = impact_prior(spec, dict(zip(variables, sd, strict=True)))
    threshold = {e.column: float(before_median(values, e.column, first)) for e in spec.exposures}
    moments = {
        column: (float(series.mean()), float(series.std()))
        for column in spec.structural.scale_columns
        for series in [values.loc[values.index < first, column]]
    }
    return Design(
        prior=prior,
        time=time,
        center=center,
        sd=sd,
        response=standard[rows],
        regressors=np.concatenate([np.ones((len(rows), 1)), *lagged], axis=1),
        exposure=exposures(spec, prior, values.loc[time], threshold),
        scale=scales(spec, values.loc[time], moments),
        own_scale=own_scale,
        reference=int((~held).sum()),
        threshold=threshold,
        scale_moments=moments,
    )


def before_median(values: pd.DataFrame, column: str, first: pd.Timestamp) -> float:
    """Median of a column over the days before the hold-out."""
    return float(values.loc[values.index < first, column].median())


def exposures(
    spec: ModelSpec, prior: ImpactPrior, rows: pd.DataFrame, threshold: dict[str, float]
) -> np.ndarray:
    """Indicator (time, shock) of the days on which a channel's exposure is in its upper half."""
    out = np.zeros((len(rows), len(prior.shocks)))
    for exposure in spec.exposures:
        above = rows[exposure.column].to_numpy() > threshold[exposure.column]
        out[:, prior.shocks.index(exposure.channel)] = above
    return out


def scales(
    spec: ModelSpec, rows: pd.DataFrame, moments: dict[str, tuple[float, float]]
) -> np.ndarray:
    """Standardised pre-determined columns (time, column) that move all variances of a day."""
    columns = [
        (rows[column].to_numpy() - moments[column][0]) / moments[column][1]
        for column in spec.structural.scale_columns
    ]
    return np.stack(columns, axis=1) if columns else np.zeros((len(rows), 0))


def build(spec: ModelSpec, data: Design) -> tuple[Any, Kernel]:
    """Build the PyMC model: the priors as random variables, one potential for the likelihood."""
    import pymc as pm

    prior, settings = data.prior, spec.structural
    kernel = _kernel(spec, data)
    regressors, variables = kernel.coefficients.start.shape
    with pm.Model() as model:
        share = pm.Dirichlet("share", np.ones(prior.channels + 1))
        log_scale = pm.Normal("log_scale", 0.0, settings.outcome_scale_sd)
        standard = [
            pm.Normal(name, 0.0, 1.0, shape=len(getattr(prior, name)))
            for name in ("signed", "banded", "own", "reach")
        ]
        whitened = pm.Flat(
            "whitened", shape=(regressors, variables), initval=np.zeros((regressors, variables))
        )
        jumpers = len(prior.jumpers)
        state = pm.Dirichlet("state", np.append(settings.jump_calm, np.ones(jumpers)))
        jump = pm.Normal("jump", 0.0, 1.0, shape=jumpers)
        slope = _vector(pm.HalfNormal, "slope", settings.exposure_sd, len(kernel.exposed))
        scale_slope = _vector(
            partial(pm.Normal, mu=0.0), "scale_slope", settings.scale_sd, data.scale.shape[1]
        )
        held = _vector(
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


def _vector(law: Callable[..., Any], name: str, sigma: float, size: int) -> Any:
    """Random vector, or an empty constant: samplers do not take variables without elements."""
    return law(name, sigma=sigma, shape=size) if size else np.zeros(0)


def _kernel(spec: ModelSpec, data: Design) -> Kernel:
    observed = np.isfinite(data.response)
    return Kernel(
        prior=data.prior,
        coefficients=Coefficients.from_design(
            spec, data.prior.variables, data.response, data.regressors
        ),
        response=np.where(observed, data.response, 0.0),
        regressors=data.regressors,
        groups=Groups.from_days(observed, data.exposure, data.reference),
        exposed=np.array(sorted({data.prior.shocks.index(e.channel) for e in spec.exposures}), int),
        scale=data.scale,
        own_scale=data.own_scale,
        jump_log=math.log(spec.structural.jump_ratio),
        jump_sd=spec.structural.jump_ratio_sd,
    )


def fit_bvar(
    spec: ModelSpec,
    values: pd.DataFrame,
    *,
    draws: int = 1000,
    tune: int = 800,
    chains: int = 4,
    cores: int = 2,
    seed: int,
    event_in: str = "out",
    progress: bool = False,
    sampler: str = "pymc",
) -> BvarFit:
    """Sample the posterior; diagnostics are the caller's to judge.

    Parameters
    ----------
    draws, tune : kept and warm-up iterations of each chain.
    seed : one integer; the same seed gives the same draws.

    Returns
    -------
    BvarFit, arrays (chain, draw, ...).
    """
    data = design(spec, values, event_in)
    model, kernel = build(spec, data)
    tree = compat.sample(
        model,
        draws=draws,
        tune=tune,
        chains=chains,
        cores=cores,
        seed=seed,
        target_accept=0.85,
        progressbar=progress,
        sampler=sampler,
    )
    return collect(data, kernel, tree)


def collect(data: Design, kernel: Kernel, tree: xr.DataTree) -> BvarFit:
    """Turn the sampler's raw parameters into impact matrices and coefficients."""
    raw = {name: tree["posterior"][name].to_numpy() for name in tree["posterior"].data_vars}
    empty = np.zeros((*raw["log_scale"].shape, 0))
    impact = data.prior.assemble(
        *(raw[name] for name in ("share", "log_scale", "signed", "banded", "own", "reach"))
    )
    return BvarFit(
        design=data,
        kernel=kernel,
        impact=impact * data.sd[:, None],
        coefficients=kernel.coefficients.colour(raw["whitened"]),
        slope=kernel.full_slope(raw.get("slope", empty)),
        scale_slope=raw.get("scale_slope", empty),
        dof=2.1 + raw["tail"],
        tree=tree,
    )


def structural(spec: ModelSpec, fit: BvarFit) -> StructuralPosterior:
    """Return the complete variables' part, in units, as a structural posterior."""
    core, lags = len(spec.system.variables), spec.system.lags
    data = fit.design
    center, sd = data.center[:core], data.sd[:core]
    lead = fit.impact.shape[:2]
    slopes = fit.coefficients[..., 1:, :core].reshape(*lead, lags, core, core)
    lag_coefficients = slopes.swapaxes(-1, -2) * sd[:, None] / sd
    intercept = center + sd * fit.coefficients[..., 0, :core]
    intercept = intercept - np.einsum("...lvr,r->...v", lag_coefficients, center)
    return StructuralPosterior(
        variables=spec.system.variables,
        shocks=data.prior.shocks,
        channels=spec.channels,
        impact=fit.impact[:, :, :core],
        lag_coefficients=lag_coefficients,
        intercept=intercept,
        weight=np.ones(lead),
    )
