r"""A conjugate prior and the data in; the closed-form posterior of a reduced-form VAR out.

.. math::
    Y = X B + U, \quad u_t \sim N(0, \Sigma), \qquad
    \Sigma \sim IW(S, \nu), \quad \mathrm{vec}\,B \mid \Sigma \sim
    N(\mathrm{vec}\,\bar B,\ \Sigma \otimes P^{-1})

with density of :math:`\Sigma` proportional to
:math:`|\Sigma|^{-(\nu+n+1)/2} \exp(-\tfrac12 \mathrm{tr}\,S\Sigma^{-1})`.  The same notation
serves the prior and, the pair being conjugate, the posterior; draws are independent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular


@dataclass(frozen=True)
class NormalInverseWishart:
    """Parameters of the distribution, prior or posterior.

    Attributes
    ----------
    mean : (regressor, variable).
    precision : (regressor, regressor); zero for the flat prior.
    scale : (variable, variable); zero for the flat prior.
    dof : degrees of freedom, zero for the flat prior.
    """

    mean: np.ndarray
    precision: np.ndarray
    scale: np.ndarray
    dof: float


def design(
    series: np.ndarray, *, lags: int, constant: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """Return response (time, variable) and regressors: constant if any, then nearest lag first."""
    days = len(series) - lags
    parts = [np.ones((days, int(constant)))]
    parts += [series[lags - lag : lags - lag + days] for lag in range(1, lags + 1)]
    return series[lags:], np.concatenate(parts, axis=1)


def flat(variables: int, regressors: int) -> NormalInverseWishart:
    r"""Return Uhlig's weak prior, N0 = 0 and ν0 = 0: :math:`\Sigma \mid Y \sim IW(SSE, T)`.

    References
    ----------
    uhlig2005, app. B
    """
    return NormalInverseWishart(
        np.zeros((regressors, variables)),
        np.zeros((regressors, regressors)),
        np.zeros((variables, variables)),
        0.0,
    )


def minnesota(
    spread: np.ndarray,
    *,
    lags: int,
    constant: bool,
    own_lag: np.ndarray,
    tightness: float,
    decay: float,
    intercept_scale: float,
) -> NormalInverseWishart:
    r"""Return the natural-conjugate Minnesota prior.

    .. math::
        \mathrm{Var}(A_{l,ij} \mid \Sigma) =
            \frac{\lambda^2}{l^{2\delta}} \frac{\Sigma_{ii}}{s_j^2}, \qquad
        \mathrm{Var}(c_i \mid \Sigma) = \kappa^2 \Sigma_{ii}, \qquad E\,\Sigma = \mathrm{diag}(s^2)

    with n + 2 degrees of freedom, the fewest that give Σ a mean.  It is free of units: rescaling
    a series rescales its rows and columns and nothing else.

    Parameters
    ----------
    spread : (variable,) s; unit of the variable (see ``autoregressive_spread``).
    own_lag : (variable,); prior mean of the first own lag.
    tightness, decay, intercept_scale : λ, δ, κ.

    References
    ----------
    doan1984; kadiyala1997
    """
    n, first = len(spread), int(constant)
    mean = np.zeros((first + n * lags, n))
    mean[first : first + n] = np.diag(own_lag)
    steps = np.repeat(np.arange(1, lags + 1), n)
    weight = (steps**decay * np.tile(spread, lags) / tightness) ** 2
    precision = np.diag(np.concatenate([np.full(first, intercept_scale**-2.0), weight]))
    return NormalInverseWishart(mean, precision, np.diag(spread**2), n + 2.0)


def autoregressive_spread(series: np.ndarray) -> np.ndarray:
    """Residual standard deviation of each series' own first-order autoregression (variable,)."""
    now, before = series[1:] - series[1:].mean(0), series[:-1] - series[:-1].mean(0)
    slope = (now * before).sum(0) / (before**2).sum(0)
    spread: np.ndarray = np.sqrt(((now - slope * before) ** 2).sum(0) / (len(now) - 2))
    return spread


