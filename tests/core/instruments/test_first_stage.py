"""The long-run sum is the double sum that Newey and West wrote, and never negative."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from attribution.core.instruments.first_stage import long_run

SCORE = np.random.default_rng(0).standard_normal((40, 3)).cumsum(axis=0)


@pytest.mark.parametrize("width", [0, 1, 4])
def test_it_is_the_sum_over_pairs_of_rows_with_bartlett_weights(width):
    apart = np.abs(np.subtract.outer(np.arange(40), np.arange(40)))
    weight = np.maximum(1.0 - apart / (width + 1.0), 0.0)
    assert_allclose(long_run(SCORE, width), SCORE.T @ weight @ SCORE, rtol=1e-12)


@pytest.mark.parametrize("width", [1, 7, 39])
def test_no_combination_has_a_negative_variance(width):
    values = np.linalg.eigvalsh(long_run(SCORE, width))
    assert values.min() > -1e-12 * values.max()


def test_another_product_of_rows_serves_as_well():
    def summed(one, other):
        return np.einsum("rp,rq->pq", one, other)

    assert_allclose(long_run(SCORE, 3, summed), long_run(SCORE, 3), rtol=1e-12)
