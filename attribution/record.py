"""Nouns in; the groups of a saved run, with coordinates and units, out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr

from attribution.core import propagate
from attribution.decompose import window_values
from attribution.model.spec import ModelSpec, Window
from attribution.posterior import Decomposition, StructuralPosterior

ESTIMAND = "S: shock attribution"
HORIZONS = 10
DRAW = ("chain", "draw")
OUTCOME, VARIABLE = "unit of the outcome", "unit of the variable, see coordinate unit"
UNITS = {
    **dict.fromkeys(("contribution", "baseline", "observed", "lower", "upper"), OUTCOME),
    **dict.fromkeys(("dilution", "no_assumption"), OUTCOME),
    **dict.fromkeys(("intercept", "value"), VARIABLE),
    **dict.fromkeys(("impact", "response"), f"{VARIABLE}, per scale of the shock"),
    "lag_coefficients": f"{VARIABLE}, per unit of the regressor",
    "shock": "scales",
    "log_weight": "natural log",
}
"""Units by name of variable; what is not named here is a pure number."""


def contributions(splits: Sequence[Decomposition], outcome: str) -> dict[str, xr.Dataset]:
    """Make groups ``/posterior`` (sums over each window) and ``/windows/...`` (day by day)."""
    sums, baselines, groups = [], [], {}
    for split in splits:
        i = split.variables.index(outcome)
        total, base, _ = split.cumulated(outcome)
        sums.append(total)
        baselines.append(base)
        groups[f"/windows/{split.window}"] = xr.Dataset(
            {
                "contribution": ((*DRAW, "time", "channel"), split.contribution[:, :, :, i]),
                "baseline": ((*DRAW, "time"), split.baseline[:, :, :, i]),
                "observed": ("time", split.observed[:, i]),
            },
            {**_lead(split.weight), "time": split.time, "channel": list(split.channels)},
        )
    groups["/posterior"] = xr.Dataset(
        {
            "contribution": ((*DRAW, "window", "channel"), np.stack(sums, axis=2)),
            "baseline": ((*DRAW, "window"), np.stack(baselines, axis=2)),
        },
        {
            **_lead(splits[0].weight),
            "window": [split.window for split in splits],
            "channel": list(splits[0].channels),
        },
    )
    return groups


def prior_contributions(splits: Sequence[Decomposition], outcome: str) -> dict[str, xr.Dataset]:
    """Group ``/prior``: the same sums under draws of the prior."""
    sums = np.stack([split.cumulated(outcome)[0][0] for split in splits], axis=1)
    coords = {
        "window": [split.window for split in splits],
        "channel": list(splits[0].channels),
    }
    data = xr.Dataset({"contribution": (("draw", "window", "channel"), sums)}, coords)
    return {"/prior": data}


def structure(structural: StructuralPosterior, units: Mapping[str, str]) -> dict[str, xr.Dataset]:
    """Make groups ``/structural``, ``/structural_shocks``, ``/responses`` and ``/weights``."""
    variables, shocks = list(structural.variables), list(structural.shocks)
    lead = _lead(structural.weight)
    channels = [shocks.index(name) for name in structural.channels]
    unit = ("variable", [units[name] for name in variables])
    groups = {
        "/weights": xr.Dataset({"weight": (DRAW, structural.weight)}, lead),
        "/structural": xr.Dataset(
            {
                "impact": ((*DRAW, "variable", "shock"), structural.impact),
                "lag_coefficients": (
                    (*DRAW, "lag", "variable", "regressor"),
                    structural.lag_coefficients,
                ),
                "intercept": ((*DRAW, "variable"), structural.intercept),
            },
            {
                **lead,
                "variable": variables,
                "regressor": variables,
                "shock": shocks,
                "lag": np.arange(1, structural.lag_coefficients.shape[2] + 1),
                "unit": unit,
            },
        ),
        "/responses": xr.Dataset(
            {
                "response": (
                    (*DRAW, "horizon", "variable", "channel"),
                    propagate.responses(
                        structural.lag_coefficients, structural.impact[..., channels], HORIZONS
                    ),
                )
            },
            {
                **lead,
                "horizon": np.arange(HORIZONS + 1),
                "variable": variables,
                "channel": list(structural.channels),
                "unit": unit,
            },
        ),
    }
    return groups


def event_shocks(
    structural: StructuralPosterior, values: pd.DataFrame, spec: ModelSpec
) -> dict[str, xr.Dataset]:
    """Make group ``/structural_shocks``: those of the event's days (chain, draw, day, shock)."""
    whole = Window("event", spec.event.start, spec.event.end)
    days, history, seen = window_values(values, whole, structural.lag_coefficients.shape[2])
    errors = propagate.residuals(structural.lag_coefficients, structural.intercept, history, seen)
    data = xr.Dataset(
        {"shock": ((*DRAW, "day", "name"), structural.shocks_of(errors, days))},
        {**_lead(structural.weight), "day": days.rename("day"), "name": list(structural.shocks)},
    )
    return {"/structural_shocks": data}


def every_way(ways: Sequence[str], contribution: Sequence[xr.DataArray]) -> xr.Dataset:
    """Group ``/event_in`` of fits of their own: no weights, one set of draws each."""
    lead = contribution[0].transpose(*DRAW, ...).shape[:2]
    data = xr.Dataset(
        {
            "contribution": xr.concat(contribution, "event_in"),
            "log_weight": (("event_in", *DRAW), np.zeros((len(ways), *lead))),
            "pareto_k": ("event_in", np.full(len(ways), np.nan)),
        }
    )
    return data.assign_coords(event_in=list(ways))


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


def tree_of(groups: Mapping[str, xr.Dataset], spec: ModelSpec, unit: str) -> xr.DataTree:
    """Join the groups and write on the root what they are about."""
    tree = xr.DataTree.from_dict({path: _labelled(data, unit) for path, data in groups.items()})
    tree.attrs = {
        "model": spec.name,
        "title": spec.title,
        "outcome": spec.event.outcome,
        "outcome_unit": unit,
        "event": spec.event.name,
        "estimand": ESTIMAND,
    }
    return tree


def _lead(weight: np.ndarray) -> dict[str, np.ndarray]:
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
