"""A game of mechanisms in; the group of a saved run that holds it out, and the game again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from attribution.allocate.coalitions import Coalitions
from attribution.allocate.given import coalitions_of
from attribution.allocate.players import switches
from attribution.record.labels import DRAW

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
    data = tree[COALITIONS].to_dataset()
    value = data["value"].transpose("chain", "draw", "coalition").to_numpy()
    return coalitions_of(
        value.reshape(-1, value.shape[2]),
        [str(name) for name in data["player"].to_numpy()],
        unit=str(data.attrs["unit"]),
        on=data["on"].transpose("coalition", "player").to_numpy(),
        observed=data.attrs.get("observed"),
    )
