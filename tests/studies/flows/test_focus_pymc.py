"""The focus fund's regression by its own sampler and by PyMC, on one data set."""

import numpy as np
import pytest

from attribution.sampling import engine
from attribution.sampling.diagnostics import effective_size
from attribution.studies.flows.dating import DatingPrior, date_rows
from attribution.studies.flows.focus import FocusPrior, FocusRows, degrees, log_likelihoods
from attribution.studies.flows.focus_gibbs import draw_focus

GRID = degrees(2.2, 60.0, 300)  # fine, for PyMC's degrees of freedom are continuous
TIME = 80


def rows(seed=2):
    rng = np.random.default_rng(seed)
    r = rng.standard_normal(TIME + 1)
    volume = rng.standard_normal(TIME + 1)
    one = np.ones(TIME + 1)
    x = np.column_stack([one, np.minimum(r, 0), np.maximum(r, 0), (r < -0.7) * 1.0])
    z = np.column_stack([one, volume])
    x, z = (np.stack([part[1:], part[:-1]]) for part in (x, z))
    path, here = (np.arange(TIME) < 50).astype(int), np.arange(TIME)
    beta, gamma = np.array([0.2, 1.0, 0.7, 0.4]), np.array([-0.3, 0.3])
    y = x[path, here] @ beta + np.exp(z[path, here] @ gamma) * rng.standard_t(4, TIME)
    return FocusRows(y, x, z, np.ones(TIME, bool), np.full(TIME, -1))


def the_prior():
    return FocusPrior(
        np.array([1.0, 1.0, 1.0, 0.5]),
        np.array([0, 0, 0, 1]),
        np.array([1.0, 0.5]),
        *GRID,
        DatingPrior(1.0, 1.0, 1.0),
    )


def pymc_model(data, prior):
    """The same posterior, its paths summed by cumulative sums and one logsumexp."""
    import pymc as pm
    import pytensor.tensor as pt

    weights = prior.dating.log_weights(TIME)
    with pm.Model() as model:
        free = pm.Normal("free", 0.0, prior.scale[:3], shape=3)
        signed = pm.HalfNormal("signed", prior.scale[3])
        gamma = pm.Normal("gamma", 0.0, prior.spread, shape=2)
        tail = pm.Gamma("tail", 2.0, 0.1)
        pm.Potential("cut", pt.switch(pt.and_(tail > GRID[0][0], tail < GRID[0][-1]), 0.0, -np.inf))
        beta = pt.concatenate([free, signed[None]])
        logp = []
        both = data.x[0] + np.append(0.0, np.ones(3)) * data.x[1]  # the constant is the row's
        for x, z, size in (
            (data.x[0], data.z[0], 1.0),
            (data.x[1], data.z[1], 1.0),
            (both, data.z.mean(axis=0), np.sqrt(2.0)),
        ):
            law = pm.StudentT.dist(
                nu=tail, mu=pt.dot(x, beta), sigma=size * pt.exp(pt.dot(z, gamma))
            )
            logp.append(pm.logp(law, data.y))
        ratio = logp[1] - logp[0]
        whole, before = ratio.sum(), pt.cumsum(ratio)[:-1]
        paths = pt.concatenate([
            pt.stack([weights[0], weights[1] + whole]),
            weights[2] + before + (logp[2] - logp[0])[1:],  # no row without a flow: no way back
        ])  # fmt: skip
        pm.Potential("rows", logp[0].sum() + pm.math.logsumexp(paths))
    return model


def compared(draws, chains, tune):
    """Largest difference of means and of standard deviations, in Monte Carlo errors."""
    data, prior = rows(), the_prior()
    own = [
        draw_focus(data, prior, draws=draws, burn=100, rng=child)
        for child in np.random.default_rng(1).spawn(chains)
    ]
    mine = np.stack([np.column_stack([d.beta, d.gamma, np.log(d.nu)]) for d in own])
    tree = engine.sample(
        pymc_model(data, prior), draws=draws, tune=tune, chains=chains, cores=1, seed=3,
        target_accept=0.95,
        initvals=[{"free": np.zeros(3), "signed": 0.3, "gamma": np.zeros(2), "tail": 8.0}] * chains,
    )["posterior"]  # fmt: skip
    names = (("free", 3), ("signed", 1), ("gamma", 2))
    parts = [tree[n].to_numpy().reshape(chains, draws, size) for n, size in names]
    theirs = np.concatenate([*parts, np.log(tree["tail"].to_numpy())[..., None]], axis=2)
    gaps = []
    for power in (1, 2):
        one, two = (((x - mine.mean((0, 1))) ** power) for x in (mine, theirs))
        error = sum(x.var((0, 1)) / effective_size(x) for x in (one, two))
        gaps.append(np.abs(one.mean((0, 1)) - two.mean((0, 1))) / np.sqrt(error))
    return np.array(gaps)


@pytest.mark.slow
def test_both_samplers_find_the_same_means_and_variances():
    assert compared(2000, 2, 1000).max() < 4.0


def test_pymc_and_the_sampler_see_the_same_posterior_density():
    """At several points the log densities differ by one constant."""
    data, prior = rows(), the_prior()
    model = pymc_model(data, prior)
    found = draw_focus(data, prior, draws=6, burn=20, rng=np.random.default_rng(0))
    joint = date_rows(log_likelihoods(data, found, data.used), prior.dating).log_marginal
    joint -= 0.5 * ((found.beta / prior.scale) ** 2).sum(1)
    joint -= 0.5 * ((found.gamma / prior.spread) ** 2).sum(1)
    joint += np.log(found.nu) - 0.1 * found.nu  # Gamma(2, 0.1)
    logp = model.compile_logp(jacobian=False, mode="FAST_COMPILE")
    theirs = []
    for beta, gamma, nu in zip(found.beta, found.gamma, found.nu, strict=True):
        point = model.initial_point()
        point |= {"free": beta[:3], "gamma": gamma}
        point |= {"signed_log__": np.log(beta[3]), "tail_log__": np.log(nu)}
        theirs.append(float(logp(point)))
    assert np.ptp(joint - theirs) < 1e-6
