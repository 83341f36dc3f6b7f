"""What every group shares: the names of draws, units, and the tree they are joined into."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr

from attribution.model.kinds import KINDS
from attribution.model.spec import ModelSpec

ESTIMAND = "S: shock attribution"
ROWS = "gaussian_rows"
"""Note of a manifest: first and last day of the rows that Gaussian errors made the posterior of."""
DRAW = ("chain", "draw")
OUTCOME, VARIABLE = "unit of the outcome", "unit of the variable, see coordinate unit"
UNITS = {
    **dict.fromkeys(("contribution", "baseline", "observed", "eve", "lower", "upper"), OUTCOME),
    **dict.fromkeys(("dilution", "no_assumption", "expected_loss"), OUTCOME),
    **dict.fromkeys(("clear", "margin"), OUTCOME),
    **dict.fromkeys(("intercept", "value"), VARIABLE),
    **dict.fromkeys(("impact", "response"), f"{VARIABLE}, per scale of the shock"),
    "lag_coefficients": f"{VARIABLE}, per unit of the regressor",
    "shock": "scales",
    **dict.fromkeys(("log_weight", "coefficients_and_covariance"), "natural log"),
    **dict.fromkeys(("elasticity_priors", "noise_priors"), "natural log"),
}
"""Units by name of variable; what is not named here is a pure number."""


def observed(values: pd.DataFrame, units: Mapping[str, str]) -> dict[str, xr.Dataset]:
    """Group ``/observed_data``: every column of the panel, with its unit."""
    names = list(values.columns)
    data = xr.Dataset(
        {"value": (("time", "variable"), values.to_numpy(float))},
        {
            "time": pd.DatetimeIndex(values.index),
            "variable": names,
            "unit": ("variable", [units[name] for name in names]),
        },
    )
    return {"/observed_data": data}


def rows_note(time: pd.DatetimeIndex) -> dict[str, str]:
    """Note which rows Gaussian errors made the posterior of; their likelihood follows."""
    return {ROWS: f"{time[0].isoformat()} to {time[-1].isoformat()}"}


def tree_of(groups: Mapping[str, xr.Dataset], spec: ModelSpec, unit: str) -> xr.DataTree:
    """Join the groups and write on the root what they are about."""
    tree = xr.DataTree.from_dict({path: _labelled(data, unit) for path, data in groups.items()})
    tree.attrs = {
        "model": spec.name,
        "title": spec.title,
        "outcome": spec.event.outcome,
        "outcome_unit": unit,
        "event": spec.event.name if spec.event.asked else "",
        "estimand": ESTIMAND,
    }
    if "scheme" in KINDS[spec.kind].reads:
        tree.attrs["scheme"] = spec.scheme.name
    return tree


def lead(weight: np.ndarray) -> dict[str, np.ndarray]:
    """Give chains and draws their numbers."""
    return {name: np.arange(size) for name, size in zip(DRAW, weight.shape, strict=True)}


def _labelled(data: xr.Dataset, outcome_unit: str) -> xr.Dataset:
    """Give every variable its unit and a name in words, and lay it out in the order of its dims.

    Sums depend on the layout in their last bits: as saved, so summarised.
    """
    out = data.copy()
    for key, array in data.data_vars.items():
        name = str(key)
        unit = UNITS.get(name, "1")
        attrs = {
            "units": outcome_unit if unit == OUTCOME else unit,
            "long_name": name.replace("_", " "),
        }
        out[key] = (array.dims, np.asarray(array.to_numpy(), order="C"), attrs)
    return out
