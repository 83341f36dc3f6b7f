"""Weights of draws in; how often each is kept, so that all that are kept weigh the same, out."""

from __future__ import annotations

import numpy as np


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
