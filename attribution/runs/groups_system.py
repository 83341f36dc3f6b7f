"""A structural posterior in; the groups of a saved run that describe the system, out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from attribution.core import propagate
from attribution.core.window import responses
from attribution.decompose.window import flat
from attribution.errors import SpecError, nearest
from attribution.model.spec import UNATTRIBUTED
from attribution.posterior import StructuralPosterior
from attribution.runs.labels import DRAW, lead

HORIZONS = 10
POINT = ("structural", "responses", "fevd")


def structure(
    structural: StructuralPosterior,
    units: Mapping[str, str],
    horizons: int = HORIZONS,
    cumulated: Sequence[str] = (),
) -> dict[str, xr.Dataset]:
    """Make groups ``/weights``, ``/structural``, ``/responses`` and ``/fevd``.

    Parameters
    ----------
    units : of every variable.
    horizons : the last period after a shock; period zero is that of the shock.
    cumulated : variables, changes, whose sums have a group ``/cumulated`` of responses and shares.
    """
    found = responses(flat(structural.lag_coefficients), flat(structural.impact), horizons)
    found = found.reshape(*structural.weight.shape, *found.shape[1:])
    draws = lead(structural.weight)
    axes = _axes(structural, units) | {"horizon": np.arange(horizons + 1)}
    sums = _cumulated(structural, found, axes, cumulated) if cumulated else {}
    return sums | {
        "/weights": xr.Dataset({"weight": (DRAW, structural.weight)}, draws),
        "/structural": coefficients(structural, units),
        "/responses": _responses(structural, found, axes),
        "/fevd": _shares(structural, found, axes),
    }


def structural_of(tree: xr.DataTree, group: str = "structural") -> StructuralPosterior:
    """Read draws back from a run: what ``structure`` saved, as the noun that it saved.

    Parameters
    ----------
    group : ``structural``; ``point`` for the estimate of a model that has one; ``weighted`` for the
        draws as they came, with their weights, where they were resampled.

    Raises
    ------
    SpecError
        If the run has no such group.
    """
    if group not in tree:
        known = list(tree.children)
        raise SpecError(
            f"run of '{tree.attrs.get('model', '')}': it has no group '{group}'"
            f"{nearest(group, known)}; choose one of {', '.join(known)}"
        )
    data = tree[group].to_dataset()
    if DRAW[0] not in data.dims:
        data = data.expand_dims(dict.fromkeys(DRAW, 1))
    data = data.transpose(*DRAW, "lag", "variable", "shock", "regressor", ...)
    lead_axes = data["impact"].to_numpy().shape[:2]
    if group == "structural" and "weights" in tree:
        data["weight"] = tree["weights/weight"]
    return StructuralPosterior(
        variables=tuple(str(name) for name in data["variable"].to_numpy()),
        shocks=tuple(str(name) for name in data["shock"].to_numpy()),
        channels=_channels(tree, group),
        impact=data["impact"].to_numpy(),
        lag_coefficients=data["lag_coefficients"].to_numpy(),
        intercept=data["intercept"].to_numpy(),
        weight=data["weight"].to_numpy() if "weight" in data else np.ones(lead_axes),
    )


def _channels(tree: xr.DataTree, group: str) -> tuple[str, ...]:
    names = tree["point/channel" if group == "point" else "responses/channel"].to_numpy()
    return tuple(str(name) for name in names if name != UNATTRIBUTED)


def point(
    structural: StructuralPosterior,
    units: Mapping[str, str],
    horizons: int = HORIZONS,
    cumulated: Sequence[str] = (),
) -> dict[str, xr.Dataset]:
    """Make group ``/point``: a single estimate, its responses and its variance shares."""
    found = structure(structural, units, horizons, cumulated)
    if cumulated:
        names = {name: f"cumulated_{name}" for name in ("response", "share")}
        sums = found["/cumulated"].rename({**names, "variable": "cumulated"}).drop_vars("unit")
        found["/responses"] = xr.merge([found["/responses"], sums], compat="override", join="outer")
    parts = [found[f"/{name}"].isel(chain=0, draw=0, drop=True) for name in POINT]
    merged = xr.merge(parts, compat="override", join="outer")
    return {"/point": merged.reindex(channel=parts[-1]["channel"])}


def mode(
    variables: Sequence[str], slopes: np.ndarray, intercept: np.ndarray, covariance: np.ndarray
) -> dict[str, xr.Dataset]:
    """Make group ``/mode``: the reduced form at the mode of its posterior, before any claim.

    Parameters
    ----------
    slopes : (lag, variable, regressor).
    intercept : (variable,).
    covariance : (variable, variable), Σ.
    """
    names = list(variables)
    data = xr.Dataset(
        {
            "lag_coefficients": (("lag", "variable", "regressor"), slopes),
            "intercept": ("variable", intercept),
            "covariance": (("variable", "regressor"), covariance),
        },
        {"lag": np.arange(1, len(slopes) + 1), "variable": names, "regressor": names},
    )
    return {"/mode": data}


def coefficients(structural: StructuralPosterior, units: Mapping[str, str]) -> xr.Dataset:
    """Return impact, lags and intercept of every draw."""
    return xr.Dataset(
        {
            "impact": ((*DRAW, "variable", "shock"), structural.impact),
            "lag_coefficients": (
                (*DRAW, "lag", "variable", "regressor"),
                structural.lag_coefficients,
            ),
            "intercept": ((*DRAW, "variable"), structural.intercept),
        },
        {
            **_axes(structural, units),
            "regressor": list(structural.variables),
            "shock": list(structural.shocks),
            "lag": np.arange(1, structural.lag_coefficients.shape[2] + 1),
        },
    )


def _axes(structural: StructuralPosterior, units: Mapping[str, str]) -> dict[str, object]:
    variables = list(structural.variables)
    unit = ("variable", [units[name] for name in variables])
    return {**lead(structural.weight), "variable": variables, "unit": unit}


def _responses(
    structural: StructuralPosterior, found: np.ndarray, axes: Mapping[str, object]
) -> xr.Dataset:
    named = [structural.shocks.index(name) for name in structural.channels]
    return xr.Dataset(
        {"response": ((*DRAW, "horizon", "variable", "channel"), found[..., named])},
        {**axes, "channel": list(structural.channels)},
    )


def _cumulated(
    structural: StructuralPosterior,
    found: np.ndarray,
    axes: Mapping[str, object],
    names: Sequence[str],
) -> dict[str, xr.Dataset]:
    """Responses of sums of changes, and shares in the variance of the errors of their forecasts."""
    kept = [structural.variables.index(name) for name in names]
    units = dict(zip(structural.variables, axes["unit"][1], strict=True))  # type: ignore[index]
    own = {**axes, "variable": list(names), "unit": ("variable", [units[n] for n in names])}
    sums = found[..., kept, :].cumsum(axis=2)
    parts = _responses(structural, sums, own), _shares(structural, sums, own)
    merged = xr.merge(parts, compat="override", join="outer")
    return {"/cumulated": merged.reindex(channel=parts[1]["channel"])}


def _shares(
    structural: StructuralPosterior, found: np.ndarray, axes: Mapping[str, object]
) -> xr.Dataset:
    """Share of each channel, and of all shocks without a name together, horizon by horizon."""
    share = propagate.shares(found)
    named = [structural.shocks.index(name) for name in structural.channels]
    unnamed = [j for j in range(len(structural.shocks)) if j not in named]
    rest = share[..., unnamed].sum(-1, keepdims=True)
    return xr.Dataset(
        {
            "share": (
                (*DRAW, "horizon", "variable", "channel"),
                np.concatenate([share[..., named], rest], axis=-1),
            )
        },
        {**axes, "channel": [*structural.channels, UNATTRIBUTED]},
    )
