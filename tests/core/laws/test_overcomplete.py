"""More shocks than variables: the density is the mixture it claims to be, its gradient too."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.integrate import quad
from scipy.special import logsumexp
from scipy.stats import multivariate_normal, multivariate_t

from attribution.core.laws.overcomplete import Groups, Variance, log_likelihood, shock_variance

SEEDS = range(5)
ARGUMENTS = ("errors", "impact", "calm", "extra", "log_state", "log_scale", "dof")


def problem(seed, *, n=3, shocks=5, days=14, jumpers=(3, 0, 4), missing=True):
    """Random days with missing cells, two exposures and a common scale of their own."""
    rng = np.random.default_rng(seed)
    jumpers = np.array(jumpers, int)
    observed = rng.random((days, n)) > (0.25 if missing else 0.0)
    observed[0] = True
    observed[1, -1] &= not missing
    exposure = np.zeros((days, shocks))
    exposure[:, [0, 2]] = rng.random((days, 2)) > 0.5
    groups = Groups.from_days(observed, exposure, days - 3)
    slope = np.zeros(shocks)
    slope[[0, 2]] = rng.uniform(0.3, 1.5, 2)
    state = rng.dirichlet(np.append(8.0, np.ones(len(jumpers))))
    ratio = 1.0 + rng.lognormal(1.5, 0.5, len(jumpers))
    return SimpleNamespace(
        errors=np.where(observed, 2.0 * rng.standard_normal((days, n)), 0.0),
        impact=rng.standard_normal((n, shocks)),
        variance=shock_variance(slope, state[1:], ratio, jumpers, groups),
        state=state,
        ratio=ratio,
        jumpers=jumpers,
        log_scale=0.4 * rng.standard_normal(days),
        dof=float(rng.uniform(2.5, 9.0)),
        groups=groups,
        observed=observed,
        exposure=exposure,
        slope=slope,
    )


def density_of(p):
    return log_likelihood(
        p.errors,
        p.impact,
        p.variance,
        np.log(p.state),
        p.jumpers,
        p.log_scale,
        p.dof,
        p.groups,
    )


def by_brute_force(p):
    """Every day and state on its own: shock variances, covariance, a multivariate Student-t."""
    total = 0.0
    for t, group in enumerate(p.groups.of_day):
        cells = p.observed[t]
        if not cells.any():
            continue
        odds = []
        for s, chance in enumerate(p.state):
            variance = p.variance.calm[group].copy()
            if s:
                variance[p.jumpers[s - 1]] += p.variance.extra[group, s - 1]
            covariance = np.exp(2 * p.log_scale[t]) * p.impact @ np.diag(variance) @ p.impact.T
            law = multivariate_t(
                shape=covariance[np.ix_(cells, cells)] * (p.dof - 2) / p.dof, df=p.dof
            )
            odds.append(np.log(chance) + law.logpdf(p.errors[t, cells]))
        total += logsumexp(odds)
    return total


@pytest.mark.parametrize("seed", SEEDS)
def test_the_density_is_the_mixture_over_states_of_student_t_laws(seed):
    p = problem(seed)
    assert len(p.groups.share) < len(p.errors)  # some days do share a factorisation
    assert not p.observed.all()
    assert_allclose(density_of(p).value, by_brute_force(p), rtol=1e-11)


def test_without_jumps_and_with_thin_tails_the_density_is_gaussian():
    p = problem(0, jumpers=(), missing=False)
    p.dof = 1e8
    p.state = np.ones(1)
    p.variance = Variance(p.variance.calm, np.zeros((len(p.groups.share), 0)))
    expected = sum(
        multivariate_normal(
            cov=np.exp(2 * s) * (p.impact * p.variance.calm[g]) @ p.impact.T
        ).logpdf(u)
        for u, g, s in zip(p.errors, p.groups.of_day, p.log_scale, strict=True)
    )
    assert_allclose(density_of(p).value, expected, rtol=1e-6)


@pytest.mark.parametrize("argument", ARGUMENTS)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_gradient_is_the_slope_of_the_density(seed, argument):
    p = problem(seed)
    start = {**vars(p), **vars(p.variance), "log_state": np.log(p.state)}[argument]
    found = np.asarray(getattr(density_of(p), argument))
    step = 1e-5

    def value(x):
        q = SimpleNamespace(**vars(p))
        if argument in ("calm", "extra"):
            q.variance = replace(p.variance, **{argument: x})
        elif argument == "log_state":
            q.state = np.exp(x)
        else:
            setattr(q, argument, x if np.ndim(x) else float(x))
        return density_of(q).value

    slopes = np.zeros(np.shape(start))
    for at in np.ndindex(*np.shape(start)):
        up, down = np.array(start, float), np.array(start, float)
        up[at] += step
        down[at] -= step
        slopes[at] = (value(up) - value(down)) / (2 * step)
    assert found.shape == np.shape(start)
    assert_allclose(found, slopes, rtol=2e-6, atol=2e-7)
    assert np.abs(slopes).max() > 1e-3  # there is a slope to find


def test_a_missing_cell_is_integrated_out():
    p = problem(1, n=2, shocks=3, days=4, jumpers=(0, 2), missing=False)
    p.errors, p.exposure, p.log_scale = p.errors[:1], p.exposure[:1], p.log_scale[:1]
    p.variance = Variance(p.variance.calm[:1], p.variance.extra[:1])
    seen = np.array([[True, False]])

    def joint(x):
        q = SimpleNamespace(**vars(p))
        q.errors = np.array([[p.errors[0, 0], x]])
        return np.exp(density_of(q).value)

    p.groups = Groups.from_days(seen, p.exposure, 1)
    p.errors = np.where(seen, p.errors, 0.0)
    alone = density_of(p)
    p.groups = Groups.from_days(np.ones((1, 2), bool), p.exposure, 1)
    total, _ = quad(joint, -np.inf, np.inf, epsabs=1e-12, epsrel=1e-10, limit=200)
    assert_allclose(alone.value, np.log(total), rtol=1e-7)
    assert alone.errors[0, 1] == 0


def test_a_day_without_any_observed_cell_adds_nothing():
    p, q = problem(2), problem(2)
    q.observed = p.observed & (np.arange(len(p.errors)) != 5)[:, None]
    q.groups = Groups.from_days(q.observed, p.exposure, len(p.errors))
    kept = np.arange(len(p.errors)) != 5
    q.errors = np.where(q.observed, p.errors, 0.0)
    p.errors, p.observed, p.exposure, p.log_scale = (
        x[kept] for x in (p.errors, p.observed, p.exposure, p.log_scale)
    )
    p.groups = Groups.from_days(p.observed, p.exposure, len(p.errors))
    calm = np.random.default_rng(0).uniform(0.5, 1.5, p.impact.shape[1])
    for r in (p, q):  # the same variances every day, whatever the groups are
        count = len(r.groups.share)
        r.variance = Variance(np.tile(calm, (count, 1)), np.tile(r.variance.extra[0], (count, 1)))
    assert_allclose(density_of(q).value, density_of(p).value, rtol=1e-12)


def test_it_does_not_matter_whether_days_are_grouped():
    p = problem(3)
    grouped = density_of(p)
    of_day, days = p.groups.of_day, len(p.errors)
    p.groups = Groups(np.arange(days), p.observed, p.exposure, np.full(days, 1 / days))
    p.variance = Variance(p.variance.calm[of_day], p.variance.extra[of_day])
    single = density_of(p)
    assert_allclose(single.value, grouped.value, rtol=1e-12)
    assert_allclose(single.errors, grouped.errors, rtol=1e-10, atol=1e-12)
    assert_allclose(single.impact, grouped.impact, rtol=1e-10, atol=1e-10)
    summed = np.zeros_like(grouped.calm)
    np.add.at(summed, of_day, single.calm)
    assert_allclose(summed, grouped.calm, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("seed", SEEDS)
def test_variances_average_one_over_reference_days_and_jumps(seed):
    p = problem(seed)
    mean = p.variance.calm.copy()
    mean[:, p.jumpers] += p.state[1:] * p.variance.extra
    counted = mean[p.groups.of_day][: len(p.errors) - 3]
    assert_allclose(counted.mean(0), 1.0, rtol=1e-12)
    assert_allclose(
        p.variance.calm[:, p.jumpers] * p.ratio,
        p.variance.calm[:, p.jumpers] + p.variance.extra,
        rtol=1e-12,
    )
    exposed = p.exposure[:, 0] == 1
    calm = p.variance.calm[p.groups.of_day, 0]
    assert_allclose(calm[exposed].mean() / calm[~exposed].mean(), np.exp(p.slope[0]), rtol=1e-12)


def test_the_order_and_the_sign_of_shocks_do_not_matter():
    p = problem(4)
    before = density_of(p)
    order = np.random.default_rng(0).permutation(p.impact.shape[1])
    place = np.argsort(order)
    sign = np.array([1.0, -1.0, 1.0, -1.0, -1.0])
    p.impact = (p.impact * sign)[:, order]
    p.variance = replace(p.variance, calm=p.variance.calm[:, order])
    p.jumpers = place[p.jumpers]
    after = density_of(p)
    assert_allclose(after.value, before.value, rtol=1e-12)
    assert_allclose(after.impact[:, place] * sign, before.impact, rtol=1e-9, atol=1e-11)
    assert_allclose(after.errors, before.errors, rtol=1e-9, atol=1e-11)


def test_a_change_of_unit_costs_its_jacobian_and_nothing_else():
    p = problem(0)
    before = density_of(p).value
    unit = np.array([1000.0, 1.0, 0.01])
    p.errors, p.impact = p.errors * unit, p.impact * unit[:, None]
    cost = (p.observed * np.log(unit)).sum()
    assert_allclose(density_of(p).value, before - cost, rtol=1e-10)
    p.log_scale = p.log_scale + np.log(3.0)
    p.impact = p.impact / 3.0
    assert_allclose(density_of(p).value, before - cost, rtol=1e-10)
