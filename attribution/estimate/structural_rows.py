"""A model's prior and series in; the prior of the rows of a structural VAR, and units, out."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import solve_triangular

from attribution.core import niw
from attribution.core import structural_form as form
from attribution.core.dummies import unit_root_dummies
from attribution.core.hierarchy import gamma_shape_rate
from attribution.errors import SpecError
from attribution.model.spec import ModelSpec

TIGHTNESS_MODE, TIGHTNESS_SD = 0.2, 0.4
"""Gamma prior of the tightness where it is inferred (Giannone, Lenza and Primiceri 2015)."""


@dataclass(frozen=True)
class Coordinates:
    r"""Units in which series and regressors are of order one: :math:`y / s`, :math:`R^{-\prime} x`.

    Attributes
    ----------
    spread : (variable,) s.
    upper : (regressor, regressor) R, upper triangular.
    """

    spread: np.ndarray
    upper: np.ndarray

    def data(self, response: np.ndarray, regressors: np.ndarray) -> np.ndarray:
        """Return z (time, regressor + variable)."""
        white = solve_triangular(self.upper, regressors.T, trans="T").T
        return np.hstack([white, response / self.spread])

    def change(self) -> np.ndarray:
        """Return the matrix that takes a row back to the units of the data."""
        m, n = len(self.upper), len(self.spread)
        matrix = np.zeros((m + n, m + n))
        matrix[:m, :m] = solve_triangular(self.upper, np.eye(m))
        matrix[m:, m:] = np.diag(1.0 / self.spread)
        return matrix

    def inward(self, rows: np.ndarray) -> np.ndarray:
        """Take rows (shock, coordinate) from the units of the data to these."""
        m = len(self.upper)
        return np.hstack([rows[:, :m] @ self.upper.T, rows[:, m:] * self.spread])


def coordinates(regressors: np.ndarray, spread: np.ndarray, precision: np.ndarray) -> Coordinates:
    """Choose units from the data and the prior's precision of the regressors."""
    stacked = np.vstack([regressors, np.diag(np.sqrt(np.diag(precision)))])
    return Coordinates(spread, np.asarray(np.linalg.qr(stacked, mode="r")))


def prior_of(spec: ModelSpec, series: np.ndarray) -> tuple[niw.NormalInverseWishart, form.RowPrior]:
    """Return the prior of the reduced form, at its tightness, and the same as a prior of rows.

    Parameters
    ----------
    series : (time, variable); the estimation rows, measured from where the prior of the constants
        is centred.

    Raises
    ------
    SpecError
        If the tightness is to be inferred beside artificial observations, which share it.
    """
    n, lags, constant, prior = series.shape[1], spec.system.lags, spec.system.constant, spec.prior
    if prior.flat:
        conjugate = niw.flat(n, int(constant) + n * lags)
        return conjugate, form.row_prior(conjugate)
    conjugate = niw.minnesota(
        niw.autoregressive_spread(series),
        lags=lags,
        constant=constant,
        own_lag=np.array([prior.mean_of(name) for name in spec.system.variables]),
        tightness=prior.tightness,
        decay=prior.decay,
        intercept_scale=prior.intercept_scale,
    )
    response, regressors = unit_root_dummies(
        series[:lags].mean(0),
        lags=lags,
        constant=constant,
        sum_of_coefficients=prior.sum_of_coefficients,
        single_unit_root=prior.single_unit_root,
    )
    if not prior.hierarchical:
        if len(response):
            conjugate = niw.posterior(conjugate, response, regressors)
        return conjugate, form.row_prior(conjugate)
    if len(response):
        raise SpecError(
            f"model '{spec.name}': prior.hierarchical infers the tightness alone under a law per"
            " shock; drop sum_of_coefficients and single_unit_root, or set hierarchical = false"
        )
    return conjugate, _inferred(conjugate, lags, constant, prior.tightness)


def _inferred(
    conjugate: niw.NormalInverseWishart, lags: int, constant: bool, start: float
) -> form.RowPrior:
    """Set the lags' part of the prior apart, so that the tightness can be drawn."""
    slopes = conjugate.precision.copy()
    slopes[: int(constant)] = 0.0
    part, rows = form.quadratic(conjugate.mean, slopes), form.row_prior(conjugate)
    shape, rate = gamma_shape_rate(TIGHTNESS_MODE, TIGHTNESS_SD)
    return replace(
        rows,
        base=rows.base - part,
        tight=part * start**2,
        tightness=start,
        shape=shape,
        rate=rate,
        scaled=len(conjugate.scale) * lags,
    )
