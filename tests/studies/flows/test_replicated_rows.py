"""Replicated rows beside published ones: shares of draws and their errors, counted by hand."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from numpy.testing import assert_allclose

from attribution.studies.flows.checks import _replicated

DAYS = pd.bdate_range("2025-01-01", periods=6)
FLOW = np.array([0.0, 3.0, -1.0, 0.0, 2.0, 4.0])
RETURN = np.array([1.0, -5.0, 0.5, -6.0, 0.2, 0.1])


class Day:
    focus = "fund"


@pytest.fixture
def found():
    rng = np.random.default_rng(0)
    flow = np.where(rng.random((2, 50, 6)) < 0.3, 0.0, 3 * rng.standard_normal((2, 50, 6)))
    drawn = xr.Dataset(
        {"flow": (("chain", "draw", "time"), flow)}, {"time": DAYS}, attrs={"crash": 4.0}
    )
    seen = xr.Dataset(
        {"flow": (("fund", "time"), FLOW[None]), "return": ("time", RETURN)},
        {"fund": ["fund"], "time": DAYS},
    )
    tree = xr.DataTree.from_dict({"/posterior_predictive": drawn, "/observed_data": seen})
    return flow, _replicated(tree, [Day()])


def test_each_statistic_is_that_of_its_rows(found):
    flow, table = found
    crash = RETURN < -4
    expected = {
        "share of zeros, fitted rows": ((flow == 0).mean(2), 2 / 6),
        "highest row, 2 fitted days below -4 log points": (flow[..., crash].max(2), 3.0),
        "correlation with return, fitted rows": (
            np.array([[np.corrcoef(row, RETURN)[0, 1] for row in chain] for chain in flow]),
            np.corrcoef(FLOW, RETURN)[0, 1],
        ),
    }
    assert set(table.index) == set(expected)
    for name, (draws, published) in expected.items():
        row = table.loc[name]
        assert_allclose(row["published"], published, rtol=1e-12)
        assert_allclose(row["median"], np.median(draws), rtol=1e-12)
        share = (draws >= published).mean()
        assert_allclose(row["at_least"], share, rtol=1e-12)
        assert_allclose(row["error"], np.sqrt(share * (1 - share) / draws.size), rtol=1e-12)
