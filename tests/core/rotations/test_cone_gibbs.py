"""The exact sampler targets the law of drawing and rejecting, wherever both can be run."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from attribution.core.rotations import cone_gibbs, restrictions
from attribution.sampling import diagnostics

DOF = 8.0
SIGMA = np.array([[1.0, 0.3, -0.2], [0.3, 1.0, 0.4], [-0.2, 0.4, 1.0]])
FALL = [-1.0, 0, 0]
FIRST = np.array([FALL, [0, -1.0, 0], [0.5, 0, 1.0]])
SECOND = np.array([FALL, [-0.4, 1.0, 0], [0, 0.3, 1.0]])
THIRD = np.array([FALL, [-1.0, -1.0, 0]])
BAND = np.array([FALL, [-0.2, 1.0, 0], [-0.3, -1.0, 0], [0, 0, 1.0]])  # |h2| within a narrow band


def cones(*tables):
    rows = np.concatenate([np.zeros((0, 3)), *tables])
    return rows, np.cumsum([len(table) for table in tables], dtype=int)


def reference(rows, ends, scale, draws, seed, rotations=20):
    """Impact columns of the named shocks by joint accept-reject, reduced form by scipy."""
    rng = np.random.default_rng(seed)
    factor = np.linalg.cholesky(stats.invwishart(DOF, scale).rvs(draws, random_state=rng))
    found = restrictions.accept(rows @ factor, ends, rotations=rotations, rng=rng)
    share = found.weight / found.weight.sum()
    pick = rng.choice(len(share), size=min(3000, int(found.ess / 4)), p=share)
    return (factor[found.draw] @ found.columns)[pick]


def chain(rows, ends, scale, start, seed, draws=3000, thin=60):
    return cone_gibbs.sample(
        start, scale, DOF, rows, ends,
        draws=draws, burn_in=300, thin=thin, rng=np.random.default_rng(seed),
    )  # fmt: skip


def start_of(rows, ends, scale, seed=0):
    """An admissible matrix by brute force."""
    rng = np.random.default_rng(seed)
    factor = np.linalg.cholesky(stats.invwishart(DOF, scale).rvs(500, random_state=rng))
    found = restrictions.accept(rows @ factor, ends, rotations=30, rng=rng)
    q = restrictions.complete(found.columns[:1], rng)
    return (factor[found.draw[:1]] @ q)[0]


CASES = {
    "one named shock of three": cones(FIRST),
    "a narrow band": cones(BAND),
    "two of three": cones(FIRST, SECOND),
    "two of three, touching cones": cones(FIRST, THIRD),
    "all named: both orientations": cones(FIRST, SECOND, THIRD),
}


@pytest.mark.parametrize("name", CASES)
def test_draws_have_the_law_of_joint_accept_reject(name):
    rows, ends = CASES[name]
    scale = SIGMA * (DOF - 4)
    wanted = reference(rows, ends, scale, 8000, 1)
    found = chain(rows, ends, scale, start_of(rows, ends, scale), 2)[:, :, : len(ends)]
    # thinned until nearly independent, so that a two-sample test applies
    assert diagnostics.effective_size(found.reshape(1, len(found), -1)).min() > 1500
    found = found[::2]
    one, two = (x.reshape(len(x), -1) for x in (found, wanted))
    pairs = [(one[:, i], two[:, i]) for i in range(one.shape[1])]
    pairs.append(tuple(np.log(np.linalg.norm(x, axis=1)) for x in (one, two)))
    for a, b in pairs:
        assert stats.ks_2samp(a, b).pvalue > 0.01 / len(pairs)


def test_without_cones_the_covariance_is_inverse_wishart():
    rows, ends = np.zeros((0, 3)), np.zeros(0, dtype=int)
    scale = SIGMA * (DOF - 4)
    impact = chain(rows, ends, scale, np.eye(3), 3)
    sigma = impact @ impact.swapaxes(1, 2)
    for i in range(3):
        law = stats.invgamma(0.5 * (DOF - 2), scale=0.5 * scale[i, i])
        assert stats.kstest(sigma[:, i, i], law.cdf).pvalue > 1e-3
    direct = stats.invwishart(DOF, scale).rvs(3000, random_state=np.random.default_rng(4))
    logs = [np.linalg.slogdet(x)[1] for x in (sigma, direct)]
    assert stats.ks_2samp(*logs).pvalue > 1e-3


def test_a_wrong_power_of_the_determinant_would_be_noticed():
    """The tests above can fail: one degree of freedom off is another law."""
    scale = SIGMA * (DOF - 4)
    impact = cone_gibbs.sample(
        np.eye(3), scale, DOF + 1, np.zeros((0, 3)), np.zeros(0, dtype=int),
        draws=3000, burn_in=300, thin=60, rng=np.random.default_rng(3),
    )  # fmt: skip
    sigma = impact @ impact.swapaxes(1, 2)
    law = stats.invgamma(0.5 * (DOF - 2), scale=0.5 * scale[0, 0])
    assert stats.kstest(sigma[:, 0, 0], law.cdf).pvalue < 1e-3


def test_every_draw_obeys_every_row():
    rows, ends = CASES["all named: both orientations"]
    impact = chain(rows, ends, SIGMA * 4, start_of(rows, ends, SIGMA * 4), 5, draws=500)
    for k, own in enumerate(np.split(rows, ends[:-1])):
        assert (impact[:, :, k] @ own.T >= -1e-12).all()


def test_both_orientations_occur_when_every_shock_is_named():
    rows, ends = CASES["all named: both orientations"]
    impact = chain(rows, ends, SIGMA * 4, start_of(rows, ends, SIGMA * 4), 6, draws=1000)
    assert 0.01 < (np.linalg.det(impact) < 0).mean() < 0.99


def test_where_a_chain_starts_does_not_matter():
    rows, ends = CASES["two of three"]
    chains = [
        chain(rows, ends, SIGMA * 4, start_of(rows, ends, SIGMA * 4, seed), seed, draws=800)
        for seed in range(4)
    ]
    draws = np.array(chains).reshape(4, 800, -1)[:, :, :9]
    assert (diagnostics.split_rhat(draws) < 1.02).all()


def test_a_start_next_to_singular_is_left_without_losing_a_number():
    """Rounding next to a singular matrix must not make a squared length negative."""
    begin = np.eye(3)
    begin[:, 2] = begin[:, 1] + [0, 0, 3e-4]
    for seed in range(200):
        impact = chain(*cones(), SIGMA * 4, begin, seed, draws=5, thin=1)
        assert np.isfinite(impact).all()


def test_units_do_not_matter():
    factor = np.array([1.0, 1000.0, 1e-3])
    rows, ends = CASES["two of three"]
    scale, begin = SIGMA * 4, start_of(rows, ends, SIGMA * 4)
    one = chain(rows, ends, scale, begin, 7, draws=20, thin=1)
    two = chain(
        rows / factor, ends, scale * np.outer(factor, factor), begin * factor[:, None], 7,
        draws=20, thin=1,
    )  # fmt: skip
    # rounding differs, and a chain forgets its start in a few hundred sweeps
    assert_allclose(two[0] / factor[:, None], one[0], rtol=1e-6, atol=1e-9)


def test_one_seed_gives_the_same_bits():
    rows, ends = CASES["two of three"]
    begin = start_of(rows, ends, SIGMA * 4)
    one, same, other = (chain(rows, ends, SIGMA * 4, begin, s, draws=20) for s in (5, 5, 6))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


@pytest.mark.slow
@pytest.mark.stored
@pytest.mark.parametrize("seed", range(10))
def test_random_tables_have_the_law_of_joint_accept_reject(seed):
    rng = np.random.default_rng(100 + seed)
    named = int(rng.integers(1, 4))
    inside = np.array([-1.0, *rng.normal(size=2)])  # every table has room around some column
    tables = []
    for _ in range(named):
        extra = rng.normal(size=(int(rng.integers(1, 3)), 3))
        tables.append(np.vstack([FALL, extra * np.sign(extra @ inside)[:, None]]))
        inside = np.array([-1.0, *rng.normal(size=2)])
    rows, ends = cones(*tables)
    scale = SIGMA * (DOF - 4)
    wanted = reference(rows, ends, scale, 20_000, seed)
    found = chain(rows, ends, scale, start_of(rows, ends, scale), seed, thin=400)
    assert diagnostics.effective_size(found.reshape(1, len(found), -1)[..., :3]).min() > 500
    for v in range(3):
        for k in range(named):
            assert stats.ks_2samp(found[:, v, k], wanted[:, v, k]).pvalue > 0.01 / (10 * 3 * named)
