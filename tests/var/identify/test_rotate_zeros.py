"""Exact zeros in the engine: exact, weighed, invariant to naming, and point-identifying."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from attribution.core import niw, propagate
from attribution.core.rotations.haar import haar, log_volume
from attribution.errors import IdentificationError
from attribution.var.identify.rotate import rotate
from attribution.var.identify.triangular import recursive


def flat(array):
    return array.reshape(-1, *array.shape[2:])


def mean_and_error(values, weight):
    """Weighted mean of (draw, ...) and its Monte Carlo error."""
    share = weight / weight.sum()
    mean = np.tensordot(share, values, 1)
    return mean, np.sqrt(np.tensordot(share**2, (values - mean) ** 2, 1))


@pytest.fixture(scope="module")
def mixed(closed, simulated, tables):
    """Zeros on impact, a period later and in the long run, over two shocks of three."""
    cells = [
        tables.cell("a", "output", "0"),
        tables.cell("a", "price", "0", first=1, last=1),
        tables.cell("b", "rate", "0", long_run=True),
        tables.cell("b", "output", "+"),
        tables.cell("a", "rate", "+"),
        tables.cell("c", "price", "-"),
    ]
    table = tables.table(("b", "c", "a"), cells)
    return table, rotate(closed(), table, simulated[0], lags=2, draws=4000, seed=1)


def test_zeros_are_exact_at_their_horizons(mixed):
    post = mixed[1].posterior
    lags, impact = flat(post.lag_coefficients), flat(post.impact)
    a, b = post.shocks.index("a"), post.shocks.index("b")
    theta = propagate.responses(lags, impact, 1)
    total = np.linalg.solve(np.eye(3) - lags.sum(1), impact)
    assert np.abs(theta[:, 0, 0, a]).max() < 1e-12
    assert np.abs(theta[:, 1, 1, a]).max() < 1e-12
    assert np.abs(total[:, 2, b]).max() < 1e-12
    assert (theta[:, 0, 0, b] >= 0).all()
    assert (impact[:, 1, post.shocks.index("c")] <= 0).all()


def test_impact_matrices_still_carry_the_covariance(mixed):
    weight = mixed[1].posterior.weight.ravel()
    sigma = flat(mixed[1].posterior.impact @ mixed[1].posterior.impact.swapaxes(-1, -2))
    assert (np.linalg.eigvalsh(sigma) > 0).all()
    assert np.ptp(weight) > 0


def test_the_order_of_channels_does_not_move_a_posterior_under_zeros(
    mixed, closed, simulated, tables
):
    table, one = mixed
    names = ("a", "b", "c")
    turned = replace(table, channels=tuple(type(table.channels[0])(n, n) for n in names))
    two = rotate(closed(seed=5), turned, simulated[0], lags=2, draws=4000, seed=2)
    found = []
    for done in (one, two):
        order = [done.posterior.shocks.index(name) for name in names]
        impact = flat(done.posterior.impact)[:, :, order]
        found.append(mean_and_error(impact, done.posterior.weight.ravel()))
    (one_mean, one_error), (two_mean, two_error) = found
    gap = np.abs(one_mean - two_mean) / (np.hypot(one_error, two_error) + 1e-9)
    assert gap.max() < 4.5


def test_a_weighted_zero_is_the_limit_of_a_narrow_band(closed, simulated, tables):
    """Unrestricted draws within a thin band of the zero, each times its gradient's length."""
    cells = [tables.cell("a", "price", "0", first=1, last=1), tables.cell("a", "output", "+")]
    done = rotate(closed(), tables.table(("a",), cells), simulated[0], lags=2, draws=4000, seed=1)
    rng, tries = np.random.default_rng(3), 150_000
    factor, coefficients = closed(seed=9).draw(tries)
    impact = factor @ haar(3, tries, rng)
    lags, _ = niw.split(coefficients(np.arange(tries), rng), constant=True)
    later = (lags[:, 0, 1] * impact[:, :, 0]).sum(1)
    near = (np.abs(later) < 0.01) & (impact[:, 0, 0] > 0)
    assert near.sum() > 1000
    weight = np.exp(log_volume(impact[near], lags[near], np.array([(1, 0, 1)])))
    band, error = mean_and_error(impact[near][:, :, 0], weight)
    mean, own = mean_and_error(flat(done.posterior.impact)[:, :, 0], done.posterior.weight.ravel())
    assert (np.abs(band - mean) < 4.5 * np.hypot(error, own)).all()


def test_zeros_that_identify_give_the_recursive_scheme(closed, simulated, tables):
    names = ("rate", "output", "price")
    cells = [tables.cell(name, name, "+") for name in names]
    cells += [tables.cell("output", "rate", "0"), tables.cell("price", "rate", "0")]
    cells += [tables.cell("price", "output", "0")]
    table = tables.table(names, cells)
    done = rotate(closed(), table, simulated[0], lags=2, draws=400, seed=1)
    impact = flat(done.posterior.impact)
    place = [2, 0, 1]
    sigma = (impact @ impact.swapaxes(1, 2))[:, place][:, :, place]
    assert_allclose(impact[:, place], np.linalg.cholesky(sigma), atol=1e-10)
    direct = recursive(closed(), order=names, draws=400, seed=1).posterior
    assert direct.shocks == done.posterior.shocks == names


def test_too_many_zeros_are_refused(closed, simulated, tables):
    cells = [tables.cell("a", name, "0") for name in simulated[0].columns]
    with pytest.raises(IdentificationError, match="channel 'a': 3 zeros where 2 leave it a shock"):
        rotate(closed(), tables.table(("a",), cells), simulated[0], lags=2, draws=400, seed=1)


def test_a_zero_beside_a_sign_of_the_same_response_is_refused(closed, simulated, tables):
    cells = [tables.cell("a", "price", "0"), tables.cell("a", "price", (0.1, 2.0))]
    cells += [tables.cell("a", "output", "+")]
    with pytest.raises(IdentificationError, match=r"satisfy a\.price 0 and a\.price"):
        rotate(closed(), tables.table(("a",), cells), simulated[0], lags=2, draws=400, seed=1)
