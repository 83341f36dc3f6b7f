"""Observed series in; a recursive vector autoregression with bootstrap replicates out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from attribution.core import niw
from attribution.core.standard import Standard
from attribution.errors import SpecError
from attribution.model.spec import ModelSpec
from attribution.posterior import StructuralPosterior
from attribution.screen import told
from attribution.var.estimate.conjugate import (
    CHAINS,
    estimation_sample,
    refuse_settings,
    standardised,
)

# A least-squares VAR in; replicates of it from resampled residuals out.

BLOCK = 100
"""Replicates estimated at once; bounds the memory of the stacked regressors."""


def residual_bootstrap(
    series: np.ndarray,
    coefficients: np.ndarray,
    *,
    lags: int,
    constant: bool,
    draws: int,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    r"""Regenerate the sample from resampled residuals and estimate it again.

    .. math:: y^*_t = \hat c + \sum_l \hat A_l\, y^*_{t-l} + u^*_t, \qquad
        u^*_t \sim \sqrt{T/(T-k)}\;(\hat u_s - \bar u),\ s \text{ uniform}

    Works in units of each series' standard deviation, so that units do not touch the precision.

    Parameters
    ----------
    series : (time, variable); its first ``lags`` days start every replicate.
    coefficients : (regressor, variable); the constant first if there is one, then the nearest lag.
    draws : replicates; the only loops are over days and over blocks of replicates.

    Returns
    -------
    Coefficients (draw, regressor, variable) and residual covariances divided by T − k
    (draw, variable, variable).

    References
    ----------
    lutkepohl2005, app. D.3
    """
    scale = series.std(0)
    unit = series / scale
    size = np.concatenate([np.ones(int(constant)), np.tile(scale, lags)])
    scaled = coefficients * size[:, None] / scale
    errors = unit[lags:] - _design(unit[None], lags, constant)[0] @ scaled
    errors = (errors - errors.mean(0)) * np.sqrt(len(errors) / (len(errors) - len(size)))
    found, spread = [], []
    for first in range(0, draws, BLOCK):
        picks = rng.integers(len(errors), size=(min(BLOCK, draws - first), len(errors)))
        sample = _regenerate(unit[:lags], scaled, errors[picks], constant)
        replicate, covariance = _refit(sample, lags, constant)
        found.append(replicate * scale / size[:, None])
        spread.append(covariance * np.outer(scale, scale))
        told(first + len(picks), draws, "replicates")
    return np.concatenate(found), np.concatenate(spread)


def _regenerate(
    start: np.ndarray, coefficients: np.ndarray, errors: np.ndarray, constant: bool
) -> np.ndarray:
    """Run paths (draw, time, variable) on from ``start`` with the resampled errors."""
    lags, draws = len(start), len(errors)
    path = np.empty((draws, lags + errors.shape[1], errors.shape[2]))
    path[:, :lags] = start
    intercept = coefficients[0] if constant else 0.0
    slopes = coefficients[int(constant) :]
    for t in range(lags, path.shape[1]):
        recent = path[:, t - lags : t][:, ::-1].reshape(draws, -1)
        path[:, t] = intercept + recent @ slopes + errors[:, t - lags]
    return path


def _refit(sample: np.ndarray, lags: int, constant: bool) -> tuple[np.ndarray, np.ndarray]:
    """Solve the least squares of every replicate at once."""
    regressors = _design(sample, lags, constant)
    response = sample[:, lags:]
    transposed = regressors.swapaxes(1, 2)
    coefficients = np.linalg.solve(transposed @ regressors, transposed @ response)
    errors = response - regressors @ coefficients
    freedom = regressors.shape[1] - regressors.shape[2]
    return coefficients, errors.swapaxes(1, 2) @ errors / freedom


def _design(sample: np.ndarray, lags: int, constant: bool) -> np.ndarray:
    """Stack regressors (draw, time, regressor): the constant if any, then the nearest lag first."""
    days = sample.shape[1] - lags
    parts = [np.ones((len(sample), days, int(constant)))]
    parts += [sample[:, lags - lag : lags - lag + days] for lag in range(1, lags + 1)]
    return np.concatenate(parts, axis=2)


@dataclass(frozen=True)
class VarFit:
    r"""Least-squares estimate of a recursive VAR, and its bootstrap.

    Attributes
    ----------
    posterior : bootstrap replicates as draws (chain, draw); channels are the variables.
    point : the estimate itself, chain = draw = 1.
    residuals : (time, variable); unit of the variable; its index is the estimation sample.
    covariance : (variable, variable); of the residuals, divided by T − k.
    covariance_ml : the same, divided by T.
    standard_errors : (regressor, variable); constant first if there is one, then nearest lag.
    loglik : Gaussian log-likelihood at the estimate.
    criteria : ``aic``, ``bic``, ``hqic``, ``fpe`` in the convention of statsmodels
        (:math:`\log|\Sigma_{ml}|` plus the penalty).
    """

    posterior: StructuralPosterior
    point: StructuralPosterior
    residuals: pd.DataFrame
    covariance: np.ndarray
    covariance_ml: np.ndarray
    standard_errors: np.ndarray
    loglik: float
    criteria: Mapping[str, float]


def estimate_var(
    spec: ModelSpec,
    values: pd.DataFrame,
    *,
    draws: int = 1000,
    seed: int | np.random.SeedSequence,
    event_in: str = "out",
) -> VarFit:
    r"""Estimate a VAR by least squares, identify it recursively, bootstrap its residuals.

    .. math:: y_t = c + \sum_{l=1}^{p} A_l\, y_{t-l} + u_t, \qquad
        \Theta_0 = \mathrm{chol}(\hat\Sigma), \quad \hat\Sigma = \hat u'\hat u / (T - k)

    Shock j is named after variable j and moves, on the day, only the variables from j on.
    Replicates resample the centred residuals, scaled by :math:`\sqrt{T/(T-k)}`, with replacement
    and regenerate the sample from its own first p days.  What such bands leave out: least squares
    pulls the lags towards stationarity and the replicates do so once more (no bias correction,
    Kilian 1998), and resampling days independently breaks volatility clusters.

    Parameters
    ----------
    spec : names the variables (their order is the identification), lags, constant and event.
    values : (time, variable); unit of the variable.  Leading days on which a series has not
        begun are left out.
    draws : replicates, a multiple of four; they fill four chains of equal length.
    event_in : ``out`` ends the sample before ``event.hold_out``, ``in`` at ``sample.end``.

    Raises
    ------
    SpecError
        If the settings cannot be met, or a table is attached that a recursive VAR would ignore.
    DataError
        If a value is missing, a column constant, two columns collinear, or the sample too short.

    References
    ----------
    lutkepohl2005, ch. 3 and app. D; kilian1998
    """
    refuse_settings(spec, draws, event_in, estimator="least squares")
    _refuse_table(spec)
    frame = estimation_sample(spec, values, event_in, last=spec.sample.end)
    names, lags = spec.system.variables, spec.system.lags
    constant = spec.system.constant
    standard, series = standardised(spec, frame)
    result = _least_squares(series, lags, constant)
    inner, covariance = np.asarray(result.params), standard.covariance(np.asarray(result.sigma_u))
    replicates = residual_bootstrap(
        series,
        inner,
        lags=lags,
        constant=constant,
        draws=draws,
        rng=np.random.default_rng(seed),
    )
    residuals = np.asarray(result.resid) * standard.unit
    log_units = float(np.log(standard.unit).sum())  # a determinant of the data has their units
    criteria = {name: float(value) for name, value in result.info_criteria.items()}
    fpe = criteria.pop("fpe") * float(np.exp(2.0 * log_units))
    return VarFit(
        posterior=_structural(names, standard, lags, *replicates, chains=CHAINS),
        point=_structural(
            names, standard, lags, inner[None], np.asarray(result.sigma_u)[None], chains=1
        ),
        residuals=pd.DataFrame(residuals, frame.index[lags:], list(names)),
        covariance=covariance,
        covariance_ml=standard.covariance(np.asarray(result.sigma_u_mle)),
        standard_errors=_standard_errors(standard, series, lags, covariance),
        loglik=float(result.llf) - len(residuals) * log_units,
        criteria={name: value + 2.0 * log_units for name, value in criteria.items()} | {"fpe": fpe},
    )


def _refuse_table(spec: ModelSpec) -> None:
    if spec.identification is not None:
        raise SpecError(
            f"model '{spec.name}': a recursive VAR is identified by the order of its variables and"
            f" would ignore the table '{spec.identification.name}'; remove it or use kind"
            " 'bvar_signs'"
        )


def _least_squares(series: np.ndarray, lags: int, constant: bool) -> Any:
    """Estimate by statsmodels, which takes bare arrays: dates without a frequency make it warn."""
    from statsmodels.tsa.api import VAR

    return VAR(series).fit(maxlags=lags, trend="c" if constant else "n")


def _standard_errors(
    standard: Standard, series: np.ndarray, lags: int, covariance: np.ndarray
) -> np.ndarray:
    """Errors of the coefficients (regressor, variable), that of a constant at the data's zero."""
    _, regressors = niw.design(series, lags=lags, constant=standard.constant)
    change = np.linalg.inv(standard.regressors(regressors.shape[1])).T
    spread = change @ np.linalg.inv(np.linalg.qr(regressors, mode="r"))
    errors: np.ndarray = np.sqrt((spread**2).sum(1)[:, None] * np.diag(covariance))
    return errors


def _structural(
    names: tuple[str, ...],
    standard: Standard,
    lags: int,
    inner: np.ndarray,
    covariance: np.ndarray,
    *,
    chains: int,
) -> StructuralPosterior:
    """Identify by the lower Cholesky factor and lay the draws out as chains, in units."""
    n, constant = len(names), standard.constant
    coefficients = standard.coefficients(inner)
    lead = (chains, len(coefficients) // chains)
    slopes = coefficients[:, int(constant) :].reshape(*lead, lags, n, n)
    intercept = coefficients[:, 0] if constant else np.zeros((len(coefficients), n))
    return StructuralPosterior(
        variables=names,
        shocks=names,
        channels=names,
        impact=standard.impact(np.linalg.cholesky(covariance)).reshape(*lead, n, n),
        lag_coefficients=np.ascontiguousarray(slopes.swapaxes(-1, -2)),
        intercept=intercept.reshape(*lead, n),
        weight=np.ones(lead),
    )
