"""Dummy observations: their rows, and what they do to the posterior as they tighten."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from attribution.core import niw
from attribution.core.niw import unit_root_dummies

LEVEL = np.array([3.0, -2.0])


def dummies(soc=None, sur=None, *, constant=True, lags=3):
    return unit_root_dummies(
        LEVEL, lags=lags, constant=constant, sum_of_coefficients=soc, single_unit_root=sur
    )


def test_rows_are_those_of_the_formulas():
    y, x = dummies(0.5, 2.0)
    assert_allclose(y, [[6.0, 0.0], [0.0, -4.0], [1.5, -1.0]])
    assert_allclose(x[:, 0], [0.0, 0.0, 0.5])
    for lag in range(3):
        assert_allclose(x[:, 1 + 2 * lag : 3 + 2 * lag], y)


def test_one_left_out_leaves_no_row_and_without_a_constant_there_is_no_column():
    assert dummies()[0].shape == (0, 2)
    assert dummies(0.5)[0].shape == (2, 2)
    assert dummies(None, 2.0)[0].shape == (1, 2)
    assert dummies(0.5, 2.0, constant=False)[1].shape == (3, 6)


@pytest.mark.parametrize(("soc", "sur"), [(1e-4, None), (None, 1e-4)])
def test_at_the_limit_a_unit_root_is_imposed(soc, sur):
    rng = np.random.default_rng(0)
    series = LEVEL + rng.standard_normal((80, 2))
    before = niw.minnesota(
        np.ones(2),
        lags=3,
        constant=True,
        own_lag=np.zeros(2),
        tightness=1.0,
        decay=1.0,
        intercept_scale=10.0,
    )
    after = niw.posterior(niw.posterior(before, *dummies(soc, sur)), *niw.design(series, lags=3))
    total = after.mean[1:].reshape(3, 2, 2).sum(0).T
    if sur is None:  # sums of own lags are one, of others nought
        assert_allclose(total, np.eye(2), atol=1e-3)
    else:  # the level explains itself, with what the constants add
        assert_allclose(after.mean[0] + total @ LEVEL, LEVEL, atol=1e-3)
