"""Which part leads: the largest in the direction of the move, and never one that does nothing."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from attribution.core.moves import NOBODY, chances, leading, likeliest

PARTS = np.array(
    [
        [3.0, -5.0, 0.0],  # a rise leads with the first, a fall with the second
        [-1.0, -2.0, 0.0],  # in a rise nobody: zero is no part of it
        [-1.0, -2.0, 1e-15],  # nor is rounding
        [0.0, 0.0, 0.0],
    ]
)


@pytest.mark.parametrize(
    ("way", "first"), [(2.0, [0, -1, -1, -1]), (-0.1, [1, 1, 1, -1]), (0.0, [-1, -1, -1, -1])]
)
def test_the_largest_moves_with_the_move(way, first):
    assert leading(PARTS, way).tolist() == first
    assert leading(PARTS[:, ::-1], way).tolist() == [NOBODY if k < 0 else 2 - k for k in first]


def test_a_direction_a_draw():
    assert leading(PARTS, np.array([-1.0, -1.0, 1.0, 1.0])).tolist() == [1, 1, -1, -1]


def test_chances_honour_weights_and_what_lacks_is_that_nobody_leads():
    first = np.array([[0, 2], [NOBODY, 2]])
    assert_allclose(chances(first, 3), [0.25, 0.0, 0.5])
    assert_allclose(chances(first, 3, np.array([[1.0, 0.0], [3.0, 0.0]])), [0.25, 0.0, 0.0])


@pytest.mark.parametrize(
    ("chance", "found"),
    [
        ([0.2, 0.5, 0.3], (1, 0.5)),
        ([0.2, 0.3, np.nan], (NOBODY, 0.5)),
        ([0.0, 0.0], (NOBODY, 1.0)),
        ([0.4, 0.3], (0, 0.4)),
    ],
)
def test_nobody_leads_where_that_is_likelier_than_any_one(chance, found):
    place, share = likeliest(np.array(chance))
    assert (place, share) == (found[0], pytest.approx(found[1]))