def posterior(
    prior: NormalInverseWishart, response: np.ndarray, regressors: np.ndarray
) -> NormalInverseWishart:
    r"""Update the prior with the data.

    .. math::
        P = P_0 + X'X, \quad \bar B = P^{-1}(P_0 B_0 + X'Y), \quad \nu = \nu_0 + T, \quad
        S = S_0 + (Y - X\bar B)'(Y - X\bar B) + (\bar B - B_0)'P_0(\bar B - B_0)

    the sum of squares in a form that cannot turn negative by rounding.

    References
    ----------
    kadiyala1997
    """
    precision = prior.precision + regressors.T @ regressors
    size = np.sqrt(np.diag(precision))  # equilibrated: units do not touch the digits
    moment = prior.precision @ prior.mean + regressors.T @ response
    mean = np.linalg.solve(precision / np.outer(size, size), moment / size[:, None]) / size[:, None]
    errors, moved = response - regressors @ mean, mean - prior.mean
    scale = prior.scale + errors.T @ errors + moved.T @ prior.precision @ moved
    return NormalInverseWishart(mean, precision, scale, prior.dof + len(response))


def draw_factor(of: NormalInverseWishart, draws: int, rng: np.random.Generator) -> np.ndarray:
    r"""Draw lower Cholesky factors of Σ, without a factorisation per draw.

    Bartlett's decomposition in reverse: :math:`\Sigma^{-1} = C^{-\prime} U U' C^{-1}` with C the
    factor of the scale and U upper triangular, so that the factor of Σ is :math:`C U^{-\prime}`.

    Returns
    -------
    (draw, variable, variable); unit of the row's variable.

    References
    ----------
    bartlett1933
    """
    n = len(of.scale)
    lower = np.zeros((draws, n, n))  # U'
    degrees = of.dof - np.arange(n)[::-1]
    rows, columns = np.tril_indices(n, -1)
    lower[:, np.arange(n), np.arange(n)] = np.sqrt(rng.chisquare(degrees, size=(draws, n)))
    lower[:, rows, columns] = rng.standard_normal((draws, len(rows)))
    factor: np.ndarray = np.linalg.cholesky(of.scale) @ _inverse_of_lower(lower)
    return factor


def draw_coefficients(
    of: NormalInverseWishart, root: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    r"""Draw :math:`B \mid \Sigma = \bar B + L^{-\prime} Z H'` with :math:`P = LL'`.

    Parameters
    ----------
    root : (draw, variable, variable), H; any square root of Σ, so an impact matrix will do.

    Returns
    -------
    (draw, regressor, variable); unit of the variable per unit of the regressor.
    """
    draws, n = root.shape[:2]
    k = len(of.mean)
    noise = rng.standard_normal((draws, k, n)) @ root.swapaxes(1, 2)
    factor = np.linalg.cholesky(of.precision)
    stacked = noise.transpose(1, 0, 2).reshape(k, draws * n)
    spread = solve_triangular(factor, stacked, lower=True, trans="T")
    coefficients: np.ndarray = of.mean + spread.reshape(k, draws, n).transpose(1, 0, 2)
    return coefficients


def split(coefficients: np.ndarray, *, constant: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return lag coefficients (..., lag, variable, regressor) and intercept (..., variable)."""
    *lead, k, n = coefficients.shape
    slopes = coefficients[..., int(constant) :, :].reshape(*lead, (k - int(constant)) // n, n, n)
    intercept = coefficients[..., 0, :] if constant else np.zeros((*lead, n))
    return np.ascontiguousarray(slopes.swapaxes(-1, -2)), intercept


def _inverse_of_lower(lower: np.ndarray) -> np.ndarray:
    """Invert lower triangular matrices (draw, n, n), one row at a time for all draws."""
    n = lower.shape[-1]
    inverse = np.zeros_like(lower)
    for i in range(n):
        inverse[:, i, i] = 1.0
        carried = lower[:, i, None, :i] @ inverse[:, :i]
        inverse[:, i] -= carried[:, 0]
        inverse[:, i] /= lower[:, i, i, None]
    return inverse
