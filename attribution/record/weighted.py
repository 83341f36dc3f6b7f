"""Draws as they came, with unequal weights, in; the group of a saved run that keeps them out."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr

from attribution.diagnostics import weight_size
from attribution.errors import DataError
from attribution.posterior import StructuralPosterior
from attribution.record.labels import DRAW
from attribution.record.system import coefficients

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
