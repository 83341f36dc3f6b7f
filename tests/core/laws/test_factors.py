"""Factors behind noise: the density is the mixture it claims to be, its gradient and draws too."""

from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import logsumexp
from scipy.stats import multivariate_t

from attribution.core.laws.factors import (
    FactorLaw,
    bits,
    draw_factors,
    log_density,
    log_likelihood,
    log_states,
)
from attribution.core.laws.overcomplete import Groups

SEEDS = range(4)


def problem(seed, *, n=4, k=3, days=12):
    rng = np.random.default_rng(seed)
    observed = rng.random((days, n)) > 0.25
    observed[0] = True
    exposure = np.zeros((days, k))
    exposure[:, [0, 2]] = rng.random((days, 2)) > 0.5
    groups = Groups.from_days(observed, exposure, days - 2)
    arguments = {
        "errors": np.where(observed, 2.0 * rng.standard_normal((days, n)), 0.0),
        "loading": rng.standard_normal((n, k)),
        "noise": rng.uniform(0.2, 1.0, n),
        "calm": rng.uniform(0.3, 1.5, (len(groups.observed), k)),
        "ratio": 1.0 + rng.lognormal(1.5, 0.5, k),
        "probability": rng.uniform(0.05, 0.3, k),
        "log_scale": 0.4 * rng.standard_normal(days),
        "dof": float(rng.uniform(2.5, 9.0)),
    }
    return SimpleNamespace(arguments=arguments, groups=groups, observed=observed)


def value(p, **changed):
    return log_likelihood(**{**p.arguments, **changed}, groups=p.groups).value


def mixture(p):
    """Sum over every state of every day, by scipy."""
    a, total = p.arguments, 0.0
    shape = (a["dof"] - 2.0) / a["dof"]
    for day, seen in enumerate(p.observed):
        logs = []
        for large in bits(a["loading"].shape[1]):
            variance = a["calm"][p.groups.of_day[day]] * a["ratio"] ** large
            scale = (a["loading"] * variance) @ a["loading"].T + np.diag(a["noise"])
            scale = scale[np.ix_(seen, seen)] * np.exp(2 * a["log_scale"][day]) * shape
            law = multivariate_t(np.zeros(seen.sum()), scale, df=a["dof"])
            chance = np.where(large, a["probability"], 1 - a["probability"])
            logs.append(law.logpdf(a["errors"][day, seen]) + np.log(chance).sum())
        total += logsumexp(logs)
    return total


@pytest.mark.parametrize("seed", SEEDS)
def test_the_density_is_the_mixture_over_all_states(seed):
    p = problem(seed)
    assert_allclose(value(p), mixture(p), rtol=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    "name", ["errors", "loading", "noise", "calm", "ratio", "probability", "log_scale", "dof"]
)
def test_the_gradient_is_that_of_the_density(seed, name):
    p = problem(seed)
    at = np.asarray(p.arguments[name], float)
    slope, step = np.empty(at.shape), 1e-6
    for index in np.ndindex(at.shape):
        up, down = at.copy(), at.copy()
        up[index] += step
        down[index] -= step
        slope[index] = (value(p, **{name: up}) - value(p, **{name: down})) / (2 * step)
    if name == "errors":
        slope = np.where(p.observed, slope, 0.0)
    if name in ("calm", "ratio"):  # derivatives in logs
        slope = slope * at
    found = getattr(log_likelihood(**p.arguments, groups=p.groups), name)
    assert_allclose(found, slope, rtol=1e-5, atol=1e-6)


def test_states_of_independent_factors_have_probabilities_that_sum_to_one():
    chance = np.exp(log_states(np.array([[0.1, 0.3, 0.02], [0.5, 0.01, 0.2]])))
    assert_allclose(chance.sum(1), 1.0, rtol=1e-14)
    assert_allclose(chance @ bits(3), [[0.1, 0.3, 0.02], [0.5, 0.01, 0.2]], rtol=1e-13)


def law_of(seed, draws, *, n=4, k=2):
    rng = np.random.default_rng(seed)
    one = FactorLaw(
        loading=rng.standard_normal((n, k)),
        noise=rng.uniform(0.3, 1.0, n),
        calm=rng.uniform(0.4, 0.9, k),
        ratio=np.array([9.0, 5.0]),
        probability=np.array([0.2, 0.1]),
        log_scale=np.array(0.2),
        dof=np.array(7.0),
    )
    return FactorLaw(**{key: np.stack([x] * draws) for key, x in vars(one).items()})


def simulate(law, rng):
    """Factors, noise in scales and errors (draw, ...) from the law itself."""
    draws, n, k = law.loading.shape
    large = rng.random((draws, k)) < law.probability
    volatility = 0.5 * (law.dof - 2.0) / rng.gamma(0.5 * law.dof) * np.exp(2 * law.log_scale)
    factors = np.sqrt(law.calm * law.ratio**large) * rng.standard_normal((draws, k))
    noise = rng.standard_normal((draws, n))
    size = np.sqrt(volatility)[:, None]
    errors = np.einsum("dvk,dk->dv", law.loading, size * factors)
    return size * factors, errors + np.sqrt(law.noise) * size * noise


def test_drawn_factors_and_noise_give_the_errors_back():
    law = law_of(1, 500)
    errors = 3.0 * np.random.default_rng(2).standard_normal((500, 4))
    seen = np.array([True, False, True, True])
    factors, noise, chance = draw_factors(law, errors, seen, np.random.default_rng(3))
    back = np.einsum("dvk,dk->dv", law.loading, factors) + np.sqrt(law.noise) * noise
    assert_allclose(back[:, seen], errors[:, seen], atol=1e-11)
    assert ((chance >= 0) & (chance <= 1)).all()


def test_factors_drawn_given_their_errors_have_the_law_of_the_factors():
    draws = 40_000
    law, rng = law_of(4, draws), np.random.default_rng(5)
    true, errors = simulate(law, rng)
    drawn, _, _ = draw_factors(law, errors, np.ones(4, bool), rng)
    for functional in (
        lambda f: np.abs(f),
        lambda f: np.abs(f) > 1.5,
        lambda f: np.tanh(f) * np.tanh(errors[:, :2]),
        lambda f: np.tanh(f[:, :1]) * np.tanh(f[:, 1:]),
    ):
        one, other = functional(true), functional(drawn)
        gap = one.astype(float) - other
        assert (np.abs(gap.mean(0)) < 4.5 * gap.std(0) / np.sqrt(draws)).all()


def test_the_density_of_a_day_is_that_of_the_sweep():
    p = problem(8)
    a = p.arguments
    total = 0.0
    for day, seen in enumerate(p.observed):
        law = FactorLaw(
            loading=a["loading"][None],
            noise=a["noise"][None],
            calm=a["calm"][p.groups.of_day[day]][None],
            ratio=a["ratio"][None],
            probability=a["probability"][None],
            log_scale=a["log_scale"][day : day + 1],
            dof=np.array([a["dof"]]),
        )
        total += log_density(law, a["errors"][day][None], seen)[0]
    assert_allclose(total, value(p), rtol=1e-12)
