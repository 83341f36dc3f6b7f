"""Returns and exposures in; each day's price of exposure, its average and its lead, out."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd

from attribution.errors import DataError


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
