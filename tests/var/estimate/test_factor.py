"""The factor companion: exact density, exact draws, and what it says where the truth is known."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import logsumexp
from scipy.stats import beta, dirichlet, expon, gamma, halfnorm, multivariate_t, norm

from attribution.core.laws.factors import bits
from attribution.decompose import decompose
from attribution.errors import SpecError
from attribution.model.spec import StructuralPrior
from attribution.sampling import engine
from attribution.var.estimate.design import design
from attribution.var.estimate.factor import (
    FactorFit,
    build,
    event_factors,
    fit_factor,
    prior_factors,
)
from attribution.var.estimate.factor_kernel import prior_parameters

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
PRIOR = StructuralPrior(own_median=0.5, own_sd=0.6, scale_columns=("lagged_level",))


@pytest.fixture(scope="module")
def built(headline, headline_data):
    spec = headline.spec(kind="factor", structural=PRIOR)
    data = design(spec, headline_data.values, "scale")
    data = replace(data, prior=replace(data.prior, jumpers=np.arange(data.prior.channels)))
    model, kernel = build(spec, data)
    return SimpleNamespace(
        spec=spec, data=data, model=model, kernel=kernel, values=headline_data.values
    )


@pytest.fixture(scope="module")
def guessed(built):
    """A fit whose draws are those of the prior: the event's factors are exact given any."""
    rng = np.random.default_rng(0)
    start = built.kernel.coefficients.start
    coefficients = start + 0.05 * rng.standard_normal((40, *start.shape))
    parameters = prior_parameters(built.spec, built.kernel, coefficients, rng)
    return FactorFit(built.data, built.kernel, (4, 10), parameters, None)


def point(kernel, seed):
    """Values of all arguments away from the prior's center."""
    rng = np.random.default_rng(seed)
    prior, k = kernel.prior, kernel.prior.channels
    return {
        "share": rng.dirichlet(np.ones(k + 1)),
        "log_scale": np.array(0.2 * rng.standard_normal()),
        **{
            name: 0.7 * rng.standard_normal(len(getattr(prior, name)))
            for name in ("signed", "banded", "own", "reach")
        },
        "whitened": rng.standard_normal(kernel.coefficients.start.shape),
        "slope": np.abs(rng.standard_normal(len(kernel.exposed))),
        "state": rng.uniform(0.05, 0.3, k),
        "jump": rng.standard_normal(k),
        "scale_slope": 0.3 * rng.standard_normal(kernel.scale.shape[1]),
        "own_log_scale": rng.exponential(size=int(kernel.own_scale.max()) + 1),
        "dof": np.array(2.1 + rng.gamma(4.0, 1.5)),
    }


@pytest.mark.parametrize("argument", [name for name in ARGUMENTS if name != "reach"])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_gradient_is_the_slope_of_the_value(built, seed, argument):
    at = point(built.kernel, seed)
    _, gradient = built.kernel.value_and_gradient(**at)
    found = dict(zip(ARGUMENTS, gradient, strict=True))[argument]
    assert found.shape == at[argument].shape
    assert found.size > 0
    slopes, relative = np.zeros_like(found), argument in ("share", "state")
    for index in np.ndindex(*found.shape):
        step = 1e-3 * (at[argument][index] if relative else 1.0)
        values = []
        for far in (1, -1, 2, -2):
            moved = {**at, argument: at[argument].copy()}
            moved[argument][index] += far * step
            values.append(built.kernel.value_and_gradient(**moved)[0])
        slopes[index] = (8 * (values[0] - values[1]) - (values[2] - values[3])) / (12 * step)
    assert_allclose(found, slopes, rtol=3e-6, atol=3e-6)


def test_the_value_is_the_density_of_factors_and_noise_from_their_definitions(built):
    kernel, data = built.kernel, built.data
    at = point(kernel, 2)
    prior, rows, k = kernel.prior, data.rows, kernel.prior.channels
    impact = prior.assemble(*(at[name] for name in ARGUMENTS[:6]))
    noise = (impact[:, k:] ** 2).sum(1)  # one noise a series, but the outcome's
    assert noise[prior.outcome] == 0
    noise[prior.outcome] = np.exp(2 * at["log_scale"]) * at["share"][-1]
    coefficients = kernel.coefficients.colour(at["whitened"])
    ratio, dof = 1 + np.exp(np.log(8.0) + 0.5 * at["jump"]), float(at["dof"])
    raw = np.ones((len(rows.time), k))
    raw[:, 0] = np.exp(at["slope"][0] * rows.exposure[:, 0])
    calm = raw / raw[: data.reference].mean(0) / (1 + at["state"] * (ratio - 1))
    total = kernel.coefficients.log_prior(coefficients)[0]
    for t in range(len(rows.time)):
        seen = np.isfinite(rows.response[t])
        error = (rows.response[t] - rows.regressors[t] @ coefficients)[seen]
        log_scale = rows.scale[t] @ at["scale_slope"]
        if data.own_scale[t] >= 0:
            log_scale += at["own_log_scale"][data.own_scale[t]]
        logs = []
        for large in bits(k):
            loading = impact[:, :k]
            scale = (loading * (calm[t] * ratio**large)) @ loading.T + np.diag(noise)
            scale = scale[np.ix_(seen, seen)] * np.exp(2 * log_scale) * (dof - 2) / dof
            chance = np.where(large, at["state"], 1 - at["state"])
            law = multivariate_t(np.zeros(seen.sum()), scale, df=dof)
            logs.append(law.logpdf(error) + np.log(chance).sum())
        total += logsumexp(logs)
    assert_allclose(kernel.value_and_gradient(**at)[0], total, rtol=1e-11)


