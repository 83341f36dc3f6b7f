"""Three exact facts about a window's contributions, and ranges over admissible rotations."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose

from attribution.core import propagate
from attribution.core.rotations import bounds, restrictions
from attribution.core.rotations.haar import haar

N, DAYS, OUTCOME = 4, 3, 1
FALL = [0, -1.0, 0, 0]
TABLE = np.array(
    [FALL, [-1.0, 0, 0, 0], [0, 0.8, 1.0, 0], FALL, [1.0, 0.2, 0, 0], [0, 0, 1.0, 0.0]]
)
ENDS = np.array([3, 6])


@pytest.fixture(scope="module")
def world():
    """Draws of a structural VAR and one-step errors: unequal units, asymmetric impact."""
    rng = np.random.default_rng(11)
    unit = np.array([1.0, 0.1, 30.0, 5.0])
    impact = rng.normal(size=(6, N, N)) * unit[:, None] + 2 * np.diag(unit)
    lags = 0.3 * rng.normal(size=(6, 2, N, N)) * unit[:, None] / unit
    return impact, lags, 3 * rng.normal(size=(6, DAYS, N)) * unit


def brute_force(impact, lags, errors):
    """Contributions to the outcome, summed over the window, by carrying impulses forward."""
    shocks = np.linalg.solve(impact[:, None], errors[..., None])[..., 0]
    parts = propagate.contributions(lags, impact[:, None] * shocks[:, :, None, :])
    return parts[:, :, OUTCOME].sum(1)


def test_contributions_are_the_quadratic_form_of_the_columns(world):
    impact, lags, errors = world
    rng = np.random.default_rng(1)
    root = np.linalg.cholesky(impact @ impact.swapaxes(1, 2))
    form = bounds.window_form(lags, root, errors, OUTCOME)
    for _ in range(5):
        q = haar(N, 6, rng)
        direct = brute_force(root @ q, lags, errors)
        size = np.abs(direct).max()
        assert_allclose(bounds.contribution(form, q), direct, rtol=0, atol=1e-10 * size)
        # with an impact matrix as root, the diagonal is the contributions
        other = bounds.window_form(lags, root @ q, errors, OUTCOME)
        assert_allclose(np.diagonal(other, axis1=1, axis2=2), direct, atol=1e-10 * size)


def test_contributions_add_up_to_the_trace_whatever_the_rotation(world):
    impact, lags, errors = world
    form = bounds.window_form(lags, impact, errors, OUTCOME)
    q = haar(N, 6, np.random.default_rng(2))
    total = brute_force(impact, lags, errors).sum(-1)
    assert_allclose(bounds.contribution(form, q).sum(-1), total, rtol=1e-10)
    assert_allclose(bounds.dilution(form) * N, total, rtol=1e-10)


def test_no_rotation_leaves_the_eigenvalues_and_some_rotation_reaches_them(world):
    impact, lags, errors = world
    form = bounds.window_form(lags, impact, errors, OUTCOME)
    ends = bounds.no_assumption(form)
    q = haar(N, 6000, np.random.default_rng(3)).reshape(6, 1000, N, N)
    parts = bounds.contribution(form[:, None], q)
    assert (parts >= ends[:, None, None, 0] - 1e-10).all()
    assert (parts <= ends[:, None, None, 1] + 1e-10).all()
    vectors = np.linalg.eigh(form)[1]
    assert_allclose(bounds.contribution(form, vectors)[:, [0, -1]], ends, rtol=1e-10)


def test_on_one_day_the_range_is_half_the_outcome_plus_or_minus_sd_times_length(world):
    """Closed form: [(r − s d)/2, (r + s d)/2], with d the Mahalanobis length of the day."""
    impact, lags, errors = world
    form = bounds.window_form(lags, impact, errors[:, :1], OUTCOME)
    sigma = impact @ impact.swapaxes(1, 2)
    day = errors[:, 0]
    length = np.sqrt(np.einsum("di,dij,dj->d", day, np.linalg.inv(sigma), day))
    sd = np.sqrt(sigma[:, OUTCOME, OUTCOME])
    expected = 0.5 * np.stack([day[:, OUTCOME] - sd * length, day[:, OUTCOME] + sd * length], -1)
    assert_allclose(bounds.no_assumption(form), expected, rtol=1e-10)


def test_a_uniform_rotation_books_the_same_to_every_shock(world):
    """The dilution is the prior talking: tr(M)/n, and less with every variable added."""
    impact, lags, errors = world
    form = bounds.window_form(lags, impact, errors, OUTCOME)[0]
    parts = bounds.contribution(form, haar(N, 40_000, np.random.default_rng(4)))
    error = parts.std(0) / np.sqrt(40_000)
    assert (np.abs(parts.mean(0) - bounds.dilution(form)) < 4.5 * error).all()


def admissible_columns(root, rows, ends, rng, rotations=40_000):
    found = restrictions.accept(
        np.repeat((rows @ root)[None], rotations, 0), ends, rotations=1, rng=rng
    )
    return restrictions.complete(found.columns, rng)


def ranges(root, form, rows, ends, starts):
    impact = (root @ starts)[None]
    forms = (starts.swapaxes(1, 2) @ form @ starts)[None, :, None]
    reached, gap = bounds.robust(impact, forms, rows, ends)
    return reached[0, 0], gap[0, 0]


@pytest.mark.parametrize("draw", range(6))
def test_the_ranges_contain_every_accepted_rotation_and_little_more(world, draw):
    impact, lags, errors = (array[draw] for array in world)
    root = np.linalg.cholesky(impact @ impact.T)
    form = bounds.window_form(lags, root, errors, OUTCOME)
    q = admissible_columns(root, TABLE, ENDS, np.random.default_rng(draw))
    parts = bounds.contribution(form, q)[:, :2]
    reached, gap = ranges(root, form, TABLE, ENDS, q[:16])
    width = np.diff(bounds.no_assumption(form))
    assert (reached[:, 0] <= parts.min(0) + 0.002 * width).all()
    assert (reached[:, 1] >= parts.max(0) - 0.002 * width).all()
    # thousands of uniform draws come near the ends but not quite: no range is invented
    assert (reached[:, 0] >= parts.min(0) - 0.15 * width).all()
    assert (reached[:, 1] <= parts.max(0) + 0.15 * width).all()
    assert (gap < bounds.AGREEMENT).all()


def test_in_the_plane_the_range_is_that_of_a_fine_grid_of_angles():
    rng = np.random.default_rng(5)
    for _ in range(10):
        impact = rng.normal(size=(2, 2)) + np.eye(2)
        root = np.linalg.cholesky(impact @ impact.T)
        rows, ends = np.array([[1.0, 0], [0.3, 1.0], [0.8, -0.2]]), np.array([3])
        form = bounds.window_form(
            0.3 * rng.normal(size=(1, 2, 2)), root, rng.normal(size=(1, 2)), 0
        )
        angle = np.linspace(-np.pi, np.pi, 200_001)
        column = np.stack([np.cos(angle), np.sin(angle)])
        inside = (rows @ root @ column >= 0).all(0)
        exact = np.einsum("ia,ij,ja->a", column, form, column)[inside]
        starts = admissible_columns(root, rows, ends, rng, 200)[:4]
        reached, _ = ranges(root, form, rows, ends, starts)
        width = np.diff(bounds.no_assumption(form))[0]
        assert_allclose(reached[0], [exact.min(), exact.max()], rtol=0, atol=2e-3 * width)


def test_without_restrictions_the_range_is_the_no_assumption_range(world):
    impact, lags, errors = world
    form = bounds.window_form(lags, impact, errors, OUTCOME)
    rows, ends = np.array([FALL]), np.array([1])  # a sign alone fixes no contribution
    for d in range(6):
        q = haar(N, 16, np.random.default_rng(d))
        signs = np.sign(rows @ impact[d] @ q)
        reached, _ = ranges(impact[d], form[d], rows, ends, q * signs)
        width = np.diff(bounds.no_assumption(form[d]))[0]
        assert_allclose(reached[0], bounds.no_assumption(form[d]), rtol=0, atol=2e-3 * width)
        strength = bounds.identification_strength(reached[:, 0], reached[:, 1], form[d])
        assert abs(strength[0]) < 5e-3


def test_a_true_restriction_never_lowers_the_identification_strength(world):
    """Rows are added one at a time; each is true of the rotation that starts every search."""
    impact, lags, errors = (array[0] for array in world)
    root = np.linalg.cholesky(impact @ impact.T)
    form = bounds.window_form(lags, root, errors, OUTCOME)
    rng = np.random.default_rng(6)
    q = admissible_columns(root, TABLE, ENDS, rng)
    tables = [TABLE[[0, 3]], TABLE[[0, 1, 3]], TABLE[[0, 1, 3, 4]], TABLE[[0, 1, 2, 3, 4]], TABLE]
    strengths = []
    for rows in tables:
        own = [np.flatnonzero((TABLE[k : k + 1] == rows).all(1)).size for k in range(6)]
        ends = np.array([sum(own[1:3]) + 1, len(rows)])
        reached, _ = ranges(root, form, rows, ends, q[:8])
        strengths.append(bounds.identification_strength(reached[:, 0], reached[:, 1], form))
    for before, after in pairwise(strengths):
        assert (after >= before - 0.01).all()
    assert (strengths[-1] > strengths[0] + 0.02).any()


def test_a_single_start_agrees_with_nobody(world):
    impact, lags, errors = (array[:1] for array in world)
    form = bounds.window_form(lags, impact, errors, OUTCOME)
    turned = impact * np.sign(-impact[:, OUTCOME, None, :])
    _, gap = bounds.robust(turned[:, None], form[:, None, None], np.array([FALL]), np.array([1]))
    assert np.isinf(gap).all()


def test_a_guess_is_led_into_the_cones_and_keeps_the_covariance(world):
    impact = world[0]
    root = np.linalg.cholesky(impact @ impact.swapaxes(1, 2))
    found, led = bounds.admissible(root, np.roll(impact, 1, axis=0), TABLE, ENDS)
    assert found.all()
    for k, own in enumerate(np.split(TABLE, ENDS[:-1])):
        assert (led[:, :, k] @ own.T > 0).all()
    assert_allclose(led @ led.swapaxes(1, 2), root @ root.swapaxes(1, 2), rtol=1e-8, atol=1e-8)


def test_where_no_rotation_is_admissible_none_is_returned():
    """Two shocks that must both move two uncorrelated series the same way are not orthogonal."""
    rows = np.array([[1.0, 0], [0, 1.0], [1.0, 0], [0, 1.0]])
    found, _ = bounds.admissible(np.eye(2)[None], np.eye(2)[None], rows, np.array([2, 4]))
    assert not found.any()
