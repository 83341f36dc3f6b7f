"""Diagnostics of draws (chain, draw, ...), the numbers of ArviZ, the same on both of its lines.

What a run reports and is judged by is ArviZ's: rank-normalised R-hat, bulk and tail sizes.  Two
are our own where ArviZ has no answer: :func:`effective_size` and :func:`split_rhat` also take one
chain, and many quantities in one pass, as the moves of a search ask for while it runs.  With two
chains or more they are ArviZ's ``rhat(method="split")``, and its ``ess(method="mean")`` up to the
halving of the chains; a test holds both to it.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

TAIL = (0.05, 0.95)  # the two lines have different defaults
PARETO_K = 0.7
"""Shape of the tail above which reweighted draws rest on a handful of them [vehtari2024]."""

# What the older line says of its own rebuilding, on import.
warnings.filterwarnings("ignore", ".*ArviZ is undergoing a major refactor.*", FutureWarning)


def rhat(x: np.ndarray) -> np.ndarray:
    """Rank-normalised split R-hat of every entry of (chain, draw, ...) [vehtari2021]."""
    return _diagnose("rhat", x)


def ess_bulk(x: np.ndarray) -> np.ndarray:
    """Bulk effective sample size of every entry of (chain, draw, ...) [vehtari2021]."""
    return _diagnose("ess", x, method="bulk")


def ess_tail(x: np.ndarray) -> np.ndarray:
    """Lower of the effective sample sizes of the 5 % and the 95 % quantile [vehtari2021]."""
    return _diagnose("ess", x, method="tail", prob=TAIL)


def mcse_mean(x: np.ndarray) -> np.ndarray:
    """Monte Carlo standard error of the mean of every entry of (chain, draw, ...)."""
    return _diagnose("mcse", x, method="mean")


def mean_with_error(x: np.ndarray, weight: np.ndarray | None = None) -> tuple[float, float]:
    """Mean of draws (chain, draw) and its Monte Carlo standard error, zero for a constant.

    Of a statement that is true or false in each draw this is its probability.  Draws on one axis
    are independent.

    Parameters
    ----------
    weight : of every draw, in the shape of ``x``; one if None.
    """
    x = np.asarray(x, float)
    weight = np.ones(x.shape) if weight is None else weight
    mean = float(np.average(x, weights=weight))
    spread = float(np.sqrt(np.average((x - mean) ** 2, weights=weight)))
    if spread <= 1e-12 * (1.0 + abs(mean)):
        return mean, 0.0
    size = weight_size(weight) if x.ndim == 1 else float(weighted_ess_bulk(x, weight))
    return mean, spread / float(np.sqrt(size))


def mcse_quantile(x: np.ndarray, prob: float) -> np.ndarray:
    """Monte Carlo standard error of a quantile of every entry of (chain, draw, ...)."""
    return _diagnose("mcse", x, method="quantile", prob=prob)


def weight_size(weight: np.ndarray) -> float:
    r"""Effective number of independent draws of unequal weight, :math:`(\sum w)^2 / \sum w^2`.

    References
    ----------
    kish1965
    """
    return float(weight.sum() ** 2 / np.square(weight).sum())


def weighted_ess_bulk(x: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Effective size of weighted draws: that of the weights, times a chain's efficiency.

    Independent draws have efficiency one; those of a chain, the bulk effective size of the draws
    before they are weighted, over their number.
    """
    return weight_size(weight) * np.minimum(ess_bulk(x) / weight.size, 1.0)


