"""Power scaling: how far a posterior moves as one part of its prior is raised to a power."""

import importlib.metadata

import numpy as np
import pytest
import xarray as xr
from numpy.testing import assert_allclose
from scipy.stats import norm

from attribution.sampling.pareto import LIMIT, POWERS, power_scaling, recentred

CHAINS, DRAWS = 4, 5000


def posterior_of(spread, power=1.0, data=1.0, noise=0.5):
    """Mean and sd of a normal mean under N(0, spread^2) to a power, given one observation."""
    precision = power / spread**2 + 1 / noise**2
    return data / noise**2 / precision, precision**-0.5


def drawn(spread, seed=0):
    """Posterior draws and the log density of their prior."""
    mean, sd = posterior_of(spread)
    x = np.random.default_rng(seed).normal(mean, sd, (CHAINS, DRAWS))
    return x, norm(0, spread).logpdf(x)


def expected(spread, x):
    """The same distance by quadrature of the exact distribution functions, on the draws' range."""
    grid = np.linspace(x.min(), x.max(), 20001)
    base = norm(*posterior_of(spread)).cdf(grid)

    def divergence(p, q):
        with np.errstate(divide="ignore", invalid="ignore"):
            inner = np.where(p > 0, p * np.log2(2 * p / (p + q)), 0.0)
        return np.trapezoid(inner + (q - p) / (2 * np.log(2)), grid)

    def distance(p, q):
        sides = [(p, q), (1 - p, 1 - q)]
        found = [
            (divergence(a, b) + divergence(b, a)) / np.trapezoid(a + b, grid) for a, b in sides
        ]
        return np.sqrt(max(found))

    tilted = [norm(*posterior_of(spread, power)).cdf(grid) for power in POWERS]
    steps = [abs(np.log2(power)) for power in POWERS]
    return np.mean([distance(base, q) / s for q, s in zip(tilted, steps, strict=True)])


@pytest.mark.parametrize("spread", [0.3, 0.7, 1.5])
def test_the_sensitivity_of_a_normal_mean_is_the_analytic_one(spread):
    x, log_prior = drawn(spread)
    assert_allclose(power_scaling(x, log_prior), expected(spread, x), rtol=0.06)


def test_the_tighter_the_prior_against_the_data_the_more_it_matters():
    found = [float(power_scaling(*drawn(spread))) for spread in (0.4, 0.8, 1.6, 3.2)]
    assert found == sorted(found, reverse=True)
    assert found[0] > LIMIT > found[-1]


def test_a_part_that_is_constant_does_not_matter_and_constants_do_not_move():
    x, log_prior = drawn(0.5)
    assert power_scaling(x, np.full_like(log_prior, -3.0)) < 1e-6
    assert power_scaling(np.ones_like(x), log_prior) == 0


def test_a_part_that_has_nothing_to_do_with_a_quantity_hardly_moves_it():
    x, log_prior = drawn(0.5)
    other = np.random.default_rng(1).standard_normal(x.shape)
    both = power_scaling(np.stack([x, other], axis=-1), log_prior)
    assert both.shape == (2,)
    assert_allclose(both[0], power_scaling(x, log_prior))
    assert both[1] < 0.02 < both[0]


def test_neither_unit_nor_origin_nor_sign_nor_order_matters():
    x, log_prior = drawn(0.5)
    base = power_scaling(x, log_prior)
    assert_allclose(power_scaling(1000 * x + 7, log_prior), base, rtol=1e-6)
    assert_allclose(power_scaling(-x, log_prior), base, rtol=1e-3)
    assert_allclose(power_scaling(x, log_prior + 100), base, rtol=1e-6)
    shuffled = np.random.default_rng(2).permutation(x.size)
    again = power_scaling(
        x.ravel()[shuffled].reshape(x.shape), log_prior.ravel()[shuffled].reshape(x.shape)
    )
    assert_allclose(again, base, rtol=1e-6)
    windows = np.stack([x, x**2, np.exp(x), -x], axis=-1).reshape(*x.shape, 2, 2)
    assert power_scaling(windows, log_prior).shape == (2, 2)


@pytest.mark.parametrize("shape", ["normal", "skewed to the right", "skewed to the left"])
def test_arviz_finds_the_same_number(shape):
    x, log_prior = drawn(0.5)
    quantity = {"normal": x, "skewed to the right": np.exp(2 * x)}.get(shape, -np.exp(2 * x))
    ours = float(power_scaling(quantity, log_prior))
    assert_allclose(ours, _arviz(quantity, log_prior), rtol=1e-3)


def _arviz(quantity, log_prior):
    """Sensitivity by ArviZ at our powers, on either line."""
    dims = ("chain", "draw")
    draws = xr.Dataset({"x": (dims, quantity)})
    prior = xr.Dataset({"x": (dims, log_prior)})
    if int(importlib.metadata.version("arviz").split(".")[0]) == 0:
        import arviz as az

        if not hasattr(az, "psens"):
            pytest.skip("this ArviZ has no power scaling")
        data = az.InferenceData(posterior=draws, log_prior=prior)
        found = az.psens(data, delta=POWERS[1] - 1)
    else:
        stats = pytest.importorskip("arviz_stats")
        tree = xr.DataTree.from_dict({"posterior": draws, "log_prior": prior})
        found = stats.psense(tree, group="prior", alphas=POWERS)
    return float(found["x"])


@pytest.mark.parametrize(
    ("moved", "expected"),
    [
        ([0], 1 - 0.3**0.5),  # w^(-1/2) is heavy near zero
        ([1], 1 - (1 - 0.7**2)),  # 2 (1 - w)
        ([0, 1], 1 - 0.3**0.5),
    ],
)
def test_the_least_probability_of_a_sign_is_that_of_the_moved_dirichlet(moved, expected):
    """One uniform weight w, and a contribution that is positive where w > 0.3."""
    w = np.random.default_rng(4).random((CHAINS, DRAWS))
    share = np.stack([w, 1 - w], axis=-1)[..., moved]
    quantity = np.stack([w - 0.3, 0.3 - w, np.ones_like(w)], axis=-1)
    found = recentred(quantity, share)
    assert found.shape == (3,)
    assert_allclose(found[:2], expected, atol=0.02)  # of the favoured sign, whichever it is
    assert_allclose(found[2], 1.0)


def test_a_share_that_is_constant_moves_no_sign():
    quantity = np.random.default_rng(5).normal(0.5, 1.0, (CHAINS, DRAWS))
    found = recentred(quantity, np.full((CHAINS, DRAWS, 2), 0.3))
    assert_allclose(found, (quantity > 0).mean())
