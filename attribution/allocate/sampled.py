"""A simulator of more players than can be listed in; contributions with standard errors out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from attribution.allocate.allocation import Allocation
from attribution.allocate.orders import Orders
from attribution.allocate.simulate import MOST_NUMBERS, Simulate, solved
from attribution.errors import SpecError

WHERE = "sampled_orders"
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
        raise SpecError(f"{WHERE}: count is {count}; ask for an even number, at least {FEWEST}")
    if count * (n + 1) > MOST:
        raise SpecError(
            f"{WHERE}: {count} orders of {n} players pass {count * (n + 1):,} coalitions, more"
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
