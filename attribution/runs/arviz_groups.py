r"""A saved run in; what ArviZ knows of it, in ArviZ's places, and its draws as columns, out.

Where the errors of a VAR are Gaussian, its manifest says which rows made the posterior, and the
likelihood of every row and its predictions follow from the saved draws:

.. math:: y_t = c + \sum_l A_l y_{t-l} + H e_t, \qquad e_t \sim N(0, I)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from attribution.core.propagate import solve
from attribution.errors import SpecError
from attribution.posterior import StructuralPosterior
from attribution.runs.groups_system import structural_of
from attribution.runs.labels import DRAW, ROWS

AS_SAVED = ("sample_stats", "log_prior", "predictions")
"""Groups that a run saves as ArviZ reads them."""
PREDICTED = 400
"""Most draws, over all chains, of which predictions of every row are made."""


def arviz_groups(tree: xr.DataTree, manifest: Mapping[str, Any]) -> dict[str, xr.Dataset]:
    """Return the groups of ArviZ's schema that a run has or that follow from it.

    Returns
    -------
    ``posterior`` : contributions and parameters or, without an event, the system.
    ``prior`` : contributions (chain, draw, window, channel), where the run has a prior.
    ``observed_data`` : every column (time), in its unit; where errors are Gaussian, the system's
        variables on the rows that made the posterior, and all else in ``constant_data``.
    ``log_likelihood`` : ``rows`` (chain, draw, time), where errors are Gaussian.
    ``posterior_predictive`` : every variable (chain, draw, time), one step ahead, of such runs.
    """
    found = {"posterior": _drawn(_posterior(tree))}
    found |= {name: tree[name].to_dataset() for name in AS_SAVED if name in tree.children}
    if "prior" in tree.children:
        before = tree["prior"].to_dataset()
        before = before if "chain" in before.dims else before.expand_dims(chain=1)
        found["prior"] = _drawn(before)
    if "observed_data" in tree.children:
        found["observed_data"] = _by_column(tree["observed_data"].to_dataset())
    if ROWS in manifest.get("notes", {}):
        found["constant_data"] = found["observed_data"]
        found |= _gaussian(tree, manifest, found["observed_data"])
    return {name: data for name, data in found.items() if data.data_vars}


def parameter_columns(tree: xr.DataTree) -> pd.DataFrame:
    """Lay the draws of every parameter out as columns, an element of a vector ``name[place]``.

    Raises
    ------
    SpecError
        If the run draws nothing.
    """
    data = _drawn(_posterior(tree))
    if not data.data_vars:
        raise SpecError(
            f"run of '{tree.attrs['model']}': its kind draws nothing; read run.summary()"
        )
    columns: dict[str, np.ndarray] = {}
    for name, array in data.data_vars.items():
        own = [dim for dim in array.dims if dim not in DRAW]
        values = array.transpose(*DRAW, *own).to_numpy()
        labels = [[str(label) for label in array.get_index(dim)] for dim in own]
        places = pd.MultiIndex.from_product(labels) if own else [()]
        flat = values.reshape(values.shape[0] * values.shape[1], -1)
        for place, column in zip(places, flat.T, strict=True):
            columns[f"{name}[{', '.join(place)}]" if place else str(name)] = column
    lead = [data.get_index(dim) for dim in DRAW]
    return pd.DataFrame(columns, pd.MultiIndex.from_product(lead, names=DRAW))


def _posterior(tree: xr.DataTree) -> xr.Dataset:
    """Draws of a run: what it reports or, where it reports no event, the system behind it."""
    if "posterior" in tree.children:
        return tree["posterior"].to_dataset()
    names = [name for name in ("structural", "parameters") if name in tree.children]
    found = [tree[name].to_dataset().reset_coords("unit", drop=True) for name in names[:1]]
    found += [tree[name].to_dataset() for name in names[1:]]
    return xr.merge(found, compat="override", join="outer") if found else xr.Dataset()


def _drawn(data: xr.Dataset) -> xr.Dataset:
    """Keep what varies over draws."""
    kept = [name for name, array in data.data_vars.items() if set(DRAW) <= set(array.dims)]
    return data[kept]


def _by_column(data: xr.Dataset) -> xr.Dataset:
    """Give every column of the panel the name of its own that predictions have."""
    if set(data.data_vars) != {"value"}:
        return data
    value = data["value"]
    return xr.Dataset(
        {
            str(name): value.sel(variable=name)
            .drop_vars(["variable", "unit"], errors="ignore")
            .assign_attrs(units=str(unit))
            for name, unit in zip(
                value["variable"].to_numpy(), value["unit"].to_numpy(), strict=True
            )
        }
    )


def _gaussian(
    tree: xr.DataTree, manifest: Mapping[str, Any], panel: xr.Dataset
) -> dict[str, xr.Dataset]:
    """Make what follows from the rows that made a posterior whose errors are Gaussian."""
    structural = structural_of(tree)
    seen = tree["observed_data/value"].sel(variable=list(structural.variables))
    days, lags = seen.get_index("time"), structural.lag_coefficients.shape[2]
    wanted = [pd.Timestamp(day) for day in manifest["notes"][ROWS].split(" to ")]
    first, last = (int(place) for place in days.get_indexer(pd.Index(wanted)))
    values = seen.transpose("time", "variable").to_numpy()[first - lags : last + 1]
    time = days[first : last + 1]
    lead = {name: tree["structural"].to_dataset().get_index(name) for name in DRAW}
    log = row_log_density(structural, values)
    data = xr.Dataset({"rows": ((*DRAW, "time"), log)}, {**lead, "time": time})
    return {
        "observed_data": panel[list(structural.variables)].sel(time=time),
        "log_likelihood": data,
        "posterior_predictive": _predicted(structural, values, time, int(manifest["seed"])),
    }


def row_log_density(structural: StructuralPosterior, values: np.ndarray) -> np.ndarray:
    r"""Return the Gaussian log density of every row given those before it (chain, draw, time).

    .. math:: -\tfrac n2 \log 2\pi - \log|\det H| - \tfrac12 \lVert H^{-1} u_t \rVert^2

    Parameters
    ----------
    values : (lags + time, variable); the first rows are only looked back on.
    """
    n = len(structural.variables)
    errors = values[structural.lag_coefficients.shape[2] :] - _fitted(structural, values)
    flat = np.ascontiguousarray(structural.impact).reshape(-1, n, n)
    shocks = solve(flat, np.ascontiguousarray(errors).reshape(len(flat), -1, n))
    size = np.linalg.slogdet(flat)[1] + 0.5 * n * np.log(2.0 * np.pi)
    log = -0.5 * (np.asarray(shocks) ** 2).sum(-1) - size[:, None]
    return np.asarray(log.reshape(errors.shape[:3]))


def _fitted(structural: StructuralPosterior, values: np.ndarray) -> np.ndarray:
    """Predictions one step ahead (chain, draw, time, variable)."""
    lags = structural.lag_coefficients.shape[2]
    rows = len(values) - lags
    past = np.stack([values[lags - lag : lags - lag + rows] for lag in range(1, lags + 1)], axis=1)
    slopes = structural.lag_coefficients  # (chain, draw, lag, variable, regressor)
    chains, draws, _, n, _ = slopes.shape
    wide = slopes.transpose(0, 1, 3, 2, 4).reshape(chains, draws, n, lags * n)
    found = past.reshape(rows, -1) @ wide.swapaxes(-1, -2)
    return np.asarray(found + structural.intercept[:, :, None, :])


def _predicted(
    structural: StructuralPosterior, values: np.ndarray, time: pd.Index, seed: int
) -> xr.Dataset:
    """Every row predicted one step ahead by evenly chosen draws."""
    chains, draws = structural.weight.shape
    each = max(1, min(draws, PREDICTED // chains))
    chosen = (np.arange(each) * draws) // each
    some = StructuralPosterior(
        structural.variables,
        structural.shocks,
        structural.channels,
        structural.impact[:, chosen],
        structural.lag_coefficients[:, chosen],
        structural.intercept[:, chosen],
        np.ones((chains, each)),
    )
    fitted = _fitted(some, values)
    shocks = np.random.default_rng([seed, 3]).standard_normal(fitted.shape)
    drawn = fitted + shocks @ some.impact.swapaxes(-1, -2)
    names = enumerate(structural.variables)
    return xr.Dataset(
        {name: ((*DRAW, "time"), drawn[..., i]) for i, name in names},
        {"chain": np.arange(chains), "draw": np.arange(each), "time": time},
    )
