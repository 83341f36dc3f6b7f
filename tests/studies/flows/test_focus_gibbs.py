"""The sweeps leave the posterior alone, find what made the rows, and know what they were told."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from attribution.sampling.diagnostics import effective_size, split_rhat
from attribution.studies.flows.dating import DatingPrior, draw_paths, log_marginal
from attribution.studies.flows.focus import (
    SIZE,
    FocusDraws,
    FocusPrior,
    FocusRows,
    all_odds,
    degrees,
    fit_jumps,
    log_likelihoods,
    log_mixture,
    log_rows,
    propose,
)
from attribution.studies.flows.focus_gibbs import above, draw_focus, jumps_of, law_of, parts_of, run

GRID = degrees()


def a_prior(scale, sign, spread, dating=None, grid=GRID):
    return FocusPrior(
        np.array(scale, float),
        np.array(sign),
        np.array(spread, float),
        *grid,
        dating or DatingPrior(1, 1, 2),
    )


def from_prior(prior, rng):
    """β, γ and the place of ν."""
    beta = prior.scale * rng.standard_normal(len(prior.scale))
    beta = np.where(prior.sign == 0, beta, prior.sign * np.abs(beta))
    gamma = prior.spread * rng.standard_normal(len(prior.spread))
    return beta, gamma, np.array([rng.choice(len(prior.grid), p=np.exp(prior.weight))])


def regressors(time, k, m, rng):
    """A constant, and series that reading 1 sees a day earlier."""
    made = []
    for width in (k, m):
        values = rng.standard_normal((time + 1, width))
        values[:, 0] = 1.0
        made.append(np.stack([values[1:], values[:-1]]))
    return made


def rows_of(state, prior, x, z, path, rng):
    beta, gamma, at = state
    here = np.arange(x.shape[1])
    error = rng.standard_t(prior.grid[at[0]], len(here))
    rows = FocusRows(np.zeros(len(here)), x, z, np.ones(len(here), bool), np.full(len(here), -1))
    _, every, level = rows.laid
    y = SIZE[path] * (every[path, here] @ beta + np.exp(level[path, here] @ gamma) * error)
    return replace(rows, y=y)


def about(prior, rng, count=200):
    """Draws from the prior, as if from about a mode."""
    found = [from_prior(prior, rng) for _ in range(count)]
    beta, gamma, at = (np.array(part) for part in zip(*found, strict=True))
    return FocusDraws(beta, gamma, prior.grid[at[:, 0]], np.empty((count, 0)), 0.0)


def path_from_prior(prior, time, rng):
    """Draw readings that leave no row without a flow."""
    while True:
        path = draw_paths(np.zeros((4, time)), prior.dating, rng)
        if (path < 3).all():
            return path


@pytest.mark.parametrize(("jumping", "worlds"), [(False, 5000), (True, 1500)])
def test_sweeps_leave_the_joint_law_of_parameters_and_rows_unchanged(jumping, worlds):
    """Parameters and rows from their joint law; after sweeps given the rows, the same law."""
    rng = np.random.default_rng(7)
    prior = a_prior([1.0, 0.7, 0.5, 1.2], [0, 0, 1, -1], [0.6, 0.4], grid=degrees(2.5, 20, 6))
    time, law = 10, law_of(prior, 10)
    before, after = [], []
    modes = [about(prior, rng), about(prior, rng)]
    for _ in range(worlds):
        x, z = regressors(time, 4, 2, rng)
        state = from_prior(prior, rng)
        path = path_from_prior(prior, time, rng)
        rows = rows_of(state, prior, x, z, path, rng)
        before.append(functionals(state, path, rows, prior))
        state = tuple(part.copy() for part in state)
        parts = parts_of(rows)
        jumps = jumps_of(parts, law, prior, modes, 2, rng) if jumping else None
        path = run(parts, law, state, 2, rng, jumps=jumps).path[-1]
        after.append(functionals(state, path, rows, prior))
    gap = np.array(after) - np.array(before)
    z_score = gap.mean(0) / gap.std(0, ddof=1) * np.sqrt(len(gap))
    assert np.abs(z_score).max() < stats.norm.isf(0.001 / gap.shape[1] / 2)


def functionals(state, path, rows, prior):
    beta, gamma, at = state
    nu = prior.grid[at[0]]
    _, x, z = rows.laid
    fit, size = x @ beta, np.exp(z @ gamma)
    lean = np.tanh(rows.z[1, :, 1] - rows.z[0, :, 1])
    here = np.arange(len(rows.y))
    return np.concatenate([
        beta,
        beta**2,
        gamma,
        gamma**2,
        [np.log(nu), np.log(nu) ** 2, beta[2] * beta[3], beta[0] * gamma[0], gamma[0] * np.log(nu)],
        [np.tanh(fit[path, here] * rows.y).mean(), np.tanh(rows.y / size[path, here] / 3).var()],
        [(path == 1).mean(), (path == 2).any(), path[0], path[-1] == 1],
        [gamma[1] * (path * lean * np.tanh(np.abs(rows.y))).mean()],
    ])  # fmt: skip


@pytest.fixture(scope="module")
def made():
    rng = np.random.default_rng(3)
    prior = a_prior([1.0] * 5, [0, 0, 0, 1, -1], [1.0, 0.5])
    x, z = regressors(500, 5, 2, rng)
    state = np.array([0.3, -0.5, 0.6, 0.4, -0.5]), np.array([-0.4, 0.3]), np.array([9])
    path = (np.arange(500) < 350).astype(int)
    return prior, rows_of(state, prior, x, z, path, rng), state, path


def test_the_truth_of_simulated_rows_is_found(made):
    prior, rows, (beta, gamma, _), path = made
    found = [draw_focus(rows, prior, draws=800, burn=200, rng=child) for child in seeds(2)]
    for name, truth in (("beta", beta), ("gamma", gamma)):
        draws = np.stack([getattr(chain, name) for chain in found])
        z_score = (draws.mean((0, 1)) - truth) / draws.std((0, 1))
        assert np.abs(z_score).max() < 3.5
        assert split_rhat(draws).max() < 1.03
        assert effective_size(draws).min() > 200
    lagged = np.mean([chain.path.mean(0) for chain in found], axis=0)
    assert (np.abs(lagged - path) > 0.5).sum() <= 5


def seeds(count, seed=11):
    return np.random.default_rng(seed).spawn(count)


def test_one_seed_gives_the_same_draws(made):
    prior, rows, _, _ = made
    one, two = (draw_focus(rows, prior, draws=5, burn=5, rng=seeds(1)[0]) for _ in range(2))
    assert np.array_equal(one.beta, two.beta)
    assert np.array_equal(one.path, two.path)


def test_signs_hold_in_every_draw(made):
    prior, rows, _, _ = made
    beta = draw_focus(rows, prior, draws=300, burn=50, rng=seeds(1)[0]).beta
    assert (beta[:, 3] >= 0).all()
    assert (beta[:, 4] <= 0).all()


def test_a_sign_that_the_rows_contradict_leaves_the_coefficient_near_zero(made):
    prior, rows, _, _ = made
    wrong = replace(prior, sign=np.array([0, 0, 0, -1, 1]))
    beta = draw_focus(rows, wrong, draws=300, burn=50, rng=seeds(1)[0]).beta
    assert np.abs(beta[:, 3:]).max() < 0.2


def test_a_reading_that_is_known_holds_in_every_draw(made):
    prior, rows, _, _ = made
    known = rows.known.copy()
    known[[100, 380]] = 1, 1  # the rows themselves say that the switch was at 350
    path = draw_focus(replace(rows, known=known), prior, draws=200, burn=50, rng=seeds(1)[0]).path
    assert (path[:, [100, 380]] == 1).all()


def test_rows_that_are_not_used_do_not_matter(made):
    prior, rows, _, _ = made
    part = rows.only(np.arange(500) % 3 > 0)
    odd = replace(part, y=np.where(part.used, part.y, 1e6))
    one, two = (draw_focus(r, prior, draws=50, burn=10, rng=seeds(1)[0]) for r in (part, odd))
    assert np.array_equal(one.beta, two.beta)


def test_rows_read_the_other_way_round_give_the_mirror_image(made):
    prior, rows, (beta, _, _), path = made
    turned = replace(rows, x=rows.x[::-1].copy(), z=rows.z[::-1].copy())
    turned = turned.only(np.arange(500) != 350)  # the first row after the way back has no flow
    found = draw_focus(turned, prior, draws=400, burn=100, rng=seeds(1)[0])
    assert (np.abs(found.path.mean(0) - (1 - path)) > 0.5).sum() <= 5
    assert np.abs((found.beta.mean(0) - beta) / found.beta.std(0)).max() < 3.5


def test_normal_rows_of_known_scale_give_the_closed_form():
    """No free scale, no tail, one reading: β is normal with a known mean and variance."""
    rng = np.random.default_rng(5)
    far = np.array([1e6]), np.zeros(1)
    prior = a_prior([2.0, 0.3], [0, 0], [1e-9], DatingPrior(0, 1, 0), grid=far)
    x, _ = regressors(30, 2, 1, rng)
    z = np.ones((2, 30, 1))
    y = rng.standard_normal(30)
    rows = FocusRows(y, x, z, np.ones(30, bool), np.full(30, -1))
    found = draw_focus(rows, prior, draws=8000, burn=20, rng=rng)
    precision = x[1].T @ x[1] + np.diag(prior.scale**-2.0)
    mean, cov = np.linalg.solve(precision, x[1].T @ y), np.linalg.inv(precision)
    error = np.sqrt(np.diag(cov) / 8000)
    assert np.abs((found.beta.mean(0) - mean) / error).max() < 4
    assert np.allclose(np.cov(found.beta.T), cov, atol=5 * cov.max() * np.sqrt(2 / 8000))


@pytest.mark.parametrize("low", [-3.0, 0.0, 0.49, 0.6, 4.0, 30.0])
def test_normal_draws_above_a_bound_have_the_right_law(low):
    rng = np.random.default_rng(1)
    draws = np.array([above(low, rng) for _ in range(4000)])
    assert stats.kstest(draws, stats.truncnorm(low, np.inf).cdf).pvalue > 0.001


def test_a_prior_whose_signed_regressors_do_not_come_last_is_refused():
    with pytest.raises(ValueError, match="come last"):
        a_prior([1.0, 1.0], [1, 0], [1.0])


def test_the_grid_of_degrees_of_freedom_has_the_prior_it_names():
    grid, weight = degrees(2.2, 60, 400)
    law = stats.gamma(2, scale=10)
    inside = law.cdf(60) - law.cdf(2.2)
    mean = law.expect(lambda nu: nu, lb=2.2, ub=60) / inside
    assert np.exp(weight).sum() == pytest.approx(1.0)
    assert np.exp(weight) @ grid == pytest.approx(mean, rel=0.01)


def test_proposals_have_the_density_that_is_said_of_them():
    """Their mixture density integrates to one: the mean of another law's over it is one."""
    rng = np.random.default_rng(2)
    prior = a_prior([1.0, 0.8], [0, 1], [0.5], grid=degrees(2.5, 20, 4))
    jumps = fit_jumps(prior, [about(prior, rng), about(prior, rng)])
    beta, gamma, at = propose(jumps, prior, 20_000, rng)
    assert (beta[:, 1] > 0).all()
    laws = jumps.center, jumps.inverse, jumps.height, jumps.points
    density = np.array(
        [log_mixture(laws, prior.sign, b, g, a) for b, g, a in zip(beta, gamma, at, strict=True)]
    )
    truth = stats.norm(0, prior.scale).logpdf(beta).sum(axis=1) + np.log(2)
    truth += stats.norm(0, prior.spread).logpdf(gamma).sum(axis=1) + prior.weight[at]
    ratio = np.exp(truth - density)
    assert ratio.mean() == pytest.approx(1.0, abs=4 * ratio.std() / np.sqrt(len(ratio)))


