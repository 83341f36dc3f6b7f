"""A fitted variance shift in; its bootstrap replicates, named like the estimate, out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attribution.core.laws import variance_shift
from attribution.core.laws.structural_simulation import paths
from attribution.core.rotations.naming import match, reordered
from attribution.errors import DiagnosticsError
from attribution.var.estimate.variance_shift import VarianceShift, standardised

BLOCK = 100
"""Replicates estimated at once; bounds the memory of the stacked regressors."""


@dataclass(frozen=True)
class Replicates:
    """Bootstrap replicates of a variance shift.

    Attributes
    ----------
    impact : (draw, variable, shock); columns named by likeness to the estimate.
    coefficients : (draw, regressor, variable).
    variance : (draw, regime, shock).
    lead : (draw,); by how much the naming beats the second best, 2 where there is no doubt.
    """

    impact: np.ndarray
    coefficients: np.ndarray
    variance: np.ndarray
    lead: np.ndarray


def bootstrap_variance_shift(
    fit: VarianceShift, series: np.ndarray, *, draws: int, rng: np.random.Generator
) -> Replicates:
    r"""Regenerate the sample from residuals resampled within their regime, and estimate again.

    Residuals are centred in each regime and scaled by :math:`\sqrt{T/(T-m)}`, m the regressors.
    Every replicate's columns are put into the order and signs that make it most like the
    estimate; without that, replicates trade labels and bands mean nothing.

    Parameters
    ----------
    series : (lag + time, variable); the estimation sample, lags included.
    draws : replicates; the only loop is over blocks of them.

    Raises
    ------
    DiagnosticsError
        If the likelihood of a replicate cannot be maximised.

    References
    ----------
    lutkepohl2005, app. D.3; herwartz2016
    """
    lags = len(series) - len(fit.time)
    response, regressors = _design(series[None], lags, fit.constant)
    errors = response[0] - regressors[0] @ fit.coefficients
    for regime in range(len(fit.days)):
        errors[fit.spell == regime] -= errors[fit.spell == regime].mean(0)
    errors *= np.sqrt(len(errors) / (len(errors) - regressors.shape[2]))
    slopes = fit.coefficients.T[None]
    blocks = []
    for first in range(0, draws, BLOCK):
        size = min(BLOCK, draws - first)
        picks = np.empty((size, len(errors)), np.int64)
        for regime, count in enumerate(fit.days):
            own = np.flatnonzero(fit.spell == regime)
            picks[:, own] = own[rng.integers(count, size=(size, count))]
        sample = paths(
            np.repeat(slopes, size, 0),
            errors[picks].swapaxes(1, 2),
            series[:lags],
            constant=fit.constant,
        )
        blocks.append(_estimate(fit, *_design(sample, lags, fit.constant)))
    parts = ([getattr(block, name) for block in blocks] for name in Replicates.__annotations__)
    return Replicates(*(np.concatenate(part) for part in parts))


def _estimate(fit: VarianceShift, response: np.ndarray, regressors: np.ndarray) -> Replicates:
    """Estimate data sets and name their columns."""
    units = standardised(response, regressors, fit.spell)
    found = variance_shift.maximise(units.moment, units.days, variables=response.shape[2])
    if not found.rounds.all():
        raise DiagnosticsError(
            f"the likelihood of {int((found.rounds == 0).sum())} of {len(found.rounds)} replicates"
            " could not be maximised; merge regimes or use fewer lags"
        )
    impact = np.linalg.inv(found.rows) * units.spread[:, :, None]
    order, lead = match(np.linalg.solve(fit.impact, impact))
    return Replicates(
        impact=reordered(impact, order),
        coefficients=units.coefficients(found.coefficients),
        variance=np.take_along_axis(found.variance, np.abs(order)[:, None] - 1, axis=2),
        lead=lead,
    )


def _design(sample: np.ndarray, lags: int, constant: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return response and regressors of samples (set, lag + time, variable)."""
    days = sample.shape[1] - lags
    parts = [np.ones((len(sample), days, int(constant)))]
    parts += [sample[:, lags - lag : lags - lag + days] for lag in range(1, lags + 1)]
    return sample[:, lags:], np.concatenate(parts, axis=2)
