"""Bounds that no admissible column passes, against ends that are known exactly."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from attribution.core.rotations.bounds import MARGIN, clear_of_zero, no_assumption, outer_end
from attribution.core.rotations.haar import haar
from attribution.core.rotations.robust_sets import Rows, lead_in, outer

CASES = 150


def arcs(rng, rows):
    """Cones of the plane that are not empty, forms, and the largest value on a fine circle."""
    angle = np.linspace(0.0, 2.0 * np.pi, 20_001)
    circle = np.stack([np.cos(angle), np.sin(angle)])
    g = rng.normal(size=(CASES, rows, 2))
    g *= np.sign(g @ rng.normal(size=(CASES, 2, 1)))
    g /= np.linalg.norm(g, axis=-1, keepdims=True)
    form = rng.normal(size=(CASES, 2, 2))
    form = form + form.swapaxes(1, 2)
    inside = (g @ circle >= -1e-3).all(1)
    value = np.einsum("it,dij,jt->dt", circle, form, circle)
    return g, form, np.where(inside, value, -np.inf).max(1), np.ptp(no_assumption(form), axis=-1)


@pytest.mark.parametrize("rows", [1, 2, 3, 6])
def test_in_the_plane_the_bound_is_the_end(rows):
    g, form, truth, width = arcs(np.random.default_rng(rows), rows)
    slack = (outer_end(g, form) - truth) / width
    assert slack.min() > -5e-3  # the grid reaches a thousandth beyond the arc
    assert slack.max() < 5e-3


def test_without_rows_the_bound_is_the_largest_eigenvalue_and_units_do_not_matter():
    g, form, _, _ = arcs(np.random.default_rng(0), 3)
    assert_allclose(outer_end(g[:, :0], form), np.linalg.eigvalsh(form)[:, -1])
    scaled = outer_end(1e6 * g, 1e-9 * form)
    assert_allclose(scaled, 1e-9 * outer_end(g, form), rtol=1e-9)


@pytest.mark.parametrize("n", [3, 8])
def test_no_admissible_column_passes_the_bound(n):
    rng = np.random.default_rng(n)
    g, form = rng.normal(size=(20, n, n)), rng.normal(size=(20, n, n))
    form = form + form.swapaxes(1, 2)
    q = rng.normal(size=(20, 20_000, n))
    q *= np.sign((g @ q.swapaxes(1, 2))[:, :1].swapaxes(1, 2))
    q /= np.linalg.norm(q, axis=-1, keepdims=True)
    inside = (g @ q.swapaxes(1, 2) >= 0.0).all(1)
    value = np.where(inside, np.einsum("dsi,dij,dsj->ds", q, form, q), -np.inf)
    assert (outer_end(g, form) >= value.max(1) - 1e-9).all()


def clear(rows, form):
    """Range that the search reaches and the distance from zero that is certain, in three dims."""
    values = Rows(rows[None], np.array([len(rows)]))
    rng = np.random.default_rng(1)
    frames = []
    while len(frames) < 4:
        found, frame = lead_in(values, haar(3, 1, rng))
        if found[0] and values.hold(frame)[0]:
            frames.append(frame[0])
    ends, _ = outer(values, np.array(frames)[None], form[None, None])
    return ends[0, 0, 0], clear_of_zero(
        rows[None], np.array([0, len(rows)]), form[None, None], ends
    )


def test_an_end_that_is_zero_is_not_clear_of_it_where_the_search_stops_below():
    """C = -xy over x, y > 0: never above zero, and as near to it as one likes."""
    rows, form = np.eye(3)[:2], np.zeros((3, 3))
    form[0, 1] = form[1, 0] = -0.5
    (low, high), away = clear(rows, form)
    assert low == pytest.approx(-0.5, abs=1e-3)
    assert -1e-3 < high < 0.0, "the barrier keeps the search off the wall"
    assert away.max() < MARGIN * 1.0  # of a no-assumption range of one


def test_an_end_that_is_away_from_zero_is_certainly_so():
    """The same over y/2 < x < 2y and |z| < x: from -1/2, where x = y, to -2/9, at z = x = 2y."""
    rows = np.array([[-1.0, 2.0, 0.0], [2.0, -1.0, 0.0], [1.0, 0.0, 1.0], [1.0, 0.0, -1.0]])
    form = np.zeros((3, 3))
    form[0, 1] = form[1, 0] = -0.5
    ends, away = clear(rows, form)
    assert_allclose(ends, [-1 / 2, -2 / 9], atol=1e-3)
    assert 2 / 9 - 5e-3 < away.item() < 2 / 9 + 1e-12
    assert away.item() > MARGIN * 1.0


def test_a_range_on_both_sides_of_zero_is_clear_by_nothing():
    rows, form = np.eye(3)[:1], np.diag([0.0, 1.0, -1.0])
    (low, high), away = clear(rows, form)
    assert low < 0.0 < high
    assert away.item() == 0.0
