"""The density that the sampler sees: its value, its slope, and what it must not depend on."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import logsumexp
from scipy.stats import dirichlet, expon, gamma, halfnorm, multivariate_t, norm

from attribution.sampling import engine
from attribution.var.estimate.bvar import build
from attribution.var.estimate.design import design

ARGUMENTS = [
    "share",
    "log_scale",
    "signed",
    "banded",
    "own",
    "reach",
    "whitened",
    "slope",
    "state",
    "jump",
    "scale_slope",
    "own_log_scale",
    "dof",
]


@pytest.fixture(scope="module")
def built(headline, headline_data):
    """A kernel with missing cells, an exposure, a common scale and own scales of some days."""
    spec = headline.spec()
    data = design(spec, headline_data.values, "scale")
    model, kernel = build(spec, data)
    return SimpleNamespace(spec=spec, data=data, model=model, kernel=kernel)


def point(kernel, seed):
    """Values of all arguments away from the prior's center."""
    rng = np.random.default_rng(seed)
    prior, jumpers = kernel.prior, len(kernel.prior.jumpers)
    return {
        "share": rng.dirichlet(np.ones(prior.channels + 1)),
        "log_scale": np.array(0.2 * rng.standard_normal()),
        **{
            name: 0.7 * rng.standard_normal(len(getattr(prior, name)))
            for name in ("signed", "banded", "own", "reach")
        },
        "whitened": rng.standard_normal(kernel.coefficients.start.shape),
        "slope": np.abs(rng.standard_normal(len(kernel.exposed))),
        "state": rng.dirichlet(np.append(6.0, np.ones(jumpers))),
        "jump": rng.standard_normal(jumpers),
        "scale_slope": 0.3 * rng.standard_normal(kernel.scale.shape[1]),
        "own_log_scale": rng.exponential(size=int(kernel.own_scale.max()) + 1),
        "dof": np.array(2.1 + rng.gamma(4.0, 1.5)),
    }


@pytest.mark.parametrize("argument", ARGUMENTS)
@pytest.mark.parametrize("seed", [0, 1])
def test_the_gradient_is_the_slope_of_the_value(built, seed, argument):
    kernel = built.kernel
    at = point(kernel, seed)
    assert list(at) == ARGUMENTS
    _, gradient = kernel.value_and_gradient(**at)
    found = dict(zip(ARGUMENTS, gradient, strict=True))[argument]
    assert found.shape == at[argument].shape
    assert found.size > 0
    step = 1e-5
    slopes = np.zeros_like(found)
    for index in np.ndindex(*found.shape):
        up, down = (dict(at) | {argument: at[argument].copy()} for _ in range(2))
        up[argument][index] += step
        down[argument][index] -= step
        slopes[index] = (
            kernel.value_and_gradient(**up)[0] - kernel.value_and_gradient(**down)[0]
        ) / (2 * step)
    assert_allclose(found, slopes, rtol=3e-6, atol=3e-6)


def test_the_value_is_the_mixture_density_of_the_errors_times_the_prior_of_the_lags(built):
    """Day by day and state by state, from the arguments' definitions alone."""
    kernel, data = built.kernel, built.data
    at = point(kernel, 2)
    prior, rows = kernel.prior, data.rows
    impact = prior.assemble(*(at[name] for name in ARGUMENTS[:6]))
    coefficients = kernel.coefficients.colour(at["whitened"])
    ratio = 1 + np.exp(np.log(8.0) + 0.5 * at["jump"])
    dof = float(at["dof"])
    exposed = prior.shocks.index("derisking")
    raw = np.ones((len(rows.time), prior.shape[1]))
    raw[:, exposed] = np.exp(at["slope"][0] * rows.exposure[:, exposed])
    calm = raw / raw[: data.reference].mean(0)
    calm = calm / (1 + at["state"][1:] * (ratio - 1))  # every shock of the toy may jump
    total = 0.0
    for t in range(len(rows.time)):
        seen = np.isfinite(rows.response[t])
        error = (rows.response[t] - rows.regressors[t] @ coefficients)[seen]
        log_scale = rows.scale[t] @ at["scale_slope"]
        if data.own_scale[t] >= 0:
            log_scale += at["own_log_scale"][data.own_scale[t]]
        odds = np.log(at["state"])
        for s in range(len(odds)):
            variance = calm[t].copy()
            if s:
                variance[s - 1] *= ratio[s - 1]
            cover = np.exp(2 * log_scale) * (impact[seen] * variance) @ impact[seen].T
            odds[s] += multivariate_t(shape=cover * (dof - 2) / dof, df=dof).logpdf(error)
        total += logsumexp(odds)
    lags = kernel.coefficients
    z = (coefficients - lags.prior_mean) / lags.prior_sd
    assert_allclose(kernel.value_and_gradient(**at)[0], total - 0.5 * (z**2).sum(), rtol=1e-10)


def test_whitening_only_changes_the_pace(built):
    """The value is a function of the coefficients, whatever map the sampler uses."""
    kernel = built.kernel
    at = point(kernel, 3)
    lags = kernel.coefficients
    coefficients = lags.colour(at["whitened"])
    plain = replace(
        kernel,
        coefficients=replace(
            lags,
            start=np.zeros_like(lags.start),
            factor=np.broadcast_to(np.eye(len(lags.start)), lags.factor.shape),
        ),
    )
    value, gradient = plain.value_and_gradient(**(at | {"whitened": coefficients}))
    whitened, chained = kernel.value_and_gradient(**at)
    assert_allclose(value, whitened, rtol=1e-12)
    slope = np.einsum("jrs,rj->sj", lags.factor, gradient[6])
    assert_allclose(chained[6], slope, rtol=1e-9, atol=1e-9)


