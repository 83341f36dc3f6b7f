"""Returns and exposures in; each day's price of exposure, its average and its lead, out."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd

from attribution.errors import DataError
from attribution.studies.slopes.rows import Market


@dataclass(frozen=True)
class Slopes:
    """Cross-sectional regressions, one a day.

    Attributes
    ----------
    slope : (time, 1 + factor), the constant first; NaN on days that cannot be estimated.
    expected : (time, asset), constant plus slopes times exposures, of every asset with exposures.
    assets : (time,), how many were regressed.
    alike : (time,), whether there were enough of them and their exposures are collinear.
    """

    slope: np.ndarray
    expected: np.ndarray
    assets: np.ndarray
    alike: np.ndarray


def daily_slopes(returns: np.ndarray, exposure: np.ndarray, used: np.ndarray) -> Slopes:
    r"""Regress each day's returns on exposures known the day before.

    .. math:: r_{i,t} = \lambda_{0,t} + \lambda_t' \beta_{i,t-1} + e_{i,t}

    Parameters
    ----------
    returns : (time, asset); NaN where missing.
    exposure : (time, asset, factor); NaN where there is none.
    used : (asset,), which assets are regressed; the others are expected, and expect nothing.
    """
    known = np.isfinite(exposure).all(-1)
    size = sizes(exposure, 1)  # of each day by itself: no day's slope knows a later one
    exposure = exposure / size[:, None]
    x = np.concatenate([np.ones((*known.shape, 1)), np.where(known[..., None], exposure, 0.0)], -1)
    seen = known & np.isfinite(returns) & used
    regressed = x * seen[..., None]
    count = seen.sum(1)
    several = count > x.shape[-1]
    enough = several.copy()
    enough[enough] = np.linalg.matrix_rank(regressed[enough], tol=1e-6) == x.shape[-1]
    slope = np.full((len(x), x.shape[-1]), np.nan)
    y = np.where(seen, returns, 0.0)[enough]
    slope[enough] = np.einsum("tpa,ta->tp", np.linalg.pinv(regressed[enough]), y)
    expected = np.where(known, np.einsum("tap,tp->ta", x, slope), np.nan)
    slope[:, 1:] /= size
    return Slopes(slope, expected, count, several & ~enough)


def sizes(exposure: np.ndarray, axis: int | tuple[int, int]) -> np.ndarray:
    """Size of exposures (time, asset, factor) over some axes, so that units decide no rank."""
    known = np.where(np.isfinite(exposure), exposure, 0.0)
    count = np.maximum(np.isfinite(exposure).sum(axis), 1)
    size: np.ndarray = np.sqrt((known**2).sum(axis) / count)
    return np.where(size > 0, size, 1.0)


def average_slopes(
    returns: np.ndarray, exposure: np.ndarray, used: np.ndarray, *, names: list[str], lags: int
) -> pd.DataFrame:
    r"""Average the daily slopes, with standard errors of Newey and West over ``lags`` lags.

    .. math:: \bar\lambda = \frac{1}{T} \sum_t \lambda_t

    Returns
    -------
    (constant and factors) with ``mean`` and ``error``.

    Raises
    ------
    DataError
        If fewer days than lags can be estimated.

    References
    ----------
    fama1973, newey1987
    """
    from linearmodels.panel import FamaMacBeth

    found = daily_slopes(returns, exposure, used)
    good = np.isfinite(found.slope).all(1)
    if good.sum() <= lags + len(names):
        if found.alike.sum() > good.sum():
            raise DataError(
                f"on {int(found.alike.sum())} day(s) the exposures of all assets to"
                f" {', '.join(names)} are collinear, so that no price of each can be told: drop a"
                " factor, or name assets that are exposed otherwise"
            )
        raise DataError(
            f"{int(good.sum())} day(s) have enough assets with exposures; name more assets, ask for"
            " shorter exposures, or lengthen the sample"
        )
    days, assets = np.arange(len(returns)), np.arange(returns.shape[1])
    index = pd.MultiIndex.from_product([assets, days], names=["asset", "time"])
    seen = np.isfinite(exposure).all(-1) & np.isfinite(returns) & used & good[:, None]
    kept = seen.T.ravel()
    size, unit = sizes(exposure, (0, 1)), float(sizes(returns[..., None], (0, 1))[0])
    columns = {name: exposure[..., j].T.ravel() / size[j] for j, name in enumerate(names)}
    table = pd.DataFrame(columns, index)
    table.insert(0, "constant", 1.0)
    outcome = pd.Series(returns.T.ravel() / unit, index, name="return")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = FamaMacBeth(outcome[kept], table[kept]).fit(
            cov_type="kernel", kernel="bartlett", bandwidth=lags
        )
    back = unit / pd.Series([1.0, *size], ["constant", *names])
    return pd.DataFrame({"mean": fit.params * back, "error": fit.std_errors * back})


def lead(outcome: np.ndarray, before: np.ndarray, *, lags: int) -> tuple[float, float, int]:
    r"""Regress a return on the slope of the day before.

    .. math:: r_t = a + b\, \lambda_{t-1} + e_t

    Returns
    -------
    b, its standard error (Newey and West, from n - 2), and the days.
    """
    from linearmodels.iv import IV2SLS

    unit, size = np.nanstd(outcome[1:]), np.nanstd(before[:-1])
    pair = {"r": outcome[1:] / unit, "constant": 1.0, "slope": before[:-1] / size}
    table = pd.DataFrame(pair).dropna()
    fit = IV2SLS(table["r"], table[["constant", "slope"]], None, None).fit(
        cov_type="kernel", kernel="bartlett", bandwidth=lags, debiased=True
    )
    back = float(unit / size)
    return float(fit.params["slope"]) * back, float(fit.std_errors["slope"]) * back, len(table)


# Returns of assets and factors in; each day's exposures, from the days before it alone, out.

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


# Factors in; nothing out, or why no exposure to them can be estimated.

ALIKE = 1e-10
"""Smallest squared singular value, of columns of length one, from which they are told apart."""


def refuse_alike(factors: np.ndarray, names: list[str], place: str) -> None:
    """Refuse factors that stand still, or of which one is made of the others.

    Parameters
    ----------
    factors : (time, factor); NaN where missing.
    place : stands where a file's name would.

    Raises
    ------
    DataError
        Naming the factors.
    """
    seen = factors[np.isfinite(factors).all(1)]
    if len(seen) <= factors.shape[1]:
        return  # too few days are another refusal
    moved = seen - seen.mean(0)
    size = np.abs(moved).max(0)
    for name, still in zip(names, size <= 1e-12 * np.abs(seen).max(0), strict=True):
        if still:
            raise DataError(f"{place}: factor '{name}' never changes; drop it")
    moved = moved / size
    _, root, vectors = np.linalg.svd(moved / np.linalg.norm(moved, axis=0), full_matrices=False)
    if root[-1] ** 2 < ALIKE:
        made = [name for name, w in zip(names, np.abs(vectors[-1]), strict=True) if w > 1e-3]
        raise DataError(
            f"{place}: factors {', '.join(made)} are collinear, so no asset's exposures to them can"
            " be told apart; drop one"
        )


# Exposures and slopes of a market, with what they miss, and how far a day is from the others.


@dataclass(frozen=True)
class Priced:
    """What was found: exposures, slopes, and misses of every asset with exposures."""

    market: Market
    beta: np.ndarray
    slopes: Slopes
    names: list[str]

    @property
    def misses(self) -> np.ndarray:
        """(time, asset), returns less what was expected."""
        return np.asarray(self.market.returns - self.slopes.expected)

    @property
    def other_days(self) -> np.ndarray:
        """(time,), days that are no event and have slopes."""
        other: np.ndarray = np.isfinite(self.slopes.slope).all(1)
        other[list(self.market.events.values())] = False
        return other


def rank(own: float, others: np.ndarray) -> float:
    """Share of days at least as far from zero, its own counted."""
    return float((1 + (np.abs(others) >= abs(own)).sum()) / (1 + len(others)))
