"""Simulation-based calibration of the headline: truth ranks uniformly among posterior draws.

Parameters are drawn from the prior, data and an event from the parameters; the model is fitted to
the data and asked about the event [talts2018; modrak2025].
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest

from attribution.core.laws.overcomplete import log_likelihood
from attribution.model.spec import System
from attribution.sampling import engine
from attribution.sampling.engine import log_density
from attribution.sampling.modes import mode_above
from attribution.var.estimate.bvar import build, collect
from attribution.var.estimate.design import design
from attribution.var.estimate.kernel import Coefficients
from attribution.var.estimate.loadings import event_shocks
from attribution.var.estimate.parameters import prior_parameters

DAYS, SIMULATIONS, TUNE, DRAWS, KEPT = 60, 60, 250, 600, 60


def placeholder(days):
    """A panel with the right columns; only its exposures and scales are used."""
    rng = np.random.default_rng(0)
    index = pd.bdate_range(end="2025-09-02", periods=days + 2, name="time")
    values = pd.DataFrame(
        rng.standard_normal((days + 2, 3)) * [3.0, 1.5, 40.0],
        index,
        ["price", "software", "volatility"],
    )
    values["stress"] = rng.standard_normal(days + 2)
    values["lagged_level"] = rng.standard_normal(days + 2)
    return values


def tiny(headline):
    """Three variables, two channels, one unnamed shock: four shocks."""
    names = ("derisking", "hedging")
    base = headline.spec()
    crash = (base.event.windows[1],)
    return headline.spec(
        names=names,
        cells={k: v for k, v in headline.cells.items() if k[0] in names and k[1] in headline.core},
        system=System(headline.core, 1),
        event=replace(base.event, windows=crash, hold_out=(crash[0].start, crash[0].end)),
    )


def simulate(spec, data, kernel, rng):
    """Parameters from the prior; response and regressors of all days, the event's last; shocks."""
    lags = kernel.coefficients
    coefficients = lags.prior_mean + lags.prior_sd * rng.standard_normal((1, *lags.start.shape))
    truth = prior_parameters(spec, data, kernel, coefficients, rng)
    regressors, response = [np.append(1.0, np.zeros(3))], []
    for day in range(DAYS + 1):
        rows, at = (data.rows, day) if day < DAYS else (data.event, 0)
        law = truth.law(kernel, rows, at, np.ones(3, bool))
        variance = law.calm[0].copy()
        state = rng.choice(len(law.log_state[0]), p=np.exp(law.log_state[0]))
        if state:
            variance[law.jumpers[state - 1]] += law.extra[0, state - 1]
        volatility = (law.dof[0] - 2) / rng.chisquare(law.dof[0]) * np.exp(2 * law.log_scale[0])
        shocks = np.sqrt(volatility * variance) * rng.standard_normal(len(variance))
        response.append(regressors[-1] @ coefficients[0] + truth.impact[0] @ shocks)
        regressors.append(np.append(1.0, response[-1]))
    return truth, np.array(response), np.array(regressors[:-1]), shocks


def teach(spec, data, kernel, response, regressors):
    """Put the simulated days into the kernel that is already compiled, and return its design."""
    kernel.response[:], kernel.regressors[:] = response[:DAYS], regressors[:DAYS]
    lags = Coefficients.from_design(spec, data.prior.variables, response[:DAYS], regressors[:DAYS])
    kernel.coefficients.start[:], kernel.coefficients.factor[:] = lags.start, lags.factor
    event = replace(data.event, response=response[DAYS:], regressors=regressors[DAYS:])
    rows = replace(data.rows, response=response[:DAYS], regressors=regressors[:DAYS])
    return replace(data, rows=rows, event=event)


