"""Joint acceptance: every naming counted, every order of names alike, no retrying."""

from itertools import permutations, product

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from attribution.core.rotations import restrictions
from attribution.core.rotations.haar import haar

SIGMA = np.array([[1.0, 0.3, -0.2], [0.3, 1.0, 0.4], [-0.2, 0.4, 1.0]])
FIRST = np.array([[-1.0, 0, 0], [0, -1.0, 0], [0.5, 0, 1.0]])
SECOND = np.array([[-1.0, 0, 0], [-0.4, 1.0, 0]])
TABLE = (np.concatenate([FIRST, SECOND]), np.array([3, 5]))


def wishart_factors(dof, draws, seed, sigma=SIGMA):
    """Cholesky factors of inverse-Wishart draws, by scipy."""
    law = stats.invwishart(dof, sigma * (dof - len(sigma) - 1))
    return np.linalg.cholesky(law.rvs(draws, random_state=np.random.default_rng(seed)))


def plain(rows, ends, factor, rotations, rng):
    """Draw and reject: column k of Q for channel k, no naming, impact columns of what passed."""
    kept = []
    for _ in range(rotations):
        q = haar(factor.shape[1], len(factor), rng)
        impact = factor @ q
        passed = np.ones(len(factor), dtype=bool)
        for k, own in enumerate(np.split(rows, ends[:-1])):
            passed &= (impact[:, :, k] @ own.T >= 0).all(1)
        kept.append(impact[passed][:, :, : len(ends)])
    return np.concatenate(kept)


def resampled(accepted, factor, rng):
    """Impact columns, unweighted; far fewer than the effective size, so that copies are rare."""
    share = accepted.weight / accepted.weight.sum()
    pick = rng.choice(len(share), size=int(accepted.ess / 5), p=share)
    return (factor[accepted.draw] @ accepted.columns)[pick]


def assert_same_law(one, two):
    one, two = (x.reshape(len(x), -1) for x in (one, two))
    for i in range(one.shape[1]):
        # Bonferroni at one per cent over the entries
        assert stats.ks_2samp(one[:, i], two[:, i]).pvalue > 0.01 / one.shape[1], i


@pytest.fixture(scope="module")
def factor():
    return wishart_factors(8, 6000, 1)


@pytest.fixture(scope="module")
def accepted(factor):
    rows, ends = TABLE
    return restrictions.accept(rows @ factor, ends, rotations=10, rng=np.random.default_rng(2))


def test_what_is_accepted_obeys_every_row(accepted, factor):
    rows, ends = TABLE
    impact = factor[accepted.draw] @ accepted.columns
    for k, own in enumerate(np.split(rows, ends[:-1])):
        assert (impact[:, :, k] @ own.T >= -1e-14).all()
    gram = accepted.columns.swapaxes(1, 2) @ accepted.columns
    assert_allclose(gram, np.broadcast_to(np.eye(2), gram.shape), atol=1e-12)


def test_the_weight_counts_every_valid_naming():
    """Against all signed choices of columns, one by one."""
    rows, ends = TABLE
    factor = wishart_factors(8, 300, 3)
    found = restrictions.accept(rows @ factor, ends, rotations=1, rng=np.random.default_rng(4))
    weight = np.zeros(300)
    weight[found.draw] = found.weight
    q = haar(3, 300, np.random.default_rng(4))
    own = np.split(rows, ends[:-1])
    for d in range(300):
        count = sum(
            all(
                (own[k] @ factor[d] @ (s * q[d][:, c]) >= 0).all() for k, (c, s) in enumerate(named)
            )
            for columns in permutations(range(3), 2)
            for signs in product((1, -1), repeat=2)
            for named in [list(zip(columns, signs, strict=True))]
        )
        assert weight[d] == count
    assert found.namings == 24
    assert set(np.unique(weight)) >= {0.0, 1.0, 2.0}  # the case is not trivial


def test_each_valid_naming_is_chosen_equally_often():
    rows, ends = np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([1, 2])  # any two columns, up to sign
    found = restrictions.accept(
        np.broadcast_to(rows, (4000, 2, 2)), ends, rotations=1, rng=np.random.default_rng(1)
    )
    q = haar(2, 4000, np.random.default_rng(1))
    assert (found.weight == 2).all()
    straight = np.isclose(np.abs(found.columns[:, 0, 0]), np.abs(q[:, 0, 0]))
    assert abs(straight.mean() - 0.5) < 4.5 * 0.5 / np.sqrt(4000)


def test_weighted_namings_have_the_law_of_plain_rejection(accepted, factor):
    rows, ends = TABLE
    rng = np.random.default_rng(5)
    reference = plain(rows, ends, wishart_factors(8, 6000, 6), 10, rng)
    assert_same_law(resampled(accepted, factor, rng), reference)
    rate = len(reference) / 60_000
    error = np.sqrt(rate / 60_000) + rate / np.sqrt(accepted.ess)
    assert abs(accepted.rate - rate) < 4 * error


