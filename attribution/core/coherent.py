"""Weighted draws of several quantities in; the one draw in the midst of all of them out."""

from __future__ import annotations

import numpy as np


def coherent_draw(draws: np.ndarray, weight: np.ndarray) -> tuple[int, np.ndarray]:
    r"""Find the draw with the least expected absolute loss.

    .. math:: i^* = \arg\min_i \sum_k \sum_s w_s\,|c_{sk} - c_{ik}|

    Medians taken one by one are the values of no draw, so that what adds up in every draw does
    not add up in them; the values of one draw do.  The loss is a sum over quantities, so each is
    sorted once and the sums over draws are read from running totals: N log N, not N squared.

    Parameters
    ----------
    draws : (draw, quantity), of one unit.
    weight : (draw,); non-negative, of any sum.

    Returns
    -------
    The number of the draw, one of positive weight; the loss of every draw (draw,).

    References
    ----------
    inoue2022
    """
    w = weight / weight.sum()
    loss = np.zeros(len(draws))
    for x in draws.T:
        order = np.argsort(x, kind="stable")
        ranked, mass = x[order], w[order]
        below, sum_below = np.cumsum(mass), np.cumsum(mass * ranked)
        total = sum_below[-1]
        loss[order] += ranked * (2 * below - 1) + total - 2 * sum_below
    return int(np.argmin(np.where(w > 0, loss, np.inf))), loss
