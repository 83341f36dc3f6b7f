"""A simulator with switches in; the values of every coalition that a rule needs out."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from attribution.allocate.coalitions import WHERE, Coalitions
from attribution.allocate.given import numbers
from attribution.allocate.orders import Orders, every_order
from attribution.allocate.players import label, named, switches
from attribution.errors import DataError, SpecError

Simulate = Callable[[np.ndarray], np.ndarray]
"""Switches (coalition, player), bool, in; outcomes (draw, coalition) out."""

MOST_EXACT = 4096
"""Most coalitions that are solved for an exact rule: all those of twelve players."""
BLOCK = 8_000_000
"""Most numbers asked of a simulator at once (64 MB)."""
MOST_NUMBERS = 200_000_000
"""Most numbers that are held (1.6 GB)."""
AGREEMENT = 1e-9
"""How closely a simulator must repeat itself, relative to its value."""


def coalitions(
    simulate: Simulate,
    players: Iterable[str],
    *,
    unit: str,
    observed: float | None = None,
    orders: Orders | None = None,
) -> Coalitions:
    r"""Solve a model for every coalition of its mechanisms.

    .. math:: v_d(S) = \text{outcome of draw } d \text{ with } S \text{ on, } N \setminus S
        \text{ off, and drivers, residuals and random numbers held fixed}

    Parameters
    ----------
    simulate : switches (coalition, player), bool, in the order of ``players`` -> (draw,
        coalition) in ``unit``.  It must be a function: the same draws and the same random numbers
        at each call, which is checked on the coalition with all off.  A model that is solved one
        coalition at a time is wrapped by :func:`one_at_a_time`.
    players : names of the mechanisms.
    unit : of the outcome.
    observed : what was seen; in ``unit``.
    orders : solve only what the average over these orders needs (stages of six and six players
        need 127 coalitions, not 4096); without it all :math:`2^n`.

    Raises
    ------
    SpecError
        If more than 4096 coalitions are needed, or names cannot be used.
    DataError
        If the simulator returns another shape, repeats itself poorly, or a value is not finite.
    """
    names = named(players, WHERE)
    if orders is not None and orders.players != names:
        raise SpecError(
            f"{WHERE}: orders are of {', '.join(orders.players)}, the game of {', '.join(names)};"
            " name the same players in the same order"
        )
    needed = 1 << len(names)
    if orders is None and needed <= MOST_EXACT:
        return solved(simulate, names, np.arange(needed), unit, observed)
    masks = (orders or every_order(names)).coalitions() if orders or needed < 1 << 20 else None
    if masks is None or len(masks) > MOST_EXACT:
        raise SpecError(
            f"{WHERE}: {len(names)} players need {needed if masks is None else len(masks)}"
            f" coalitions, more than {MOST_EXACT}; merge players, order them by stages, or use"
            " sampled_orders"
        )
    return solved(simulate, names, masks, unit, observed)


def solved(
    simulate: Simulate,
    players: tuple[str, ...],
    masks: np.ndarray,
    unit: str,
    observed: float | None,
) -> Coalitions:
    """Solve for masks (coalition,), ascending from 0, block by block, all off leading each."""
    ends = call(simulate, masks[[0, -1]], players)
    draws = len(ends)
    if draws * len(masks) > MOST_NUMBERS:
        raise DataError(
            f"{WHERE}: {draws} draws of {len(masks)} coalitions are more than"
            f" {MOST_NUMBERS:,} numbers; thin the draws or ask for fewer orders"
        )
    values = np.empty((draws, len(masks)))
    values[:, [0, -1]] = ends
    step = max(1, min(MOST_EXACT, BLOCK // draws))
    for start in range(1, len(masks) - 1, step):
        here = np.arange(start, min(start + step, len(masks) - 1))
        found = call(simulate, masks[np.r_[0, here]], players)
        if len(found) != draws or not np.allclose(
            found[:, 0], values[:, 0], rtol=AGREEMENT, atol=0.0
        ):
            raise DataError(
                f"{WHERE}: the simulator gave two answers for {label(0, players)}; hold its draws"
                " and random numbers fixed across calls"
            )
        values[:, here] = found[:, 1:]
    return Coalitions(players, masks, values, unit, observed)


def call(simulate: Simulate, masks: np.ndarray, players: tuple[str, ...]) -> np.ndarray:
    """Return outcomes (draw, coalition) of masks (coalition,), of the promised shape and finite."""
    return outcomes(
        simulate, switches(masks, len(players)), lambda column: label(masks[column], players)
    )


def outcomes(
    simulate: Simulate,
    on: np.ndarray,
    name: Callable[[int], str],
    *,
    where: str = WHERE,
    what: str = "coalitions",
) -> np.ndarray:
    """Call a simulator; refuse another shape than (draw, row of ``on``) and what is not finite."""
    found = numbers(simulate(on), where)
    if found.ndim != 2 or found.shape[1] != len(on) or not len(found):
        raise DataError(
            f"{where}: the simulator returned shape {found.shape} for {len(on)} {what}; return"
            f" (draw, {len(on)}), or wrap a model of one at a time in one_at_a_time"
        )
    wrong = ~np.isfinite(found)
    if wrong.any():
        draw, column = np.argwhere(wrong)[0]
        raise DataError(
            f"{where}: draw {draw} of {name(int(column))} is {found[draw, column]}, as are"
            f" {int(wrong.any(1).sum())} draws of {len(wrong)} in some of the {what};"
            " count them, and leave them out of all"
        )
    return found


def one_at_a_time(simulate: Callable[[np.ndarray], np.ndarray | float]) -> Simulate:
    """Wrap a model of one coalition: switches (player,) -> outcomes (draw,) or a number.

    Raises
    ------
    DataError
        When called, if coalitions have different draws.
    """

    def every(on: np.ndarray) -> np.ndarray:
        columns = [np.atleast_1d(numbers(simulate(row), WHERE)) for row in on]
        for row, column in zip(on, columns, strict=True):
            if column.ndim != 1 or column.shape != columns[0].shape:
                raise DataError(
                    f"{WHERE}: switches {row.tolist()} gave shape {column.shape},"
                    f" others {columns[0].shape}; return the same draws for each coalition"
                )
        return np.stack(columns, 1)

    return every
