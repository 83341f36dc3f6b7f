"""Shocks that errors determine, and the regression of a test series on them."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose

from attribution.errors import DataError
from attribution.posterior import StructuralPosterior
from attribution.var.estimate.loadings import THINNED, implied_shocks, regressed

DAYS = pd.bdate_range("2024-01-01", periods=150, name="date")
SLOPE = np.array([[[0.3, 0.1], [0.0, -0.2]], [[0.1, 0.0], [0.2, 0.1]]])
IMPACT = np.array([[1.0, -0.5], [0.3, 2.0]])
CONSTANT = np.array([0.7, -40.0])


def posterior(weight, scale):
    """Draws that are the truth times a scale: their shocks are the true ones over the scale."""
    lead = weight.shape
    return StructuralPosterior(
        variables=("x", "y"),
        shocks=("demand", "unnamed_1"),
        channels=("demand",),
        impact=IMPACT * scale[..., None, None],
        lag_coefficients=np.broadcast_to(SLOPE, (*lead, *SLOPE.shape)),
        intercept=np.broadcast_to(CONSTANT, (*lead, 2)),
        weight=weight,
    )


@pytest.fixture(scope="module")
def path():
    rng = np.random.default_rng(1)
    shocks = rng.standard_normal((len(DAYS), 2))
    y = np.zeros((len(DAYS), 2))
    for t in range(2, len(DAYS)):
        y[t] = CONSTANT + SLOPE[0] @ y[t - 1] + SLOPE[1] @ y[t - 2] + IMPACT @ shocks[t]
    return pd.DataFrame(y, DAYS, ["x", "y"]), shocks


def test_the_shocks_of_the_truth_are_the_shocks_that_made_the_data(path):
    values, shocks = path
    time = DAYS[40:120]  # the rows before the sample and after it are not of it
    found = implied_shocks(posterior(np.ones((2, 5)), np.ones((2, 5))), values, time)
    assert found.shape == (THINNED, 80, 1)
    assert_allclose(found, np.broadcast_to(shocks[40:120, :1], found.shape), atol=1e-12)


def test_weights_decide_how_often_a_draw_is_looked_at(path):
    values, shocks = path
    weight, scale = np.array([[3.0, 0.0], [0.5, 0.5]]), np.array([[1.0, 2.0], [4.0, 8.0]])
    found = implied_shocks(posterior(weight, scale), values, DAYS[2:])
    seen = shocks[2, 0] / found[:, 0, 0]
    assert_allclose([(abs(seen - s) < 1e-6).mean() for s in scale.ravel()], weight.ravel() / 4)


def test_slopes_and_errors_are_those_of_a_regression_with_robust_errors(path):
    _, shocks = path
    rng = np.random.default_rng(2)
    series = pd.Series(shocks @ [2.0, -1.0] + rng.standard_normal(len(DAYS)), DAYS, name="z")
    series.iloc[10:30] = np.nan
    found = regressed(("a", "b"), DAYS, shocks[None], series)
    seen = series.notna().to_numpy()
    fit = sm.OLS(series[seen].to_numpy(), sm.add_constant(shocks[seen])).fit(cov_type="HC0")
    assert_allclose(found.slope[0], fit.params[1:], rtol=1e-10)
    assert_allclose(found.error[0], fit.bse[1:], rtol=1e-10)
    assert found.days == seen.sum()


def test_a_test_series_with_too_few_values_is_refused(path):
    _, shocks = path
    series = pd.Series(np.where(np.arange(len(DAYS)) < 6, 1.0, np.nan), DAYS, name="z")
    with pytest.raises(DataError, match=r"column 'z': 6 values .* too few to ask what 2 channels"):
        regressed(("a", "b"), DAYS, shocks[None], series)
