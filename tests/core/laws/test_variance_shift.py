"""Maximum likelihood under variance regimes: against stacked least squares and known truths."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from attribution.core.laws import variance_shift as shift
from attribution.core.laws import variance_shift_likelihood as likelihood
from attribution.core.rotations.naming import match, reordered

IMPACT = np.array([[1.0, 0.5, -0.3], [-0.4, 2.0, 0.6], [0.8, -0.9, 0.5]])
VARIANCE = np.array([[1.0, 1.0, 1.0], [0.2, 1.1, 4.0], [3.0, 0.5, 1.5]])


def sample(days, variance=VARIANCE, *, seed=0, regressors=2):
    rng = np.random.default_rng(seed)
    spell = np.repeat(np.arange(len(variance)), days)
    x = np.hstack([np.ones((len(spell), 1)), rng.standard_normal((len(spell), regressors - 1))])
    shocks = rng.standard_normal((len(spell), 3)) * np.sqrt(variance[spell])
    return x @ np.array([[0.3, 0.0, -1.0], [0.5, 0.2, 0.1]]) + shocks @ IMPACT.T, x, spell


def fitted(y, x, spell):
    moment, days = shift.moments(y, x, spell)
    return shift.maximise(moment[None], days, variables=3), moment, days


@pytest.mark.parametrize("regimes", [2, 3])
def test_exact_covariances_are_diagonalised_exactly(regimes):
    days = np.array([60, 80, 70])[:regimes]
    moment = np.stack(
        [t * IMPACT @ np.diag(v) @ IMPACT.T for t, v in zip(days, VARIANCE, strict=False)]
    )
    found = shift.maximise(moment[None], days, variables=3)
    impact = np.linalg.inv(found.rows)
    order, _ = match(np.linalg.solve(IMPACT, impact))
    assert_allclose(reordered(impact, order)[0], IMPACT, rtol=1e-8, atol=1e-8)
    assert_allclose(found.variance[0][:, np.abs(order[0]) - 1], VARIANCE[:regimes], rtol=1e-7)


@pytest.mark.parametrize("regimes", [2, 3])
def test_coefficients_are_stacked_generalised_least_squares(regimes):
    """And the covariances those of its residuals: both conditions of the maximum."""
    y, x, spell = sample([50, 60, 70][:regimes], VARIANCE[:regimes])
    found, moment, days = fitted(y, x, spell)
    impact, variance = np.linalg.inv(found.rows[0]), found.variance[0]
    left, right = np.zeros((6, 6)), np.zeros(6)
    for r in range(regimes):
        inverse = np.linalg.inv(impact @ np.diag(variance[r]) @ impact.T)
        left += np.kron(inverse, x[spell == r].T @ x[spell == r])
        right += (x[spell == r].T @ y[spell == r] @ inverse).T.ravel()
    assert_allclose(found.coefficients[0], np.linalg.solve(left, right).reshape(3, 2).T, atol=1e-8)
    covariance = shift.residual_covariances(moment, days, found.coefficients[0])
    value, slope, tilt = likelihood.log_likelihood(impact, variance, covariance, days)
    assert_allclose(slope * np.abs(impact).max(), 0.0, atol=1e-5)
    assert_allclose(tilt[1:], 0.0, atol=1e-8)
    assert_allclose(value, shift.log_likelihood(found.rows, found.variance, days)[0])


def test_the_gradient_is_that_of_the_likelihood():
    y, x, spell = sample([50, 60, 70])
    moment, days = shift.moments(y, x, spell)
    covariance = shift.residual_covariances(moment, days, np.zeros((2, 3)))
    _, slope, tilt = likelihood.log_likelihood(IMPACT, VARIANCE, covariance, days)
    for i, j in np.ndindex(3, 3):
        for at, gradient in ((IMPACT, slope), (VARIANCE, tilt)):
            values = []
            for sign in (1, -1):
                moved = at.copy()
                step = sign * 1e-6
                moved[i, j] = at[i, j] + step if at is IMPACT else at[i, j] * np.exp(step)
                both = (moved, VARIANCE) if at is IMPACT else (IMPACT, moved)
                values.append(likelihood.log_likelihood(*both, covariance, days)[0])
            assert_allclose((values[0] - values[1]) / 2e-6, gradient[i, j], rtol=1e-5, atol=1e-4)


def test_freeing_every_entry_gives_the_unrestricted_maximum():
    y, x, spell = sample([80, 90], VARIANCE[:2])
    found, moment, days = fitted(y, x, spell)
    whole = likelihood.maximise_restricted(moment, days, np.ones((3, 3), bool), IMPACT)
    value = shift.log_likelihood(found.rows, found.variance, days)[0]
    assert_allclose(whole.log_likelihood, value, atol=1e-6)


def test_standard_errors_are_the_spread_over_samples():
    """400 samples of 300 days a regime: the spread is known to about 3.5 %."""
    estimates, claimed = [], []
    for seed in range(400):
        found, moment, days = fitted(*sample([300, 300], VARIANCE[:2], seed=seed))
        impact = np.linalg.inv(found.rows)
        order, _ = match(np.linalg.solve(IMPACT, impact))
        named = reordered(impact, order)[0]
        variance = found.variance[0][:, np.abs(order[0]) - 1]
        estimates.append(np.concatenate([named.ravel(), variance[1]]))
        if seed < 20:
            covariance = shift.residual_covariances(moment, days, found.coefficients[0])
            free = np.ones((3, 3), bool)
            inverse = likelihood.curvature(named, variance, covariance, days, free)
            claimed.append(np.sqrt(np.diag(inverse)))
    ratio = np.std(estimates, axis=0) / np.mean(claimed, axis=0)
    assert (np.abs(ratio - 1.0) < 0.15).all()  # four standard errors of the spread
