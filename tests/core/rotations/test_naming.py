"""Names for columns: counted against enumeration, matched against enumeration."""

from itertools import permutations, product

import numpy as np
import pytest
from numpy.testing import assert_allclose

from attribution.core.rotations import naming


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_the_match_and_its_lead_are_those_of_enumeration(n):
    gains = np.random.default_rng(n).standard_normal((60, n, n))
    chosen, lead = naming.match(gains)
    for found, ahead, gain in zip(chosen, lead, gains, strict=True):
        every = {}
        for order in permutations(range(n)):
            for signs in product((1, -1), repeat=n):
                name = tuple(sign * (c + 1) for sign, c in zip(signs, order, strict=True))
                every[name] = sum(
                    sign * gain[i, c] for i, (sign, c) in enumerate(zip(signs, order, strict=True))
                )
        ranked = sorted(every, key=every.get, reverse=True)
        assert tuple(found) == ranked[0]
        assert_allclose(ahead, every[ranked[0]] - every[ranked[1]])


def test_a_signed_permutation_is_undone_with_a_lead_of_two():
    order = np.array([[-3, 1, 5, -2, 4]])
    chosen, lead = naming.match(naming.reordered(np.eye(5)[None], order))
    assert (naming.reordered(naming.reordered(np.eye(5)[None], order), chosen) == np.eye(5)).all()
    assert_allclose(lead, 2.0)


def test_namings_are_counted_and_taken_uniformly():
    """Against enumeration, claims on pairs of channels included, both signs possible."""
    rng = np.random.default_rng(1)
    fits, pairs = rng.integers(0, 4, (30, 3, 4)), np.array([[0, 1], [2, 0]])
    together = rng.integers(0, 16, (30, 2, 4, 4))
    weight, _ = naming.name_uniformly(fits, pairs, together, rng.random(30))
    for d in range(30):
        valid = set()
        for c in permutations(range(4), 3):
            for s in product((0, 1), repeat=3):
                alone = all(fits[d, k, c[k]] >> s[k] & 1 for k in range(3))
                joint = all(
                    together[d, p, c[a], c[b]] >> (2 * s[b] + s[a]) & 1
                    for p, (a, b) in enumerate(pairs)
                )
                if alone and joint:
                    valid.add(tuple((c[k] + 1) * (1 - 2 * s[k]) for k in range(3)))
        assert weight[d] == len(valid)
        if valid:
            grid = (np.arange(len(valid)) + 0.5) / len(valid)
            many = [np.repeat(a[d][None], len(valid), 0) for a in (fits, together)]
            _, chosen = naming.name_uniformly(many[0], pairs, many[1], grid)
            assert {tuple(row) for row in chosen} == valid  # each once


def test_where_no_naming_is_valid_nothing_is_named():
    fits = np.array([[[1, 0], [2, 0]]])  # both channels want the same column
    none = np.empty((1, 0, 2, 2), int)
    weight, chosen = naming.name_uniformly(fits, np.empty((0, 2), int), none, np.zeros(1))
    assert weight == 0
    assert (chosen == 0).all()


def test_columns_are_anchored_whatever_their_order_signs_and_units():
    impact = np.array([[1.0, 0.3, -0.2], [-0.4, 2.0, 0.6], [0.5, -0.3, 0.9]])
    for order in ([2, -3, 1], [-1, -2, -3], [3, 2, 1]):
        mixed = naming.reordered(impact[None], np.array([order]))[0]
        units = np.array([[1000.0], [1.0], [0.01]])
        assert_allclose(naming.anchored(units * mixed), units * impact)
