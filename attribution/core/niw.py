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
from scipy.special import multigammaln

from attribution.core.wishart import coefficients, factors


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


def log_evidence(prior: NormalInverseWishart, after: NormalInverseWishart) -> float:
    r"""Return the log marginal likelihood of the rows between ``prior`` and ``after``, all of it.

    .. math::
        -\frac{nT}{2}\log\pi + \log\frac{\Gamma_n(\nu/2)}{\Gamma_n(\nu_0/2)}
        + \frac n2 \log\frac{|P_0|}{|P|} + \frac{\nu_0}{2}\log|S_0| - \frac\nu2\log|S|

    Where the prior was itself updated by dummy observations, theirs is left out, as it should be.

    Raises
    ------
    ValueError
        If the prior is improper: it has no marginal likelihood.

    References
    ----------
    kadiyala1997; giannone2015, app. A
    """
    n = len(after.scale)
    if prior.dof <= n - 1:
        raise ValueError("an improper prior has no marginal likelihood")
    rows = after.dof - prior.dof
    value = -0.5 * n * rows * np.log(np.pi)
    value += multigammaln(0.5 * after.dof, n) - multigammaln(0.5 * prior.dof, n)
    value += 0.5 * n * (_log_det(prior.precision) - _log_det(after.precision))
    return float(
        value + 0.5 * (prior.dof * _log_det(prior.scale) - after.dof * _log_det(after.scale))
    )


def _log_det(matrix: np.ndarray) -> float:
    return float(np.linalg.slogdet(matrix)[1])


def draw_factor(of: NormalInverseWishart, draws: int, rng: np.random.Generator) -> np.ndarray:
    r"""Draw lower Cholesky factors of Σ, without a factorisation per draw.

    Returns
    -------
    (draw, variable, variable); unit of the row's variable.

    References
    ----------
    bartlett1933
    """
    factor: np.ndarray = factors(np.linalg.cholesky(of.scale), float(of.dof), draws, rng)
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
    lower = np.linalg.cholesky(of.precision)
    spread = solve_triangular(lower, np.eye(len(lower)), lower=True).T
    drawn: np.ndarray = coefficients(
        np.ascontiguousarray(of.mean),
        np.ascontiguousarray(spread),
        np.ascontiguousarray(root, dtype=float),
        rng,
    )
    return drawn


def split(coefficients: np.ndarray, *, constant: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return lag coefficients (..., lag, variable, regressor) and intercept (..., variable)."""
    *lead, k, n = coefficients.shape
    slopes = coefficients[..., int(constant) :, :].reshape(*lead, (k - int(constant)) // n, n, n)
    intercept = coefficients[..., 0, :] if constant else np.zeros((*lead, n))
    return np.ascontiguousarray(slopes.swapaxes(-1, -2)), intercept
