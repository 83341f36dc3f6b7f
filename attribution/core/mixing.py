"""Draws of several chains in; how many independent draws they are worth out."""

from __future__ import annotations

import numpy as np

FEWEST = 4
"""Draws a chain below which nothing can be said: the answers are not a number."""


def effective_size(draws: np.ndarray) -> np.ndarray:
    r"""Effective number of independent draws, by Geyer's initial positive sequence.

    .. math:: \frac{CN}{-1 + 2 \sum_{m \ge 0} (\rho_{2m} + \rho_{2m+1})}

    with autocorrelations that also count how far the chains' means lie apart; the sum stops where
    a pair turns negative.  Never more than the number of draws.

    Parameters
    ----------
    draws : (chain, draw, quantity).

    Returns
    -------
    (quantity,).

    References
    ----------
    geyer1992; vehtari2021
    """
    chains, length = draws.shape[:2]
    if length < FEWEST:
        return np.full(draws.shape[2], np.nan)
    centered = draws - draws.mean(1, keepdims=True)
    spectrum = np.fft.rfft(centered, 2 * length, axis=1)
    covariance = np.fft.irfft(np.abs(spectrum) ** 2, axis=1)[:, :length] / length
    within = covariance[:, 0].mean(0) * length / (length - 1)
    between = draws.mean(1).var(0, ddof=1) if chains > 1 else 0.0
    total = within * (length - 1) / length + between
    alike = total <= 0  # a quantity that never moves
    rho = 1.0 - (within - covariance.mean(0)) / np.where(alike, 1.0, total)
    pairs = rho[: length - length % 2].reshape(length // 2, 2, -1).sum(1)
    kept = np.logical_and.accumulate(pairs > 0, axis=0)
    time = -1.0 + 2.0 * (pairs * kept).sum(0)
    count = chains * length
    size: np.ndarray = np.where(alike, np.nan, count / np.maximum(time, 1.0))
    return size


def split_rhat(draws: np.ndarray) -> np.ndarray:
    r"""Return :math:`\hat R` with every chain cut in half (quantity,); one where chains agree.

    References
    ----------
    gelman1992; vehtari2021
    """
    if draws.shape[1] < FEWEST:
        return np.full(draws.shape[2], np.nan)
    half = draws.shape[1] // 2
    halves = np.concatenate([draws[:, :half], draws[:, half : 2 * half]])
    within = halves.var(1, ddof=1).mean(0)
    between = halves.mean(1).var(0, ddof=1)
    ratio: np.ndarray = np.sqrt((half - 1) / half + between / within)
    return ratio
