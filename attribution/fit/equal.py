"""An estimate whose draws weigh differently in; the same with draws that weigh alike out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import xarray as xr

from attribution import record
from attribution.core.resample import copies, taken
from attribution.diagnostics import weight_size
from attribution.fit.assemble import JudgedFit, reported_groups
from attribution.fit.judge import weights_finding
from attribution.model.spec import ModelSpec
from attribution.posterior import Decomposition, StructuralPosterior
from attribution.record.labels import DRAW

STREAM = 2
"""Number of the random stream that resampling has for itself, beside the run's seed."""


def kept_copies(weight: np.ndarray, seed: int) -> np.ndarray:
    """Return how often each draw (chain, draw) is kept; once each where all weigh the same."""
    if np.ptp(weight) == 0:
        return np.ones(weight.shape, dtype=np.int64)
    return copies(weight, float(np.random.default_rng([seed, STREAM]).random()))


def equal_part(
    spec: ModelSpec, units: Mapping[str, str], part: JudgedFit, kept: np.ndarray
) -> JudgedFit:
    """Lay each draw out as often as it is kept, chain after chain; keep the originals beside.

    Findings, the prior and the statistics of the sampler are of the draws as they came.
    """
    found = part.estimate
    weight = found.posterior.weight
    if np.ptp(weight) == 0:
        return part
    reported = part.groups.get("/posterior", xr.Dataset()).assign(found.parameters)
    before = record.weighted(found.posterior, kept, reported, found.extra, units)
    posterior = _posterior(found.posterior, kept)
    splits = [_split(split, kept) for split in part.splits]
    extra = {path: _dataset(data, kept) for path, data in found.extra.items()}
    parameters = {name: _array(array, kept) for name, array in found.parameters.items()}
    groups = reported_groups(spec, units, posterior, splits)
    size = {"effective_size": weight_size(kept), "resampled_from": f"/{record.WEIGHTED}"}
    groups["/posterior" if splits else "/structural"].attrs |= size
    return JudgedFit(
        replace(found, posterior=posterior, parameters=parameters, extra={**extra, **before}),
        splits,
        groups,
        part.judged,
        (weights_finding(weight, kept),),
    )


def _split(split: Decomposition, kept: np.ndarray) -> Decomposition:
    return replace(
        split,
        baseline=taken(split.baseline, kept),
        contribution=taken(split.contribution, kept),
        weight=np.ones(kept.shape),
    )


def _posterior(of: StructuralPosterior, kept: np.ndarray) -> StructuralPosterior:
    return replace(
        of,
        impact=taken(of.impact, kept),
        lag_coefficients=taken(of.lag_coefficients, kept),
        intercept=taken(of.intercept, kept),
        weight=np.ones(kept.shape),
        struck=None if of.struck is None else taken(of.struck, kept),
    )


def _array(array: xr.DataArray, kept: np.ndarray) -> xr.DataArray:
    laid = array.transpose(*DRAW, ...)
    return laid.copy(data=taken(laid.to_numpy(), kept))


def _dataset(data: xr.Dataset, kept: np.ndarray) -> xr.Dataset:
    drawn = [name for name, array in data.data_vars.items() if set(DRAW) <= set(array.dims)]
    return data.assign({name: _array(data[name], kept) for name in drawn})
