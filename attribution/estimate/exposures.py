"""Returns of assets and factors in; each day's exposures, from the days before it alone, out."""

from __future__ import annotations

import numpy as np

ILL = 1e-10


def exposures(returns: np.ndarray, factors: np.ndarray, *, window: int, least: int) -> np.ndarray:
    r"""Regress every asset on the factors over the days before each day.

    .. math:: r_{i,s} = a_i + \beta_i' f_s + e_{i,s}, \qquad s = t - w, \dots, t - 1

    Day t itself is not among them: an exposure that saw the day would explain it by construction.

    Parameters
    ----------
    returns : (time, asset); NaN where missing.
    factors : (time, factor); likewise.
    window : w; zero for every earlier day.
    least : complete days below which there is no exposure.

    Returns
    -------
    (time, asset, factor); unit of the return per unit of the factor; NaN where there is none.

    References
    ----------
    fama1973
    """
    days, count = factors.shape
    (center, size), (level, unit) = _moments(factors, least), _moments(returns, least)
    x = np.column_stack([np.ones(days), (factors - center) / size])
    seen = np.isfinite(returns) & np.isfinite(factors).all(1)[:, None]
    x = np.where(np.isfinite(x), x, 0.0)
    y = np.where(seen, (returns - level) / unit, 0.0)
    square = _before(np.einsum("ta,tp,tq->tapq", seen.astype(float), x, x), window)
    product = _before(np.einsum("ta,tp->tap", y, x), window)
    enough = square[..., 0, 0] >= least
    safe = np.where(enough[..., None, None], square, np.eye(count + 1))
    spread = np.sqrt(np.einsum("tapp->tap", safe))
    moving = (spread > 0).all(-1)
    spread = np.where(spread > 0, spread, 1.0)
    scaled = safe / (spread[..., :, None] * spread[..., None, :])
    sound = enough & moving & (np.linalg.eigvalsh(scaled)[..., 0] > ILL)
    scaled = np.where(sound[..., None, None], scaled, np.eye(count + 1))
    found = np.linalg.solve(scaled, (product / spread)[..., None])[..., 0] / spread
    found = found[..., 1:] * unit[:, None] / size
    return np.asarray(np.where(sound[..., None], found, np.nan))


def _moments(values: np.ndarray, first: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of the first values of each column, which precede any exposure.

    Taken out and put back: neither units nor the distance from zero may decide what is sound.
    """
    known = np.isfinite(values)
    known &= known.cumsum(0) <= first
    count = np.maximum(known.sum(0), 1)
    mean = np.where(known, values, 0.0).sum(0) / count
    spread = np.sqrt((np.where(known, values - mean, 0.0) ** 2).sum(0) / count)
    return mean, np.where(spread > 0, spread, 1.0)


def _before(values: np.ndarray, window: int) -> np.ndarray:
    """Sum over the days before each, at most ``window`` of them."""
    total = np.concatenate([np.zeros((1, *values.shape[1:])), np.cumsum(values, axis=0)])[:-1]
    if not window:
        return np.asarray(total)
    found = total.copy()
    found[window:] -= total[:-window]
    return np.asarray(found)
