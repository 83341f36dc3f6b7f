"""Claims and impact matrices that the likelihood has chosen in; which column fits what out.

Where a law per shock tells the columns of H apart, claims do not restrict rotations: they name
columns (``attribution.var.identify.labels``).
"""

from __future__ import annotations

import numpy as np

from attribution.core.rotations.functionals import SHOCK, functionals
from attribution.core.rotations.holds import Order, narrowed, stack
from attribution.core.rotations.naming import AS_IT_IS, TURNED
from attribution.errors import IdentificationError
from attribution.var.identify.claims import Claims


def refuse_exact_zeros(claims: Claims) -> None:
    """Refuse exact zeros, which no column that the likelihood has chosen satisfies.

    Raises
    ------
    IdentificationError
        Names the first of them.
    """
    for claim in claims.claims:
        if claim.zeros:
            raise IdentificationError(
                f"{claim.words} is an exact zero, and a law per shock leaves no freedom to impose"
                " it; give narrow bounds instead, or use law 'gaussian'"
            )


def on_columns(
    claims: Claims, impact: np.ndarray, lag_coefficients: np.ndarray, intercept: np.ndarray
) -> np.ndarray:
    """Functionals of the claims at every column of H (draw, functional, column).

    Parameters
    ----------
    impact : (draw, variable, column).
    lag_coefficients : (draw, lag, variable, regressor).
    intercept : (draw, variable); zero where the system has no constant.
    """
    draws, lags, n, _ = lag_coefficients.shape
    slopes = lag_coefficients.swapaxes(2, 3).reshape(draws, lags * n, n)
    constant = claims.regressors.shape[1] - lags * n
    coefficients = np.concatenate([intercept[:, None][:, :constant], slopes], axis=1)
    out = functionals(
        np.ascontiguousarray(impact), coefficients, claims.program, claims.observed,
        claims.regressors,
    )  # fmt: skip
    error = claims.observed - claims.regressors @ coefficients
    shocks = np.linalg.solve(impact, error.swapaxes(1, 2)).swapaxes(1, 2)
    for at, kind in enumerate(claims.program[:, 0]):
        if kind == SHOCK:
            out[:, at] = shocks[:, claims.program[at, 1]]
    return out


def single(claims: Claims, columns: np.ndarray) -> np.ndarray:
    """Bits of each channel and column (draw, channel, column): the claims on one column.

    Parameters
    ----------
    columns : (draw, functional, column); see ``on_columns``.
    """
    draws, _, n = columns.shape
    rows = stack(part for claim in claims.claims for part in claim.parts)
    unit = np.broadcast_to(np.eye(n), (draws, n, n))
    masks = narrowed(columns, np.arange(draws), np.ascontiguousarray(unit), rows, claims.masks())
    place = np.arange(n)
    straight, turned = masks[:, :, :1] >> place & 1, masks[:, :, 1:] >> place & 1
    for order in claims.orders():
        if order.larger[1] == order.smaller[1]:
            for bits, sign in ((straight, 1.0), (turned, -1.0)):
                held = _holds(order, sign * columns, sign * columns)
                bits[:, order.larger[1]] &= np.diagonal(held, axis1=1, axis2=2)
    found: np.ndarray = straight * AS_IT_IS + turned * TURNED
    return found


def pairs(claims: Claims, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Claims across two channels: the channels (pair, 2), and bits (draw, pair, column, column).

    Bit 2 t + s says whether they hold with the first column turned (s) and the second (t).
    """
    across = [order for order in claims.orders() if order.larger[1] != order.smaller[1]]
    index = sorted({(min(_channels(o)), max(_channels(o))) for o in across})
    draws, _, n = columns.shape
    bits = np.zeros((draws, len(index), n, n), dtype=np.int64)
    for p, pair in enumerate(index):
        own = [order for order in across if set(_channels(order)) == set(pair)]
        for s, t in np.ndindex(2, 2):
            signed = ((1 - 2 * s) * columns, (1 - 2 * t) * columns)
            held = np.ones((draws, n, n), dtype=bool)
            for order in own:
                first = order.larger[1] == pair[0]
                larger, smaller = signed if first else signed[::-1]
                own_held = _holds(order, larger, smaller)
                held &= own_held if first else own_held.swapaxes(1, 2)
            bits[:, p] |= held.astype(np.int64) << (2 * t + s)
    return np.array(index, dtype=np.int64).reshape(-1, 2), bits


def _channels(order: Order) -> tuple[int, int]:
    return order.larger[1], order.smaller[1]


def _holds(order: Order, larger: np.ndarray, smaller: np.ndarray) -> np.ndarray:
    """Whether a ranking holds of each column beside each other one (draw, column, column)."""
    one, two = larger[:, order.larger[0], :, None], smaller[:, order.smaller[0], None, :]
    if order.absolute:
        one, two = np.abs(one), np.abs(two)
    held: np.ndarray = one >= order.factor * two
    return held
