"""A run in; what every contribution rests on, the identification ledger, out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from attribution import runs
from attribution.core.rotations.robust_sets import robust_region
from attribution.report.draws import windows
from attribution.runs import is_study, study_tables
from attribution.runs.run import Run
from attribution.runs.table_window import move_of
from attribution.var.check.ledger import informativeness, ledger, spread

if TYPE_CHECKING:
    import xarray as xr

PARTS = ("elasticities", "noise")
WORDS = {
    "elasticities": "sensitivity to the elasticity priors",
    "noise": "sensitivity to the noise priors",
    "recentred": "least probability of its sign when a channel's prior importance is moved",
}


def has_ledger(tree: xr.DataTree) -> bool:
    """Whether the run knows its prior, or what rotations alone allow."""
    return "posterior" in tree and any(name in tree for name in ("prior", "ledger", "robust"))


def ledger_of(tree: xr.DataTree) -> pd.DataFrame:
    """Tabulate every window's contributions: spreads, contraction, sensitivities and class."""
    found = []
    for window in map(str, tree["posterior/window"].to_numpy()):
        table = _window(tree, window)
        found.append(table.set_axis([f"{name}, {window}" for name in table.index]))
    return pd.concat(found)


def _window(tree: xr.DataTree, window: str) -> pd.DataFrame:
    after = tree["posterior"].to_dataset()["contribution"].sel(window=window)
    names = [str(name) for name in after["channel"].to_numpy()]
    draws = after.transpose("chain", "draw", "channel").to_numpy().reshape(-1, len(names))
    weight = tree["weights/weight"].to_numpy().ravel()
    scaled = tree["ledger"].to_dataset().sel(window=window) if "ledger" in tree else None
    parts = [] if scaled is None else [scaled[p].sel(channel=names).to_numpy() for p in PARTS]
    table = ledger(
        names,
        _before(tree, window, names),
        spread(draws, weight),
        move=move_of(tree[f"windows/{window}"].to_dataset()),
        sensitivity=np.max(parts, axis=0) if parts else None,
        informativeness=_chosen(tree, window, names, draws, weight),
    )
    if scaled is not None:
        for part in scaled.data_vars:
            table[WORDS[str(part)]] = scaled[part].sel(channel=names).to_numpy()
    return table


def _before(tree: xr.DataTree, window: str, names: list[str]) -> np.ndarray:
    """Sd of contributions before the data, or under rotations without a table; NaN if unknown."""
    if "prior" in tree:
        before = tree["prior"].to_dataset()["contribution"].sel(window=window, channel=names)
        return spread(before.transpose("draw", "channel").to_numpy())
    if "robust" in tree and "uniform_sd" in tree["robust"]:
        return np.full(len(names), float(tree["robust/uniform_sd"].sel(window=window)))
    return np.full(len(names), np.nan)


def _chosen(
    tree: xr.DataTree, window: str, names: list[str], draws: np.ndarray, weight: np.ndarray
) -> np.ndarray | None:
    """Share of each robust region that the one prior on rotations removed."""
    if "robust" not in tree:
        return None
    robust = tree["robust"].to_dataset().sel(window=window)
    named = [str(name) for name in robust["channel"].to_numpy()]
    own = [dim for dim in robust["lower"].dims if dim != "channel"]
    ends = [
        robust[key].transpose(*own, "channel").to_numpy().reshape(-1, len(named))
        for key in ("lower", "upper")
    ]
    alike = np.ones(len(ends[0]))
    share = robust["weight"].to_numpy().ravel() if "weight" in robust else alike
    region = robust_region(ends[0][:, None], ends[1][:, None], share)[0]
    at = [names.index(name) for name in named]
    out = np.full(len(names), np.nan)
    out[at] = informativeness(draws[:, at], weight, region)
    return out


# A run in; one table a window, and what else it holds, out.

SUMS = "known only as a sum"
TRANSITORY = "transitory part"
VARIANCE, RESPONSES = "variance shares", "responses"


def tables(run: Run) -> dict[str, pd.DataFrame]:
    """Tabulate each window, or responses where there is none, and what else a run holds.

    A study's tables are those it was saved with.

    Further: sums that alone are known, what a longer window gives back, the ledger of priors, and
    the shares of shocks in the forecast error variance of the outcome.
    """
    if is_study(run.tree):
        return study_tables(run.tree)
    tree, outcome = run.tree, str(run.tree.attrs["outcome"])
    named = windows(tree)
    found = {name: runs.window_table(tree, name) for name in named}
    if named:
        found |= _of_the_event(tree, named[0])
    else:
        found[RESPONSES] = runs.response_table(tree, outcome)
    if "fevd" in tree:
        found[VARIANCE] = runs.variance_table(tree, outcome)
    return found


def _of_the_event(tree: xr.DataTree, first: str) -> dict[str, pd.DataFrame]:
    found = {}
    sums = runs.together(tree, first)
    if len(sums):
        found[SUMS] = sums
    back = runs.transitory(tree)
    if len(back):
        found[TRANSITORY] = back
    if has_ledger(tree):
        found["ledger"] = ledger_of(tree)
    return found
