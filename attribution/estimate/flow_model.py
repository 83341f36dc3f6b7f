r"""The joint model of net creations, sampled by NUTS: funds in one hierarchy, dating summed out.

.. math::
    o_{id} = a_i + x_{id}' b_i + \lambda_i\, e^{g' v_d} u_d, \qquad
    y_{it} = \rho_i y_{i,t-1} + o_{i,t-l} + e^{s_i + g' v_{t-l}} \varepsilon_{it}

with lag :math:`l` zero or one as the fund's dating has it (both, or none, where it switches),
Student-t demand :math:`u_d` that all funds share, Student-t :math:`\varepsilon_{it}` of each fund's
own tail, and exact zeros by a logistic hurdle.  Responses :math:`b_{ik} \sim N(m_k, \tau_k^2)`,
persistence and log exposures are pooled over funds.  A fund's dating is learnt from its answer to
the day, which is taken to be akin to other funds' answers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from attribution import compat
from attribution.core.dating import DatingPrior
from attribution.estimate.flat_draws import flat_draws
from attribution.estimate.flow_kernel import FlowKernel
from attribution.estimate.flow_rows import FlowRows
from attribution.estimate.kernel import operation
from attribution.model.flows import FlowPrior

MANY = 8
"""Funds from which their own values, and not their distances, are what is sampled."""
ACCEPT, ACCEPT_FEW = 0.95, 0.99
"""Short steps: spreads near zero make corners that longer ones fall out of, most with few funds."""
LOADING = math.log(0.7)
"""Prior mean of the log of a fund's exposure, in units of its typical flow."""


@dataclass(frozen=True)
class FlowFit:
    """Draws of the joint model, chains one after another on the axis ``draw``.

    Attributes
    ----------
    lead : chains and draws a chain.
    average : (draw, covariate), the mean response over funds; ``spread`` its sd between funds.
    intercept, persistence, loading, log_scale, none, none_slope, tail : (draw, fund).
    response : (draw, fund, covariate).
    activity : (draw, column); demand : (draw, day); demand_tail : (draw,).
    tree : the sampler's own output.
    """

    rows: FlowRows
    prior: DatingPrior
    lead: tuple[int, int]
    average: np.ndarray
    spread: np.ndarray
    intercept: np.ndarray
    persistence: np.ndarray
    response: np.ndarray
    loading: np.ndarray
    log_scale: np.ndarray
    activity: np.ndarray
    demand: np.ndarray
    none: np.ndarray
    none_slope: np.ndarray
    tail: np.ndarray
    demand_tail: np.ndarray
    tree: xr.DataTree


def fit_flows(
    rows: FlowRows,
    dating: DatingPrior,
    prior: FlowPrior,
    *,
    draws: int = 1000,
    thin: int = 1,
    tune: int = 500,
    chains: int = 4,
    cores: int = 2,
    seed: int,
    progress: bool = False,
) -> FlowFit:
    """Sample the posterior; diagnostics are the caller's to judge.

    Parameters
    ----------
    draws, tune : kept and warm-up iterations of each chain.
    thin : iterations a kept draw; where a fund's dating has two likely answers chains cross
        between them slowly, and every draw has to be carried through each answer.
    seed : one integer; the same seed gives the same draws.

    References
    ----------
    gelman2013
    """
    tree = compat.sample(
        build(rows, dating, prior),
        draws=draws * thin,
        tune=tune,
        chains=chains,
        cores=cores,
        seed=seed,
        target_accept=ACCEPT if len(rows.data.funds) >= MANY else ACCEPT_FEW,
        progressbar=progress,
    )
    return collect(rows, dating, tree, thin)