def test_the_whitening_is_that_of_the_posterior_of_each_equation(built):
    lags, rows = built.kernel.coefficients, built.data.rows
    assert_allclose(lags.factor, np.tril(lags.factor))
    for j in range(lags.start.shape[1]):
        seen = np.isfinite(rows.response[:, j])
        x, y = rows.regressors[seen], rows.response[seen, j]
        noise = (y - x @ np.linalg.lstsq(x, y, rcond=None)[0]).var()
        slope = x.T @ (y - x @ lags.start[:, j]) / noise
        slope = slope - (lags.start[:, j] - lags.prior_mean[:, j]) / lags.prior_sd[:, j] ** 2
        assert_allclose(slope, 0, atol=1e-9 * len(y))


def test_the_minnesota_prior_shrinks_farther_lags_more(headline, headline_data):
    spec = headline.spec()
    spec = replace(
        spec,
        system=replace(spec.system, lags=2),
        prior=replace(spec.prior, own_lag=0.1, own_lags=(("volatility", 0.6),), decay=2.0),
    )
    _, kernel = build(spec, design(spec, headline_data.values, "out"))
    lags = kernel.coefficients
    assert lags.prior_mean.shape == (1 + 2 * 3, 4)
    assert_allclose(np.diag(lags.prior_mean[1:4, :3]), [0.1, 0.1, 0.6])
    assert_allclose(lags.prior_mean.sum(), 0.8)  # nothing else has a mean
    assert_allclose(lags.prior_sd[0], spec.structural.intercept_sd)
    assert_allclose(lags.prior_sd[1:4], 0.2)
    assert_allclose(lags.prior_sd[4:], 0.2 / 4)
    value, slope = lags.log_prior(lags.prior_mean + lags.prior_sd)
    assert_allclose(value, -0.5 * lags.prior_sd.size)
    assert_allclose(slope, -1 / lags.prior_sd)


def test_the_models_density_is_kernel_plus_priors_and_its_gradient_is_its_slope(built):
    density, start = engine.log_density(built.model, "FAST_COMPILE")
    rng = np.random.default_rng(4)
    at = start + 0.3 * rng.standard_normal(len(start))
    _, gradient = density(at)
    for _ in range(8):
        way = rng.standard_normal(len(at))
        way *= 1e-5 / np.linalg.norm(way)
        slope = (density(at + way)[0] - density(at - way)[0]) / 2
        assert_allclose(gradient @ way, slope, rtol=1e-5, atol=1e-10)
    values = {
        v.name: x for v, x in zip(built.model.value_vars, _split(built.model, at), strict=True)
    }
    assert set(values) >= {"log_scale", "signed", "banded", "own", "reach", "whitened", "jump"}
    moved = dict(values)
    moved["whitened"] = values["whitened"] + 0.1
    # only the kernel knows the lag coefficients: a move of theirs is a move of its value
    kernel = built.kernel
    backward = engine.backward(built.model)
    names = [v.name for v in built.model.unobserved_value_vars]
    inner = dict(zip(names, backward(at), strict=True))
    arguments = {name: np.asarray(inner[name]) for name in ARGUMENTS if name != "dof"}
    arguments["dof"] = np.asarray(2.1 + inner["tail"])
    one = kernel.value_and_gradient(**arguments)[0]
    two = kernel.value_and_gradient(**(arguments | {"whitened": moved["whitened"]}))[0]
    there = np.concatenate([np.ravel(moved[v.name]) for v in built.model.value_vars])
    assert_allclose(density(there)[0] - density(at)[0], two - one, rtol=1e-8)
    # and a move of a cell's standard normal is a move of its value and of its normal prior
    shifted = arguments | {"signed": arguments["signed"] + 0.2}
    moved = values | {"signed": values["signed"] + 0.2}
    there = np.concatenate([np.ravel(moved[v.name]) for v in built.model.value_vars])
    gain = norm.logpdf(shifted["signed"]).sum() - norm.logpdf(arguments["signed"]).sum()
    three = kernel.value_and_gradient(**shifted)[0]
    assert_allclose(density(there)[0] - density(at)[0], three - one + gain, rtol=1e-8)


def test_the_models_density_is_its_kernel_and_every_prior_in_closed_form(built, density_gaps):
    settings, prior = built.spec.structural, built.kernel.prior
    laws = {
        "share": dirichlet(np.ones(prior.channels + 1)),
        "log_scale": norm(0.0, settings.outcome_scale_sd),
        **dict.fromkeys(("signed", "banded", "own", "reach", "jump"), norm()),
        "state": dirichlet(np.append(settings.jump_calm, np.ones(len(prior.jumpers)))),
        "slope": halfnorm(scale=settings.exposure_sd),
        "scale_slope": norm(0.0, settings.scale_sd),
        "own_log_scale": expon(),
        "tail": gamma(settings.tail_shape, scale=1 / settings.tail_rate),
    }
    assert max(density_gaps(built.model, built.kernel, laws)) < 1e-8


def _split(model, x):
    shapes = [np.shape(model.initial_point()[v.name]) for v in model.value_vars]
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1]
    return [part.reshape(s) for part, s in zip(np.split(x, ends), shapes, strict=True)]
