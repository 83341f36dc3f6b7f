"""Draws that failed their diagnostics in; the refusal, and with it a run to look at, out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from attribution import record
from attribution.check import sampling
from attribution.errors import AttributionError, DiagnosticsError
from attribution.run import UNCONVERGED, Run

if TYPE_CHECKING:
    from attribution.fit.assemble import JudgedFit
    from attribution.model.study import StudySpec


def failure(judged: sampling.Sampling, reported: xr.DataArray, **how: Any) -> str:
    """Say what draws failed, as :func:`sampling.refuse` does; nothing where they passed."""
    try:
        sampling.refuse(judged, reported, **how)
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
    return record.study_tree({"/posterior": xr.Dataset(data)}, {}, spec, units)


def diagnosed(draws: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Worst diagnostics of everything that was sampled, as a manifest names them."""
    from attribution import compat

    each = [x.reshape(*x.shape[:2], -1) for x in draws.values()]
    found = {
        "max_rhat": max(float(np.max(compat.rhat(x))) for x in each),
        "min_ess_bulk": min(float(np.min(compat.ess_bulk(x))) for x in each),
        "min_ess_tail": min(float(np.min(compat.ess_tail(x))) for x in each),
    }
    return {name: value for name, value in found.items() if np.isfinite(value)}
