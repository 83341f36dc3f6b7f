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

from attribution.sampling import engine
from attribution.sampling.engine import flat_draws
from attribution.studies.flows.dated_flow import UNUSED, dated_flow, of_held, row_log_likelihood
from attribution.studies.flows.dating import Dating, DatingPrior
from attribution.studies.flows.gradual import HOLDS, date_either, draw_either
from attribution.studies.flows.question import FlowPrior
from attribution.studies.flows.rows import FlowRows
from attribution.var.estimate.kernel import operation

# Coefficients of net creations in; their log likelihood and its gradient out, dating summed.

LIMIT = 20.0
"""Log of the largest factor of a day's scale: a step of the sampler's search may ask for more."""


@dataclass(frozen=True)
class FlowKernel:
    """The likelihood of the joint model; arguments in the order of ``value_and_gradient``."""

    rows: FlowRows
    prior: DatingPrior

    def value_and_gradient(
        self,
        intercept: np.ndarray,
        persistence: np.ndarray,
        response: np.ndarray,
        loading: np.ndarray,
        log_scale: np.ndarray,
        activity: np.ndarray,
        demand: np.ndarray,
        none: np.ndarray,
        none_slope: np.ndarray,
        tail: np.ndarray,
    ) -> tuple[float, tuple[np.ndarray, ...]]:
        """Return the log likelihood and its derivative in each argument, in order.

        Parameters
        ----------
        intercept, persistence, loading, log_scale, none, none_slope : (fund,).
        response : (fund, covariate).
        activity : (column,), slopes of the log scale.
        demand : (day,), demand that all funds share, of scale one on a day of usual activity.
        tail : (fund,), degrees of freedom of a fund's own flows.
        """
        rows = self.rows
        log_busy = np.clip(rows.activity @ activity, -LIMIT, LIMIT)
        shared = np.exp(log_busy) * demand
        found = dated_flow(
            rows.flow,
            rows.status,
            persistence[:, None] * rows.previous,
            intercept[:, None]
            + (rows.design @ response[:, :, None])[:, :, 0]
            + loading[:, None] * shared,
            log_scale[:, None] + log_busy,
            none[:, None] + none_slope[:, None] * rows.magnitude,
            tail,
            self.prior,
        )
        d_shared = loading @ found.orders
        return found.value, (
            found.orders.sum(1),
            np.einsum("ft,ft->f", found.row, rows.previous),
            (found.orders[:, None, :] @ rows.design)[:, 0],
            found.orders @ shared,
            found.log_scale.sum(1),
            rows.activity.T @ (found.log_scale.sum(0) + d_shared * shared),
            d_shared * np.exp(log_busy),
            found.log_odds.sum(1),
            np.einsum("ft,ft->f", found.log_odds, rows.magnitude),
            found.tail,
        )


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
    cores: int | None = None,
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
    tree = engine.sample(
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


# Draws of the joint model in; what its rows say of the dating of each fund out.


@dataclass(frozen=True)
class Readings:
    """What a day's orders look like to one fund, and its rows under both readings.

    Attributes
    ----------
    own : (draw, time), the pull of the row before.
    covariates : (draw, day), intercept and the answer to what the day brought.
    shared : (draw, day), scale of the demand that all funds share, times the fund's exposure.
    log_scale, log_odds : (draw, day), of the fund's own flows, and of none.
    rows : (reading, draw, time), log likelihood of each row; zero where it is not used; readings
        are those of ``gradual.HOLDS``, the first four where the prior knows no gradual switch.
    """

    own: np.ndarray
    covariates: np.ndarray
    shared: np.ndarray
    log_scale: np.ndarray
    log_odds: np.ndarray
    rows: np.ndarray

    def orders(
        self, day: int | np.ndarray, demand: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Mean, log scale and log odds of none of the orders of some days, (draw,) or (draw, day).

        ``demand`` (draw, day) is that of every day, in the unit of ``shared``.
        """
        mean = self.covariates[:, day] + self.shared[:, day] * demand[:, day]
        return mean, self.log_scale[:, day], self.log_odds[:, day]


def readings_of(fit: FlowFit, fund: int) -> Readings:
    """Return what every draw says of one fund's rows."""
    rows = fit.rows
    log_busy = fit.activity @ rows.activity.T
    own = fit.persistence[:, fund, None] * rows.previous[fund]
    covariates = fit.intercept[:, fund, None] + fit.response[:, fund] @ rows.design[fund].T
    shared = fit.loading[:, fund, None] * np.exp(log_busy)
    log_scale = fit.log_scale[:, fund, None] + log_busy
    log_odds = fit.none[:, fund, None] + fit.none_slope[:, fund, None] * rows.magnitude[fund]
    found = row_log_likelihood(
        rows.flow[fund],
        rows.status[fund],
        own,
        covariates + shared * fit.demand,
        log_scale,
        log_odds,
        fit.tail[:, fund],
        readings=len(HOLDS) if fit.prior.gradual else 4,
    )
    return Readings(own, covariates, shared, log_scale, log_odds, found)


def dating_of(fit: FlowFit, fund: int) -> Dating:
    """Return what every draw says of the dating of one fund; leading axis (draw)."""
    return date_either(readings_of(fit, fund).rows, fit.prior)


# Draws of the joint model in; replicated rows of a fund out, for checks of the fit.


def replicate(fit: FlowFit, fund: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw every fitted row of a fund anew, one step ahead of the published row before it.

    The dating is drawn with its posterior probability, and the demand of each day is that of the
    draw.

    Returns
    -------
    Positions of the rows (row,), and rows (draw, row), USD million.
    """
    used = np.flatnonzero(fit.rows.status[fund] != UNUSED)
    found = readings_of(fit, fund)
    reading = draw_either(found.rows, fit.prior, rng)[:, used]
    now, before = (found.orders(of, fit.demand) for of in (used, used - 1))
    laws = (of_held(now, before, place) for place in range(len(found.rows)))
    mean, log_scale, log_odds = (
        np.take_along_axis(np.stack(parts), reading[None], axis=0)[0]
        for parts in zip(*laws, strict=True)
    )
    noise = rng.standard_t(np.broadcast_to(fit.tail[:, fund, None], reading.shape))
    some = 1.0 / (1.0 + np.exp(log_odds))
    flow = np.where(
        rng.random(reading.shape) < some,
        found.own[:, used] + mean + np.exp(log_scale) * noise,
        0,
    )
    return used, flow * fit.rows.size[fund]
