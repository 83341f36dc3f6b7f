"""The figures of a study's run, drawn by what is drawn for its kind."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING

from attribution.report.picture import Picture

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

PICTURES = {
    "barrier": "barrier_pictures",
    "counterfactual": "counterfactual_pictures",
    "event": "event_pictures",
    "fama_macbeth": "slopes_pictures",
    "flows": "flows_pictures",
    "iv": "iv_pictures",
    "panel": "panel_pictures",
    "projection": "projection_pictures",
}
"""Kind -> the module of this package whose ``pictures`` draws it."""


def study_pictures(tree: xr.DataTree, tables: Mapping[str, pd.DataFrame]) -> list[Picture]:
    """Draw every figure of a study, named after its kind, so that a later run replaces it."""
    kind = str(tree.attrs["study"])
    module = import_module(f"attribution.report.{PICTURES[kind]}")
    found: list[Picture] = module.pictures(tree, tables)
    return [picture._replace(name=f"{kind}_{picture.name}") for picture in found]
