"""Uniform on all of O(n): entries, angles, invariance and both orientations."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from attribution.core.rotations.haar import haar

DRAWS = 8000


@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_draws_are_orthogonal_to_machine_precision(n):
    q = haar(n, 200, np.random.default_rng(1))
    assert_allclose(q.swapaxes(1, 2) @ q, np.broadcast_to(np.eye(n), q.shape), atol=1e-13)


@pytest.mark.parametrize("n", [2, 3, 6])
def test_every_entry_has_the_law_of_a_coordinate_on_the_sphere(n):
    q = haar(n, DRAWS, np.random.default_rng(n))
    law = stats.beta(0.5, 0.5 * (n - 1))
    for i in range(n):
        for j in range(n):
            assert stats.kstest(q[:, i, j] ** 2, law.cdf).pvalue > 0.01 / n**2  # Bonferroni
            assert abs((q[:, i, j] > 0).mean() - 0.5) < 4.5 * 0.5 / np.sqrt(DRAWS)


def test_the_angle_of_a_plane_is_uniform_in_each_orientation():
    q = haar(2, DRAWS, np.random.default_rng(4))
    turned = np.linalg.det(q) > 0
    angle = np.arctan2(q[:, 1, 0], q[:, 0, 0])
    for part in (turned, ~turned):
        assert stats.kstest(angle[part], stats.uniform(-np.pi, 2 * np.pi).cdf).pvalue > 0.005


def test_eigenvalue_angles_of_space_rotations_follow_their_law():
    """On SO(3) the density of the turning angle is (1 − cos θ)/π: small turns are rare."""
    q = haar(3, DRAWS, np.random.default_rng(8))
    q = q * np.linalg.det(q)[:, None, None]
    angle = np.arccos(np.clip((np.trace(q, axis1=1, axis2=2) - 1) / 2, -1, 1))
    assert stats.kstest(angle, lambda x: (x - np.sin(x)) / np.pi).pvalue > 0.01


def test_turning_the_draws_changes_nothing():
    fixed = np.linalg.qr(np.random.default_rng(5).normal(size=(4, 4)))[0]
    one, two = (haar(4, DRAWS, np.random.default_rng(s)) for s in (6, 7))
    for product in (fixed @ two, two @ fixed):
        for i in range(4):
            assert stats.ks_2samp(one[:, i, 3 - i], product[:, i, 3 - i]).pvalue > 0.01 / 8


@pytest.mark.parametrize("n", [2, 5])
def test_half_of_the_draws_have_determinant_minus_one(n):
    negative = (np.linalg.det(haar(n, DRAWS, np.random.default_rng(9))) < 0).mean()
    assert abs(negative - 0.5) < 4.5 * 0.5 / np.sqrt(DRAWS)


def test_without_the_sign_convention_the_same_tests_notice():
    bare = np.linalg.qr(np.random.default_rng(9).normal(size=(DRAWS, 3, 3)))[0]
    assert abs((bare[:, 0, 0] > 0).mean() - 0.5) > 4.5 * 0.5 / np.sqrt(DRAWS)


def test_one_seed_gives_the_same_bits():
    one, same, other = (haar(4, 9, np.random.default_rng(s)) for s in (5, 5, 6))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)
