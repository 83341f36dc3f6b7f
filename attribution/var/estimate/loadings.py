"""Draws of a structural model and a test series in; what each shock does to the series out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from attribution.core import propagate
from attribution.core.laws.conditional import Law, expected_shocks
from attribution.errors import DataError
from attribution.posterior import StructuralPosterior
from attribution.var.estimate.bvar import BvarFit
from attribution.var.estimate.parameters import Parameters

THINNED = 120
"""Posterior draws for which every day's shocks are inferred; bounds the memory."""
REPEATS = 20
"""Slopes drawn for each of them."""


@dataclass(frozen=True)
class Loadings:
    """Slopes of a test series on the channels' shocks, estimation days only.

    Attributes
    ----------
    channels : names.
    slope, error : (draw, channel); least squares and its standard error, unit of the series per
        one-scale shock.
    days : number of days on which the series was observed.
    """

    channels: tuple[str, ...]
    slope: np.ndarray
    error: np.ndarray
    days: int

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """Posterior draws of the slopes (draw, repeat, channel) under a flat prior."""
        noise = rng.standard_normal((REPEATS, *self.slope.shape))
        return (self.slope + self.error * noise).swapaxes(0, 1)


def past_shocks(fit: BvarFit) -> np.ndarray:
    """Infer the expected shocks of every estimation day (thinned draw, time, shock).

    Expected and not drawn: a drawn shock is its expectation plus noise that the test series does
    not share, and a regression on it would be biased towards zero.
    """
    pick = np.linspace(0, len(fit.parameters.dof) - 1, THINNED).astype(int)
    kept = Parameters(**{name: array[pick] for name, array in vars(fit.parameters).items()})
    rows = fit.design.rows
    errors, seen = kept.errors(rows), np.isfinite(rows.response)
    patterns, of_day = np.unique(seen, axis=0, return_inverse=True)
    out = np.empty((THINNED, len(rows.time), len(fit.design.prior.shocks)))
    for number, observed in enumerate(patterns):
        days = np.flatnonzero(of_day.reshape(-1) == number)
        laws = [kept.law(fit.kernel, rows, int(day), observed) for day in days]
        told = errors[:, days][..., observed].swapaxes(0, 1).reshape(len(days) * THINNED, -1)
        mean = expected_shocks(_stacked(laws), told)
        out[:, days] = mean.reshape(len(days), THINNED, -1).swapaxes(0, 1)
    return out


def loadings(
    fit: BvarFit, channels: tuple[str, ...], shocks: np.ndarray, series: pd.Series
) -> Loadings:
    """Regress a test series on the channels' expected shocks, draw by draw."""
    columns = [fit.design.prior.shocks.index(name) for name in channels]
    return regressed(channels, fit.design.rows.time, shocks[..., columns], series)


def implied_shocks(
    posterior: StructuralPosterior, values: pd.DataFrame, time: pd.DatetimeIndex
) -> np.ndarray:
    r"""Solve for the channels' shocks of every estimation day (thinned draw, time, channel).

    .. math:: e_t = H^{-1} \Big(y_t - c - \sum_l A_l y_{t-l}\Big)

    for as many shocks as variables, which errors then determine.

    Parameters
    ----------
    values : (time, variable); the panel.
    time : estimation days, lags excluded.
    """
    impact, slopes, intercept = (
        array.reshape(-1, *array.shape[2:])
        for array in (posterior.impact, posterior.lag_coefficients, posterior.intercept)
    )
    share = np.cumsum(posterior.weight.ravel()) / posterior.weight.sum()
    pick = np.searchsorted(share, (np.arange(THINNED) + 0.5) / THINNED)
    rows = values.loc[: time[-1], list(posterior.variables)].to_numpy(float)
    rows = rows[-len(time) - slopes.shape[1] :]
    lags = slopes.shape[1]
    errors = propagate.residuals(slopes[pick], intercept[pick], rows[:lags], rows[lags:])
    shocks = np.linalg.solve(impact[pick], errors.swapaxes(1, 2)).swapaxes(1, 2)
    found: np.ndarray = shocks[..., [posterior.shocks.index(c) for c in posterior.channels]]
    return found


def regressed(
    channels: tuple[str, ...], time: pd.DatetimeIndex, shocks: np.ndarray, series: pd.Series
) -> Loadings:
    """Regress a series on shocks (draw, time, channel), draw by draw.

    Raises
    ------
    DataError
        If the series was observed on too few of the days.
    """
    values = series.reindex(time).to_numpy(float)
    seen = np.isfinite(values)
    if seen.sum() <= 2 * (len(channels) + 1):
        raise DataError(
            f"column '{series.name}': {seen.sum()} values on the estimation days, too few to ask"
            f" what {len(channels)} channels do to it; remove it from [system] tests or supply more"
        )
    x = shocks[:, seen]
    x = np.concatenate([np.ones((*x.shape[:2], 1)), x], axis=2)
    y = values[seen]
    inverse = np.linalg.inv(x.swapaxes(1, 2) @ x)
    slope = np.einsum("dij,dtj,t->di", inverse, x, y)
    rest = y - np.einsum("dtj,dj->dt", x, slope)
    # heteroskedasticity-robust (White): jumps make the squares of the shocks uneven
    meat = np.einsum("dti,dt,dtj->dij", x, rest**2, x)
    spread = inverse @ meat @ inverse
    error = np.sqrt(np.diagonal(spread, axis1=1, axis2=2))
    return Loadings(channels, slope[:, 1:], error[:, 1:], int(seen.sum()))


def _stacked(laws: list[Law]) -> Law:
    """Lay the laws of several days end to end."""
    first = laws[0]
    joined = {
        name: np.concatenate([getattr(law, name) for law in laws])
        for name in ("impact", "calm", "extra", "log_state", "log_scale", "dof")
    }
    return Law(jumpers=first.jumpers, **joined)
