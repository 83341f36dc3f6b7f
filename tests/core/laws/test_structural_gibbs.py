"""The structural Gibbs sampler: exact rows, the closed form, and the joint-distribution test."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from attribution.core import niw
from attribution.core.laws import structural_form as form
from attribution.core.laws import structural_gibbs as gibbs
from attribution.core.laws import structural_simulation as simulation
from attribution.sampling import diagnostics

START = np.array([[0.3, -0.2]])


def small_prior(*, inferred=False):
    """A proper prior of two variables, one lag and a constant; as tight as moments need."""
    conjugate = replace(
        niw.minnesota(
            np.ones(2),
            lags=1,
            constant=True,
            own_lag=np.array([0.5, 0.0]),
            tightness=0.3,
            decay=1.0,
            intercept_scale=1.0,
        ),
        dof=6.0,
    )
    prior = form.row_prior(conjugate)
    if not inferred:
        return prior
    slopes = conjugate.precision.copy()
    slopes[0] = 0.0
    part = form.quadratic(conjugate.mean, slopes)
    return replace(
        prior,
        base=prior.base - part,
        tight=part * 0.3**2,
        tightness=0.3,
        shape=3.0,
        rate=10.0,
        scaled=2,
    )


def test_a_row_has_the_density_that_numerical_integration_finds():
    """Two variables, no regressors, the second row given: moments over a grid of the first."""
    rng = np.random.default_rng(4)
    z = rng.standard_normal((7, 2)) @ np.array([[1.0, 0.4], [0.0, 0.6]])
    precision, power, count = rng.gamma(2.0, size=7), 7 + 1.5, 40_000
    other = np.array([-0.7, 1.1])
    pull = np.array([[0.5, 0.1], [0.1, 0.8]])
    drawn = np.empty((count, 2))
    for i in range(count):
        rows = np.array([[1.0, 0.2], other])
        gibbs._row(0, rows, z, precision, pull, power, rng)
        drawn[i] = rows[0]
    grid = np.linspace(-12, 12, 1201)
    first, second = np.meshgrid(grid, grid, indexing="ij")
    form_ = (z * precision[:, None]).T @ z + pull
    square = form_[0, 0] * first**2 + 2 * form_[0, 1] * first * second + form_[1, 1] * second**2
    volume = np.abs(first * other[1] - second * other[0])
    log = power * np.log(np.maximum(volume, 1e-300)) - 0.5 * square
    density = np.exp(log - log.max())
    density /= density.sum()
    for function in (
        lambda a, b: a**2,
        lambda a, b: b**2,
        lambda a, b: a * b,
        lambda a, b: np.abs(a),
        lambda a, b: a,
        lambda a, b: a**4,
    ):
        exact = (density * function(first, second)).sum()
        sample = function(*drawn.T)
        assert abs(sample.mean() - exact) < 4 * sample.std() / np.sqrt(count)


@pytest.fixture(scope="module")
def series():
    rng = np.random.default_rng(3)
    impact = np.array([[1.0, 0.5, -0.3], [-0.4, 2.0, 0.6], [0.8, -0.9, 0.5]])
    slopes = np.tile(np.hstack([[[0.1], [0.0], [-0.2]], np.diag([0.5, 0.3, 0.2])]), (1, 1, 1))
    errors = impact @ rng.standard_normal((1, 3, 80))
    return simulation.paths(slopes, errors, np.zeros((1, 3)), constant=True)[0]


def test_unit_shocks_leave_the_closed_form_posterior(series):
    """Whatever the rotation: means and standard deviations of log Σ's diagonal, ρ and B."""
    y, x = niw.design(series, lags=1)
    settings = {"lags": 1, "constant": True, "tightness": 0.2, "decay": 1.0}
    before = niw.minnesota(
        niw.autoregressive_spread(series), own_lag=np.ones(3), intercept_scale=10.0, **settings
    )
    after = niw.posterior(before, y, x)
    rng = np.random.default_rng(1)
    start = form.scattered_rows(after.mean, after.scale / after.dof, rng)
    chain = form.Chain(np.hstack([x, y]), form.row_prior(before), form.unit(len(y)), start, rng)
    chain.advance(1, every=100)
    impact, coefficients = simulation.structural_coefficients(chain.advance(6000).rows)
    root = niw.draw_factor(after, 6000, rng)
    exact = _flat(root, niw.draw_coefficients(after, root, rng))
    found = _flat(impact, coefficients)
    size = diagnostics.effective_size(found[None])
    for power in (1, 2):
        a, b = (found - exact.mean(0)) ** power, (exact - exact.mean(0)) ** power
        error = np.sqrt(a.var(0) / size + b.var(0) / len(b))
        assert (np.abs(a.mean(0) - b.mean(0)) < 4 * error).all()


def _flat(impact, coefficients):
    covariance = impact @ impact.swapaxes(1, 2)
    spread = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
    correlation = covariance / spread[:, :, None] / spread[:, None]
    return np.concatenate(
        [
            np.log(spread),
            correlation[:, *np.triu_indices(3, 1)],
            coefficients.reshape(len(impact), -1),
        ],
        axis=1,
    )


LAWS = {
    "unit": form.unit(6),
    "independent_t": form.independent_t(6),
    "independent_t given": form.independent_t(6, 5.0),
    "regimes": form.regimes(np.array([0, 0, 1, 1, 2, 2])),
    "stochastic_volatility": form.stochastic_volatility(6),
}


