"""A run and its tables in; every number that documents quote out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from attribution import summary
from attribution.record import is_study
from attribution.report.draws import windows
from attribution.results.plain import by_name
from attribution.results.sentences import number, opening
from attribution.results.tables import RESPONSES, SUMS, TRANSITORY, VARIANCE
from attribution.run import Run

if TYPE_CHECKING:
    import xarray as xr

KEPT = (
    "mean",
    "sd",
    "q05",
    "q25",
    "median",
    "q75",
    "q95",
    "coherent",
    "p_negative",
    "p_largest",
    "percent",
    "share",
    "mcse_mean",
    "r_hat",
    "ess_bulk",
    "ess_tail",
    "robust_lower",
    "robust_upper",
    "identification_strength",
)


def results(run: Run, found: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """Every number that the report, the README and the paper quote."""
    if is_study(run.tree):
        return _study(run, found)
    named = windows(run.tree)
    manifest = run.manifest
    return {
        "model": run.tree.attrs["model"],
        "event": run.tree.attrs["event"],
        "estimand": run.tree.attrs["estimand"],
        "headline": opening(run, found),
        "windows": {name: _window(found[name]) for name in named},
        "sums": _rows(found[SUMS]) if SUMS in found else {},
        "transitory": by_name(found[TRANSITORY]) if TRANSITORY in found else {},
        **{
            name.replace(" ", "_"): by_name(found[name])
            for name in (RESPONSES, VARIANCE)
            if name in found
        },
        "findings": list(manifest["findings"]),
        "diagnostics": {
            **manifest["diagnostics"],
            "draws": int(run.tree["weights"].sizes["draw"]),
            "chains": int(run.tree["weights"].sizes["chain"]),
        },
        "manifest": _made(manifest),
        "event_in": _event_in(run.tree),
    }


def _study(run: Run, found: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """Every number and word of a study's tables; a number that does not exist is left out."""
    manifest = run.manifest
    return {
        "model": run.tree.attrs["model"],
        "kind": run.tree.attrs["study"],
        "headline": opening(run, found),
        "tables": {name: by_name(table) for name, table in found.items()},
        "findings": list(manifest["findings"]),
        "diagnostics": dict(manifest["diagnostics"]),
        "manifest": _made(manifest),
    }


def _made(manifest: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "model_digest": manifest["digests"]["model"],
        "data_digest": manifest["digests"]["data"],
        "seed": manifest["seed"],
        "version": manifest["versions"]["attribution"],
    }


def _window(table: pd.DataFrame) -> dict[str, Any]:
    return {
        "observed": number(table, "observed", "mean"),
        "rows": _rows(table.drop(index="observed")),
    }


def _rows(table: pd.DataFrame) -> dict[str, dict[str, Any]]:
    kept = [column for column in KEPT if column in table]
    out = {}
    for name, row in table.iterrows():
        numbers = {column: float(row[column]) for column in kept if np.isfinite(row[column])}
        out[str(name)] = {**numbers, **({"grade": row["grade"]} if "grade" in row else {})}
    return out


def _event_in(tree: xr.DataTree) -> dict[str, Any]:
    if "event_in" not in tree:
        return {}
    data = tree["event_in"].to_dataset()
    base = tree["weights/weight"].to_numpy()
    out: dict[str, Any] = {}
    for way in data["event_in"].to_numpy():
        one = data.sel(event_in=way)
        source = one if "contribution" in one else tree["posterior"].to_dataset()
        parts = source["contribution"].transpose("chain", "draw", "window", "channel")
        weight = base * np.exp(one["log_weight"].to_numpy())
        out[str(way)] = {}
        for window in windows(tree):
            table = summary.band(parts.sel(window=window).to_numpy(), weight)
            table.index = pd.Index([str(c) for c in parts["channel"].to_numpy()])
            out[str(way)][window] = table.to_dict(orient="index")
    return out
