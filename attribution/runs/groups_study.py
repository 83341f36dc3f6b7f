"""A study's groups and tables in; the tree of its run out, and its tables again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr

from attribution.model.study import StudySpec
from attribution.runs.labels import DRAW

if TYPE_CHECKING:
    from attribution.allocate.coalitions import Coalitions

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


# A game of mechanisms in; the group of a saved run that holds it out, and the game again.

COALITIONS = "coalitions"


def coalitions_group(
    game: Coalitions, shape: tuple[int, int], triggers: Sequence[str]
) -> dict[str, xr.Dataset]:
    """Make group ``/coalitions``: the outcome by coalition, and who is on in each.

    Parameters
    ----------
    game : draws, chain after chain.
    shape : chains, and draws of each.
    triggers : players that strike; all others amplify or dampen what has struck.
    """
    from attribution.allocate.allocation import switches

    on = switches(game.masks, len(game.players)).astype(np.int8)
    data = xr.Dataset(
        {
            "value": ((*DRAW, "coalition"), game.values.reshape(*shape, -1)),
            "on": (("coalition", "player"), on),
        },
        {"coalition": game.masks, "player": list(game.players)},
    )
    data["value"].attrs["units"] = data.attrs["unit"] = game.unit
    data.attrs["triggers"] = list(triggers)
    if game.observed is not None:
        data.attrs["observed"] = float(game.observed)
    return {f"/{COALITIONS}": data}


def has_coalitions(tree: xr.DataTree) -> bool:
    """Whether a run can be asked what happens without a mechanism."""
    return f"/{COALITIONS}" in tree.groups


def game_of(tree: xr.DataTree) -> Coalitions:
    """Return the game that a run holds, draws chain after chain."""
    from attribution.allocate.given import coalitions_of

    data = tree[COALITIONS].to_dataset()
    value = data["value"].transpose("chain", "draw", "coalition").to_numpy()
    return coalitions_of(
        value.reshape(-1, value.shape[2]),
        [str(name) for name in data["player"].to_numpy()],
        unit=str(data.attrs["unit"]),
        on=data["on"].transpose("coalition", "player").to_numpy(),
        observed=data.attrs.get("observed"),
    )
