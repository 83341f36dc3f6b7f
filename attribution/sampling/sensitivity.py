"""Draws, and the log density of each part of the prior, in; how much each part matters out.

Power scaling: raise one part of the prior to a power near one, reweight the draws, and measure
how far a marginal posterior moves, as a distance per doubling of the power.
"""

from __future__ import annotations

import numpy as np

from attribution.sampling import engine

POWERS = (0.8, 1.25)
LIMIT = 0.05
"""Sensitivity from which the prior is said to matter."""


def power_scaling(quantity: np.ndarray, log_part: np.ndarray) -> np.ndarray:
    r"""Sensitivity of the marginal posteriors of quantities to one part of the prior.

    .. math:: \frac{1}{2}\sum_{\alpha \in \{0.8, 1.25\}}
        \frac{\mathrm{CJS}(F, F_\alpha)}{|\log_2 \alpha|}

    with F the posterior's distribution function and CJS the symmetrised cumulative Jensen-Shannon
    distance, bounded by one: the larger of those of a quantity and of its negative.

    Parameters
    ----------
    quantity : (chain, draw, ...).
    log_part : (chain, draw); log density of the part, up to a constant.

    Returns
    -------
    (...,); above 0.05 the part matters for the quantity.

    References
    ----------
    kallioinen2024
    """
    flat = quantity.reshape(quantity.shape[0] * quantity.shape[1], -1)
    order = np.argsort(flat, axis=0)
    ranked = np.take_along_axis(flat, order, axis=0)
    step = np.diff(ranked, axis=0)
    even = np.arange(1, len(flat))[:, None] / len(flat)
    total = np.zeros(flat.shape[1])
    for power in POWERS:
        smoothed, _ = engine.psis((power - 1.0) * log_part)
        weight = np.exp(smoothed).ravel()
        weight = weight / weight.sum()
        tilted = np.cumsum(weight[order], axis=0)[:-1]
        total += _distance(even, tilted, step) / abs(np.log2(power)) / len(POWERS)
    result: np.ndarray = total.reshape(quantity.shape[2:])
    return result


def _distance(one: np.ndarray, other: np.ndarray, step: np.ndarray) -> np.ndarray:
    """Cumulative Jensen-Shannon distance of distribution functions, the larger of both tails'."""
    upper = _one_sided(1 - one, 1 - other, step)
    larger: np.ndarray = np.maximum(_one_sided(one, other, step), upper)
    return larger


def _one_sided(one: np.ndarray, other: np.ndarray, step: np.ndarray) -> np.ndarray:
    bound = ((one + other) * step).sum(0)
    gap = _divergence(one, other, step) + _divergence(other, one, step)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.sqrt(np.maximum(gap, 0.0) / bound)
    return np.where(bound > 0, found, 0.0)


def _divergence(one: np.ndarray, other: np.ndarray, step: np.ndarray) -> np.ndarray:
    """Cumulative divergence of ``one`` from the mixture of both, in bits."""
    ratio = np.where(one > 0, 2 * one / np.where(one > 0, one + other, 1.0), 1.0)
    inner = one * np.log2(ratio) + (other - one) / (2 * np.log(2.0))
    result: np.ndarray = (inner * step).sum(0)
    return result


def recentred(quantity: np.ndarray, share: np.ndarray) -> np.ndarray:
    r"""Least probability of each quantity's sign when a channel's prior importance is moved.

    The Dirichlet weight of one channel after the other is halved and doubled, which multiplies
    the posterior by :math:`w_k^{\alpha - 1}` with :math:`\alpha = 0.5` and 2.

    Parameters
    ----------
    quantity : (chain, draw, ...).
    share : (chain, draw, channel), w; prior weights of one.

    Returns
    -------
    (...,); the probability of the sign that the unmoved posterior favours, at its lowest.
    """
    flat = (quantity > 0).reshape(quantity.shape[0] * quantity.shape[1], -1).astype(float)
    favoured = np.where(flat.mean(0) >= 0.5, flat, 1.0 - flat)
    least = favoured.mean(0)
    for log_share in np.moveaxis(np.log(share), -1, 0):
        for alpha in (0.5, 2.0):
            smoothed, _ = engine.psis((alpha - 1.0) * log_share)
            weight = np.exp(smoothed).ravel()
            least = np.minimum(least, weight @ favoured / weight.sum())
    result: np.ndarray = least.reshape(quantity.shape[2:])
    return result
