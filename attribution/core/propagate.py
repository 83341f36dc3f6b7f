"""The recursion: carry a path without shocks, or the impulses of each shock, through the lags."""

from __future__ import annotations

import numpy as np


def baseline(
    lag_coefficients: np.ndarray, intercept: np.ndarray, history: np.ndarray, steps: int
) -> np.ndarray:
    r"""Path expected on the eve: observed lags, no shocks after.

    .. math:: b_t = c + \sum_{l=1}^{p} A_l\, b_{t-l}, \qquad b_s = y_s \text{ up to the eve}

    Parameters
    ----------
    lag_coefficients : (..., lag, variable, regressor); nearest lag first.
    intercept : (..., variable); unit of the variable.
    history : (lag, variable); the days up to the eve, oldest first.
    steps : days ahead.

    Returns
    -------
    (..., step, variable); unit of the variable.

    References
    ----------
    kilian2017, ch. 4
    """
    lags = lag_coefficients.shape[-3]
    lead = lag_coefficients.shape[:-3]
    variables = intercept.shape[-1]
    path = np.empty((*lead, lags + steps, variables))
    path[..., :lags, :] = history
    for t in range(lags, lags + steps):
        recent = path[..., t - lags : t, :][..., ::-1, :]
        path[..., t, :] = intercept + np.einsum("...lvr,...lr->...v", lag_coefficients, recent)
    return path[..., lags:, :]


def contributions(lag_coefficients: np.ndarray, impulses: np.ndarray) -> np.ndarray:
    r"""Carry each day's impulses forward through the lags.

    .. math:: c_{j,t} = \Theta_{0,\cdot j}\,\varepsilon_{j,t} + \sum_{l=1}^{p} A_l\, c_{j,t-l}

    Parameters
    ----------
    lag_coefficients : (..., lag, variable, regressor); nearest lag first.
    impulses : (..., time, variable, shock); impact times shock on each day, unit of the variable.

    Returns
    -------
    (..., time, variable, shock); what each shock, up to and including today, adds today.

    References
    ----------
    kilian2017, ch. 4
    """
    lags = lag_coefficients.shape[-3]
    out = np.array(impulses, dtype=float, copy=True)
    for t in range(1, out.shape[-3]):
        for lag in range(1, min(lags, t) + 1):
            out[..., t, :, :] += lag_coefficients[..., lag - 1, :, :] @ out[..., t - lag, :, :]
    return out


def responses(lag_coefficients: np.ndarray, impact: np.ndarray, horizons: int) -> np.ndarray:
    r"""Impulse responses :math:`\Theta_h = \Psi_h \Theta_0`, h = 0 ... ``horizons``.

    Parameters
    ----------
    lag_coefficients : (..., lag, variable, regressor).
    impact : (..., variable, shock).

    Returns
    -------
    (..., horizon, variable, shock); unit of the variable per one-scale shock.
    """
    impulses = np.zeros((*impact.shape[:-2], horizons + 1, *impact.shape[-2:]))
    impulses[..., 0, :, :] = impact
    return contributions(lag_coefficients, impulses)


def residuals(
    lag_coefficients: np.ndarray, intercept: np.ndarray, history: np.ndarray, observed: np.ndarray
) -> np.ndarray:
    r"""One-step errors :math:`u_t = y_t - c - \sum_l A_l y_{t-l}`.

    Parameters
    ----------
    lag_coefficients : (..., lag, variable, regressor).
    intercept : (..., variable).
    history : (lag, variable); the days before the first of ``observed``, oldest first.
    observed : (time, variable).

    Returns
    -------
    (..., time, variable); unit of the variable.
    """
    lags = lag_coefficients.shape[-3]
    path = np.concatenate([history, observed])
    fitted = sum(
        np.einsum(
            "...vr,tr->...tv",
            lag_coefficients[..., lag - 1, :, :],
            path[lags - lag : len(path) - lag],
        )
        for lag in range(1, lags + 1)
    )
    errors: np.ndarray = observed - intercept[..., None, :] - fitted
    return errors