def test_the_likelihood_of_a_jump_is_that_of_the_rows_with_their_dating_summed(made):
    prior, rows, (beta, gamma, at), _ = made
    here = FocusDraws(beta[None], gamma[None], prior.grid[at], np.empty((1, 0)), 0.0)
    both = log_likelihoods(rows, here, rows.used)
    expected = log_marginal(both, prior.dating)[0]
    law = law_of(prior, len(rows.y))
    found = log_rows(parts_of(rows), law[-1], beta, gamma, prior.grid[at[0]], np.empty(500))
    assert found == pytest.approx(expected, abs=1e-8)


def test_two_readings_that_explain_the_rows_alike_are_visited_as_often_as_they_should():
    """Normal rows of known scale under two readings: their probability has a closed form."""
    rng = np.random.default_rng(4)
    far = np.array([1e6]), np.zeros(1)
    prior = a_prior([1.0, 1.0, 1.0], [0, 0, 0], [1e-9], DatingPrior(1, 1, 0), grid=far)
    r = rng.standard_normal(122)
    now, before, first = r[2:], r[1:-1], r[:-2]
    one = np.ones(120)
    x = np.stack([np.column_stack([one, now, before]), np.column_stack([one, before, first])])
    y = 1.5 * before + rng.standard_normal(120)
    rows = FocusRows(y, x, np.ones((2, 120, 1)), np.ones(120, bool), np.full(120, -1))
    height = [stats.multivariate_normal(None, np.eye(120) + d @ d.T).logpdf(y) for d in x]
    expected = 1.0 / (1.0 + np.exp(height[0] - height[1]))
    assert 0.1 < expected < 0.9
    share = [
        draw_focus(rows, prior, draws=2000, burn=50, rng=child).path[:, 0].mean()
        for child in seeds(6)
    ]
    assert np.mean(share) == pytest.approx(expected, abs=4 * np.std(share, ddof=1) / np.sqrt(6))
    assert np.std(share, ddof=1) < 0.1


