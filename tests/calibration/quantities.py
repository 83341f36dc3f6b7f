"""Truth or posterior of a structural VAR in; the quantities that are ranked, by name, out."""

from __future__ import annotations

import numpy as np
import pandas as pd
from calibration.simulation import Truth, log_normal

from attribution.decompose import decompose
from attribution.model.spec import UNATTRIBUTED, Window
from attribution.posterior import StructuralPosterior


def true_parts(truth: Truth, shocks: np.ndarray, named: int) -> dict[str, float]:
    """Contributions to the first variable, summed over the days of ``shocks`` (time, shock)."""
    n = truth.impact.shape[1]
    total = [float(truth.carried(shocks, k)[:, 0].sum()) for k in range(n)]
    parts = {f"contribution {k + 1}": total[k] for k in range(named)}
    if named < n:
        parts["contribution of the rest"] = sum(total[named:])
    if named > 1:
        parts["product of two contributions"] = total[0] * total[1]
    return parts


def true_baseline(truth: Truth, history: np.ndarray, days: int) -> float:
    """Path of the first variable without shocks after ``history``, summed."""
    nothing = np.zeros((days, truth.impact.shape[1]))
    return float(truth.path(nothing, history)[:, 0].sum())


def drawn_parts(
    posterior: StructuralPosterior, values: pd.DataFrame, window: Window
) -> dict[str, np.ndarray]:
    """Contributions and baseline of every draw, by the engine (draw,)."""
    split = decompose(posterior, values, window)
    parts, base, _ = split.cumulated(posterior.variables[0])
    named = len(posterior.channels)
    found = {f"contribution {k + 1}": parts[..., k].ravel() for k in range(named)}
    if named < len(posterior.shocks):
        found["contribution of the rest"] = parts[..., split.channels.index(UNATTRIBUTED)].ravel()
    if named > 1:
        found["product of two contributions"] = (parts[..., 0] * parts[..., 1]).ravel()
    return {**found, "baseline": base.ravel()}


def parameters(
    impact: np.ndarray, lags: np.ndarray, intercept: np.ndarray
) -> dict[str, np.ndarray]:
    """Scalars of draws: impact (draw, n, n), lags (draw, lag, n, n), intercept (draw, n)."""
    sigma = impact @ impact.swapaxes(1, 2)
    spread = np.sqrt(np.diagonal(sigma, axis1=1, axis2=2))
    return {
        "own lag": lags[:, 0, 0, 0],
        "cross lag": lags[:, 0, 0, 1],
        "last own lag": lags[:, -1, 1, 1],
        "intercept": intercept[:, 0],
        "impact 1 1": impact[:, 0, 0],
        "impact 2 1": impact[:, 1, 0],
        "log det": np.linalg.slogdet(sigma)[1],
        "correlation": sigma[:, 0, 1] / (spread[:, 0] * spread[:, 1]),
    }


def log_likelihood(
    response: np.ndarray, regressors: np.ndarray, coefficients: np.ndarray, impact: np.ndarray
) -> np.ndarray:
    """Joint density of the estimation rows at every draw (draw,)."""
    return log_normal(response, regressors @ coefficients, impact @ impact.swapaxes(1, 2))


def by_hand(series: np.ndarray, lags: int) -> tuple[np.ndarray, np.ndarray]:
    """Response and regressors, a constant first, as the definition reads."""
    days = range(lags, len(series))
    rows = [[1.0, *np.concatenate([series[t - lag] for lag in range(1, lags + 1)])] for t in days]
    return series[lags:], np.array(rows)
