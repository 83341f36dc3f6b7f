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


def contributions(
    splits: Sequence[Decomposition], outcome: str, unit: str
) -> dict[str, xr.Dataset]:
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
        ).map(_labelled, unit=unit)
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
    ).map(_labelled, unit=unit)
    return groups


def prior_contributions(
    splits: Sequence[Decomposition], outcome: str, unit: str
) -> dict[str, xr.Dataset]:
    """Group ``/prior``: the same sums under draws of the prior."""
    sums = np.stack([split.cumulated(outcome)[0][0] for split in splits], axis=1)
    coords = {
        "window": [split.window for split in splits],
        "channel": list(splits[0].channels),
    }
    data = xr.Dataset({"contribution": (("draw", "window", "channel"), sums)}, coords)
    return {"/prior": data.map(_labelled, unit=unit)}


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
        {**_lead(structural.weight), "day": days, "name": list(structural.shocks)},
    )
    return {"/structural_shocks": data.map(_labelled, unit="scales")}


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
    tree = xr.DataTree.from_dict(dict(groups))
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


def _labelled(array: xr.DataArray, *, unit: str) -> xr.DataArray:
    return array.assign_attrs(units=unit, long_name=str(array.name).replace("_", " "))
