"""Draws of what a run reports in; whether they can be trusted out, weighted or not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from attribution import runs
from attribution.errors import AttributionError, DiagnosticsError
from attribution.finding import Finding
from attribution.report.run import Run
from attribution.runs.run import UNCONVERGED
from attribution.sampling import judge
from attribution.sampling.diagnostics import weight_size, weighted_ess_bulk, weighted_ess_tail

if TYPE_CHECKING:
    from attribution.fit.assemble import JudgedFit
    from attribution.model.study import StudySpec

SHARE = 0.1
"""Part of the draws that the weights must be worth, for the weighting to pass unremarked."""
LOG_POINTS = "log points"
WIDE = 4.0
"""Posterior standard deviation, in log points, from which Monte Carlo error is relative to it."""


def judged(
    reported: xr.DataArray, weight: np.ndarray, unit: str, stats: Mapping[str, np.ndarray]
) -> judge.Sampling:
    """Judge draws (chain, draw, window, channel) of what a run reports, before any is repeated.

    Limits are those of :mod:`attribution.sampling.judge`.  Where weights differ, R-hat is that of
    the draws before they are weighted, and the effective size is that of the weights times the
    efficiency of the chain; how often a draw is repeated is such a weight.  The Monte Carlo error
    of a mean is measured in log points, or in quarters of the posterior standard deviation where
    that is wider than four of them: a mean known to within ten is not wanted to the tenth.  In
    another unit it is measured in standard deviations.
    """
    x = reported.transpose("chain", "draw", "window", "channel")
    spread = _spread(x.to_numpy(), weight)
    of_its_own = np.where(spread > 0, spread, 1.0)
    scaled = x / (np.maximum(1.0, spread / WIDE) if unit == LOG_POINTS else of_its_own)
    found = judge.diagnose(scaled, stats)
    if np.ptp(weight) == 0:
        return found
    moving = scaled.to_numpy()[:, :, spread > 0]
    bulk, tail = weighted_ess_bulk(moving, weight), weighted_ess_tail(moving, weight)
    error = _spread(moving, weight) / np.sqrt(bulk)
    return replace(
        found, ess_bulk=float(bulk.min()), ess_tail=float(tail.min()), mcse=float(error.max())
    )


def weights_finding(weight: np.ndarray, kept: np.ndarray) -> Finding:
    """Say how many independent draws the weights are worth, and the copies made by them."""
    size = weight_size(weight)
    return Finding(
        name="weights",
        question="Do many draws carry the answer, or a few?",
        evidence=(
            f"{weight.size:,} weighted draws are worth {size:,.0f} of equal weight; the heaviest"
            f" carries {100 * weight.max() / weight.sum():.2g} % of all; resampled once, to the"
            f" same number of equal weight, they are worth {weight_size(kept):,.0f}"
        ),
        verdict="holds" if size >= SHARE * weight.size else "undecided",
    )


def repairs_finding(repairs: Sequence[str]) -> Finding | None:
    """Say aloud what was done to the data before they were used; None where they stand as given."""
    if not repairs:
        return None
    return Finding(
        name="data",
        question="Were the data used as they were given?",
        evidence="; ".join(repairs),
        verdict="undecided",
    )


def system_draws(groups: Mapping[str, xr.Dataset], outcome: str) -> xr.DataArray:
    """Join what a run without an event reports: all impacts, and the responses of the outcome.

    Returns
    -------
    (chain, draw, window, channel), where a variable or a horizon stands for a window.
    """
    response = groups["/responses"]["response"]
    impact = response.isel(horizon=0).rename(variable="window")
    after = response.sel(variable=outcome).isel(horizon=slice(1, None)).rename(horizon="window")
    kept = ("chain", "draw", "window", "channel")
    parts = [array.reset_coords(drop=True).transpose(*kept) for array in (impact, after)]
    names = [str(name) for array in parts for name in array["window"].to_numpy()]
    joined = np.concatenate([array.to_numpy() for array in parts], axis=2)
    return xr.DataArray(joined, dims=kept, coords={"window": names, "channel": response["channel"]})


def _spread(draws: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Weighted standard deviation of (chain, draw, ...); zero where all draws are the same."""
    w = weight / weight.sum()
    mean = np.tensordot(w, draws, axes=2)
    moved = np.ptp(draws, axis=(0, 1)) > 0
    found: np.ndarray = np.where(moved, np.sqrt(np.tensordot(w, (draws - mean) ** 2, axes=2)), 0.0)
    return found


# Draws that failed their diagnostics in; the refusal, and with it a run to look at, out.


def failure(judged: judge.Sampling, reported: xr.DataArray, **how: Any) -> str:
    """Say what draws failed, as :func:`sampling.refuse` does; nothing where they passed."""
    try:
        judge.refuse(judged, reported, **how)
    except DiagnosticsError as error:
        return str(error)
    return ""


def refuse_unconverged(part: JudgedFit, run_of: Callable[[], Run]) -> None:
    """Refuse a part whose draws failed; its run, if one can be made of them, goes with the error.

    Raises
    ------
    DiagnosticsError
        Naming what failed; its ``run`` is marked as unconverged.
    """
    if not part.failed:
        return
    try:
        run = marked(run_of(), part.failed)
    except (AttributionError, ArithmeticError, ValueError, np.linalg.LinAlgError):
        run = None  # such draws may be of no use for anything further
    raise DiagnosticsError(part.failed, run=run)


def marked(run: Run, failed: str) -> Run:
    """Mark a run as unconverged, so that whoever loads it is told before a number is shown."""
    checks = {**run.manifest.get("checks", {}), "converged": False}
    return replace(run, manifest={**run.manifest, "checks": checks, UNCONVERGED: failed})


def drawn(
    draws: Mapping[str, np.ndarray], spec: StudySpec, units: Mapping[str, str]
) -> xr.DataTree:
    """Lay out what a study sampled, name -> (chain, draw, ...), and nothing further."""
    named = {name.replace("/", " "): x for name, x in draws.items()}
    data = {
        name: (("chain", "draw", *(f"{name} {axis}" for axis in range(x.ndim - 2))), x)
        for name, x in named.items()
    }
    return runs.study_tree({"/posterior": xr.Dataset(data)}, {}, spec, units)


def diagnosed(draws: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Worst diagnostics of everything that was sampled, as a manifest names them."""
    from attribution.sampling import engine as compat

    each = [x.reshape(*x.shape[:2], -1) for x in draws.values()]
    found = {
        "max_rhat": max(float(np.max(compat.rhat(x))) for x in each),
        "min_ess_bulk": min(float(np.min(compat.ess_bulk(x))) for x in each),
        "min_ess_tail": min(float(np.min(compat.ess_tail(x))) for x in each),
    }
    return {name: value for name, value in found.items() if np.isfinite(value)}