def build(rows: FlowRows, dating: DatingPrior, prior: FlowPrior) -> Any:
    """Build the PyMC model: priors as random variables, one potential for the likelihood."""
    import pymc as pm
    import pytensor.tensor as pt

    funds, days, covariates = rows.design.shape
    columns = rows.activity.shape[1]
    scale = np.array(
        [prior.crash if c.startswith("fall beyond") else prior.response for c in rows.covariates]
    )
    with pm.Model() as model:
        average = pm.Normal("average", 0.0, scale)
        spread = pm.HalfNormal("spread", prior.spread, shape=covariates)
        each = pm.Normal("response_each", 0.0, 1.0, shape=(funds, covariates))
        center = pm.Normal("persistence_average", 0.2, 0.3)
        width = pm.HalfNormal("persistence_spread", 0.3)
        loading, demand = np.zeros(funds), np.zeros(days)
        if rows.shared:
            level = pm.Normal("loading_average", LOADING, prior.loading)
            unlike = pm.HalfNormal("loading_spread", 0.5)
            each_fund = _among("log_loading_each", 0.0, unlike, funds)
            loading = pt.exp(each_fund - each_fund.mean())
            nu = 2.0 + pm.Gamma("demand_tail_excess", 2.0, 0.1)
            # in units of an average fund's flow, in which eleven funds know it well
            demand = pm.StudentT("demand_average", nu=nu, mu=0.0, sigma=pt.exp(level), shape=days)
        activity = pm.Normal("activity", 0.0, 0.5, shape=columns) if columns else np.zeros(0)
        density = operation(FlowKernel(rows, dating))(
            pm.Normal("intercept", 0.0, 1.0, shape=funds),
            _among("persistence", center, width, funds),
            average + spread * each,
            loading,
            pm.Normal("log_scale", 0.0, 1.0, shape=funds),
            activity,
            demand,
            pm.Normal("none", 0.0, 2.0, shape=funds),
            pm.Normal("none_slope", 0.0, 1.0, shape=funds),
            2.0 + pm.Gamma("tail_excess", 2.0, 0.1, shape=funds),
        )[0]
        pm.Potential("likelihood", density)
    return model


def _among(name: str, center: Any, width: Any, funds: int) -> Any:
    """Make a normal over funds with an unknown spread, of the same law in either coordinates.

    Many funds know the spread, and their own values serve as coordinates.  Few leave it near zero,
    where those values crowd into a funnel; their standardised distances do not.
    """
    import pymc as pm

    if funds >= MANY:
        return pm.Normal(name, center, width, shape=funds)
    apart = pm.Normal(f"{name}_apart", 0.0, 1.0, shape=funds)
    return pm.Deterministic(name, center + width * apart)


def collect(rows: FlowRows, dating: DatingPrior, tree: xr.DataTree, thin: int = 1) -> FlowFit:
    """Turn the sampler's raw parameters into coefficients, of every ``thin``-th draw."""
    posterior = tree["posterior"].to_dataset().isel(draw=slice(thin - 1, None, thin))
    lead = (posterior.sizes["chain"], posterior.sizes["draw"])
    flat = flat_draws(posterior)
    average, spread = flat("average"), flat("spread")
    funds, days = rows.design.shape[:2]
    loading, demand = np.zeros((len(average), funds)), np.zeros((len(average), days))
    demand_tail = np.full(len(average), np.inf)
    if rows.shared:
        level, apart = np.exp(flat("loading_average"))[:, None], flat("log_loading_each")
        loading = level * np.exp(apart - apart.mean(axis=1, keepdims=True))
        demand = flat("demand_average") / level
        demand_tail = 2.0 + flat("demand_tail_excess")
    return FlowFit(
        rows=rows,
        prior=dating,
        lead=lead,
        average=average,
        spread=spread,
        intercept=flat("intercept"),
        persistence=flat("persistence"),
        response=average[:, None] + spread[:, None] * flat("response_each"),
        loading=loading,
        log_scale=flat("log_scale"),
        activity=flat("activity"),
        demand=demand,
        none=flat("none"),
        none_slope=flat("none_slope"),
        tail=2.0 + flat("tail_excess"),
        demand_tail=demand_tail,
        tree=tree,
    )
