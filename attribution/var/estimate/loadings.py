"""Structural shocks of the event's days, and what each shock does to a test series."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from attribution.core import propagate
from attribution.core.laws.conditional import Law, draw_shocks, evidence, expected_shocks
from attribution.errors import DataError
from attribution.model.spec import ModelSpec
from attribution.posterior import StructuralPosterior
from attribution.var.estimate.bvar import BvarFit
from attribution.var.estimate.design import Design
from attribution.var.estimate.kernel import Kernel
from attribution.var.estimate.parameters import Parameters, prior_parameters

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


@dataclass(frozen=True)
class EventShocks:
    """What struck on the days of the event.

    Attributes
    ----------
    posterior : the draws, with the event's shocks; complete variables only, in units.
    jump : (day, shock); posterior probability that the shock jumped that day.
    log_in, log_scale : (chain, draw); log density of the event's errors, at the usual scale of
        their days and with a scale of their own: what ``--event-in in`` and ``scale`` would add.
    """

    posterior: StructuralPosterior
    jump: pd.DataFrame
    log_in: np.ndarray
    log_scale: np.ndarray


def event_shocks(spec: ModelSpec, fit: BvarFit, rng: np.random.Generator) -> EventShocks:
    """Draw the structural shocks of every day of the event, one set a posterior draw."""
    data, rows = fit.design, fit.design.event
    shocks, chance, densities = _draw(data, fit.kernel, fit.parameters, rng)
    jumpers = data.prior.jumpers
    return EventShocks(
        posterior=_structural(spec, data, fit.parameters, fit.lead, shocks),
        jump=pd.DataFrame(chance[:, 1:], rows.time, [data.prior.shocks[j] for j in jumpers]),
        log_in=densities[0].reshape(fit.lead),
        log_scale=densities[1].reshape(fit.lead),
    )


def prior_shocks(
    spec: ModelSpec, fit: BvarFit, draws: int, rng: np.random.Generator
) -> StructuralPosterior:
    """Draw the event under the prior of everything but the lag coefficients, as chain = 1.

    What separates these contributions from the posterior's is what the data taught.
    """
    data = fit.design
    pick = rng.choice(len(fit.parameters.dof), size=draws, replace=False)
    prior = prior_parameters(spec, data, fit.kernel, fit.parameters.coefficients[pick], rng)
    shocks, _, _ = _draw(data, fit.kernel, prior, rng)
    return _structural(spec, data, prior, (1, draws), shocks)


def _draw(
    data: Design, kernel: Kernel, parameters: Parameters, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Shocks (draw, day, shock), mean state probabilities (day, state), log densities (2, draw)."""
    rows = data.event
    errors = parameters.errors(rows)
    shocks, chance, densities = [], [], np.zeros((2, len(parameters.dof)))
    for day in range(len(rows.time)):
        observed = np.isfinite(rows.response[day])
        law = parameters.law(kernel, rows, day, observed)
        struck, odds = draw_shocks(law, errors[:, day, observed], rng)
        densities += np.stack(evidence(law, errors[:, day, observed]))
        shocks.append(struck)
        chance.append(odds.mean(0))
    return np.stack(shocks, axis=1), np.stack(chance), densities


def _structural(
    spec: ModelSpec,
    data: Design,
    parameters: Parameters,
    lead: tuple[int, int],
    shocks: np.ndarray,
) -> StructuralPosterior:
    names, impact = data.prior.shocks, parameters.impact
    return structural(spec, data, names, impact, parameters.coefficients, lead, shocks)


def structural(
    spec: ModelSpec,
    data: Design,
    names: tuple[str, ...],
    impact: np.ndarray,
    coefficients: np.ndarray,
    lead: tuple[int, int],
    struck: np.ndarray,
) -> StructuralPosterior:
    """Return the complete variables' part of standardised draws, in units.

    Parameters
    ----------
    names : of the shocks.
    impact : (draw, variable, shock).  coefficients : (draw, regressor, variable).
    lead : chains and draws.  struck : (draw, day, shock).
    """
    core, lags = len(spec.system.variables), spec.system.lags
    center, sd = data.center[:core], data.sd[:core]
    slopes = coefficients[:, 1:, :core].reshape(-1, lags, core, core)
    lag_coefficients = slopes.swapaxes(-1, -2) * sd[:, None] / sd
    intercept = center + sd * coefficients[:, 0, :core]
    intercept = intercept - np.einsum("dlvr,r->dv", lag_coefficients, center)
    impact = impact[:, :core] * sd[:, None]
    return StructuralPosterior(
        variables=spec.system.variables,
        shocks=names,
        channels=spec.channels,
        impact=impact.reshape(*lead, *impact.shape[1:]),
        lag_coefficients=lag_coefficients.reshape(*lead, lags, core, core),
        intercept=intercept.reshape(*lead, core),
        weight=np.ones(lead),
        days=data.event.time,
        struck=struck.reshape(*lead, *struck.shape[1:]),
    )
