"""Functionals, claims on columns, and namings: compiled code against plain arithmetic."""

from itertools import permutations, product

import numpy as np
import pytest
from numpy.testing import assert_allclose

from attribution.core import propagate
from attribution.core.rotations import assign, functionals
from attribution.core.rotations.haar import haar
from attribution.core.rotations.holds import (
    BETWEEN,
    LARGEST,
    NEGLIGIBLE,
    OVERWHELMING,
    SMALLEST,
    Carried,
    Line,
    Order,
    Share,
    narrowed,
    ordered,
    stack,
    tries_until,
)

N, LAGS = 4, 2


@pytest.fixture(scope="module")
def reduced():
    rng = np.random.default_rng(1)
    factor = np.tril(rng.normal(size=(6, N, N)))
    factor[:, range(N), range(N)] = 1 + np.abs(factor[:, range(N), range(N)])
    lags = 0.2 * rng.normal(size=(6, LAGS, N, N))
    coefficients = np.concatenate(
        [rng.normal(size=(6, 1, N)), lags.swapaxes(2, 3).reshape(6, LAGS * N, N)], axis=1
    )
    return factor, lags, coefficients


def test_every_kind_of_functional_is_what_it_says(reduced):
    factor, lags, coefficients = reduced
    rng = np.random.default_rng(2)
    observed, regressors = rng.normal(size=(2, N)), rng.normal(size=(2, 1 + LAGS * N))
    program = np.array([(0, 0, 1), (0, 5, 2), (1, 3, 0), (2, 0, 3), (3, 1, 0), (3, 0, 0)])
    found = functionals.functionals(factor, coefficients, program, observed, regressors)
    theta = propagate.responses(lags, factor, 6)
    whole = np.linalg.solve(np.eye(N) - lags.sum(1), factor)
    shocks = np.linalg.solve(factor, (observed - regressors @ coefficients).swapaxes(1, 2))
    assert_allclose(found[:, 0], factor[:, 1], atol=1e-14)
    assert_allclose(found[:, 1], theta[:, 5, 2], atol=1e-12)
    assert_allclose(found[:, 2], theta[:, :4, 0].sum(1), atol=1e-12)
    assert_allclose(found[:, 3], whole[:, 3], atol=1e-12)
    assert_allclose(found[:, 4], shocks[:, :, 1], atol=1e-12)
    assert_allclose(found[:, 5], shocks[:, :, 0], atol=1e-12)


def holds(claim, x, c, sign):
    """Whether column c of (functional, column) obeys a claim, with its sign turned or not."""
    if isinstance(claim, Line):
        value = sign * (claim.gain * x[claim.at, c] + claim.base_gain * x[claim.base, c])
        return value >= claim.offset
    if isinstance(claim, Share):
        square = (x[list(claim.at)] ** 2).sum(0)
        return claim.low <= square[c] / square.sum() <= claim.high
    part = sum(x[a] * x[b] for a, b in claim.pairs)
    size, rest = abs(part[c]), np.abs(np.delete(part, c))
    return {
        LARGEST: size >= rest.max(),
        SMALLEST: size <= rest.min(),
        OVERWHELMING: size >= rest.sum(),
        NEGLIGIBLE: size <= rest.sum(),
        BETWEEN: claim.low <= part[c] <= claim.high,
    }[claim.kind]


CASES = {
    "sign": Line(0, 1, -1.0, 1, 0.0, 0.0),
    "bound": Line(0, 2, 1.0, 2, 0.0, -0.4),
    "floor": Line(0, 2, 1.0, 2, 0.0, 0.3),
    "elasticity": Line(0, 2, 1.0, 0, -0.7, 0.0),
    "share": Share(0, (0, 3, 4), 0.2, 0.7),
    "largest": Carried(0, ((0, 4),), LARGEST, -np.inf, np.inf),
    "smallest": Carried(0, ((0, 4), (1, 3)), SMALLEST, -np.inf, np.inf),
    "overwhelming": Carried(0, ((0, 4),), OVERWHELMING, -np.inf, np.inf),
    "negligible": Carried(0, ((0, 4),), NEGLIGIBLE, -np.inf, np.inf),
    "between": Carried(0, ((0, 4), (2, 3)), BETWEEN, -0.2, 0.5),
}


@pytest.mark.parametrize("name", CASES)
def test_columns_that_obey_a_claim_are_found_with_either_sign(name):
    claim, count = CASES[name], 300
    rng = np.random.default_rng(3)
    rows, q = rng.normal(size=(2, 5, N)), haar(N, count, rng)
    of = np.arange(count) % 2
    masks = narrowed(rows, of, q, stack([claim]), np.full((2, 2), 2**N - 1))
    seen = set()
    for d in range(count):
        x = rows[of[d]] @ q[d]
        for bit, sign in enumerate((1, -1)):
            for c in range(N):
                expected = holds(claim, x, c, sign)
                assert bool(masks[d, 0, bit] >> c & 1) == expected
                seen.add(expected)
    assert seen == {True, False}


