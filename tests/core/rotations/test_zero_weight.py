"""Exact zeros: rotations under them, derivatives, and the ratio of volume elements."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from attribution.core.rotations.functionals import functionals
from attribution.core.rotations.haar import log_volume, restricted

N, LAGS, DRAWS = 3, 2, 6
TABLES = {
    "one on impact": [(0, 0, 0)],
    "two on one shock": [(0, 0, 0), (2, 0, 0)],
    "two shocks": [(0, 0, 0), (1, 1, 0)],
    "three over two shocks": [(0, 0, 0), (1, 0, 0), (2, 1, 0)],
    "a period later": [(1, 0, 1)],
    "long run": [(2, 0, -1)],
    "impact, later and long run": [(0, 0, 0), (1, 0, 3), (2, 1, -1)],
}
"""Variable, shock, horizon; the shock with most zeros first."""


def reduced(seed=1):
    rng = np.random.default_rng(seed)
    factor = np.tril(rng.normal(size=(DRAWS, N, N)))
    factor[:, range(N), range(N)] = 1 + np.abs(factor[:, range(N), range(N)])
    return factor, 0.15 * rng.normal(size=(DRAWS, LAGS, N, N))


def rows_of(factor, lags, zeros):
    program = np.array([(2, 0, v) if h < 0 else (0, h, v) for v, _, h in zeros])
    coefficients = lags.swapaxes(2, 3).reshape(len(factor), LAGS * N, N)
    return functionals(factor, coefficients, program, np.empty((0, N)), np.empty((0, LAGS * N)))


def under_zeros(zeros, factor, lags, seed=2):
    """Rotations under the zeros (draw, n, n), and the log density of each."""
    rows = rows_of(factor, lags, zeros)
    ends = np.cumsum(np.bincount([k for _, k, _ in zeros]))
    at = np.arange(len(zeros))
    return restricted(rows, np.arange(len(rows)), at, ends, np.random.default_rng(seed))


def structure(x):
    """Impact, lag coefficients, multipliers and their sum behind (A0, A+), end to end."""
    a0, plus = x[: N * N].reshape(N, N), x[N * N :].reshape(LAGS * N, N)
    impact, slopes = np.linalg.inv(a0).T, plus @ np.linalg.inv(a0)
    lags = slopes.reshape(LAGS, N, N).swapaxes(1, 2)
    psi = [np.eye(N)]
    for h in range(1, 5):
        psi.append(sum(lags[i] @ psi[h - 1 - i] for i in range(min(LAGS, h))))
    return impact, slopes, psi, np.linalg.inv(np.eye(N) - lags.sum(0))


def zero_values(x, zeros):
    impact, _, psi, whole = structure(x)
    return np.array([((whole if h < 0 else psi[h]) @ impact)[v, k] for v, k, h in zeros])


def proposal(x, zeros):
    """Map (A0, A+) to (B, Σ) and the free coordinates of every column: ARW's g after f."""
    impact, slopes, psi, whole = structure(x)
    sigma = impact @ impact.T
    factor = np.linalg.cholesky(sigma)
    q = np.linalg.solve(factor, impact)
    auxiliary = np.random.default_rng(99).normal(size=(N, N, N))
    parts = [slopes.ravel(), sigma[np.tril_indices(N)]]
    for k in range(N):
        rows = [((whole if h < 0 else psi[h]) @ factor)[v] for v, shock, h in zeros if shock == k]
        m = np.array([*rows, *q[:, :k].T]).reshape(-1, N)
        free = auxiliary[k][:, : N - len(m)]
        free = free - m.T @ np.linalg.solve(m @ m.T, m @ free) if len(m) else free
        basis, r = np.linalg.qr(free)
        parts.append((basis * np.sign(np.diag(r))).T @ q[:, k])
    return np.concatenate(parts)


def derivative(function, x):
    columns = []
    for i in range(len(x)):
        step = np.zeros(len(x))
        step[i] = 1e-6 * max(1, abs(x[i]))
        columns.append((function(x + step) - function(x - step)) / (2 * step[i]))
    return np.array(columns).T


