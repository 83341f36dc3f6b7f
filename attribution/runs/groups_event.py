"""Decompositions in; the groups of a saved run that are about its event, out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr

from attribution.core.weighted_draws import coherent_draw
from attribution.decompose import decompose, window_shocks, window_values
from attribution.model.spec import ModelSpec, Window
from attribution.posterior import Decomposition, StructuralPosterior
from attribution.runs.groups_system import structural_of
from attribution.runs.labels import DRAW, lead


def contributions(splits: Sequence[Decomposition], outcome: str) -> dict[str, xr.Dataset]:
    """Make groups ``/posterior`` (moves over each window) and ``/windows/...`` (day by day)."""
    sums, baselines, groups = [], [], {}
    for split in splits:
        i = split.variables.index(outcome)
        total, base, _ = split.cumulated(outcome)
        sums.append(total)
        baselines.append(base)
        eve = {"eve": split.eve[outcome]} if outcome in split.eve else {}
        groups[f"/windows/{split.window}"] = xr.Dataset(
            {
                **eve,
                "contribution": ((*DRAW, "time", "channel"), split.contribution[:, :, :, i]),
                "baseline": ((*DRAW, "time"), split.baseline[:, :, :, i]),
                "observed": ("time", split.observed[:, i]),
            },
            {**lead(split.weight), "time": split.time, "channel": list(split.channels)},
        )
    groups["/posterior"] = xr.Dataset(
        {
            "contribution": ((*DRAW, "window", "channel"), np.stack(sums, axis=2)),
            "baseline": ((*DRAW, "window"), np.stack(baselines, axis=2)),
        },
        {
            **lead(splits[0].weight),
            "window": [split.window for split in splits],
            "channel": list(splits[0].channels),
        },
    )
    return groups


def coherent(splits: Sequence[Decomposition], outcome: str) -> dict[str, xr.Dataset]:
    """Group ``/coherent``: the draw nearest to all others, in all windows together.

    References
    ----------
    inoue2022
    """
    parts = [split.cumulated(outcome) for split in splits]
    draws = np.concatenate([np.concatenate([p[0], p[1][..., None]], axis=2) for p in parts], axis=2)
    weight = splits[0].weight
    chosen, loss = coherent_draw(draws.reshape(weight.size, -1), weight.ravel())
    chain, draw = np.unravel_index(chosen, weight.shape)
    data = xr.Dataset(
        {"of_chain": int(chain), "of_draw": int(draw), "expected_loss": float(loss[chosen])}
    )
    return {"/coherent": data}


def point_contributions(point: xr.Dataset, values: pd.DataFrame, spec: ModelSpec) -> xr.Dataset:
    """Add to group ``/point`` what its shocks did in each window: contributions and baseline."""
    one = structural_of(xr.DataTree.from_dict({"point": point}), "point")
    outcome, levels = spec.event.outcome, spec.system.levels
    splits = [decompose(one, values, w, outcome, levels=levels) for w in spec.event.windows]
    sums, baselines, _ = zip(*(split.cumulated(outcome) for split in splits), strict=True)
    coords = {"window": [split.window for split in splits], "channel": list(splits[0].channels)}
    data = xr.Dataset(
        {
            "contribution": (("window", "channel"), np.array([part[0, 0] for part in sums])),
            "baseline": ("window", np.array([part[0, 0] for part in baselines])),
        },
        coords,
    )
    return xr.merge([point, data], compat="override", join="left")


def prior_contributions(splits: Sequence[Decomposition], outcome: str) -> dict[str, xr.Dataset]:
    """Group ``/prior``: the same sums under draws of the prior."""
    sums = np.stack([split.cumulated(outcome)[0][0] for split in splits], axis=1)
    coords = {
        "window": [split.window for split in splits],
        "channel": list(splits[0].channels),
    }
    data = xr.Dataset({"contribution": (("draw", "window", "channel"), sums)}, coords)
    return {"/prior": data}


def event_shocks(
    structural: StructuralPosterior, values: pd.DataFrame, spec: ModelSpec
) -> dict[str, xr.Dataset]:
    """Make group ``/structural_shocks``: those of the event's days (chain, draw, day, shock)."""
    whole = Window("event", spec.event.start, spec.event.end)
    return {"/structural_shocks": _shocks(structural, values, whole)}


def every_shock(
    structural: StructuralPosterior, values: pd.DataFrame, window: Window
) -> dict[str, xr.Dataset]:
    """Make group ``/every_shock``: those of all days of a window (chain, draw, day, shock)."""
    return {"/every_shock": _shocks(structural, values, window)}


def _shocks(structural: StructuralPosterior, values: pd.DataFrame, window: Window) -> xr.Dataset:
    days, history, seen = window_values(values, window, structural.lag_coefficients.shape[2])
    return xr.Dataset(
        {"shock": ((*DRAW, "day", "name"), window_shocks(structural, days, history, seen))},
        {**lead(structural.weight), "day": days.rename("day"), "name": list(structural.shocks)},
    )


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
