"""Parts sum to the whole in every draw, or the object does not exist."""

from dataclasses import replace

import numpy as np
import pytest

from attribution.decompose import decompose
from attribution.errors import AttributionError
from attribution.posterior import ADDITIVITY, AdditivityError, StructuralPosterior


@pytest.mark.parametrize(("first", "last"), [(60, 60), (60, 62), (2, 79)])
def test_contributions_and_baseline_reproduce_the_data_in_every_draw(world, first, last):
    split = decompose(world.scattered(1), world.values, world.window(first, last))
    total = split.baseline + split.contribution.sum(-1)
    scale = np.abs(split.contribution).sum(-1) + np.abs(split.observed) + 1.0
    assert total.shape[:2] == (2, 7)
    assert (np.abs(total - split.observed) <= ADDITIVITY * scale).all()
    assert np.array_equal(split.observed, world.values.iloc[first : last + 1].to_numpy())


def test_the_sum_over_a_window_adds_up_too(world):
    split = decompose(world.scattered(2), world.values, world.window(60, 63))
    for variable in world.variables:
        parts, base, observed = split.cumulated(variable)
        scale = np.abs(parts).sum(-1) + abs(observed)
        assert (np.abs(base + parts.sum(-1) - observed) <= ADDITIVITY * scale).all()


def test_data_enter_only_through_the_observed_path_not_through_a_residual_channel(world):
    """The baseline is a recursion: it does not move when the window's data move."""
    shaken = world.values.copy()
    shaken.iloc[60:63] += 5.0
    window, posterior = world.window(60, 62), world.scattered(3)
    before, after = (decompose(posterior, v, window) for v in (world.values, shaken))
    assert np.array_equal(before.baseline, after.baseline)
    assert not np.allclose(before.contribution, after.contribution)


@pytest.mark.parametrize("part", ["baseline", "contribution", "observed"])
def test_a_decomposition_whose_parts_do_not_add_cannot_be_built(world, part):
    split = decompose(world.scattered(4), world.values, world.window(60, 61))
    wrong = getattr(split, part).copy()
    wrong.flat[0] += 1e-6 * (1 + np.abs(split.observed).max() + np.abs(split.contribution).max())
    with pytest.raises(AdditivityError, match="window 'crash': baseline and contributions miss"):
        replace(split, **{part: wrong})


def test_a_decomposition_with_a_missing_number_cannot_be_built(world):
    split = decompose(world.scattered(5), world.values, world.window(60, 61))
    wrong = split.contribution.copy()
    wrong.flat[3] = np.nan
    with pytest.raises(AdditivityError):
        replace(split, contribution=wrong)


def test_one_draw_out_of_many_is_enough_to_refuse(world):
    """Residuals of one draw with the coefficients of another do not add up."""
    split = decompose(world.scattered(6), world.values, world.window(60, 61))
    mixed = split.baseline.copy()
    mixed[0, [0, 1]] = mixed[0, [1, 0]]
    with pytest.raises(AttributionError):
        replace(split, baseline=mixed)


def test_unit_effect_responses_times_unit_variance_shocks_are_refused(world):
    """The fault of two published packages: impact columns divided by their diagonal."""
    split = decompose(world.scattered(7), world.values, world.window(60, 61))
    own = np.array([*np.diag(world.impact), 1.0])
    with pytest.raises(AdditivityError):
        replace(split, contribution=split.contribution / own)


def test_a_decomposition_without_unattributed_cannot_be_built(world):
    split = decompose(world.scattered(8), world.values, world.window(60, 61))
    with pytest.raises(ValueError, match="unattributed"):
        replace(split, channels=(*split.channels[:-1], "rest"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"impact": np.ones((1, 1, 4, 3))}, "impact has shape"),
        ({"intercept": np.full((1, 1, 4), np.nan)}, "intercept is not finite"),
        ({"lag_coefficients": np.zeros((1, 2, 1, 4, 4))}, "lag_coefficients has shape"),
        ({"shocks": ("a", "a", "b", "c")}, "distinct shocks"),
        ({"channels": ("nobody",)}, "every channel"),
        ({"weight": np.full((1, 1), 2.0)}, "mean one"),
        ({"weight": np.full((1, 1), -1.0)}, "non-negative"),
    ],
)
def test_a_structural_posterior_is_whole_or_does_not_exist(world, change, message):
    truth = world.posterior()
    assert isinstance(truth, StructuralPosterior)
    with pytest.raises(ValueError, match=message):
        replace(truth, **change)
