"""Scores day by day in; the covariance of their sum, neighbouring days taken together, out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


def _product(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    found: np.ndarray = one.T @ other
    return found


def long_run(
    score: np.ndarray,
    width: int,
    product: Callable[[np.ndarray, np.ndarray], np.ndarray] = _product,
) -> np.ndarray:
    r"""Sum products of scores, and of those up to ``width`` rows apart, with falling weights.

    .. math:: S_0 + \sum_{l=1}^{L} \Big(1 - \frac{l}{L+1}\Big) (S_l + S_l'), \qquad
        S_l = \sum_t \psi_t \psi_{t-l}'

    Parameters
    ----------
    score : (row, estimate).
    width : L; zero leaves the rows' own products, White's covariance.
    product : of scores (row, estimate) with those of other rows, summed over rows.

    References
    ----------
    newey1987
    """
    total = product(score, score)
    for lag in range(1, width + 1):
        apart = product(score[lag:], score[:-lag])
        total = total + (1.0 - lag / (width + 1.0)) * (apart + apart.T)
    return total
