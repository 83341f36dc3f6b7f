"""Recursive and long-run schemes: triangular in the order asked for, back in the system's own."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from attribution.errors import IdentificationError, SpecError
from attribution.var.identify.triangular import long_run, recursive

ORDER = ("rate", "output", "price")
PLACE = [2, 0, 1]


def test_a_recursive_impact_is_the_cholesky_factor_in_causal_order(closed):
    post = recursive(
        closed(), order=ORDER, shocks=("policy", "demand", "supply"), draws=40, seed=1
    ).posterior
    assert post.variables == ("output", "price", "rate")
    assert post.shocks == post.channels == ("policy", "demand", "supply")
    ordered = post.impact[:, :, PLACE]
    assert_allclose(ordered, np.tril(ordered), atol=0)
    assert (np.diagonal(ordered, axis1=-2, axis2=-1) > 0).all()
    factor = closed().batch(10).factor
    sigma = post.impact @ post.impact.swapaxes(-1, -2)
    assert_allclose(sigma, factor @ factor.swapaxes(-1, -2), rtol=1e-12)


def test_a_recursive_truth_is_recovered(closed):
    rng = np.random.default_rng(3)
    impact = np.array([[2.0, 0.0, 0.5], [1.0, 1.5, -3.0], [0.0, 0.0, 4.0]])  # rate, output, price
    path = np.zeros((600, 3))
    for t in range(1, 600):
        path[t] = 0.4 * path[t - 1] + impact @ rng.standard_normal(3)
    frame = pd.DataFrame(
        path, pd.date_range("2001-01-01", periods=600), ["output", "price", "rate"]
    )
    post = recursive(closed(frame, lags=1), order=ORDER, draws=2000, seed=1).posterior
    truth = impact[:, PLACE]
    low, high = np.quantile(post.impact.reshape(-1, 3, 3), (0.001, 0.999), axis=0)
    assert ((low <= truth) & (truth <= high)).all()


def test_a_long_run_response_is_triangular_in_its_order(closed):
    post = long_run(closed(), order=ORDER, draws=40, seed=1).posterior
    total = np.linalg.solve(np.eye(3) - post.lag_coefficients.sum(2), post.impact)[:, :, PLACE]
    assert_allclose(np.triu(total, 1), 0, atol=1e-12)
    assert (np.diagonal(total, axis1=-2, axis2=-1) > 0).all()
    factor = closed().batch(10).factor
    sigma = post.impact @ post.impact.swapaxes(-1, -2)
    assert_allclose(sigma, factor @ factor.swapaxes(-1, -2), rtol=1e-9)


def test_series_without_a_long_run_are_refused(closed, simulated):
    walk = simulated[0].cumsum().cumsum()
    with pytest.raises(IdentificationError, match="the long run does not exist in"):
        long_run(closed(walk), draws=400, seed=1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"order": ("rate", "output")}, "each of the 3 variables once; add price"),
        ({"order": ("rate", "output", "prices")}, "unknown variable 'prices' .nearest: 'price'"),
        ({"order": ("rate", "rate", "rate")}, "once; add output, price"),
        ({"shocks": ("one", "one", "two")}, "3 names .2 distinct. for 3 shocks"),
        ({"draws": 42}, "42 draws do not fill 4 equal chains; ask for 44"),
    ],
)
def test_orders_and_names_that_do_not_fit_are_refused(closed, options, message):
    with pytest.raises(SpecError, match=message):
        recursive(closed(), **{"draws": 40, "seed": 1, **options})