def test_without_the_weights_the_law_is_another(accepted, factor):
    """The test above can fail: kept once each, namings are not the posterior."""
    rows, ends = np.concatenate([SECOND[:1], SECOND]), np.array([1, 3])
    few = restrictions.accept(rows @ factor, ends, rotations=8, rng=np.random.default_rng(7))
    bare = (factor[few.draw] @ few.columns)[:, 1, 0]
    reference = plain(rows, ends, factor, 8, np.random.default_rng(8))[:, 1, 0]
    assert stats.ks_2samp(bare, reference).pvalue < 1e-4


def test_any_order_of_names_gives_the_same_posterior(accepted, factor):
    swapped = restrictions.accept(
        np.concatenate([SECOND, FIRST]) @ factor,
        np.array([2, 5]),
        rotations=10,
        rng=np.random.default_rng(9),
    )
    rng = np.random.default_rng(10)
    assert_same_law(resampled(accepted, factor, rng), resampled(swapped, factor, rng)[:, :, ::-1])
    assert abs(swapped.rate / accepted.rate - 1) < 5 / np.sqrt(accepted.ess)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_pattern_of_determinant_minus_one_is_reached_in_either_order(order):
    """With unit Sigma, (+, +) beside (+, −) has determinant −1 and (+, −) beside (+, +) has +1."""
    patterns = (np.eye(2), np.diag([1.0, -1.0]))
    rows = np.concatenate([patterns[k] for k in order])
    found = restrictions.accept(
        np.broadcast_to(rows, (1000, 4, 2)),
        np.array([2, 4]),
        rotations=1,
        rng=np.random.default_rng(1),
    )
    assert (np.sign(np.linalg.det(found.columns)) == (-1 if order == (0, 1) else 1)).all()
    # a turn and a mirror image, each with a quarter of its circle: one eighth of O(2)
    assert abs(found.rate - 1 / 8) < 1e-12  # all 8 namings of a Q, exactly one is valid


def test_the_number_of_rotations_does_not_move_the_posterior():
    """A knob of patience is no prior: few or many rotations a draw, the same law of Sigma."""
    rows, ends = TABLE
    results = []
    for rotations, draws, seed in ((1, 40_000, 11), (40, 1000, 12)):
        factor = wishart_factors(6, draws, seed)
        found = restrictions.accept(
            rows @ factor, ends, rotations=rotations, rng=np.random.default_rng(seed)
        )
        sigma = factor @ factor.swapaxes(1, 2)
        scale = np.sqrt(sigma[:, 0, 0] * sigma[:, 2, 2])
        share = np.bincount(found.draw, found.weight, minlength=draws)
        correlation = sigma[:, 0, 2] / scale
        bins = np.histogram(correlation, np.linspace(-1, 1, 6), weights=share)[0]
        results.append(bins / bins.sum())
    # the draws of Sigma behind 40 rotations are 1000: error of a bin about 0.5 / sqrt(1000)
    assert np.abs(results[0] - results[1]).max() < 4.5 * 0.5 / np.sqrt(1000)


def test_retrying_until_success_would_move_it():
    """What the rule is for: keeping one rotation per draw, however long it takes, is noticed."""
    rows, ends = TABLE
    factor = wishart_factors(6, 3000, 13)
    joint = restrictions.accept(rows @ factor, ends, rotations=40, rng=np.random.default_rng(14))
    share = np.bincount(joint.draw, joint.weight, minlength=3000)
    sigma = factor @ factor.swapaxes(1, 2)
    correlation = sigma[:, 0, 2] / np.sqrt(sigma[:, 0, 0] * sigma[:, 2, 2])
    retried = correlation[share > 0].mean()
    assert abs(np.average(correlation, weights=share) - retried) > 0.05


def test_a_row_that_alone_turns_candidates_away_is_counted():
    rows = np.array([[1.0, 0.0], [1.0, -1e-9], [-1.0, 0.5]])  # the third is tight, the second idle
    found = restrictions.accept(
        np.broadcast_to(rows, (2000, 3, 2)),
        np.array([3]),
        rotations=1,
        rng=np.random.default_rng(1),
    )
    assert found.sole[2] > 10 * max(1, found.sole[1])


def test_nothing_accepted_is_nothing_not_a_fallback():
    rows = np.array([[1.0, 0.0], [-1.0, -1e-12]])
    found = restrictions.accept(
        np.broadcast_to(rows, (500, 2, 2)),
        np.array([2]),
        rotations=4,
        rng=np.random.default_rng(1),
    )
    assert len(found.draw) == len(found.columns) == len(found.weight) == 0
    assert found.rate == found.ess == 0


def test_unnamed_columns_complete_the_rotation(accepted):
    q = restrictions.complete(accepted.columns[:500], np.random.default_rng(1))
    assert_allclose(q.swapaxes(1, 2) @ q, np.broadcast_to(np.eye(3), q.shape), atol=1e-12)
    assert np.array_equal(q[:, :, :2], accepted.columns[:500])
    assert abs((np.linalg.det(q) > 0).mean() - 0.5) < 4.5 * 0.5 / np.sqrt(500)
