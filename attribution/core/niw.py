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

import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from scipy.linalg import solve_triangular
from scipy.special import multigammaln

# Scales, noise and a generator in; factors of inverse-Wishart draws and what hangs on them out.

ADD_FASTER = {"reassoc", "contract", "nsz"}
"""Lets sums be reordered and fused; infinities and NaN keep their meaning."""


@njit(cache=True, nogil=True, fastmath=ADD_FASTER)
def factors(root, dof, draws, rng):  # type: ignore[no-untyped-def]
    r"""Draw lower Cholesky factors of Σ without a factorisation per draw.

    Compiled: one pass over the draws makes its random numbers, and every product stays in cache.

    Bartlett's decomposition in reverse: :math:`\Sigma^{-1} = C^{-\prime} U U' C^{-1}` with C the
    factor ``root`` of the scale and U upper triangular, so that the factor of Σ is
    :math:`C U^{-\prime}`: the solution Y of :math:`Y U' = C`, column by column from the last.
    """
    n = root.shape[0]
    out = np.zeros((draws, n, n))
    lower = np.zeros((n, n))  # U'
    for s in range(draws):
        for i in range(n):
            lower[i, i] = math.sqrt(2.0 * rng.standard_gamma(0.5 * (dof - (n - 1 - i))))
            for j in range(i):
                lower[i, j] = rng.standard_normal()
        for j in range(n - 1, -1, -1):
            over = 1.0 / lower[j, j]
            for i in range(j, n):
                total = root[i, j]
                for m in range(j + 1, i + 1):
                    total -= out[s, i, m] * lower[m, j]
                out[s, i, j] = total * over
    return out


@njit(cache=True, nogil=True, fastmath=ADD_FASTER)
def coefficients(mean, spread, root, rng):  # type: ignore[no-untyped-def]
    r"""Draw :math:`\bar B + W Z H'`, W upper triangular (``spread``), H the roots, Z normal."""
    draws, n = root.shape[0], root.shape[1]
    k = mean.shape[0]
    out = np.empty((draws, k, n))
    turned = np.empty((k, n))
    across = np.empty((n, n))
    noise = np.empty(n)
    row = np.empty(n)
    for s in range(draws):
        for i in range(n):
            for j in range(n):
                across[j, i] = root[s, i, j]
        for r in range(k):
            for j in range(n):
                noise[j] = rng.standard_normal()
                row[j] = 0.0
            for m in range(n):
                z = noise[m]
                for j in range(n):
                    row[j] += z * across[m, j]
            for j in range(n):
                turned[r, j] = row[j]
        for i in range(k):
            for j in range(n):
                row[j] = mean[i, j]
            for r in range(i, k):
                w = spread[i, r]
                for j in range(n):
                    row[j] += w * turned[r, j]
            for j in range(n):
                out[s, i, j] = row[j]
    return out


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


def log_density(of: NormalInverseWishart, root: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    r"""Return the log density of draws of (B, Σ), all constants in it.

    .. math::
        \tfrac\nu2\log|S| - \tfrac{\nu n}2\log 2 - \log\Gamma_n(\tfrac\nu2)
        - \tfrac{\nu+n+1}2\log|\Sigma| - \tfrac12\mathrm{tr}\,S\Sigma^{-1}
        - \tfrac{kn}2\log 2\pi + \tfrac n2\log|P| - \tfrac k2\log|\Sigma|
        - \tfrac12\mathrm{tr}\,(B-\bar B)'P(B-\bar B)\Sigma^{-1}

    Parameters
    ----------
    root : (draw, variable, variable), H; any square root of Σ, so an impact matrix will do.
    coefficients : (draw, regressor, variable), B.

    Raises
    ------
    ValueError
        If the law is improper: it has no density.
    """
    k, n = of.mean.shape
    if of.dof <= n - 1:
        raise ValueError("an improper prior has no density")
    back = np.linalg.inv(root).swapaxes(-1, -2)  # Σ⁻¹ = back @ back'
    size = 2.0 * np.linalg.slogdet(root)[1]
    apart = np.linalg.cholesky(of.precision).T @ (coefficients - of.mean) @ back
    scaled = np.linalg.cholesky(of.scale).T @ back
    value = 0.5 * (of.dof * _log_det(of.scale) + n * _log_det(of.precision))
    value -= 0.5 * n * (of.dof * np.log(2.0) + k * np.log(2.0 * np.pi))
    value -= float(multigammaln(0.5 * of.dof, n))
    squares = (apart**2).sum((-2, -1)) + (scaled**2).sum((-2, -1))
    found: np.ndarray = value - 0.5 * ((of.dof + n + 1 + k) * size + squares)
    return found


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


def joined(slopes: np.ndarray, intercept: np.ndarray, *, constant: bool) -> np.ndarray:
    """Return coefficients (..., regressor, variable): what ``split`` has taken apart."""
    *lead, lags, n, _ = slopes.shape
    stacked = slopes.swapaxes(-1, -2).reshape(*lead, lags * n, n)
    return np.concatenate([intercept[..., None, :], stacked], -2) if constant else stacked


# The mean of the first rows in; artificial observations that keep unit roots in sight out.


def unit_root_dummies(
    level: np.ndarray,
    *,
    lags: int,
    constant: bool,
    sum_of_coefficients: float | None,
    single_unit_root: float | None,
) -> tuple[np.ndarray, np.ndarray]:
    r"""Return response (row, variable) and regressors (row, regressor); no row where both are None.

    With :math:`\bar y` the mean of the first ``lags`` rows and rows ordered as in ``niw.design``:

    .. math::
        \text{sum of coefficients:}\quad & y = \mathrm{diag}(\bar y / \mu), &
            x &= [0,\ y, \ldots, y] \\
        \text{single unit root:}\quad & y = \bar y' / \delta, & x &= [1/\delta,\ y, \ldots, y]

    The first says that a series that has stood still stays where it is, the second that all of them
    do together unless the constants say otherwise; as μ or δ falls, they are imposed. As published
    both stand on the zero of the data: the first counts its tightness in the distance of the first
    rows from it, the second meets the prior of the constants there.

    Parameters
    ----------
    level : (variable,); mean of the first ``lags`` rows, unit of the variable.
    sum_of_coefficients, single_unit_root : μ and δ, positive; None leaves one out.

    References
    ----------
    giannone2015; sims1998
    """
    n = len(level)
    response, ones = np.zeros((0, n)), np.zeros((0, 1))
    if sum_of_coefficients is not None:
        response = np.diag(level / sum_of_coefficients)
        ones = np.zeros((n, 1))
    if single_unit_root is not None:
        response = np.concatenate([response, level[None] / single_unit_root])
        ones = np.concatenate([ones, [[1.0 / single_unit_root]]])
    parts = [ones] if constant else []
    return response, np.concatenate([*parts, *[response] * lags], axis=1)
