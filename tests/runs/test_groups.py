"""Nouns in, groups out: sums are sums of days, days keep their labels, variables their units."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from numpy.testing import assert_allclose, assert_array_equal

from attribution import runs
from attribution.decompose import decompose
from attribution.model import read_model
from attribution.model.spec import Event, Window
from attribution.posterior import StructuralPosterior

DAYS = pd.date_range("2025-01-06", periods=12, freq="B", name="time")
UNITS = {"coin": "log points", "fear": "index points"}
WINDOWS = (
    Window("one", date(2025, 1, 15), date(2025, 1, 15)),
    Window("two", date(2025, 1, 14), date(2025, 1, 16)),
)


@pytest.fixture
def values():
    rng = np.random.default_rng(2)
    return pd.DataFrame(rng.normal(size=(12, 2)), DAYS, list(UNITS))


@pytest.fixture
def structural():
    """Two chains of five draws of a system whose impact matrix is neither unit nor symmetric."""
    rng = np.random.default_rng(3)
    weight = rng.gamma(3.0, size=(2, 5))
    return StructuralPosterior(
        variables=("coin", "fear"),
        shocks=("native", "other"),
        channels=("native",),
        impact=np.array([[-1.5, 0.4], [0.3, 2.0]]) + 0.1 * rng.normal(size=(2, 5, 2, 2)),
        lag_coefficients=0.2 * rng.normal(size=(2, 5, 1, 2, 2)),
        intercept=0.1 * rng.normal(size=(2, 5, 2)),
        weight=weight / weight.mean(),
    )


@pytest.fixture
def groups(structural, values):
    splits = [decompose(structural, values, window) for window in WINDOWS]
    return runs.contributions(splits, "coin")


def test_a_window_s_sum_is_the_sum_of_its_days(groups, values):
    posterior = groups["/posterior"]
    assert posterior["window"].to_numpy().tolist() == ["one", "two"]
    assert posterior["channel"].to_numpy().tolist() == ["native", "unattributed"]
    for window in WINDOWS:
        days = groups[f"/windows/{window.name}"]
        inside = values.loc[str(window.start) : str(window.end)]
        assert list(days["time"].to_index()) == list(inside.index)
        assert_array_equal(days["observed"], inside["coin"])
        sums = posterior.sel(window=window.name)
        assert_allclose(sums["contribution"], days["contribution"].sum("time"), atol=1e-14)
        total = sums["contribution"].sum("channel") + sums["baseline"]
        assert_allclose(total, inside["coin"].sum(), atol=1e-12)


def test_only_the_outcome_is_kept_and_it_is_the_outcome(structural, values):
    """The other variable's contributions are other numbers: the right column was taken."""
    splits = [decompose(structural, values, WINDOWS[0])]
    coin, fear = (runs.contributions(splits, name)["/posterior"] for name in UNITS)
    assert_allclose(
        coin["contribution"][..., 0, :].sum("channel") + coin["baseline"][..., 0],
        values.loc["2025-01-15", "coin"],
        atol=1e-12,
    )
    assert not np.allclose(coin["contribution"], fear["contribution"])


def test_the_shocks_of_the_event_carry_their_days_and_names(structural, values):
    spec = read_model("var")
    event = Event("a fall", "coin", WINDOWS, (WINDOWS[1].start, WINDOWS[1].end))
    found = runs.event_shocks(structural, values, replace(spec, event=event))
    shock = found["/structural_shocks"]["shock"]
    assert [f"{day:%d}" for day in shock["day"].to_index()] == ["14", "15", "16"]
    assert shock.indexes["name"].tolist() == ["native", "other"]
    assert shock.dims == ("chain", "draw", "day", "name")
    # what the model expected and what the shocks did is what happened
    for day in shock["day"].to_index():
        eve = values.loc[:day].iloc[-2].to_numpy()
        errors = np.einsum("cdvs,cds->cdv", structural.impact, shock.sel(day=day).to_numpy())
        path = structural.intercept + structural.lag_coefficients[:, :, 0] @ eve + errors
        assert_allclose(path, np.broadcast_to(values.loc[day].to_numpy(), path.shape), atol=1e-12)


def test_structure_keeps_weights_lags_and_units(structural):
    groups = runs.structure(structural, UNITS)
    assert_array_equal(groups["/weights"]["weight"], structural.weight)
    assert groups["/structural"]["lag"].to_numpy().tolist() == [1]
    assert groups["/structural"]["unit"].to_numpy().tolist() == list(UNITS.values())
    response = groups["/responses"]["response"]
    assert response.sizes["horizon"] == runs.HORIZONS + 1
    assert_allclose(response.isel(horizon=0, channel=0), structural.impact[..., 0], atol=1e-14)
    once = structural.lag_coefficients[:, :, 0] @ structural.impact
    assert_allclose(response.isel(horizon=1, channel=0), once[..., 0], atol=1e-13)


def test_every_variable_of_a_tree_gets_a_unit_a_name_and_the_order_of_its_dims(groups, values):
    groups = groups | runs.observed(values, UNITS)
    groups["/weights"] = xr.Dataset({"weight": (("chain", "draw"), np.ones((5, 2)).T)})
    groups["/scalar"] = xr.Dataset({"half": 0.5})
    tree = runs.tree_of(groups, read_model("var"), "log points")
    said = {node.path: dict(node.data_vars) for node in tree.subtree if node.data_vars}
    assert said.keys() == set(groups)
    for arrays in said.values():
        for array in arrays.values():
            assert set(array.attrs) == {"units", "long_name"}
            assert array.to_numpy().flags.c_contiguous
    assert tree["posterior/contribution"].attrs["units"] == "log points"
    assert tree["weights/weight"].attrs == {"units": "1", "long_name": "weight"}
    assert tree["observed_data/value"].attrs["units"].startswith("unit of the variable")
    assert tree["scalar/half"].ndim == 0
    assert tree.attrs["estimand"] == runs.ESTIMAND
    for path, data in groups.items():
        for name in data.data_vars:
            assert_array_equal(tree[path][name], data[name])