def test_the_odds_of_jumps_are_the_posterior_density_over_the_proposals(made):
    """Rows, priors of β, γ and ν, and the mixture: they differ by one constant."""
    prior, rows, _, _ = made
    rng = np.random.default_rng(6)
    jumps = fit_jumps(prior, [about(prior, rng), about(prior, rng)])
    laws = jumps.center, jumps.inverse, jumps.height, jumps.points
    beta, gamma, at = propose(jumps, prior, 20, rng)
    found = all_odds(parts_of(rows), law_of(prior, 500), laws, beta, gamma, at)
    here = FocusDraws(beta, gamma, prior.grid[at], np.empty((20, 0)), 0.0)
    expected = log_marginal(log_likelihoods(rows, here, rows.used), prior.dating)
    expected += stats.norm(0, prior.scale).logpdf(beta).sum(axis=1) + prior.weight[at]
    expected += stats.norm(0, prior.spread).logpdf(gamma).sum(axis=1)
    expected -= [
        log_mixture(laws, prior.sign, b, g, a) for b, g, a in zip(beta, gamma, at, strict=True)
    ]
    assert np.ptp(found - expected) < 1e-7


@pytest.mark.parametrize("sign", [(1, 0, -1), (1, 0), (0, 1, 0)])
def test_a_sign_before_a_regressor_without_one_is_refused(sign):
    with pytest.raises(ValueError, match="regressors with a sign come last"):
        a_prior(np.ones(len(sign)), sign, [1.0])