def parameters(impact, lags):
    a0 = np.linalg.inv(impact).T
    slopes = np.concatenate([matrix.T for matrix in lags])
    return np.concatenate([a0.ravel(), (slopes @ a0).ravel()])


@pytest.mark.parametrize("zeros", TABLES.values(), ids=TABLES)
def test_zeros_are_exact_and_the_matrix_orthogonal(zeros):
    factor, lags = reduced()
    q, _ = under_zeros(zeros, factor, lags)
    for i, (row, k) in enumerate(zip(range(len(zeros)), [k for _, k, _ in zeros], strict=True)):
        values = (rows_of(factor, lags, zeros)[:, row] * q[:, :, k]).sum(1)
        assert np.abs(values).max() < 1e-13, i
    assert_allclose(q.swapaxes(1, 2) @ q, np.broadcast_to(np.eye(N), q.shape), atol=1e-13)


@pytest.mark.parametrize("zeros", TABLES.values(), ids=TABLES)
def test_derivatives_are_those_of_finite_differences(zeros):
    factor, lags = reduced(3)
    impact = factor @ under_zeros(zeros, factor, lags)[0]
    found = log_volume(impact, lags, np.array(zeros))
    for d in range(DRAWS):
        jacobian = derivative(lambda x: zero_values(x, zeros), parameters(impact[d], lags[d]))
        assert abs(0.5 * np.linalg.slogdet(jacobian @ jacobian.T)[1] - found[d]) < 1e-7


@pytest.mark.parametrize("zeros", TABLES.values(), ids=TABLES)
def test_the_weight_is_the_ratio_of_volume_elements(zeros):
    """Both maps of Arias, Rubio-Ramirez and Waggoner by finite differences, up to one constant."""
    factor, lags = reduced(4)
    q, log_density = under_zeros(zeros, factor, lags)
    impact = factor @ q
    ours = log_volume(impact, lags, np.array(zeros)) - log_density
    theirs = np.empty(DRAWS)
    for d in range(DRAWS):
        x = parameters(impact[d], lags[d])
        tangent = np.linalg.svd(derivative(lambda y: zero_values(y, zeros), x))[2][len(zeros) :]
        moved = derivative(lambda y: proposal(y, zeros), x) @ tangent.T
        whole = (2 * N + LAGS * N + 1) * np.linalg.slogdet(impact[d])[1]
        theirs[d] = whole - 0.5 * np.linalg.slogdet(moved.T @ moved)[1]
    gap = ours - theirs
    assert np.ptp(ours) > 0.1
    assert_allclose(gap, gap.mean(), atol=1e-6)


def test_one_zero_on_impact_weighs_as_the_length_of_the_impact_vector():
    factor, lags = reduced(5)
    zeros = [(1, 0, 0)]
    q, log_density = under_zeros(zeros, factor, lags)
    impact = factor @ q
    weight = np.exp(log_volume(impact, lags[:, :0], np.array(zeros)) - log_density)
    assert_allclose(weight, np.linalg.norm(impact[:, :, 0], axis=1), rtol=1e-12)


def test_a_column_under_zeros_is_uniform_on_what_they_leave_and_so_are_the_others():
    rows = np.random.default_rng(1).normal(size=(1, 1, 4))
    at, ends = np.array([0]), np.array([1])
    q, _ = restricted(rows, np.zeros(6000, int), at, ends, np.random.default_rng(2))
    basis = np.linalg.svd(rows[0])[2][1:]
    law = stats.beta(0.5, 1.0)
    for own in basis:
        assert stats.kstest((q[:, :, 0] @ own) ** 2, law.cdf).pvalue > 0.01 / 3
    assert abs((np.linalg.det(q) > 0).mean() - 0.5) < 4.5 * 0.5 / np.sqrt(6000)


def test_zeros_that_repeat_each_other_are_told():
    rows = np.random.default_rng(1).normal(size=(1, 1, 4)) * np.array([1.0, 2.0])[None, :, None]
    at, ends = np.array([0, 1]), np.array([2])
    _, volume = restricted(rows, np.zeros(3, int), at, ends, np.random.default_rng(2))
    assert np.isinf(volume).all()
