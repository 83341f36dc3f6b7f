"""Shocks given errors: they add up to the errors, and they come from the law they should."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.integrate import quad
from scipy.special import logsumexp
from scipy.stats import chisquare, kstest, multivariate_normal, multivariate_t

from attribution.core.laws.conditional import Law, draw_shocks, evidence, expected_shocks

JUMPERS = np.array([2, 0])


def law_of(seed, draws, *, n=3, shocks=5, jumpers=JUMPERS, same=True, dof=None):
    """A random law; the same in every draw, or another in each."""
    rng = np.random.default_rng(seed)
    lead = 1 if same else draws
    found = {
        "impact": rng.standard_normal((lead, n, shocks)),
        "calm": rng.uniform(0.3, 1.5, (lead, shocks)),
        "extra": rng.uniform(4.0, 12.0, (lead, len(jumpers))),
        "log_state": np.log(rng.dirichlet(np.append(3.0, np.ones(len(jumpers))), size=lead)),
        "log_scale": 0.3 * rng.standard_normal(lead),
        "dof": rng.uniform(3.0, 8.0, lead) if dof is None else np.full(lead, dof),
    }
    return Law(
        jumpers=np.asarray(jumpers, int),
        **{k: np.broadcast_to(v, (draws, *v.shape[1:])).copy() for k, v in found.items()},
    )


def state_densities(law, errors, draw, own=0.0):
    """Log density of errors and state for one draw, state by state."""
    scale = np.exp(2 * (law.log_scale[draw] + own))
    found = []
    for s, log_chance in enumerate(law.log_state[draw]):
        variance = law.calm[draw].copy()
        if s:
            variance[law.jumpers[s - 1]] += law.extra[draw, s - 1]
        covariance = scale * law.impact[draw] @ np.diag(variance) @ law.impact[draw].T
        dof = law.dof[draw]
        shape = covariance * (dof - 2) / dof
        found.append(log_chance + multivariate_t(shape=shape, df=dof).logpdf(errors[draw]))
    return np.array(found)


def simulate(law, rng):
    """Shocks from the law itself: state, volatility, normals."""
    draws = len(law.dof)
    chance = np.exp(law.log_state).cumsum(1)
    state = (chance < rng.random((draws, 1))).sum(1)
    variance = law.calm.copy()
    for j, column in enumerate(law.jumpers):
        struck = state == j + 1
        variance[struck, column] += law.extra[struck, j]
    volatility = (law.dof - 2) / rng.chisquare(law.dof)
    scale = np.sqrt(variance * volatility[:, None]) * np.exp(law.log_scale)[:, None]
    return scale * rng.standard_normal(variance.shape)


def test_shocks_add_up_to_the_errors():
    law = law_of(0, 500, same=False)
    law = replace(law, impact=law.impact * np.array([1.0, 1e3, 1e-2])[:, None])
    rng = np.random.default_rng(1)
    errors = 3.0 * rng.standard_normal((500, 3)) * np.array([1.0, 1e3, 1e-2])
    shocks, _ = draw_shocks(law, errors, rng)
    gap = np.einsum("dvk,dk->dv", law.impact, shocks) - errors
    size = np.einsum("dvk,dk->dv", np.abs(law.impact), np.abs(shocks))
    assert np.abs(gap / size).max() < 1e-13
    assert np.abs(gap / np.abs(errors).max(0)).max() < 1e-10


def test_state_probabilities_and_evidence_are_bayes_rule_by_brute_force():
    law = law_of(2, 30, same=False)
    rng = np.random.default_rng(3)
    errors = np.einsum("dvk,dk->dv", law.impact, simulate(law, rng))
    _, chance = draw_shocks(law, errors, rng)
    usual, _ = evidence(law, errors)
    for draw in range(30):
        joint = state_densities(law, errors, draw)
        assert_allclose(usual[draw], logsumexp(joint), rtol=1e-11)
        assert_allclose(chance[draw], np.exp(joint - logsumexp(joint)), rtol=1e-9, atol=1e-14)
    assert chance[:, 1:].max() > 0.5  # some days have jumped
    assert chance[:, 0].max() > 0.5


@pytest.mark.parametrize("size", [0.3, 1.0, 6.0, 30.0])
def test_the_density_with_a_scale_of_its_own_is_the_integral_over_that_scale(size):
    law = law_of(4, 6, n=7, shocks=11, same=False)  # many errors pin the scale down
    rng = np.random.default_rng(5)
    errors = size * np.einsum("dvk,dk->dv", law.impact, simulate(law, rng))
    _, spread = evidence(law, errors)
    for draw in range(6):

        def inside(own, draw=draw):
            return np.exp(-own + logsumexp(state_densities(law, errors, draw, own)))

        edges = [0.0, 1.0, 2.0, 3.0, 5.0, 50.0]
        parts = [quad(inside, *ab, epsabs=1e-40, epsrel=1e-9)[0] for ab in pairwise(edges)]
        assert_allclose(spread[draw], np.log(sum(parts)), atol=1e-5)


def test_without_jumps_and_with_thin_tails_the_shocks_have_the_gaussian_conditional_law():
    draws = 40_000
    law = law_of(6, draws, jumpers=[], dof=1e9)
    law = replace(law, log_state=np.zeros((draws, 1)))
    errors = np.broadcast_to(np.array([1.0, -2.0, 0.5]), (draws, 3))
    shocks, chance = draw_shocks(law, errors, np.random.default_rng(7))
    assert (chance == 1).all()
    h = law.impact[0]
    v = np.diag(law.calm[0] * np.exp(2 * law.log_scale[0]))
    gain = v @ h.T @ np.linalg.inv(h @ v @ h.T)
    mean, cov = gain @ errors[0], v - gain @ h @ v
    error = np.sqrt(np.diag(cov) / draws)
    assert (np.abs(shocks.mean(0) - mean) < 4.5 * error + 1e-12).all()
    found = np.cov(shocks.T)
    spread = np.sqrt((np.outer(np.diag(cov), np.diag(cov)) + cov**2) / draws)
    assert (np.abs(found - cov) < 4.5 * spread + 1e-12).all()


def test_the_evidence_of_a_gaussian_day_is_the_gaussian_density():
    law = replace(law_of(8, 3, jumpers=[], dof=1e9), log_state=np.zeros((3, 1)))
    errors = np.random.default_rng(0).standard_normal((3, 3))
    covariance = (law.impact[0] * law.calm[0]) @ law.impact[0].T * np.exp(2 * law.log_scale[0])
    usual, _ = evidence(law, errors)
    assert_allclose(usual, multivariate_normal(cov=covariance).logpdf(errors), rtol=1e-6)


def test_shocks_redrawn_from_their_errors_have_the_law_of_the_shocks():
    """Joint-distribution test: a shock ranks uniformly among redraws given the errors it made."""
    sims, redraws = 6000, 19
    law = law_of(9, sims, same=True)
    rng = np.random.default_rng(10)
    truth = simulate(law, rng)
    errors = np.einsum("dvk,dk->dv", law.impact, truth)
    again = np.stack([draw_shocks(law, errors, rng)[0] for _ in range(redraws)])

    def quantities(e):
        return np.stack(
            [*np.moveaxis(e, -1, 0), (e**2).sum(-1), e[..., 2] * e[..., 0], e[..., 2] ** 2], axis=-1
        )

    ranks = (quantities(again) < quantities(truth)).sum(0)
    count = ranks.shape[1]
    for column in ranks.T:
        freq = np.bincount(column, minlength=redraws + 1)
        assert chisquare(freq).pvalue > 0.005 / count


def test_redrawn_shocks_have_the_marginal_law_and_unit_average_scale():
    """Whatever the errors were, the redrawn volatility is an inverse gamma with mean one."""
    sims = 20_000
    law = law_of(11, sims, jumpers=[], n=2, shocks=2)
    law = replace(law, log_state=np.zeros((sims, 1)), log_scale=np.zeros(sims))
    rng = np.random.default_rng(12)
    errors = np.einsum("dvk,dk->dv", law.impact, simulate(law, rng))
    shocks, _ = draw_shocks(law, errors, rng)
    assert_allclose(shocks, np.linalg.solve(law.impact[0], errors.T).T, rtol=1e-9)  # exactly known
    dof = law.dof[0]
    for k in range(2):
        standard = shocks[:, k] / np.sqrt(law.calm[0, k] * (dof - 2) / dof)
        assert kstest(standard, "t", args=(dof,)).pvalue > 0.005 / 2


def test_draws_of_another_law_give_other_shocks_and_one_seed_the_same():
    law = law_of(13, 50, same=False)
    errors = np.random.default_rng(0).standard_normal((50, 3))
    one, two, three = (draw_shocks(law, errors, np.random.default_rng(s))[0] for s in (1, 1, 2))
    assert np.array_equal(one, two)
    assert not np.allclose(one, three)


def test_expected_shocks_reproduce_the_errors_and_are_the_mean_of_drawn_ones():
    rng, many = np.random.default_rng(41), 40_000
    law = law_of(41, many, dof=8.0)
    errors = np.repeat(rng.normal(size=(1, 3)) * 3, many, axis=0)
    mean = expected_shocks(law, errors)
    assert_allclose(np.einsum("dvk,dk->dv", law.impact, mean), errors, atol=1e-10)
    drawn, _ = draw_shocks(law, errors, rng)
    error = drawn.std(0) / np.sqrt(many)
    assert (np.abs(drawn.mean(0) - mean[0]) < 4.5 * error + 1e-9).all()
