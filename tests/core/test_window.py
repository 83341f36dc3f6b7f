"""The compiled recursion against the plain one, for systems of every shape."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from attribution.core import propagate
from attribution.core.propagate import solve
from attribution.core.window import carry, errors, one_variable, responses, worst_gap

SHAPES = [(1, 1, 1), (2, 3, 7), (3, 1, 12), (5, 4, 31), (8, 2, 40)]
"""Variables, lags, days: below, at and above the number of rows that share a pass."""


def system(n, lags, days, *, draws=3, shocks=None, seed=0):
    """Draws whose impact matrices are neither symmetric nor of unit diagonal, and data."""
    rng = np.random.default_rng([n, lags, days, seed])
    k = shocks or n
    coefficients = rng.normal(size=(draws, lags, n, n)) * 0.5 / (n * lags)
    unit = 10.0 ** rng.integers(-2, 3, n)
    impact = (rng.normal(size=(draws, n, k)) + 2 * np.eye(n, k)) * unit[:, None]
    coefficients = coefficients * unit[:, None] / unit
    path = rng.normal(size=(lags + days, n)) * unit
    return coefficients, rng.normal(size=(draws, n)) * unit, impact, path


def lagged(path, lags):
    days = len(path) - lags
    return np.concatenate([path[lags - 1 - i : lags - 1 - i + days] for i in range(lags)], axis=1)


def plain(coefficients, intercept, impact, shocks, path):
    """Baseline and contributions by the readable recursion."""
    lags = coefficients.shape[1]
    base = propagate.baseline(coefficients, intercept, path[:lags], shocks.shape[1])
    return base, propagate.contributions(coefficients, impact[:, None] * shocks[:, :, None, :])


@pytest.mark.parametrize(("n", "lags", "days"), SHAPES)
def test_errors_are_what_one_step_forecasts_miss(n, lags, days):
    coefficients, intercept, _, path = system(n, lags, days)
    found = errors(coefficients, intercept, lagged(path, lags), path[lags:])
    expected = propagate.residuals(coefficients, intercept, path[:lags], path[lags:])
    assert_allclose(found, expected, rtol=1e-12, atol=1e-12 * np.abs(expected).max())


@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_shocks_give_the_errors_back(n):
    rng = np.random.default_rng(n)
    impact, error = rng.normal(size=(4, n, n)), rng.normal(size=(4, 9, n))
    found = solve(impact, error)
    assert_allclose(np.einsum("dvs,dts->dtv", impact, found), error, atol=1e-10)
    # one date's shocks do not depend on which other dates are asked for
    assert_array_equal(found[:, :3], solve(impact, error[:, :3]))


def test_a_zero_on_the_diagonal_needs_an_exchange_of_rows_and_no_more():
    impact = np.array([[[0.0, 2.0], [4.0, 0.0]]])
    assert_allclose(solve(impact, np.array([[[2.0, 4.0]]])), [[[1.0, 1.0]]])


def test_a_singular_impact_matrix_has_no_shocks():
    with pytest.raises(ZeroDivisionError):
        solve(np.array([[[1.0, 2.0], [2.0, 4.0]]]), np.ones((1, 1, 2)))


@pytest.mark.parametrize(("n", "lags", "days"), SHAPES)
def test_the_compiled_recursion_is_the_plain_one(n, lags, days):
    coefficients, intercept, impact, path = system(n, lags, days, shocks=n + 2)
    shocks = np.random.default_rng(1).normal(size=(3, days, n + 2))
    base, parts = plain(coefficients, intercept, impact, shocks, path)
    size = np.abs(parts).sum((0, 1, 3))[:, None]
    state = np.zeros((3, lags * n, n + 3))
    state[..., -1] = path[:lags][::-1].ravel()
    found_base, found = np.empty_like(base), np.empty_like(parts)
    carry(coefficients, intercept, impact, shocks, np.arange(n + 2), state, found_base, found)
    assert (np.abs(found - parts) <= 1e-12 * size).all()
    assert_allclose(found_base, base, rtol=1e-12, atol=1e-12 * np.abs(base).max())


@pytest.mark.parametrize(("n", "lags", "days"), SHAPES)
def test_one_variable_alone_is_that_variable_among_all(n, lags, days):
    coefficients, intercept, impact, path = system(n, lags, days, shocks=n + 1)
    shocks = np.random.default_rng(2).normal(size=(3, days, n + 1))
    base, parts = plain(coefficients, intercept, impact, shocks, path)
    history = path[:lags][::-1].ravel()
    for i in range(n):
        found_base, found = np.empty(base.shape[:2]), np.empty((3, days, n + 1))
        one_variable(
            coefficients, intercept, impact, shocks, np.arange(n + 1), i, history, found_base, found
        )
        assert (np.abs(found - parts[:, :, i]) <= 1e-12 * np.abs(parts[:, :, i]).sum()).all()
        assert_allclose(found_base, base[:, :, i], rtol=1e-12, atol=1e-12 * np.abs(base).max())


def test_shocks_that_share_a_channel_are_summed_into_it():
    coefficients, intercept, impact, path = system(3, 2, 6)
    shocks = np.random.default_rng(3).normal(size=(3, 6, 3))
    _, parts = plain(coefficients, intercept, impact, shocks, path)
    slot = np.array([1, 0, 1])
    found, alone = np.empty((3, 6, 3, 2)), np.empty((3, 6, 2))
    carry(
        coefficients, intercept, impact, shocks, slot, np.zeros((3, 6, 4)), np.empty((3, 6, 3)),
        found,
    )  # fmt: skip
    assert_allclose(found[..., 0], parts[..., 1], atol=1e-12 * np.abs(parts).max())
    assert_allclose(found[..., 1], parts[..., [0, 2]].sum(-1), atol=1e-12 * np.abs(parts).max())
    one_variable(
        coefficients, intercept, impact, shocks, slot, 1, path[:2][::-1].ravel(), np.empty((3, 6)),
        alone,
    )  # fmt: skip
    assert_allclose(alone, found[:, :, 1], atol=1e-12 * np.abs(parts).max())


@pytest.mark.parametrize("cut", [1, 2, 5])
def test_a_span_cut_in_two_is_carried_over_the_cut(cut):
    """Blocks shorter than the lags too."""
    coefficients, intercept, impact, path = system(3, 4, 9)
    shocks = np.random.default_rng(4).normal(size=(3, 9, 3))
    whole = np.empty((3, 9, 3, 3)), np.empty((3, 9, 3))
    parts = np.empty_like(whole[0]), np.empty_like(whole[1])
    start = np.zeros((3, 12, 4))
    start[..., -1] = path[:4][::-1].ravel()
    arguments = coefficients, intercept, impact
    carry(*arguments, shocks, np.arange(3), start.copy(), whole[1], whole[0])
    for block in (slice(0, cut), slice(cut, 9)):
        base, part = parts[1][:, block].copy(), parts[0][:, block].copy()
        carry(*arguments, shocks[:, block].copy(), np.arange(3), start, base, part)
        parts[0][:, block], parts[1][:, block] = part, base
    assert_array_equal(parts[0], whole[0])
    assert_array_equal(parts[1], whole[1])


def test_responses_are_those_of_the_plain_recursion():
    coefficients, _, impact, _ = system(4, 3, 1, shocks=6)
    found = responses(coefficients, impact, 14)
    expected = propagate.responses(coefficients, impact, 14)
    assert_allclose(found, expected, rtol=1e-11, atol=1e-12 * np.abs(impact).max())


def test_a_gap_is_relative_to_the_parts_and_a_missing_number_is_not_zero():
    base, parts, seen = np.ones((1, 1, 1)), np.full((1, 1, 1, 2), 4.0), np.full((1, 1), 9.0)
    assert worst_gap(base, parts, seen) == 0
    assert_allclose(worst_gap(base + 1.7e-6, parts, seen), 1e-7, rtol=1e-6)
    for array in (base, parts, seen):
        broken = [a.copy() for a in (base, parts, seen)]
        next(b for b, a in zip(broken, (base, parts, seen), strict=True) if a is array)[:] = np.nan
        assert np.isnan(worst_gap(*broken))
