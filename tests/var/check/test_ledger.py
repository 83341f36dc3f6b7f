"""What each contribution rests on: spreads, contraction, informativeness and its class."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from attribution.core.rotations import bounds
from attribution.core.rotations.haar import haar
from attribution.var.check.ledger import CLASSES, informativeness, ledger, spread


def one(prior=4.0, posterior=1.0, move=-14.0, **known):
    known = {key: np.array([value]) for key, value in known.items()}
    table = ledger(["a"], np.array([prior]), np.array([posterior]), move=move, **known)
    return table.loc["a"]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (one(), "data"),
        (one(sensitivity=0.01, informativeness=0.2), "data"),
        (one(sensitivity=0.2), "partial"),
        (one(informativeness=0.6), "partial"),
        (one(informativeness=0.95), "prior-only"),
        (one(posterior=3.0), "partial"),
        (one(posterior=3.9), "prior-only"),
        (one(posterior=4.1), "prior-only"),
        (one(posterior=7.0), "partial"),
        (one(prior=0.6, posterior=0.6), "bookkeeping"),
        (one(prior=0.0, posterior=0.0), "bookkeeping"),
    ],
)
def test_the_class_is_the_first_that_applies(row, expected):
    assert row["class"] == expected


def test_contraction_is_the_share_of_variance_removed():
    assert one()["contraction"] == pytest.approx(1 - 1 / 16)
    assert one(posterior=8.0)["contraction"] == pytest.approx(-3.0)
    assert np.isnan(one(prior=0.0)["contraction"])
    assert np.isnan(one()["sensitivity"])


def test_every_class_is_one_of_the_four():
    rng = np.random.default_rng(0)
    table = ledger(
        [str(i) for i in range(200)],
        rng.exponential(2, 200),
        rng.exponential(2, 200),
        move=10.0,
        sensitivity=rng.exponential(0.05, 200),
        informativeness=rng.uniform(-0.2, 1, 200),
    )
    assert set(table["class"]) == set(CLASSES)


def test_the_spread_of_weighted_draws_is_that_of_repeated_ones():
    draws = np.random.default_rng(1).normal(size=(5, 2))
    weight = np.array([1.0, 2, 0, 3, 1])
    assert_allclose(spread(draws, weight), np.repeat(draws, weight.astype(int), axis=0).std(0))
    assert_allclose(spread(draws), draws.std(0))


def test_the_uniform_spread_is_that_of_drawn_rotations():
    rng = np.random.default_rng(2)
    form = rng.normal(size=(3, 2, 4, 4))
    form = form + form.swapaxes(-1, -2)
    weight = np.array([1.0, 2.0, 0.5])
    columns = haar(4, 30_000, rng)
    parts = np.stack([bounds.contribution(form[d], columns[:, None]) for d in range(3)])[..., 0]
    share = np.repeat(weight / weight.sum() / 30_000, 30_000)
    drawn = spread(parts.reshape(-1, 2), share)
    assert_allclose(bounds.uniform_spread(form, weight), drawn, rtol=0.02)


def test_a_prior_that_adds_nothing_to_the_robust_region_is_uninformative():
    draws = np.random.default_rng(3).normal(size=(20_000, 2))
    region = np.array([[-1.645, 1.645], [-6.58, 6.58]])
    found = informativeness(draws, np.ones(20_000), region)
    assert_allclose(found, [0.0, 0.75], atol=0.02)
