"""Weighted draws in; their moments with Monte Carlo errors, and the group that keeps them, out."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import xarray as xr

from attribution.core.weighted_draws import quantile
from attribution.errors import DataError
from attribution.posterior import StructuralPosterior
from attribution.runs.groups_system import coefficients
from attribution.runs.labels import DRAW
from attribution.sampling import engine
from attribution.sampling.diagnostics import weight_size, weighted_ess_bulk, weighted_ess_tail

QUANTILES = {"q05": 0.05, "q25": 0.25, "median": 0.5, "q75": 0.75, "q95": 0.95}


def describe(
    draws: np.ndarray, weight: np.ndarray, before: tuple[np.ndarray, np.ndarray] | None = None
) -> pd.DataFrame:
    """Moments, quantiles, probabilities and their Monte Carlo errors of (chain, draw, quantity).

    Where weights differ, R-hat is that of the draws before they are weighted, and the effective
    size is Kish's for the weights, times the part of a chain's draws that are worth independent
    ones; Monte Carlo errors follow from it.

    Parameters
    ----------
    before : of draws that were resampled, those that they came from and how often each was taken:
        a repeated draw tells nothing new, so errors and effective sizes are judged from these.
    """
    flat, w = draws.reshape(-1, draws.shape[2]), weight.ravel() / weight.sum()
    mean = w @ flat
    table = pd.DataFrame({"mean": mean, "sd": np.sqrt(w @ (flat - mean) ** 2)})
    for name, probability in QUANTILES.items():
        table[name] = quantile(flat, w, probability)
    table["p_negative"] = np.clip(w @ (flat < 0).astype(float), 0.0, 1.0)  # rounding
    table["p_largest"] = np.nan
    return _judged(table, *(before or (draws, weight)))


def _judged(table: pd.DataFrame, draws: np.ndarray, weight: np.ndarray) -> pd.DataFrame:
    """Add R-hat, effective sizes and the Monte Carlo errors that follow from them."""
    if np.ptp(weight) == 0:
        negative = (draws < 0).astype(float)
        table["mcse_mean"] = _moving(draws, engine.mcse_mean)
        table["mcse_median"] = _moving(draws, lambda x: engine.mcse_quantile(x, 0.5))
        table["mcse_p_negative"] = _moving(negative, engine.mcse_mean)
        table["r_hat"] = _moving(draws, engine.rhat, still=np.nan)
        table["ess_bulk"] = _moving(draws, engine.ess_bulk, still=np.nan)
        table["ess_tail"] = _moving(draws, engine.ess_tail, still=np.nan)
        return table
    p, size = table["p_negative"], weight_size(weight)
    bulk = _moving(draws, lambda x: weighted_ess_bulk(x, weight), still=size)
    tail = _moving(draws, lambda x: weighted_ess_tail(x, weight), still=size)
    table["mcse_mean"] = table["sd"] / np.sqrt(bulk)
    table["mcse_median"] = np.sqrt(np.pi / 2) * table["mcse_mean"]
    table["mcse_p_negative"] = np.sqrt(p * (1 - p) / bulk)
    table["r_hat"] = _moving(draws, engine.rhat, still=np.nan)
    table["ess_bulk"], table["ess_tail"] = bulk, tail
    return table


def band(draws: np.ndarray, weight: np.ndarray) -> pd.DataFrame:
    """Mean and 90 % interval of (chain, draw, quantity)."""
    flat, w = draws.reshape(-1, draws.shape[2]), weight.ravel() / weight.sum()
    return pd.DataFrame(
        {"mean": w @ flat, "q05": quantile(flat, w, 0.05), "q95": quantile(flat, w, 0.95)}
    )


def _moving(
    draws: np.ndarray, diagnostic: Callable[[np.ndarray], np.ndarray], still: float = 0.0
) -> np.ndarray:
    """Apply a diagnostic to the columns of (chain, draw, quantity) that are not constant."""
    moving = np.ptp(draws, axis=(0, 1)) > 0
    out = np.full(draws.shape[2], still)
    if moving.any():
        out[moving] = diagnostic(draws[..., moving])
    return out


# Draws as they came, with unequal weights, in; the group of a saved run that keeps them out.

WEIGHTED, WEIGHT, COPIES = "weighted", "weight", "copies"
ANEW = "fit the model again"


def weighted(
    structural: StructuralPosterior,
    kept: np.ndarray,
    reported: xr.Dataset,
    others: Mapping[str, xr.Dataset],
    units: Mapping[str, str],
) -> dict[str, xr.Dataset]:
    """Make group ``/weighted``: draws before they were resampled, their weights and their copies.

    ``copies`` (chain, draw) says how often each draw stands in ``/posterior`` and every other group
    of the run: a mean under it is the plain mean there.

    Parameters
    ----------
    structural : the draws, with their weights.
    kept : (chain, draw); copies of each.
    reported : what the run reports of every draw: contributions, baseline and parameters.
    others : further groups of the run; what varies over draws is kept below this one.
    """
    own = {WEIGHT: (DRAW, structural.weight), COPIES: (DRAW, kept)}
    data = coefficients(structural, units).assign({**reported.data_vars, **own})
    data.attrs = {
        "draws": structural.weight.size,
        "effective_size": weight_size(structural.weight),
        "effective_size_resampled": weight_size(kept),
    }
    below = {f"/{WEIGHTED}{path}": _of_draws(group) for path, group in others.items()}
    return {f"/{WEIGHTED}": data} | {path: group for path, group in below.items() if group}


def originals(tree: xr.DataTree) -> xr.Dataset | None:
    """Return the draws that a run was resampled from; nothing where they weighed the same."""
    found = tree[WEIGHTED].to_dataset() if WEIGHTED in tree.children else xr.Dataset()
    return found if COPIES in found else None


def refuse_unequal(tree: xr.DataTree, place: str) -> None:
    """Refuse a run whose ``/posterior`` is not to be read without ``/weights``.

    Runs of earlier versions are such; to average their draws gives wrong numbers without a word.

    Parameters
    ----------
    place : file of the run.

    Raises
    ------
    DataError
        If the weights of its draws differ, or are no weights.
    """
    if "weights" not in tree.children:
        return
    weight = tree[f"weights/{WEIGHT}"].to_numpy()
    if not (np.isfinite(weight).all() and np.ptp(weight) == 0 and weight.flat[0] > 0):
        raise DataError(
            f"{place}: its draws carry unequal weights in /weights, as an earlier version saved"
            f" them, and any plain mean of /posterior would be wrong; {ANEW}"
        )


def _of_draws(data: xr.Dataset) -> xr.Dataset:
    return data[[name for name, array in data.data_vars.items() if set(DRAW) <= set(array.dims)]]
