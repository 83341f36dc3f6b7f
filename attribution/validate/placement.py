"""A true value and weighted posterior draws in; where among them the truth lies, out."""

from __future__ import annotations

import numpy as np


def placement(
    truth: float, draws: np.ndarray, weight: np.ndarray | None, rng: np.random.Generator
) -> float:
    r"""Return the share of the posterior below the truth, ties and the truth itself at random.

    .. math::
        u = \frac{\sum_i w_i 1\{x_i < x^*\} + V\,(\bar w + \sum_i w_i 1\{x_i = x^*\})}
                 {\bar w + \sum_i w_i}, \qquad \bar w = \frac{\sum_i w_i^2}{\sum_i w_i},
        \quad V \sim U(0, 1)

    The truth counts as one effective draw.  With draws that weigh alike u is exactly uniform under
    a right computation, whatever their number; cut into L + 1 cells it is the rank among L.

    Parameters
    ----------
    draws, weight : (draw,); weight is None where all weigh alike.

    Raises
    ------
    ValueError
        If a value is not finite, or a weight is negative or all are zero.

    References
    ----------
    talts2018; modrak2025
    """
    w = np.ones(len(draws)) if weight is None else np.asarray(weight, float)
    if not (np.isfinite(truth) and np.isfinite(draws).all()):
        raise ValueError("a quantity to be ranked is not finite")
    if w.shape != draws.shape or not (w >= 0).all() or not w.sum() > 0:
        raise ValueError("weights must be one a draw, non-negative and not all zero")
    own = float((w * w).sum() / w.sum())
    below, tied = float(w[draws < truth].sum()), float(w[draws == truth].sum())
    return (below + rng.random() * (tied + own)) / (float(w.sum()) + own)


def rank(place: np.ndarray, ranks: int) -> np.ndarray:
    """Cut placements in [0, 1) into ranks 0 ... ``ranks``."""
    cut: np.ndarray = np.minimum((place * (ranks + 1)).astype(int), ranks)
    return cut