def test_a_rotation_that_leaves_a_channel_nothing_is_all_zero():
    claims = [Line(0, 0, 1.0, 0, 0.0, 9.0), Line(1, 0, 1.0, 0, 0.0, 0.0)]
    q = haar(N, 50, np.random.default_rng(1))
    masks = narrowed(np.eye(N)[None], np.zeros(50, int), q, stack(claims), np.full((2, 2), 15))
    assert not masks.any()


def test_rankings_compare_named_columns():
    x = np.array([[[2.0, -3.0], [1.0, 1.0]]])
    assert not ordered([Order((0, 1), (0, 0), 1.0, False)], x)[0]
    assert ordered([Order((0, 1), (0, 0), 1.5, True)], x)[0]
    assert not ordered([Order((0, 1), (0, 0), 1.6, True)], x)[0]


def every(masks, n):
    """All valid signed namings of one rotation."""
    channels = len(masks)
    return [
        tuple((c + 1) * (1 - 2 * s) for c, s in zip(columns, signs, strict=True))
        for columns in permutations(range(n), channels)
        for signs in product((0, 1), repeat=channels)
        if all(masks[k, s] >> c & 1 for k, (c, s) in enumerate(zip(columns, signs, strict=True)))
    ]


def test_the_weight_counts_signed_namings_and_the_choice_is_among_them():
    rng = np.random.default_rng(4)
    masks = rng.integers(0, 2**N, size=(400, 3, 2))
    weight, order = assign.named(masks, N, rng)
    for d in range(400):
        valid = every(masks[d], N)
        assert weight[d] == len(valid)
        if valid:
            assert tuple(order[d, :3]) in valid
            assert sorted(np.abs(order[d])) == [1, 2, 3, 4]
    assert (weight == 0).any()
    assert (weight > 20).any()


def test_every_valid_naming_is_chosen_equally_often():
    masks = np.array([[0b011, 0b001], [0b111, 0b100], [0b110, 0b000]])
    valid = every(masks, 3)
    draws = 20_000
    _, order = assign.named(np.broadcast_to(masks, (draws, 3, 2)), 3, np.random.default_rng(5))
    share = [(order == np.array(naming)).all(1).mean() for naming in valid]
    assert_allclose(share, 1 / len(valid), atol=4.5 * np.sqrt(1 / len(valid) / draws))


def test_too_many_namings_to_list_are_drawn_in_turn_without_bias():
    """Mean weight is the number of namings; weighted, every column is as frequent as among them."""
    rng = np.random.default_rng(6)
    masks = rng.integers(0, 2**6, size=(5, 2))
    masks[:3] |= 0b111
    valid = np.array(every(masks, 6))
    draws = 60_000
    weight, order = assign.named(np.broadcast_to(masks, (draws, 5, 2)), 6, rng)
    assert len(np.unique(weight)) > 2  # not listed: the weight is an estimate
    assert abs(weight.mean() - len(valid)) < 4.5 * weight.std() / np.sqrt(draws)
    for k in range(5):
        for column in range(-6, 7):
            hit = weight * (order[:, k] == column)
            truth = (valid[:, k] == column).sum()
            assert abs(hit.mean() - truth) <= 4.5 * hit.std() / np.sqrt(draws) + 1e-12


def test_tries_over_hits_estimate_one_over_the_probability_without_bias():
    """A positive shock that is also the largest of four: one in eight."""
    x = np.ones((4000, 2, N))
    x[:, 1] = 0
    rows = stack([Line(0, 1, 1.0, 1, 0.0, 0.0), Carried(0, ((0, 1),), LARGEST, 0, 0)])
    tries = tries_until(
        x,
        rows,
        np.array([1]),
        np.ones((4000, 1)),
        hits=5,
        most=10_000,
        rng=np.random.default_rng(7),
    )
    assert abs(tries.mean() / 5 - 8) < 4.5 * tries.std() / 5 / np.sqrt(4000)


def test_a_draw_whose_claims_hardly_ever_hold_is_given_up():
    rows = stack([Carried(0, ((0, 1),), BETWEEN, 50.0, 60.0)])
    tries = tries_until(
        np.ones((3, 2, N)), rows, np.array([1]), np.ones((3, 1)),
        hits=1, most=100, rng=np.random.default_rng(8),
    )  # fmt: skip
    assert not tries.any()
