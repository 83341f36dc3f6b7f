"""Draws in, diagnostics out, the same on both lines of ArviZ: arrays are (chain, draw, ...)."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

TAIL = (0.05, 0.95)  # the two lines have different defaults

# What the older line says of its own rebuilding, on import.
warnings.filterwarnings("ignore", ".*ArviZ is undergoing a major refactor.*", FutureWarning)


def rhat(x: np.ndarray) -> np.ndarray:
    """Rank-normalised split R-hat of every entry of (chain, draw, ...) [vehtari2021]."""
    return _diagnose("rhat", x)


def ess_bulk(x: np.ndarray) -> np.ndarray:
    """Bulk effective sample size of every entry of (chain, draw, ...) [vehtari2021]."""
    return _diagnose("ess", x, method="bulk")


def ess_tail(x: np.ndarray) -> np.ndarray:
    """Lower of the effective sample sizes of the 5 % and the 95 % quantile [vehtari2021]."""
    return _diagnose("ess", x, method="tail", prob=TAIL)


def mcse_mean(x: np.ndarray) -> np.ndarray:
    """Monte Carlo standard error of the mean of every entry of (chain, draw, ...)."""
    return _diagnose("mcse", x, method="mean")


def mcse_quantile(x: np.ndarray, prob: float) -> np.ndarray:
    """Monte Carlo standard error of a quantile of every entry of (chain, draw, ...)."""
    return _diagnose("mcse", x, method="quantile", prob=prob)


def _diagnose(name: str, x: np.ndarray, **settings: Any) -> np.ndarray:
    import arviz as az

    dims = ("chain", "draw", *(f"axis_{i}" for i in range(np.ndim(x) - 2)))
    data = xr.Dataset({"x": (dims, np.asarray(x, float))})
    with np.errstate(invalid="ignore", divide="ignore"):  # a constant has no R-hat: NaN
        result = getattr(az, name)(data, **settings)
    return np.asarray(result["x"].to_numpy(), dtype=float)


def psis(log_weights: np.ndarray) -> tuple[np.ndarray, float]:
    """Pareto-smoothed importance sampling over all entries [vehtari2024].

    Returns
    -------
    Smoothed log weights of the shape given, whose weights have mean one; the tail's k, which is
    minus infinity where all weights are equal.
    """
    flat = np.asarray(log_weights, float).ravel()
    if np.ptp(flat) == 0:
        return np.zeros(np.shape(log_weights)), -np.inf
    import arviz as az

    if hasattr(az, "psislw"):
        smoothed, k = az.psislw(flat)
    else:
        from arviz_stats.base import array_stats

        smoothed, k = array_stats.psislw(-flat)  # the new line takes log likelihoods, not weights
    smoothed = smoothed - np.logaddexp.reduce(smoothed) + np.log(flat.size)
    return smoothed.reshape(np.shape(log_weights)), float(k)


def hdi(x: np.ndarray, prob: float = 0.94) -> np.ndarray:
    """Shortest interval (..., bound) that holds ``prob`` of the draws of (chain, draw, ...)."""
    draws = np.sort(np.reshape(x, (-1, *np.shape(x)[2:])), axis=0)
    inside = int(np.floor(prob * len(draws)))
    start = np.argmin(draws[inside:] - draws[: len(draws) - inside], axis=0)[None]
    bounds = [np.take_along_axis(draws, start + skip, axis=0)[0] for skip in (0, inside)]
    return np.stack(bounds, axis=-1)


def summary(tree: xr.DataTree) -> pd.DataFrame:
    """Moments, 94 % highest-density interval and diagnostics of every posterior scalar."""
    posterior = tree["posterior"].to_dataset()
    names, columns = [], []
    for name, array in posterior.data_vars.items():
        shape = array.shape[2:]
        names += [_label(name, array, index) for index in np.ndindex(*shape)]
        columns.append(array.to_numpy().reshape(*array.shape[:2], -1))
    x = np.concatenate(columns, axis=2)
    interval = hdi(x)
    return pd.DataFrame(
        {
            "mean": x.mean((0, 1)),
            "sd": x.std((0, 1), ddof=1),
            "hdi_low": interval[:, 0],
            "hdi_high": interval[:, 1],
            "mcse_mean": mcse_mean(x),
            "ess_bulk": ess_bulk(x),
            "ess_tail": ess_tail(x),
            "r_hat": rhat(x),
        },
        index=names,
    )


def _label(name: Any, array: xr.DataArray, index: tuple[int, ...]) -> str:
    if not index:
        return str(name)
    dims = array.dims[2:]
    values = [
        array[d].to_numpy()[i] if d in array.coords else i for d, i in zip(dims, index, strict=True)
    ]
    return f"{name}[{', '.join(str(value) for value in values)}]"
