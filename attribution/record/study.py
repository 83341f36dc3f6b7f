"""A study's groups and tables in; the tree of its run out, and its tables again."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr

from attribution.model.study import StudySpec

TABLES = "tables"
ANSWERS = "answers"
ANSWER = ("estimand", "mean", "sd", "q05", "q95", "unit")
"""Columns of the table of answers: what is estimated, how much, how surely, in which unit."""
STUDY = "study"
"""Attribute of the root that says what kind of study a run is of; a VAR's has none."""


def study_tree(
    groups: Mapping[str, xr.Dataset],
    tables: Mapping[str, pd.DataFrame],
    spec: StudySpec,
    units: Mapping[str, str],
) -> xr.DataTree:
    """Join groups and tables, and write on the root what they are about."""
    saved = {f"/{TABLES}/{name}": _dataset(table) for name, table in tables.items()}
    tree = xr.DataTree.from_dict({**groups, **saved})
    tree.attrs = {
        "model": spec.name,
        "title": spec.title,
        STUDY: spec.kind,
        "outcome": spec.question.outcome,
        "outcome_unit": units[spec.question.outcome],
        "event": "",
        "estimand": "",
        **({TABLES: list(tables)} if tables else {}),
    }
    return tree


def is_study(tree: xr.DataTree) -> bool:
    """Whether a run is of a study, and not of a VAR."""
    return STUDY in tree.attrs


def study_tables(tree: xr.DataTree) -> dict[str, pd.DataFrame]:
    """Tables of a study's run, in their order, as they were saved."""
    named = np.atleast_1d(tree.attrs.get(TABLES, []))
    return {str(name): _frame(tree[f"{TABLES}/{name}"].to_dataset()) for name in named}


def _dataset(table: pd.DataFrame) -> xr.Dataset:
    """Lay a table on (row); texts stay texts."""
    columns = {
        str(name): ("row", np.asarray(column, float if _numeric(column) else str))
        for name, column in table.items()
    }
    found = xr.Dataset(columns, {"row": [str(name) for name in table.index]})
    found.attrs["columns"] = [str(name) for name in table.columns]
    return found


def _numeric(column: pd.Series) -> bool:
    return bool(pd.api.types.is_numeric_dtype(column.dtype))


def _frame(data: xr.Dataset) -> pd.DataFrame:
    names = [str(name) for name in np.atleast_1d(data.attrs["columns"])]
    values = {name: data[name].to_numpy() for name in names}
    return pd.DataFrame(values, index=pd.Index(data["row"].to_numpy().astype(str)))[names]
