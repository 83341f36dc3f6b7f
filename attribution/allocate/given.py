"""Values of any origin in, an array or a list by names; a game out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import ArrayLike

from attribution.allocate.allocation import label, mask_of, masks_of, named, switches
from attribution.allocate.coalitions import WHERE, Coalitions
from attribution.errors import DataError


def numbers(values: ArrayLike, where: str) -> np.ndarray:
    """Return a copy as an array of floats.

    Raises
    ------
    DataError
        If rows differ in length or something is no real number.
    """
    try:
        return np.array(values, float)
    except (TypeError, ValueError):
        raise DataError(
            f"{where}: values are no array of real numbers; give (draw, coalition) of floats"
        ) from None


def coalitions_of(
    values: ArrayLike,
    players: Iterable[str],
    *,
    unit: str,
    on: ArrayLike | None = None,
    observed: float | None = None,
) -> Coalitions:
    """Return the game whose values stand in an array.

    Parameters
    ----------
    values : (draw, coalition), or (coalition,) for a single draw; in ``unit``.
    players : names.
    unit : of the values.
    on : (coalition, player), who is on in each column.  Without it there must be all ``2^n``
        columns, column m being the coalition of the bits of m, the first player the lowest bit.
    observed : what was seen; in ``unit``.

    Raises
    ------
    DataError
        If shapes disagree, a coalition stands twice, all off or all on is missing, or a value is
        not finite.
    SpecError
        If names of players cannot be used.
    """
    names = named(players, WHERE)
    held = np.atleast_2d(numbers(values, WHERE))
    if on is None:
        if held.shape[-1] != 1 << len(names):
            raise DataError(
                f"{WHERE}: {held.shape[-1]} columns cannot be the {1 << len(names)} coalitions of"
                f" {len(names)} players; give them all, or say in 'on' which ones they are"
            )
        return Coalitions(names, np.arange(1 << len(names)), held, unit, observed)
    who = np.asarray(on)
    if who.shape != (held.shape[-1], len(names)) or not np.isin(who, (0, 1)).all():
        raise DataError(
            f"{WHERE}: 'on' has shape {who.shape}; give ({held.shape[-1]}, {len(names)}) of true"
            " and false, a row for each column of values"
        )
    masks = masks_of(who)
    kept, first, times = np.unique(masks, return_index=True, return_counts=True)
    if (times > 1).any():
        again = label(kept[times > 1][0], names)
        raise DataError(f"{WHERE}: {again} stands twice; give each coalition one column")
    return Coalitions(names, kept, held[:, first], unit, observed)


def coalitions_named(
    values: Mapping[tuple[str, ...], ArrayLike],
    players: Iterable[str],
    *,
    unit: str,
    observed: float | None = None,
) -> Coalitions:
    """Return the game whose values (draw,) are listed by the players that are on.

    ``{(): off, ("basis",): ..., ("basis", "notes"): on}``; the order of names does not matter.

    Raises
    ------
    SpecError, DataError
        As :func:`coalitions_of`, and if a coalition names a stranger.
    """
    names = named(players, WHERE)
    masks = [mask_of(who, names, WHERE) for who in values]
    columns = [np.atleast_1d(numbers(column, WHERE)) for column in values.values()]
    for mask, column in zip(masks, columns, strict=True):
        if column.shape != columns[0].shape or column.ndim != 1:
            raise DataError(
                f"{WHERE}: {label(mask, names)} has shape {column.shape}, the first coalition"
                f" {columns[0].shape}; give each coalition the same draws"
            )
    if not columns:
        raise DataError(f"{WHERE}: there is no coalition; give at least all off and all on")
    on = switches(np.array(masks), len(names))
    return coalitions_of(np.stack(columns, 1), names, unit=unit, on=on, observed=observed)
