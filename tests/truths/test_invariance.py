"""The story does not depend on the order of names, on units, or on how the draws are laid out."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from attribution.decompose import decompose
from attribution.posterior import StructuralPosterior


def reordered(posterior, variables, shocks):
    """The same posterior with its variables and shocks in another order."""
    v = [posterior.variables.index(name) for name in variables]
    s = [posterior.shocks.index(name) for name in shocks]
    return replace(
        posterior,
        variables=tuple(variables),
        shocks=tuple(shocks),
        channels=tuple(name for name in shocks if name in posterior.channels),
        impact=posterior.impact[:, :, v][..., s],
        lag_coefficients=posterior.lag_coefficients[:, :, :, v][..., v],
        intercept=posterior.intercept[..., v],
    )


def story(split, variable):
    """Contribution by channel name, baseline and observed, over the window."""
    parts, base, observed = split.cumulated(variable)
    told = {name: parts[..., k] for k, name in enumerate(split.channels)}
    return {**told, "baseline": base, "observed": np.full(base.shape, observed)}


def assert_same_story(one, other, factor=1.0):
    assert one.keys() == other.keys()
    size = max(float(np.abs(part).max()) for part in one.values())
    for name in one:
        assert_allclose(other[name] / factor, one[name], rtol=0, atol=1e-8 * size, err_msg=name)


@pytest.mark.parametrize("seed", range(6))
def test_any_order_of_variables_and_shocks_tells_the_same_story(world, seed):
    rng = np.random.default_rng(seed)
    posterior, window = world.scattered(21, channels=world.shocks[:3]), world.window(60, 63)
    other = reordered(posterior, rng.permutation(world.variables), rng.permutation(world.shocks))
    splits = [decompose(p, world.values, window) for p in (posterior, other)]
    for variable in world.variables:
        assert_same_story(*(story(split, variable) for split in splits))


def test_renaming_a_shock_renames_its_channel_and_nothing_else(world):
    posterior, window = world.scattered(22), world.window(60, 63)
    swap = dict(zip(world.shocks, world.shocks[1:] + world.shocks[:1], strict=True))
    names = tuple(swap[name] for name in posterior.shocks)
    renamed = replace(posterior, shocks=names, channels=names)
    one, other = (story(decompose(p, world.values, window), "price") for p in (posterior, renamed))
    for name, new in swap.items():
        assert np.array_equal(one[name], other[new])


def test_flipping_the_sign_of_a_shock_changes_no_contribution(world):
    posterior, window = world.scattered(23), world.window(60, 63)
    flipped = replace(posterior, impact=posterior.impact * np.array([1, -1, 1, 1]))
    splits = [decompose(p, world.values, window) for p in (posterior, flipped)]
    assert_same_story(*(story(split, "price") for split in splits))


@pytest.mark.parametrize("variable", range(4))
def test_rescaling_a_variable_by_a_thousand_rescales_its_rows_alone(world, variable):
    factor = np.ones(4)
    factor[variable] = 1000.0
    posterior, window = world.scattered(24), world.window(60, 63)
    other = replace(
        posterior,
        impact=posterior.impact * factor[:, None],
        lag_coefficients=posterior.lag_coefficients * factor[:, None] / factor,
        intercept=posterior.intercept * factor,
    )
    one = decompose(posterior, world.values, window)
    two = decompose(other, world.values * factor, window)
    for i, name in enumerate(world.variables):
        assert_same_story(story(one, name), story(two, name), factor[i])


def test_the_layout_of_draws_in_chains_does_not_matter(world):
    posterior, window = world.scattered(25, chains=2, draws=6), world.window(60, 63)
    flat = {
        name: array.reshape(12, 1, *array.shape[2:])
        for name, array in vars(posterior).items()
        if isinstance(array, np.ndarray)
    }
    other = StructuralPosterior(**{**vars(posterior), **flat})
    one, two = (decompose(p, world.values, window) for p in (posterior, other))
    assert np.array_equal(one.contribution.reshape(two.contribution.shape), two.contribution)
