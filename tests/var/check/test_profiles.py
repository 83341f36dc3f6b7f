"""Variances tell channels apart only if their profiles are not proportional."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from attribution.var.check.separation import profiles, profiles_differ

NAMES = ("a", "b", "c")
DAYS = np.arange(400)
EXPOSURE = np.column_stack([DAYS % 2, (DAYS // 2) % 2, np.zeros(400)]).astype(float)


def slopes(*columns):
    return np.column_stack([np.full(50, value, float) for value in columns])


def test_the_spread_is_that_of_the_log_ratio_over_days():
    rng = np.random.default_rng(0)
    slope = rng.normal(size=(6, 3))
    exposure = rng.random((80, 3))
    for pair in profiles(NAMES, slope, exposure):
        j, k = (NAMES.index(name) for name in pair.names)
        ratio = slope[:, [j]] * exposure[:, j] - slope[:, [k]] * exposure[:, k]
        assert_allclose(pair.spread, ratio.std(1), rtol=1e-12)


def test_different_exposures_hold():
    found = profiles_differ(NAMES, slopes(1.0, 1.0, 0.0), EXPOSURE)
    assert found.verdict == "holds"
    assert found.probability == 1.0


def test_the_same_exposure_and_slope_are_proportional():
    same = EXPOSURE[:, [0, 0, 1]]
    found = profiles_differ(NAMES, slopes(1.0, 1.0, 1.0), same)
    assert found.verdict == "fails"
    assert "a and b 0.00" in found.evidence
    assert "a and c" not in found.evidence


def test_a_common_exposure_with_different_slopes_is_not_proportional():
    same = EXPOSURE[:, [0, 0, 1]]
    assert profiles_differ(NAMES, slopes(2.0, 0.5, 1.0), same).verdict == "holds"


def test_two_channels_without_exposure_are_named_as_such():
    found = profiles_differ(NAMES, slopes(1.0, 0.0, 0.0), EXPOSURE)
    assert found.verdict == "fails"
    assert "b and c 0.00 (neither has an exposure that varies)" in found.evidence


@pytest.mark.parametrize("size", [0.3, 0.5])
def test_an_uncertain_slope_is_undecided(size):
    rng = np.random.default_rng(1)
    slope = np.column_stack([np.abs(size * rng.normal(size=4000)), np.full(4000, 0.0)])
    found = profiles_differ(("a", "b"), slope, EXPOSURE[:, :2])
    assert found.verdict == "undecided"
    assert found.probability == pytest.approx((slope[:, 0] * 0.5 > 0.2).mean())
