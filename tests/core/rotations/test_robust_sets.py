"""Ranges over rotations under rows that differ by draw: never narrower than what is admissible."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from attribution.core.rotations import bounds, robust_sets
from attribution.core.rotations.haar import haar
from attribution.core.rotations.robust_sets import (
    Rows,
    inner,
    lead_in,
    outer,
    probability_below,
    response_rows,
    robust_region,
    shares,
)

N, DRAWS = 3, 4


@pytest.fixture(scope="module")
def world():
    """Roots, multipliers and errors of a few draws, with rows on two columns at two horizons."""
    rng = np.random.default_rng(3)
    root = np.linalg.cholesky(np.cov(rng.normal(size=(N, 12))) + 0.1 * np.eye(N))
    root = root + 0.1 * np.tril(rng.normal(size=(DRAWS, N, N)))
    psi = 0.4 * rng.normal(size=(DRAWS, N, N))
    errors = 2.0 * rng.normal(size=(DRAWS, 1, N))
    eye = np.broadcast_to(np.eye(N), (DRAWS, N, N))
    weights = np.array([[-1.0, 0, 0], [0.3, 1.0, 0], [0, 1.0, 0]])
    first = response_rows(root, np.stack([eye, eye, psi], axis=1), weights)
    second = robust_sets.shock_rows(root, errors, np.array([1.0]))
    rows = Rows(np.concatenate([first, second], axis=1), np.array([3, 4]))
    form = rng.normal(size=(DRAWS, 2, N, N))
    return root, psi, errors, rows, 0.5 * (form + form.swapaxes(-1, -2))


@pytest.fixture(scope="module")
def accepted(world):
    """Uniform rotations, which of them are admissible, and their contributions."""
    rows, form = world[3], world[4]
    frames = haar(N, DRAWS * 6000, np.random.default_rng(4)).reshape(DRAWS, 6000, N, N)
    parts = np.einsum("dsik,dwij,dsjk->dswk", frames[..., :2], form, frames[..., :2])
    return frames, rows.hold(frames), parts


def test_rows_say_what_the_responses_and_shocks_of_a_rotation_do(world, accepted):
    root, psi, errors, _, _ = world
    frames, held, _ = accepted
    impact = root[:, None] @ frames
    later = psi[:, None] @ impact
    shock = np.linalg.solve(impact, np.broadcast_to(errors[..., None], (DRAWS, 6000, N, 1)))[..., 0]
    by_hand = (
        (impact[..., 0, 0] < 0)
        & (0.3 * impact[..., 0, 0] + impact[..., 1, 0] > 0)
        & (later[..., 1, 0] > 0)
        & (shock[..., 1] > 0)
    )
    assert (held == by_hand).all()
    assert (held.sum(1) > 30).all()


def test_the_range_holds_every_admissible_rotation_and_is_nearly_reached(world, accepted):
    _, _, _, rows, form = world
    frames, held, parts = accepted
    starts = np.stack([frames[d, held[d]][:6] for d in range(DRAWS)])
    ends, gap = outer(rows, starts, form)
    drawn = inner(parts, held)
    width = np.ptp(bounds.no_assumption(form), axis=-1)[..., None]
    slack = 1e-3 * width  # the barrier's last weight keeps the ascent off the walls
    assert (ends[..., 0] <= drawn[..., 0] + slack).all()
    assert (ends[..., 1] >= drawn[..., 1] - slack).all()
    assert (np.abs(ends - drawn) < 0.12 * width[..., None]).all()
    assert (gap < 0.02).mean() > 0.9


def test_without_rows_the_range_is_that_without_assumptions(world, accepted):
    form, frames = world[4], accepted[0][:, :4]
    rows = Rows(np.zeros((DRAWS, 0, N)), np.array([0, 0]))
    ends, _ = outer(rows, frames, form)
    free = np.broadcast_to(bounds.no_assumption(form)[:, :, None], ends.shape)
    assert_allclose(ends, free, atol=2e-3 * np.ptp(free))


def test_common_rows_give_the_ranges_of_the_common_cones(world, accepted):
    root, _, _, _, form = world
    cells = np.array([[-1.0, 0, 0], [0, 1.0, 0]])
    eye = np.broadcast_to(np.eye(N), (DRAWS, 2, N, N))
    rows = Rows(response_rows(root, eye, cells), np.array([1, 2]))
    frames = accepted[0]
    held = rows.hold(frames)
    starts = np.stack([frames[d, held[d]][:4] for d in range(DRAWS)])
    ends, _ = outer(rows, starts, form)
    impact = root[:, None] @ starts
    turned = starts.swapaxes(-1, -2)[:, :, None] @ form[:, None] @ starts[:, :, None]
    known, _ = bounds.robust(impact, turned, cells, np.array([1, 2]))
    assert_allclose(ends, known, atol=1e-3 * np.ptp(known))


def test_a_frame_is_led_into_its_rows(world):
    rows = world[3]
    found, frames = lead_in(rows, haar(N, DRAWS, np.random.default_rng(5)))
    assert found.all()
    assert rows.hold(frames).all()
    eye = np.broadcast_to(np.eye(N), (DRAWS, N, N))
    assert_allclose(frames.swapaxes(1, 2) @ frames, eye, atol=1e-13)


def test_a_start_outside_is_refused(world, accepted):
    _, _, _, rows, form = world
    frames, held, _ = accepted
    outside = np.stack([frames[d, ~held[d]][:1] for d in range(DRAWS)])
    with pytest.raises(ValueError, match="violates"):
        outer(rows, outside, form)


def test_a_share_turns_the_range_over_where_the_total_is_negative():
    ends = np.array([[[[-8.0, 2.0]]]])
    assert_allclose(shares(ends, np.array([[-10.0]])), [[[[-0.2, 0.8]]]])


def test_no_accepted_rotation_gives_no_range():
    parts = np.ones((2, 3, 1, 1))
    accepted = np.array([[False] * 3, [True, False, False]])
    assert np.isnan(inner(parts, accepted)[0]).all()
    assert_allclose(inner(parts, accepted)[1], 1.0)


def test_the_region_is_the_shortest_that_covers_nine_ranges_in_ten():
    rng = np.random.default_rng(6)
    low = rng.normal(size=60)
    high = low + rng.exponential(size=60)
    weight = rng.uniform(0.5, 1.5, 60)
    start, end = robust_region(low, high, weight, level=0.8)
    share = weight / weight.sum()
    covers = [
        (b - a, a, b)
        for a in low
        for b in high
        if share[(low >= a) & (high <= b)].sum() >= 0.8 - 1e-12
    ]
    assert_allclose((end - start, start, end), min(covers))


def test_points_instead_of_ranges_give_the_shortest_credible_interval():
    draws = np.random.default_rng(7).normal(size=5000)
    region = robust_region(draws, draws, np.ones(5000))
    assert_allclose(region, [-1.645, 1.645], atol=0.12)
    assert_allclose(probability_below(draws, draws, np.ones(5000)), (draws < 0).mean())


def test_probabilities_of_all_priors_enclose_that_of_each():
    rng = np.random.default_rng(8)
    low, high = rng.normal(-1, 1, (400, 2)), rng.normal(1, 1, (400, 2))
    low, high = np.minimum(low, high), np.maximum(low, high)
    weight = rng.uniform(0, 2, 400)
    least, most = np.moveaxis(probability_below(low, high, weight), -1, 0)
    for place in np.linspace(0, 1, 5):
        one = np.average(low + place * (high - low) < 0, axis=0, weights=weight)
        assert (least <= one + 1e-12).all()
        assert (one <= most + 1e-12).all()
