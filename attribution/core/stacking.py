"""Log predictive densities of rivals in; the mixture that would have predicted best out."""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp

SWEEPS, CLOSE = 5000, 1e-9


def stacking_weights(log_density: np.ndarray) -> np.ndarray:
    r"""Weights of rivals that maximise the log score of their mixture.

    .. math:: \max_w \sum_i \log \sum_j w_j\, p_j(y_i), \qquad w_j \ge 0, \quad \sum_j w_j = 1

    The problem is concave; each step takes the mean share of a rival in the mixture as its weight,
    which never lowers the score.  Rivals that predict alike share their weight as they started,
    equally.

    Parameters
    ----------
    log_density : (case, rival), log density of what was observed under each.

    Returns
    -------
    (rival,), adding up to one.

    References
    ----------
    yao2018
    """
    cases, rivals = log_density.shape
    if cases < 1 or not np.isfinite(log_density).all():
        raise ValueError(f"log densities {log_density.shape} are not finite, or there is none")
    log_weight = np.full(rivals, -np.log(rivals))
    for _ in range(SWEEPS):
        joint = log_density + log_weight
        share = joint - logsumexp(joint, axis=1, keepdims=True)
        new = logsumexp(share, axis=0) - np.log(cases)
        moved = np.abs(np.exp(new) - np.exp(log_weight)).max()
        log_weight = new
        if moved < CLOSE:
            break
    weights: np.ndarray = np.exp(log_weight - logsumexp(log_weight))
    return weights
