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
    """

    slope: np.ndarray
    expected: np.ndarray
    assets: np.ndarray


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
    x = np.concatenate([np.ones((*known.shape, 1)), np.where(known[..., None], exposure, 0.0)], -1)
    seen = known & np.isfinite(returns) & used
    regressed = x * seen[..., None]
    count = seen.sum(1)
    enough = count > x.shape[-1]
    enough[enough] = np.linalg.matrix_rank(regressed[enough], tol=1e-6) == x.shape[-1]
    slope = np.full((len(x), x.shape[-1]), np.nan)
    y = np.where(seen, returns, 0.0)[enough]
    slope[enough] = np.einsum("tpa,ta->tp", np.linalg.pinv(regressed[enough]), y)
    expected = np.where(known, np.einsum("tap,tp->ta", x, slope), np.nan)
    return Slopes(slope, expected, count)


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
        raise DataError(
            f"{int(good.sum())} day(s) have enough assets with exposures; name more assets, ask for"
            " shorter exposures, or lengthen the sample"
        )
    days, assets = np.arange(len(returns)), np.arange(returns.shape[1])
    index = pd.MultiIndex.from_product([assets, days], names=["asset", "time"])
    seen = np.isfinite(exposure).all(-1) & np.isfinite(returns) & used & good[:, None]
    kept = seen.T.ravel()
    table = pd.DataFrame({name: exposure[..., j].T.ravel() for j, name in enumerate(names)}, index)
    table.insert(0, "constant", 1.0)
    outcome = pd.Series(returns.T.ravel(), index, name="return")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = FamaMacBeth(outcome[kept], table[kept]).fit(
            cov_type="kernel", kernel="bartlett", bandwidth=lags
        )
    return pd.DataFrame({"mean": fit.params, "error": fit.std_errors})


def lead(outcome: np.ndarray, before: np.ndarray, *, lags: int) -> tuple[float, float, int]:
    r"""Regress a return on the slope of the day before.

    .. math:: r_t = a + b\, \lambda_{t-1} + e_t

    Returns
    -------
    b, its standard error (Newey and West), and the days.
    """
    from linearmodels.iv import IV2SLS

    table = pd.DataFrame({"r": outcome[1:], "constant": 1.0, "slope": before[:-1]}).dropna()
    fit = IV2SLS(table["r"], table[["constant", "slope"]], None, None).fit(
        cov_type="kernel", kernel="bartlett", bandwidth=lags
    )
    return float(fit.params["slope"]), float(fit.std_errors["slope"]), len(table)
