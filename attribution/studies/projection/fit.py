"""Local projections: an impulse and its controls in, responses horizon by horizon out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from attribution.studies.projection.question import ProjectionQuestion
from attribution.studies.projection.rows import (
    NEWEY_WEST,
    ProjectionDesign,
    bandwidth,
    response_at,
    standardised,
)


@dataclass(frozen=True)
class Projections:
    """Responses to an innovation of one unit of the impulse.

    Attributes
    ----------
    response, error : (horizon, variable); unit of the variable per unit of the impulse, and its
        standard error; both exact, with an error of zero, where the design sets them.
    var : the same responses of a recursive VAR with the same lags on the same rows; NaN with an
        instrument.
    rows : (horizon,); rows of each regression.
    scale : sd of the impulse's innovation, divided by T − k as a VAR's.
    first_stage : (horizon,); robust F of the instrument; empty without one.
    """

    response: np.ndarray
    error: np.ndarray
    var: np.ndarray
    rows: np.ndarray
    scale: float
    first_stage: np.ndarray


def project(question: ProjectionQuestion, design: ProjectionDesign) -> Projections:
    r"""Regress every series, h rows on, on the impulse and the controls of the day.

    .. math:: y_{i,t+h} = \theta_{i,h}\, x_t + \gamma_{i,h}' w_t + e_{i,t+h}

    By least squares, where :math:`w_t` holds the series ordered before the impulse and lags of
    all; or by two-stage least squares with an instrument for :math:`x_t` and lags alone in
    :math:`w_t`.  Errors: with one lag more than the model needs, heteroskedasticity-robust (HC1)
    ones are valid at every horizon, whatever the persistence; without it, Newey and West's.

    References
    ----------
    jorda2005; stock2018; montielplagborg2021; plagborg2021; newey1987
    """
    horizons, names = range(question.horizons + 1), question.variables
    design, units = standardised(question, design)
    shape = (question.horizons + 1, len(names))
    response, error = np.zeros(shape), np.zeros(shape)
    own = names.index(question.impulse)
    response[0, own] = 1.0
    given = own if question.instrument is None else -1  # series that are controls of the same day
    for h in horizons:
        y = response_at(design.values, h, lags=design.lags, cumulative=False)
        if question.cumulative:
            total = response_at(design.values, h, lags=design.lags, cumulative=True)
            y = np.where(_changes(question), total, y)
        for i in range(len(names)):
            if h > 0 or (i > given and i != own):
                response[h, i], error[h, i] = _one(question, design, y[:, i], h)
    unit = units.size[: len(names)] / units.size[own]
    return Projections(
        response=response * unit,
        error=error * unit,
        var=_var(question, design) * unit,
        rows=np.array([len(design.values) - design.lags - h for h in horizons]),
        scale=_scale(design, len(names)) * float(units.size[own]),
        first_stage=_strength(question, design),
    )


def _one(
    question: ProjectionQuestion, design: ProjectionDesign, y: np.ndarray, horizon: int
) -> tuple[float, float]:
    """Coefficient of the impulse and its standard error."""
    rows = slice(design.lags, design.lags + len(y))
    x, w = design.impulse[rows, None], design.controls[rows]
    if design.instrument is None:
        return _least_squares(y, np.column_stack([x, w]), _law(question, horizon, len(y)))
    from linearmodels.iv import IV2SLS

    kernel: dict[str, Any] = (
        {"cov_type": "kernel", "kernel": "bartlett", "bandwidth": bandwidth(horizon, len(y))}
        if question.errors == NEWEY_WEST
        else {"cov_type": "robust"}
    )
    found = IV2SLS(y, w, x, design.instrument[rows, None]).fit(debiased=True, **kernel)
    return float(found.params.iloc[-1]), float(found.std_errors.iloc[-1])


def _law(question: ProjectionQuestion, horizon: int, rows: int) -> dict[str, Any]:
    if question.errors != NEWEY_WEST:
        return {"cov_type": "HC1"}
    lags = {"maxlags": bandwidth(horizon, rows), "use_correction": True}
    return {"cov_type": "HAC", "cov_kwds": lags}


def _least_squares(y: np.ndarray, x: np.ndarray, law: dict[str, Any]) -> tuple[float, float]:
    from statsmodels.api import OLS

    found = OLS(y, x).fit(**law)
    return float(found.params[0]), float(found.bse[0])


def _scale(design: ProjectionDesign, variables: int) -> float:
    rows = slice(design.lags, None)
    w, x = design.controls[rows], design.impulse[rows]
    left = x - w @ np.linalg.lstsq(w, x, rcond=None)[0]
    return float(np.sqrt(left @ left / (len(x) - 1 - variables * design.lags)))


def _strength(question: ProjectionQuestion, design: ProjectionDesign) -> np.ndarray:
    """Robust F of the one instrument at each horizon's rows: its effective F."""
    if design.instrument is None:
        return np.zeros(0)
    found = []
    for h in range(question.horizons + 1):
        rows = slice(design.lags, len(design.values) - h)
        x = np.column_stack([design.instrument[rows], design.controls[rows]])
        law = _law(question, h, len(x))
        slope, error = _least_squares(design.impulse[rows], x, law)
        found.append((slope / error) ** 2)
    return np.array(found)


def _var(question: ProjectionQuestion, design: ProjectionDesign) -> np.ndarray:
    """Responses of the recursive VAR, per unit of the impulse."""
    shape = (question.horizons + 1, len(question.variables))
    if question.instrument is not None:
        return np.full(shape, np.nan)
    from statsmodels.tsa.api import VAR

    fitted = VAR(design.values).fit(maxlags=design.lags, trend="c")
    factor = np.linalg.cholesky(np.asarray(fitted.sigma_u))
    own = question.variables.index(question.impulse)
    struck = factor[:, own] / factor[own, own]
    found: np.ndarray = np.asarray(fitted.ma_rep(question.horizons)) @ struck
    if not question.cumulative:
        return found
    return np.where(_changes(question), found.cumsum(axis=0), found)


def _changes(question: ProjectionQuestion) -> np.ndarray:
    """Which variables (variable,) are changes, whose responses add up to those of their levels."""
    return np.array([name not in question.levels for name in question.variables])
