"""Observed series in; a recursive vector autoregression with bootstrap replicates out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from attribution.core.bootstrap import residual_bootstrap
from attribution.errors import DataError, SpecError, nearest
from attribution.model.spec import ModelSpec
from attribution.posterior import StructuralPosterior

CHAINS = 4


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
    luetkepohl2005, ch. 3 and app. D; kilian1998
    """
    _refuse_settings(spec, draws, event_in)
    frame = _sample(spec, values, event_in)
    names, lags = spec.system.variables, spec.system.lags
    constant = spec.system.constant
    result = _least_squares(frame, lags, constant)
    coefficients = np.asarray(result.params)
    covariance = np.asarray(result.sigma_u)
    replicates = residual_bootstrap(
        frame.to_numpy(float),
        coefficients,
        lags=lags,
        constant=constant,
        draws=draws,
        rng=np.random.default_rng(seed),
    )
    return VarFit(
        posterior=_structural(names, lags, constant, *replicates, chains=CHAINS),
        point=_structural(names, lags, constant, coefficients[None], covariance[None], chains=1),
        residuals=pd.DataFrame(np.asarray(result.resid), frame.index[lags:], list(names)),
        covariance=covariance,
        covariance_ml=np.asarray(result.sigma_u_mle),
        standard_errors=np.asarray(result.stderr),
        loglik=float(result.llf),
        criteria={name: float(value) for name, value in result.info_criteria.items()},
    )


def _refuse_settings(spec: ModelSpec, draws: int, event_in: str) -> None:
    place = f"model '{spec.name}'"
    if event_in == "scale":
        raise SpecError(
            f"{place}: least squares has no scale of its own for the event days;"
            " use --event-in out or in, or kind 'bvar'"
        )
    if event_in not in ("out", "in"):
        raise SpecError(
            f"{place}: event-in is '{event_in}'; use out or in{nearest(event_in, ('out', 'in'))}"
        )
    if spec.identification is not None:
        raise SpecError(
            f"{place}: a recursive VAR is identified by the order of its variables and would"
            f" ignore the table '{spec.identification.name}'; remove it or use kind 'bvar_signs'"
        )
    if draws < CHAINS or draws % CHAINS:
        raise SpecError(
            f"{place}: {draws} draws do not fill {CHAINS} equal chains;"
            f" ask for {max(1, -(-draws // CHAINS)) * CHAINS}"
        )


def _sample(spec: ModelSpec, values: pd.DataFrame, event_in: str) -> pd.DataFrame:
    """Return the estimation sample, lags included, complete and long enough."""
    names = list(spec.system.variables)
    for name in names:
        if name not in values:
            raise DataError(f"column '{name}': the data lack it{nearest(name, values.columns)}")
    frame = values.loc[pd.Timestamp(spec.sample.start) : pd.Timestamp(spec.sample.end), names]
    if event_in == "out":
        frame = frame.loc[frame.index < pd.Timestamp(spec.event.hold_out[0])]
    complete = frame.notna().all(axis=1).to_numpy()
    frame = frame.iloc[int(complete.argmax()) if complete.any() else len(frame) :]
    if frame.isna().to_numpy().any():
        column = frame.isna().any().idxmax()
        day = frame.index[frame[column].isna()][0]
        raise DataError(
            f"column '{column}': no value on {day:%Y-%m-%d}, inside the estimation sample;"
            " supply it, move the sample, or use a model without it"
        )
    regressors = len(names) * spec.system.lags + spec.system.constant
    if len(frame) - spec.system.lags <= regressors + len(names):
        raise DataError(
            f"model '{spec.name}': {len(frame)} complete days for {regressors} coefficients an"
            " equation; lengthen the sample, or use fewer lags or variables"
        )
    return frame


def _refuse_degenerate(frame: pd.DataFrame) -> None:
    series = frame.to_numpy(float)
    for column, spread in zip(frame, np.ptp(series, 0), strict=True):
        if spread == 0:
            raise DataError(f"column '{column}': it is constant in the estimation sample; drop it")
    if np.linalg.matrix_rank((series - series.mean(0)) / series.std(0)) < series.shape[1]:
        raise DataError(
            f"columns {', '.join(map(str, frame))}: they are collinear in the estimation sample;"
            " drop one of them"
        )


def _least_squares(frame: pd.DataFrame, lags: int, constant: bool) -> Any:
    """Estimate by statsmodels, which takes bare arrays: dates without a frequency make it warn."""
    from statsmodels.tsa.api import VAR

    _refuse_degenerate(frame)
    return VAR(frame.to_numpy(float)).fit(maxlags=lags, trend="c" if constant else "n")


def _structural(
    names: tuple[str, ...],
    lags: int,
    constant: bool,
    coefficients: np.ndarray,
    covariance: np.ndarray,
    *,
    chains: int,
) -> StructuralPosterior:
    """Identify by the lower Cholesky factor and lay the draws out as chains."""
    n = len(names)
    lead = (chains, len(coefficients) // chains)
    slopes = coefficients[:, int(constant) :].reshape(*lead, lags, n, n)
    intercept = coefficients[:, 0] if constant else np.zeros((len(coefficients), n))
    return StructuralPosterior(
        variables=names,
        shocks=names,
        channels=names,
        impact=np.linalg.cholesky(covariance).reshape(*lead, n, n),
        lag_coefficients=np.ascontiguousarray(slopes.swapaxes(-1, -2)),
        intercept=intercept.reshape(*lead, n),
        weight=np.ones(lead),
    )
