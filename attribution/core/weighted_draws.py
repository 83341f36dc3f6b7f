"""Weighted draws in; quantiles, moments, the draw in their midst, and draws of equal weight out."""

from __future__ import annotations

import numpy as np
from numba import njit


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


# Weighted draws in; their quantiles and moments out.


def quantile(draws: np.ndarray, weight: np.ndarray, probability: float | np.ndarray) -> np.ndarray:
    """Weighted quantile over the first axis: the least draw with that much weight at or below it.

    Parameters
    ----------
    draws : (draw, ...).
    weight : (draw,); non-negative, of any sum.
    probability : one, or (probability,).

    Returns
    -------
    (...) or (probability, ...).
    """
    found: np.ndarray = np.quantile(
        draws, probability, axis=0, weights=weight, method="inverted_cdf"
    )
    return found


@njit(cache=True, nogil=True)
def moments(draws, weight):  # type: ignore[no-untyped-def]
    r"""Weighted mean and standard deviation (quantity,) of draws (draw, quantity), in one pass.

    .. math:: m_d = m_{d-1} + \frac{w_d}{W_d}(x_d - m_{d-1}), \qquad
        M_d = M_{d-1} + w_d (x_d - m_{d-1})(x_d - m_d)

    References
    ----------
    west1979
    """
    count, quantities = draws.shape
    mean, spread, total = np.zeros(quantities), np.zeros(quantities), 0.0
    for d in range(count):
        if weight[d] == 0.0:
            continue
        total += weight[d]
        pull = weight[d] / total
        for q in range(quantities):
            gap = draws[d, q] - mean[q]
            mean[q] += pull * gap
            spread[q] += weight[d] * gap * (draws[d, q] - mean[q])
    return mean, np.sqrt(spread / total)


# Weights of draws in; how often each is kept, so that all that are kept weigh the same, out.


def copies(weight: np.ndarray, start: float) -> np.ndarray:
    r"""Systematic resampling: as many draws as there were, each about as often as it weighs.

    .. math:: n_d = \#\{i : W_{d-1} \le i + u < W_d\}, \qquad
        W_d = N \sum_{e \le d} w_e \Big/ \sum_e w_e

    so that a draw is kept :math:`N w_d / \sum w` times on average over u, and always as often as
    one of the two integers beside that number.

    Parameters
    ----------
    weight : of any shape; non-negative, not all zero.
    start : u, uniform on [0, 1).

    Returns
    -------
    Integers in the shape of ``weight``; their sum is its size.

    References
    ----------
    douc2005
    """
    above = np.cumsum(weight.ravel())
    whole = above * (weight.size / above[-1])
    below = np.clip(np.ceil(whole - start), 0, weight.size).astype(np.int64)
    below[above == above[-1]] = weight.size
    found: np.ndarray = np.diff(below, prepend=0).reshape(weight.shape)
    return found


def taken(array: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Lay out draws (chain, draw, ...) as often as each is kept (chain, draw).

    Copies of a draw stand side by side, in the order of the chains: autocorrelation tells them,
    so that an effective size that is computed from what is laid out is not taken in by them.
    """
    flat = array.reshape(-1, *array.shape[2:])
    return np.repeat(flat, kept.ravel(), axis=0).reshape(array.shape)