def posterior(model, compiled, seed):
    """One chain by NUTS from the mode; the density is compiled once for all simulations."""
    import pymc as pm
    from pymc.step_methods.hmc.quadpotential import QuadPotentialFull

    metric = mode_above(*log_density(model)).covariance
    with model:
        step = pm.NUTS(
            potential=QuadPotentialFull(metric), target_accept=0.9, logp_dlogp_func=compiled
        )
        drawn = pm.sample(
            draws=DRAWS,
            tune=TUNE,
            chains=1,
            cores=1,
            step=step,
            random_seed=seed,
            compile_kwargs={"mode": "FAST_COMPILE"},
            compute_convergence_checks=False,
            progressbar=False,
            quiet=True,
        )
    return drawn if hasattr(drawn, "children") else drawn.to_datatree()


def quantities(data, kernel, parameters, shocks):
    """What is ranked, one row a draw."""
    h = parameters.impact
    part = data.sd[0] * h[:, 0] * shocks
    named = part[:, :2]
    likelihood = [
        log_likelihood(
            kernel.response - kernel.regressors @ parameters.coefficients[d],
            h[d],
            kernel.variance(parameters.slope[d], parameters.state[d], parameters.jump[d]),
            np.log(parameters.state[d]),
            kernel.prior.jumpers,
            kernel.scale @ parameters.scale_slope[d],
            float(parameters.dof[d]),
            kernel.groups,
        ).value
        for d in range(len(h))
    ]
    return {
        "derisking": named[:, 0],
        "hedging": named[:, 1],
        "unattributed": part[:, 2:].sum(1),
        "product": named.prod(1),
        "log det": np.linalg.slogdet(h @ h.swapaxes(1, 2))[1],
        "log likelihood": np.array(likelihood),
        "elasticity": h[:, 2, 1] / h[:, 0, 1],
        "share": h[:, 0, 0] ** 2,
        "own lag": parameters.coefficients[:, 1, 0],
        "intercept": parameters.coefficients[:, 0, 0],
        "dof": parameters.dof,
        "exposure": parameters.slope[:, 0],
        "scale": parameters.scale_slope[:, 0],
        "calm days": parameters.state[:, 0],
    }


def ranks(headline, monkeypatch, simulations=SIMULATIONS, seed=0):
    spec, rng = tiny(headline), np.random.default_rng(seed)
    data = design(spec, placeholder(DAYS), "out")
    model, kernel = build(spec, data)
    assert kernel.response.shape == (DAYS, 3)
    compiled = model.logp_dlogp_function(ravel_inputs=True, mode="NUMBA")
    cached = engine.log_density(model)
    monkeypatch.setattr(engine, "log_density", lambda model, mode="NUMBA": cached)
    found = []
    for number in range(simulations):
        truth, response, regressors, struck = simulate(spec, data, kernel, rng)
        taught = teach(spec, data, kernel, response, regressors)
        fit = collect(taught, kernel, posterior(model, compiled, 1000 + number))
        shocks = event_shocks(spec, fit, rng).posterior.struck[0, :, 0]
        thin = np.arange(DRAWS // KEPT - 1, DRAWS, DRAWS // KEPT)
        kept = replace(
            fit.parameters, **{name: array[thin] for name, array in vars(fit.parameters).items()}
        )
        true = quantities(taught, kernel, truth, struck[None])
        drawn = quantities(taught, kernel, kept, shocks[thin])
        found.append({name: int((drawn[name] < true[name]).sum()) for name in true})
    return pd.DataFrame(found)


@pytest.mark.slow
@pytest.mark.stored
@pytest.mark.filterwarnings("ignore:.*Numba will use object mode.*")
def test_the_truth_ranks_uniformly_among_posterior_draws(headline, monkeypatch):
    table = ranks(headline, monkeypatch)
    rng = np.random.default_rng(1)
    place = (table + rng.random(table.shape)) / (KEPT + 1)
    p_values = place.apply(lambda column: kstest(column, "uniform").pvalue)
    assert p_values.min() > 0.005 / len(p_values), p_values.to_string()
