"""A run in; one table a window, and what else it holds, out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from attribution import summary
from attribution.record import is_study, study_tables
from attribution.report.draws import windows
from attribution.results.ledger import has_ledger, ledger_of
from attribution.run import Run

if TYPE_CHECKING:
    import xarray as xr

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
    found = {name: summary.window_table(tree, name) for name in named}
    if named:
        found |= _of_the_event(tree, named[0])
    else:
        found[RESPONSES] = summary.response_table(tree, outcome)
    if "fevd" in tree:
        found[VARIANCE] = summary.variance_table(tree, outcome)
    return found


def _of_the_event(tree: xr.DataTree, first: str) -> dict[str, pd.DataFrame]:
    found = {}
    sums = summary.together(tree, first)
    if len(sums):
        found[SUMS] = sums
    back = summary.transitory(tree)
    if len(back):
        found[TRANSITORY] = back
    if has_ledger(tree):
        found["ledger"] = ledger_of(tree)
    return found
