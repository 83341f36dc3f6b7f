r"""Ranges draw by draw in; what holds whatever the prior on rotations out.

With :math:`[l, u]` the range of a quantity over the admissible rotations of one draw, every prior
on rotations gives the event :math:`C < 0` a posterior probability between
:math:`P(u < 0)` and :math:`P(l < 0)`, and at least :math:`\alpha` to any interval that covers
:math:`[l, u]` in a share :math:`\alpha` of the draws.
"""

from __future__ import annotations

import numpy as np

LEVEL = 0.9


def probability_below(
    lower: np.ndarray, upper: np.ndarray, weight: np.ndarray, *, bar: float = 0.0
) -> np.ndarray:
    """Lower and upper posterior probability, over all priors, that a quantity is below ``bar``.

    Parameters
    ----------
    lower, upper : (draw, ...).
    weight : (draw,); non-negative.

    Returns
    -------
    (..., 2).

    References
    ----------
    giacomini2021
    """
    share = weight / weight.sum()
    each = [np.tensordot(share, ends < bar, axes=1) for ends in (upper, lower)]
    return np.stack(each, axis=-1)


def robust_region(
    lower: np.ndarray, upper: np.ndarray, weight: np.ndarray, *, level: float = LEVEL
) -> np.ndarray:
    """Shortest interval that covers the range in a share ``level`` of the draws, (..., 2).

    Every prior on rotations gives it a posterior probability of at least ``level``.

    Parameters
    ----------
    lower, upper : (draw, ...).
    weight : (draw,); non-negative.

    References
    ----------
    giacomini2021
    """
    share = weight / weight.sum()
    low, high = lower.reshape(len(lower), -1), upper.reshape(len(upper), -1)
    found = [_shortest(low[:, q], high[:, q], share, level) for q in range(low.shape[1])]
    return np.array(found).reshape(*lower.shape[1:], 2)


def _shortest(low: np.ndarray, high: np.ndarray, share: np.ndarray, level: float) -> np.ndarray:
    """Shortest [a, b] with P(low >= a, high <= b) of at least ``level``.

    Some shortest interval starts at a draw's lower end, and leaves at most 1 − level below it.
    """
    by_low = np.argsort(low, kind="stable")
    below = np.cumsum(share[by_low]) - share[by_low]
    starts = low[by_low[below <= 1.0 - level + 1e-12]]
    by_high = np.argsort(high, kind="stable")
    inside = low[by_high] >= starts[:, None]
    covered = np.cumsum(inside * share[by_high], axis=1)
    enough = covered >= level - 1e-12
    reached = enough.any(1)
    ends = high[by_high][enough.argmax(1)]
    width = np.where(reached, ends - starts, np.inf)
    best = int(width.argmin())
    return np.array([starts[best], ends[best]])
