"""What the days after the first window give back."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from numpy.testing import assert_allclose

from attribution.runs import transitory

CHANNELS = ["hedging", "news", "unattributed"]


def run(contributions, spans, weight=None):
    """A run of windows: contributions {window: (draw, channel)}, spans {window: days}."""
    names = list(contributions)
    stacked = np.stack([contributions[name] for name in names], axis=1)[None]
    draws = stacked.shape[1]
    groups = {
        "/posterior": xr.Dataset(
            {"contribution": (("chain", "draw", "window", "channel"), stacked)},
            {"window": names, "channel": CHANNELS},
        ),
        "/weights": xr.Dataset(
            {"weight": (("chain", "draw"), np.ones((1, draws)) if weight is None else weight)}
        ),
    }
    for name in names:
        groups[f"/windows/{name}"] = xr.Dataset(
            {"observed": ("time", np.zeros(len(spans[name])))}, {"time": spans[name]}
        )
    return xr.DataTree.from_dict(groups)


def days(first, last):
    return pd.date_range(first, last)


SPANS = {
    "crash": days("2026-02-05", "2026-02-05"),
    "shock+crash": days("2026-02-04", "2026-02-05"),
    "round-trip": days("2026-02-05", "2026-02-06"),
}


def test_the_reverted_part_is_one_minus_the_ratio_of_means():
    one = np.array([[-4.0, -2.0, 0.2], [-6.0, -2.0, 0.2]])
    back = np.array([[-1.0, -2.5, 0.1], [-1.5, -2.5, 0.1]])
    table = transitory(run({"crash": one, "shock+crash": one, "round-trip": back}, SPANS))
    assert list(table.columns[:2]) == ["crash", "round-trip"]
    assert_allclose(table.loc["hedging", "reverted"], 1 - 1.25 / 5.0)
    assert_allclose(table.loc["news", "reverted"], -0.25)
    assert_allclose(table["p_reverts"], [1.0, 0.0, 1.0])


def test_no_ratio_is_printed_for_a_part_below_one_log_point():
    one = np.full((2, 3), -0.4)
    table = transitory(run({"crash": one, "round-trip": one / 2}, SPANS))
    assert table["reverted"].isna().all()
    assert_allclose(table["p_reverts"], 1.0)


def test_weights_are_honoured():
    one = np.array([[-4.0, -4.0, -4.0], [-2.0, -2.0, -2.0]])
    back = np.array([[-2.0, -2.0, -2.0], [-3.0, -3.0, -3.0]])
    weight = np.array([[2.0, 0.0]])
    table = transitory(run({"crash": one, "round-trip": back}, SPANS, weight))
    assert_allclose(table["reverted"], 0.5)
    assert_allclose(table["p_reverts"], 1.0)


@pytest.mark.parametrize("names", [["crash"], ["crash", "shock+crash"]])
def test_without_a_longer_window_from_the_same_day_there_is_no_table(names):
    one = np.full((2, 3), -4.0)
    assert transitory(run(dict.fromkeys(names, one), SPANS)).empty
