"""A variable in levels moves by its last day over its eve: the same move as its changes' sum."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from numpy.testing import assert_allclose

from attribution import runs
from attribution.decompose import decompose
from attribution.model.spec import Window
from attribution.posterior import StructuralPosterior
from attribution.report.figures import cumulated
from attribution.runs import window_table

DAYS = pd.date_range("2025-01-06", periods=20, freq="B", name="time")
WINDOW = Window("fall", date(2025, 1, 20), date(2025, 1, 23))
NAMES = ("price", "fear")
UNITS = {"price": "log points", "fear": "index points"}


@pytest.fixture
def pair():
    """One law said twice: one lag of the changes of both, two lags of their levels."""
    rng = np.random.default_rng(3)
    lead = (2, 30)
    lag = 0.3 * rng.normal(size=(*lead, 2, 2))
    shared = {
        "variables": NAMES,
        "shocks": ("hedging", "news"),
        "channels": ("hedging", "news"),
        "impact": np.array([[-1.5, 0.9], [0.3, 2.0]]) + 0.2 * rng.normal(size=(*lead, 2, 2)),
        "intercept": 0.1 * rng.normal(size=(*lead, 2)),
        "weight": np.ones(lead),
    }
    changes = StructuralPosterior(lag_coefficients=lag[:, :, None], **shared)
    levels = StructuralPosterior(
        lag_coefficients=np.stack([np.eye(2) + lag, -lag], axis=2), **shared
    )
    return changes, levels


@pytest.fixture
def values():
    rng = np.random.default_rng(4)
    return pd.DataFrame(rng.normal(size=(20, 2)) * 2.0, DAYS, list(NAMES))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("only", [True, False])
def test_a_model_of_levels_gives_the_contributions_of_the_model_of_changes(
    pair, values, name, only
):
    changes, levels = pair
    one = decompose(changes, values, WINDOW, name if only else None).cumulated(name)
    path = 100.0 + values.cumsum()
    other = decompose(levels, path, WINDOW, name if only else None, levels=NAMES).cumulated(name)
    for a, b in zip(one, other, strict=True):
        assert_allclose(a, b, rtol=0, atol=1e-10)
    assert_allclose(other[0].sum(-1) + other[1], other[2], atol=1e-10)


def test_only_a_variable_named_so_is_taken_to_be_in_levels(pair, values):
    _, levels = pair
    path = 100.0 + values.cumsum()
    split = decompose(levels, path, WINDOW, levels=["fear"])
    assert set(split.eve) == {"fear"}
    assert_allclose(split.cumulated("price")[2], path["price"].loc["2025-01-20":"2025-01-23"].sum())
    eve, last = path["fear"].loc["2025-01-17"], path["fear"].loc["2025-01-23"]
    assert_allclose(split.cumulated("fear")[2], last - eve)


def test_the_table_of_a_run_in_levels_is_that_of_the_run_in_changes(pair, values):
    tables = []
    for structural, frame, levels in zip(
        pair, (values, 100.0 + values.cumsum()), ((), NAMES), strict=True
    ):
        splits = [decompose(structural, frame, WINDOW, "price", levels=levels)]
        groups = runs.contributions(splits, "price") | runs.coherent(splits, "price")
        groups["/weights"] = xr.Dataset({"weight": (("chain", "draw"), structural.weight)})
        tree = xr.DataTree.from_dict(groups)
        tree.attrs["outcome_unit"] = "log points"
        tables.append(window_table(tree, "fall").drop(columns="grade"))
    ranked = ["r_hat", "ess_bulk", "ess_tail"]  # the last bits reorder draws that are all but equal
    tables = [table.drop(columns=ranked) for table in tables]
    pd.testing.assert_frame_equal(*tables, rtol=1e-8, atol=1e-9)


def test_what_is_drawn_through_the_window_starts_at_zero_and_ends_at_the_move():
    draws = np.array([[1.0, 2.0, -4.0]])
    assert_allclose(cumulated(draws), [[0.0, 1.0, 3.0, -1.0]])
    assert_allclose(cumulated(draws, eve=0.5), [[0.0, 0.5, 1.5, -4.5]])
