"""A run in; its tables, its headline sentence and the numbers that documents quote out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from attribution import summary
from attribution.finding import SURE
from attribution.model.spec import UNATTRIBUTED
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
SUMS = "known only as a sum"
TRANSITORY = "transitory part"
LEDGER = {
    "elasticities": "sensitivity to the elasticity priors",
    "noise": "sensitivity to the noise priors",
    "recentred": "least probability of its sign when a channel's prior importance is moved",
}


def windows(tree: xr.DataTree) -> list[str]:
    """Names of the windows of a run, the headline's first."""
    return [str(name) for name in tree["posterior/window"].to_numpy()]


def tables(run: Run) -> dict[str, pd.DataFrame]:
    """One table a window, the ledger of priors, and sums that alone are known."""
    found = {name: summary.window_table(run.tree, name) for name in windows(run.tree)}
    first = windows(run.tree)[0]
    sums = summary.together(run.tree, first)
    if len(sums):
        found[SUMS] = sums
    back = summary.transitory(run.tree)
    if len(back):
        found[TRANSITORY] = back
    if "ledger" in run.tree:
        found["ledger"] = _ledger(run.tree)
    return found


def _ledger(tree: xr.DataTree) -> pd.DataFrame:
    """Power-scaling sensitivity of every contribution to each part of the prior."""
    data = tree["ledger"].to_dataset()
    rows = {
        f"{channel}, {window}": {
            LEDGER[str(part)]: float(data[part].sel(window=window, channel=channel))
            for part in data.data_vars
        }
        for window in windows(tree)
        for channel in data["channel"].to_numpy()
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def headline(run: Run, table: pd.DataFrame) -> str:
    """Say in two sentences what moved the outcome, how surely, and what is not known."""
    name = windows(run.tree)[0]
    move = number(table, "observed", "mean")
    channels = [row for row in table.index if row not in (UNATTRIBUTED, "baseline", "observed")]
    top = str(table.loc[[*channels, UNATTRIBUTED], "p_largest"].idxmax())
    row = table.loc[top]
    chance = number(table, top, "p_largest")
    percent = 100 * np.expm1(move / 100)
    said = (
        f"{run.tree.attrs['outcome']} moved {move:+.1f} log points ({percent:+.1f} %) in window"
        f" '{name}'; "
    )
    said += (
        f"{_words(top)} is the largest part with probability {chance:.2f}: mean {row['mean']:+.1f},"
        f" 90 % interval {row['q05']:+.1f} to {row['q95']:+.1f} log points."
    )
    if chance < 0.5:
        said += " No single channel is more likely than not to be the largest."
    surely = table["p_negative"].where(table["p_negative"] >= 0.5, 1 - table["p_negative"])
    driven = table["grade"] == "prior-driven"
    open_ = [_words(c) for c in channels if driven[c] and surely[c] < SURE]
    rests = [_words(c) for c in channels if driven[c] and surely[c] >= SURE]
    if open_:
        said += f" The data do not tell the sign of: {', '.join(open_)}."
    if rests:
        said += f" The sign rests on the priors for: {', '.join(rests)}."
    return said


def results(run: Run, found: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """Every number that the report, the README and the paper quote."""
    named = windows(run.tree)
    manifest = run.manifest
    return {
        "model": run.tree.attrs["model"],
        "event": run.tree.attrs["event"],
        "estimand": run.tree.attrs["estimand"],
        "headline": headline(run, found[named[0]]),
        "windows": {name: _window(found[name]) for name in named},
        "sums": _rows(found[SUMS]) if SUMS in found else {},
        "transitory": _plain(found[TRANSITORY]) if TRANSITORY in found else {},
        "findings": list(manifest["findings"]),
        "diagnostics": {
            **manifest["diagnostics"],
            "draws": int(run.tree["posterior"].sizes["draw"]),
            "chains": int(run.tree["posterior"].sizes["chain"]),
        },
        "manifest": {
            "model_digest": manifest["digests"]["model"],
            "data_digest": manifest["digests"]["data"],
            "seed": manifest["seed"],
            "version": manifest["versions"]["attribution"],
        },
        "event_in": _event_in(run.tree),
    }


def _plain(table: pd.DataFrame) -> dict[str, dict[str, float]]:
    return {
        str(name): {str(key): float(value) for key, value in row.items() if np.isfinite(value)}
        for name, row in table.iterrows()
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


def number(table: pd.DataFrame, row: str, column: str) -> float:
    """Return one cell as a number."""
    return float(table[column].to_numpy(float)[table.index.get_loc(row)])


def _words(name: str) -> str:
    return name.replace("_", " ")