def weighted_ess_tail(x: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Effective size of weighted draws by the tail efficiency of the chain."""
    return weight_size(weight) * np.minimum(ess_tail(x) / weight.size, 1.0)


def _diagnose(name: str, x: np.ndarray, **settings: Any) -> np.ndarray:
    import arviz as az

    dims = ("chain", "draw", *(f"axis_{i}" for i in range(np.ndim(x) - 2)))
    data = xr.Dataset({"x": (dims, np.asarray(x, float))})
    with np.errstate(invalid="ignore", divide="ignore"):  # a constant has no R-hat: NaN
        result = getattr(az, name)(data, **settings)
    return np.asarray(result["x"].to_numpy(), dtype=float)


def psis(log_weights: np.ndarray) -> tuple[np.ndarray, float]:
    """Pareto-smoothed importance sampling over all entries [vehtari2024].

    Returns
    -------
    Smoothed log weights of the shape given, whose weights have mean one; the tail's k, which is
    minus infinity where all weights are equal.
    """
    flat = np.asarray(log_weights, float).ravel()
    if np.ptp(flat) == 0:
        return np.zeros(np.shape(log_weights)), -np.inf
    import arviz as az

    if hasattr(az, "psislw"):
        smoothed, k = az.psislw(flat)
    else:
        from arviz_stats.base import array_stats

        smoothed, k = array_stats.psislw(-flat)  # the new line takes log likelihoods, not weights
    smoothed = smoothed - np.logaddexp.reduce(smoothed) + np.log(flat.size)
    return smoothed.reshape(np.shape(log_weights)), float(k)


def hdi(x: np.ndarray, prob: float = 0.94, weight: np.ndarray | None = None) -> np.ndarray:
    """Shortest interval (..., bound) that holds ``prob`` of the weight of (chain, draw, ...)."""
    draws = np.reshape(x, (-1, *np.shape(x)[2:]))
    if weight is None or np.ptp(weight) == 0:
        ranked = np.sort(draws, axis=0)
        inside = int(np.floor(prob * len(ranked)))
        start = np.argmin(ranked[inside:] - ranked[: len(ranked) - inside], axis=0)[None]
        bounds = [np.take_along_axis(ranked, start + skip, axis=0)[0] for skip in (0, inside)]
        return np.stack(bounds, axis=-1)
    columns = draws.reshape(len(draws), -1).T
    found = np.array([_shortest(column, weight.ravel(), prob) for column in columns])
    return found.reshape(*draws.shape[1:], 2)


def _shortest(x: np.ndarray, weight: np.ndarray, prob: float) -> tuple[float, float]:
    """Shortest interval between two draws of one quantity that holds so much of their weight."""
    kept = weight > 0
    order = np.argsort(x[kept])
    ranked, mass = x[kept][order], weight[kept][order] / weight.sum()
    above = np.cumsum(mass)
    last = np.searchsorted(above, above - mass + prob - 1e-12)
    first = np.flatnonzero(last < len(ranked))
    best = first[np.argmin(ranked[last[first]] - ranked[first])]
    return float(ranked[best]), float(ranked[last[best]])


def summary(tree: xr.DataTree) -> pd.DataFrame:
    """Moments, 94 % highest-density interval and diagnostics of every posterior scalar.

    Of a run without an event, those of the impact matrix and the coefficients; of one without
    draws, such as a panel regression, none.  Weights are honoured; where draws were resampled, a
    repeated one tells nothing new, so effective sizes and Monte Carlo errors are those of the
    draws that they came from, weighted by their copies.  R-hat is that of these, unweighted.
    """
    held = [name for name in ("posterior", "structural") if name in tree]
    if not held:
        return pd.DataFrame()
    posterior = tree[held[0]].to_dataset()
    names = [
        _label(name, array, index)
        for name, array in posterior.data_vars.items()
        for index in np.ndindex(*array.shape[2:])
    ]
    x, weight = _columns(posterior, posterior), np.ones(1)
    if "weights" in tree:
        weight = tree["weights/weight"].to_numpy()
    if np.ptp(weight) > 0:
        return pd.DataFrame(_weighted(x, weight), index=names)
    interval = hdi(x)
    found = {
        "mean": x.mean((0, 1)),
        "sd": x.std((0, 1), ddof=1),
        "hdi_low": interval[:, 0],
        "hdi_high": interval[:, 1],
    }
    before = tree["weighted"].to_dataset() if "weighted" in tree.children else xr.Dataset()
    if "copies" in before:
        copies = before["copies"].to_numpy()
        found |= _weighted_errors(_columns(before, posterior), copies, found["sd"])
    else:
        found |= {
            "mcse_mean": mcse_mean(x),
            "ess_bulk": ess_bulk(x),
            "ess_tail": ess_tail(x),
            "r_hat": rhat(x),
        }
    return pd.DataFrame(found, index=names)


def _columns(data: xr.Dataset, like: xr.Dataset) -> np.ndarray:
    """Lay what one dataset holds of each variable of another on (chain, draw, quantity)."""
    arrays = [data[name].transpose(*array.dims) for name, array in like.data_vars.items()]
    return np.concatenate([a.to_numpy().reshape(*a.shape[:2], -1) for a in arrays], axis=2)


def _weighted(x: np.ndarray, weight: np.ndarray) -> dict[str, np.ndarray]:
    """Return the columns of the summary of (chain, draw, quantity) under weights."""
    flat, w = x.reshape(-1, x.shape[2]), weight.ravel() / weight.sum()
    mean = w @ flat
    sd = np.sqrt(w @ (flat - mean) ** 2)
    interval = hdi(x, weight=weight)
    found = {"mean": mean, "sd": sd, "hdi_low": interval[:, 0], "hdi_high": interval[:, 1]}
    return found | _weighted_errors(x, weight, sd)


def _weighted_errors(x: np.ndarray, weight: np.ndarray, sd: np.ndarray) -> dict[str, np.ndarray]:
    bulk = weighted_ess_bulk(x, weight)
    return {
        "mcse_mean": sd / np.sqrt(bulk),
        "ess_bulk": bulk,
        "ess_tail": weighted_ess_tail(x, weight),
        "r_hat": rhat(x),
    }


def _label(name: Any, array: xr.DataArray, index: tuple[int, ...]) -> str:
    if not index:
        return str(name)
    dims = array.dims[2:]
    values = [
        array[d].to_numpy()[i] if d in array.coords else i for d, i in zip(dims, index, strict=True)
    ]
    return f"{name}[{', '.join(str(value) for value in values)}]"


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