def joint_distribution(law, prior, *, count, seed):
    """Functions of parameters and data, drawn at once, and by sweeps that alternate with data."""
    rng = np.random.default_rng(seed)
    rows, tightness = simulation.draw_rows(prior, 2, count, rng)
    hyper = form.draw_hyper(law, (count, 2), rng)
    precision = simulation.draw_precision(law, hyper, rng)
    paths = simulation.simulate(rows, precision, START, constant=True, rng=rng)
    at_once = _functions(law, rows, precision, hyper, tightness, paths)
    chain = form.Chain(np.empty((6, 5)), prior, law, rows[0], rng)
    for held, drawn in zip(chain.state, (rows, precision, hyper, tightness[:, None]), strict=True):
        held[:] = drawn[0]
    kept = [np.empty((count, *held.shape)) for held in chain.state]
    series = np.empty((count, 7, 2))
    path = paths[0]
    for i in range(count):
        response, regressors = niw.design(path, lags=1)
        chain.z = np.hstack([regressors, response])
        chain.advance(1)
        state = chain.state
        path = simulation.simulate(state[0][None], state[1][None], START, constant=True, rng=rng)[0]
        for store, held in zip(kept, state, strict=True):
            store[i] = held
        series[i] = path
    in_turn = _functions(law, *kept[:3], kept[3][:, 0], series)
    return at_once, in_turn


def _functions(law, rows, precision, hyper, tightness, paths):
    """Functions that signed permutations of the shocks leave alone, with moments."""
    inverse = rows[:, :, -2:].swapaxes(1, 2) @ rows[:, :, -2:]
    _, coefficients = simulation.structural_coefficients(rows)
    size = np.log(precision)
    values = [
        np.linalg.slogdet(inverse)[1],
        np.log(inverse[:, 0, 0]),
        inverse[:, 0, 1] / np.sqrt(inverse[:, 0, 0] * inverse[:, 1, 1]),
        np.arctan(coefficients[:, 0, 0]),
        np.arctan(coefficients[:, 1, 0]),
        np.arctan(coefficients[:, 2, 1]),
        np.arctan(paths[:, -1, 0]),
        np.log(np.abs(paths[:, 1:])).mean((1, 2)),
        np.arctan(size).mean((1, 2)),
        np.arctan(size[:, :, 0]).max(1),
        np.arctan(size[:, 0] * size[:, 1]).mean(1),
        np.log(tightness),
    ]
    for i in range(hyper.shape[2] - (law.code == gibbs.VOLATILITY)):  # the last is no parameter
        values += [np.log(np.abs(hyper[:, :, i])).sum(1), np.log(np.abs(hyper[:, :, i])).max(1)]
    return np.stack(values, axis=1)


def largest_gap(at_once, in_turn):
    """Largest difference of first and second moments, in standard errors."""
    moves = np.flatnonzero(in_turn.std(0) > 1e-9)
    gaps = []
    for power in (1, 2):
        a, b = at_once[:, moves] ** power, in_turn[:, moves] ** power
        error = np.sqrt(a.var(0) / len(a) + b.var(0) / diagnostics.effective_size(b[None]))
        gaps.append(np.abs(a.mean(0) - b.mean(0)) / error)
    return np.max(gaps)


@pytest.mark.parametrize("name", LAWS)
def test_sweeps_and_new_data_in_turn_leave_the_joint_distribution(name):
    """Geweke (2004), about 25 moments; 4.2 standard errors are passed by chance once in 1,500."""
    assert largest_gap(*joint_distribution(LAWS[name], small_prior(), count=12_000, seed=2)) < 4.2


@pytest.mark.slow
@pytest.mark.stored
@pytest.mark.parametrize("inferred", [False, True])
@pytest.mark.parametrize("name", LAWS)
def test_the_joint_distribution_holds_over_a_hundred_thousand_sweeps(name, inferred):
    """A third of the standard errors above: the wrong exponent below would stand 17 away."""
    prior = small_prior(inferred=inferred)
    assert largest_gap(*joint_distribution(LAWS[name], prior, count=100_000, seed=7)) < 4.2


def test_the_joint_distribution_test_sees_a_wrong_exponent():
    """The test has teeth: one degree of freedom too many in the row's density is found."""
    prior = small_prior()
    at_once, _ = joint_distribution(LAWS["unit"], prior, count=12_000, seed=2)
    wrong = replace(prior, dof=prior.dof + 1.0)
    _, in_turn = joint_distribution(LAWS["unit"], wrong, count=12_000, seed=2)
    assert largest_gap(at_once, in_turn) > 6


def test_the_mixture_is_the_law_of_the_log_of_a_squared_normal():
    x = np.linspace(-12, 4, 400)
    share = np.empty(10)
    mixture = np.array([gibbs._mixture(value, share) for value in x])
    exact = np.exp(0.5 * x - 0.5 * np.exp(x)) / np.sqrt(2 * np.pi)
    assert np.abs(mixture - exact).max() < 2e-3  # omori2007, figure 1


def test_student_shocks_have_variance_one():
    rng = np.random.default_rng(0)
    law = form.independent_t(200_000, 7.0)
    hyper = form.draw_hyper(law, (1, 1), rng)
    shocks = rng.standard_normal(200_000) / np.sqrt(
        simulation.draw_precision(law, hyper, rng)[0, 0]
    )
    assert abs(shocks.var() - 1.0) < 4 * np.sqrt(4.0 / 200_000)  # kurtosis 5
    assert stats.kstest(shocks * np.sqrt(7 / 5), stats.t(7).cdf).pvalue > 1e-4


def test_one_seed_gives_one_chain(series):
    y, x = niw.design(series, lags=1)
    prior = form.RowPrior(np.eye(7), np.zeros((7, 7)), 5.0)
    runs = []
    for _ in range(2):
        start = np.hstack([np.zeros((3, 4)), np.eye(3)])
        law = form.stochastic_volatility(len(y))
        chain = form.Chain(np.hstack([x, y]), prior, law, start, np.random.default_rng(5))
        runs.append(chain.advance(20).rows)
    assert np.array_equal(*runs)
