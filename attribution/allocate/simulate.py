"""A simulator with switches in; the values of every coalition that a rule needs out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np

from attribution.allocate.allocation import Allocation, label, named, switches
from attribution.allocate.coalitions import WHERE, Coalitions
from attribution.allocate.given import numbers
from attribution.allocate.orders import Orders, every_order
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


# A simulator of more players than can be listed in; contributions with standard errors out.

SAMPLED = "sampled_orders"
FEWEST = 40
"""Fewest orders: twenty pairs, below which a standard error is a guess."""
MOST = 1_000_000
"""Most coalitions that are met, counted with repetition."""


def sampled_orders(
    simulate: Simulate,
    orders: Orders,
    *,
    count: int,
    rng: np.random.Generator,
    unit: str,
    observed: float | None = None,
) -> Allocation:
    r"""Estimate an average over orders from antithetic pairs, an order and its reverse.

    .. math:: \hat\phi_i = \frac{1}{P} \sum_{p=1}^P \bar\Delta_{p,i}, \qquad
        \bar\Delta_{p,i} = \tfrac12 [\Delta_i(\pi_p) + \Delta_i(\pi_p')], \qquad
        \mathrm{se}_i^2 = \frac{1}{P (P - 1)} \sum_p (\bar\Delta_{p,i} - \hat\phi_i)^2

    Each order adds up, hence so does every average of orders.  All draws share the orders, so
    errors of a player are correlated over draws and do not shrink with their number.

    Parameters
    ----------
    simulate : as of :func:`coalitions`.
    orders : admissible ones: :func:`every_order`, :func:`staged` or :func:`grouped`.
    count : orders, even; at least 40.
    rng : where orders come from.
    unit : of the outcome.
    observed : what was seen; in ``unit``.

    Returns
    -------
    Contributions whose ``error`` is the standard error of each draw and player.

    Raises
    ------
    SpecError
        If there are too few orders, an odd number, or more than can be solved.
    DataError
        As of :func:`coalitions`.

    References
    ----------
    castro2009; mitchell2022
    """
    n = len(orders.players)
    if isinstance(count, bool) or not isinstance(count, int) or count < FEWEST or count % 2:
        raise SpecError(f"{SAMPLED}: count is {count}; ask for an even number, at least {FEWEST}")
    if count * (n + 1) > MOST:
        raise SpecError(
            f"{SAMPLED}: {count} orders of {n} players pass {count * (n + 1):,} coalitions, more"
            f" than {MOST:,}; ask for {MOST // (n + 1) // 2 * 2} orders at most"
        )
    path = orders.sample(count // 2, rng).reshape(count, n)
    masks = np.zeros((count, n + 1), np.int64)
    np.cumsum(np.int64(1) << path, axis=1, out=masks[:, 1:])
    game = solved(simulate, orders.players, np.unique(masks), unit, observed)
    place = np.argsort(path, 1)
    before = np.take_along_axis(masks, place, 1)
    draws, error = np.empty((2, len(game.values), n))
    step = max(1, MOST_NUMBERS // 20 // count)
    for i in range(n):
        for start in range(0, len(draws), step):
            part = slice(start, start + step)
            pairs = replace(game, values=game.values[part]).marginal(i, before[:, i])
            pairs = pairs.reshape(-1, count // 2, 2).mean(2)
            draws[part, i] = pairs.mean(1)
            error[part, i] = pairs.std(1, ddof=1) / np.sqrt(count // 2)
    return Allocation(
        orders.rule, game.players, draws, game.baseline, game.total, unit, observed, error
    )