def test_the_models_density_is_its_kernel_and_every_prior_in_closed_form(built, density_gaps):
    settings = built.spec.structural
    laws = {
        "share": dirichlet(np.ones(built.kernel.prior.channels + 1)),
        "log_scale": norm(0.0, settings.outcome_scale_sd),
        **dict.fromkeys(("signed", "banded", "own", "jump"), norm()),
        "burst": beta(1.0, 9.0),
        "slope": halfnorm(scale=settings.exposure_sd),
        "scale_slope": norm(0.0, settings.scale_sd),
        "own_log_scale": expon(),
        "tail": gamma(settings.tail_shape, scale=1 / settings.tail_rate),
    }
    assert max(density_gaps(built.model, built.kernel, laws)) < 1e-8


def test_a_days_law_is_that_of_the_estimation_days(built, guessed):
    """The normaliser of the exposures is carried over to days outside the estimation."""
    kernel, rows = built.kernel, built.data.rows
    calm = kernel.factor_variance(
        guessed.parameters.slope, guessed.parameters.burst, guessed.parameters.jump
    )
    for day in (0, 17, 50):
        law = guessed.parameters.law(kernel, rows, day)
        assert_allclose(law.calm, calm[:, kernel.groups.of_day[day]], rtol=1e-12)


def test_contributions_add_up_and_the_noise_of_the_outcome_is_unattributed(built, guessed):
    found = event_factors(built.spec, guessed, np.random.default_rng(1))
    posterior = found.posterior
    assert posterior.channels == built.spec.channels
    noise = posterior.shocks.index("price_noise")
    assert (posterior.impact[..., 0, noise] > 0).all()
    assert (posterior.impact[..., 1:, noise] == 0).all()
    split = decompose(posterior, built.values, built.spec.event.windows[1])  # or it refuses
    day = posterior.days.get_loc(split.time[0])
    own = posterior.impact[..., 0, noise] * posterior.struck[:, :, day, noise]
    assert_allclose(split.contribution[:, :, 0, 0, -1], own, atol=1e-10)


def test_the_prior_of_the_event_is_drawn_from_its_seed(built, guessed):
    one, other = (
        prior_factors(built.spec, guessed, 30, np.random.default_rng(2)) for _ in range(2)
    )
    assert_allclose(one.struck, other.struck, rtol=0)
    assert one.impact.shape[:2] == (1, 30)


def test_unnamed_news_is_refused(headline, headline_data):
    with pytest.raises(SpecError, match="has no unnamed news"):
        fit_factor(headline.spec(kind="factor"), headline_data.values, seed=1)


@pytest.mark.slow
def test_sampled_contributions_converge_and_hold_the_truth(headline, headline_data):
    spec, values = headline.spec(kind="factor", structural=PRIOR), headline_data.values
    fit = fit_factor(spec, values, draws=400, tune=300, chains=2, cores=1, seed=3)
    struck = event_factors(spec, fit, np.random.default_rng(4))
    drawn, _, observed = decompose(struck.posterior, values, spec.event.windows[1]).cumulated(
        "price"
    )
    assert engine.rhat(drawn).max() < 1.02
    assert engine.ess_bulk(drawn).min() > 150
    assert int(fit.tree["sample_stats"]["diverging"].sum()) == 0
    shocks = headline_data.shocks.loc["2025-09-02"].to_numpy()
    effect = headline.impact[0] * shocks
    truth = np.append(effect[:3], effect[3:].sum())
    low, high = np.quantile(drawn, [0.005, 0.995], axis=(0, 1))
    assert (low < truth).all()
    assert (truth < high).all()
    hedging = spec.channels.index("hedging")
    assert (drawn.argmin(-1) == hedging).mean() > 0.6
    assert (high - low < 4 * abs(observed) + 4).all()
