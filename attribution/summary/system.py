"""A saved run in; tables of its responses and of the shares of shocks in variances out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from attribution.core.quantile import quantile

if TYPE_CHECKING:
    import xarray as xr

BANDS = {"median": 0.5, "q16": 0.16, "q84": 0.84, "q05": 0.05, "q95": 0.95}
SHOWN = (0, 1, 2, 4, 8, 12, 20, 40)
"""Horizons that a table shows, with the last; a run holds every one."""


def horizons_shown(last: int) -> list[int]:
    """Choose the horizons of a table, wider apart the farther they are."""
    return [*(h for h in SHOWN if h < last), last]


def response_table(tree: xr.DataTree, variable: str) -> pd.DataFrame:
    """Tabulate the response of a variable to one scale of each shock, horizon by horizon.

    Returns
    -------
    Rows: channel and horizon.  Median and the 68 % and 90 % bands, unit of the variable; they
    are pointwise, so a row need not be of the draw that another row is of.
    """
    data = tree["responses"].to_dataset()["response"].sel(variable=variable)
    return _bands(tree, data, BANDS)


def variance_table(tree: xr.DataTree, variable: str) -> pd.DataFrame:
    """Tabulate the share of each channel in the forecast error variance of a variable.

    Horizon h is the error of the forecast h + 1 periods ahead.

    Returns
    -------
    Rows: channel and horizon.  ``mean``, which adds up to one over channels, median and the 68 %
    and 90 % bands, which do not.
    """
    data = tree["fevd"].to_dataset()["share"].sel(variable=variable)
    return _bands(tree, data, BANDS, mean=True)


def _bands(
    tree: xr.DataTree, data: xr.DataArray, bands: dict[str, float], *, mean: bool = False
) -> pd.DataFrame:
    weight = tree["weights/weight"].to_numpy().ravel()
    weight = weight / weight.sum()
    horizons = horizons_shown(int(data["horizon"][-1]))
    shown = data.sel(horizon=horizons).transpose("chain", "draw", "channel", "horizon").to_numpy()
    flat = shown.reshape(weight.size, -1)
    names = [
        f"{channel}, {horizon}" for channel in data["channel"].to_numpy() for horizon in horizons
    ]
    found = quantile(flat, weight, np.array(list(bands.values())))
    table = pd.DataFrame(found.T, names, list(bands))
    if mean:
        table.insert(0, "mean", weight @ flat)
    return table
