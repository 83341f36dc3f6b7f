"""A run of kind event in; its players in the order of figures, and their colours, out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from attribution.report.draws import group
from attribution.report.style import FIXED, GREY, OKABE_ITO

if TYPE_CHECKING:
    import xarray as xr

PAINT = {
    "factor": FIXED["factor_derisking"],
    "basis": FIXED["basis_unwind"],
    "notes": FIXED["barrier_hedging"],
    "gamma": OKABE_ITO[5],
    "liquidations": FIXED["crypto_liquidation"],
    "rest": GREY,
    "observed": FIXED["observed"],
}
"""Mechanisms wear the colours of the channels that a VAR names after the same trade."""


def colours(names: Sequence[str]) -> Mapping[str, str]:
    """Return one colour a player; groups of drivers that are not known take free ones."""
    unknown = [name for name in names if name not in PAINT]
    free = [c for c in OKABE_ITO if c not in {PAINT[n] for n in names if n in PAINT}]
    free = free or [*OKABE_ITO]
    return {name: PAINT[name] for name in names if name in PAINT} | {
        name: free[i % len(free)] for i, name in enumerate(unknown)
    }


def players(tree: xr.DataTree) -> list[str]:
    """Return triggers, then amplifiers, each in the order of the run."""
    names = [str(name) for name in group(tree, "coalitions")["player"].to_numpy()]
    first = triggers(tree)
    return [*first, *(name for name in names if name not in first)]


def triggers(tree: xr.DataTree) -> list[str]:
    """Return the players that strike before anything amplifies."""
    return [str(name) for name in np.atleast_1d(group(tree, "coalitions").attrs["triggers"])]


def amplifiers(tree: xr.DataTree) -> list[str]:
    """Return the players that answer the move itself."""
    return players(tree)[len(triggers(tree)) :]


def unit(tree: xr.DataTree) -> str:
    """Return the unit of the move."""
    return str(group(tree, "coalitions").attrs["unit"])
