r"""A VAR and an external instrument in; the shock it stands for, responses and their sets, out.

The instrument z is correlated with one shock and with no other, so that

.. math:: \Gamma = E\,u_t (z_t - E z_t) \propto h_1

is the impact of that shock up to scale (Stock and Watson 2012, Mertens and Ravn 2013).  Every
estimate here is a smooth function of averages, and carries its *influence*: a series whose mean
has, to first order, the error of the estimate.  One covariance serves them all, robust to
heteroskedasticity (Newey and West 1987 with lags), and an instrument that is observed on a part of
the sample only enters with the weight T / T_z of its days.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

from attribution.core.instruments.first_stage import ConfidenceSet, long_run, ratio_set


@dataclass(frozen=True)
class ProxyVar:
    r"""Least squares of a VAR, and the covariance of its errors with an instrument.

    Attributes
    ----------
    regressors, errors : (time, regressor), (time, variable).
    coefficients : (regressor, variable); constant first if any, then nearest lag first.
    covariance : (variable, variable), :math:`\hat u'\hat u / T`.
    gamma : (variable,), :math:`\hat\Gamma`; unit of the variable times that of the instrument.
    gamma_influence : (time, variable); zero mean.
    constant, lags : layout of the regressors.
    hac_lags : Newey-West lags, 0 for White's covariance.
    """

    regressors: np.ndarray
    errors: np.ndarray
    coefficients: np.ndarray
    covariance: np.ndarray
    gamma: np.ndarray
    gamma_influence: np.ndarray
    constant: bool
    lags: int
    hac_lags: int = 0

    @property
    def slopes(self) -> np.ndarray:
        """Lag coefficients (lag, variable, regressor)."""
        n = len(self.gamma)
        stacked = self.coefficients[int(self.constant) :].reshape(self.lags, n, n)
        return stacked.swapaxes(1, 2)


def proxy_var(
    response: np.ndarray,
    regressors: np.ndarray,
    instrument: np.ndarray,
    *,
    constant: bool,
    hac_lags: int = 0,
) -> ProxyVar:
    r"""Estimate :math:`\Gamma` and its influence.

    .. math::
        \psi_t = \tfrac{T}{T_z} 1_t\{z\} \big( u_t (z_t - \bar z) - \Gamma \big)
            - E_z[(z - \bar z) x'] Q^{-1} x_t u_t,
        \qquad Q = E\,x x'

    the last term being what the estimated coefficients add.

    Parameters
    ----------
    response, regressors : (time, variable), (time, regressor) of ``niw.design``.
    instrument : (time,); NaN where it is not observed.

    References
    ----------
    montielolea2021, app. A; newey1987
    """
    periods = len(response)
    coefficients = np.linalg.lstsq(regressors, response, rcond=None)[0]
    errors = response - regressors @ coefficients
    seen = np.isfinite(instrument)
    share = np.where(seen, periods / seen.sum(), 0.0)
    z = share * np.where(seen, instrument - instrument[seen].mean(), 0.0)
    second = regressors.T @ regressors / periods
    carried = np.linalg.solve(second, regressors.T @ z / periods)
    gamma = errors.T @ z / periods
    influence = errors * (z - regressors @ carried)[:, None] - np.outer(share, gamma)
    return ProxyVar(
        regressors=regressors,
        errors=errors,
        coefficients=coefficients,
        covariance=errors.T @ errors / periods,
        gamma=gamma,
        gamma_influence=influence,
        constant=constant,
        lags=(regressors.shape[1] - int(constant)) // response.shape[1],
        hac_lags=hac_lags,
    )


def covariance_of(influence: np.ndarray, hac_lags: int) -> np.ndarray:
    r"""Return the covariance of estimates from their influences (time, estimate).

    .. math:: \frac{1}{T^2} \Big( S_0 + \sum_{l=1}^{L} (1 - \tfrac{l}{L+1}) (S_l + S_l') \Big),
        \qquad S_l = \sum_t \psi_t \psi_{t-l}'

    References
    ----------
    newey1987
    """
    covariance: np.ndarray = long_run(influence, hac_lags) / len(influence) ** 2
    return covariance


def coefficient_influence(var: ProxyVar, gradient: np.ndarray) -> np.ndarray:
    r"""Influence (time,) of a function of B with a gradient (regressor, variable)."""
    periods = len(var.errors)
    second = var.regressors.T @ var.regressors / periods
    weights: np.ndarray = var.regressors @ np.linalg.solve(second, gradient)
    influence: np.ndarray = (weights * var.errors).sum(1)
    return influence


def moving_average(slopes: np.ndarray, horizons: int) -> np.ndarray:
    r"""Return :math:`\Psi_0, \ldots, \Psi_h` (horizon, variable, variable) of one VAR."""
    lags, n = slopes.shape[:2]
    psi = np.zeros((horizons + 1, n, n))
    psi[0] = np.eye(n)
    for h in range(1, horizons + 1):
        for lag in range(1, min(h, lags) + 1):
            psi[h] += slopes[lag - 1] @ psi[h - lag]
    return psi


def one_sd(gamma: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    r"""Impact of a one-sd shock, :math:`\Gamma / \sqrt{\Gamma'\Sigma^{-1}\Gamma}`.

    It is the closed form of Gertler and Karadi (2015, fn. 4): the impact that has
    :math:`h'\Sigma^{-1}h = 1` and the direction of Γ.

    References
    ----------
    gertler2015; mertens2013
    """
    impact: np.ndarray = gamma / np.sqrt(gamma @ np.linalg.solve(covariance, gamma))
    return impact


def relevance_wald(var: ProxyVar, unit: int) -> float:
    """Wald statistic (chi-squared, one degree of freedom) of an instrument unrelated to ``unit``.

    References
    ----------
    montielolea2021, sec. 4
    """
    own = covariance_of(var.gamma_influence[:, [unit]], var.hac_lags)[0, 0]
    return float(var.gamma[unit] ** 2 / own)


# A VAR and its instrument in; responses to the instrument's shock, with two kinds of sets, out.


@dataclass(frozen=True)
class Estimate:
    r"""A number, its standard error, and its two confidence sets at one level.

    The delta method takes the denominator of :math:`e_i'\Psi_h\Gamma / e_u'\Gamma` for surely not
    zero. Inverting the test of :math:`e_i'\Psi_h\Gamma = \lambda\, e_u'\Gamma` for every λ, as
    Anderson and Rubin do, takes nothing for granted: with a weak instrument the set may be two half
    lines or everything, which is then what the data say.

    Attributes
    ----------
    value, se : plug-in estimate and delta-method standard error.
    delta : the interval that assumes a strong instrument.
    robust : the set that is valid however weak the instrument is.
    """

    value: float
    se: float
    delta: ConfidenceSet
    robust: ConfidenceSet

    def scaled(self, factor: float) -> Estimate:
        """Return the same in another unit; the factor is positive."""
        delta, robust = self.delta.scaled(factor), self.robust.scaled(factor)
        return Estimate(self.value * factor, self.se * factor, delta, robust)


def delta_interval(value: float, se: float, level: float) -> ConfidenceSet:
    """Return value ± the normal quantile times its standard error."""
    reach = float(np.sqrt(chi2.ppf(level, 1))) * se
    return ConfidenceSet("interval", value - reach, value + reach)


def responses(
    var: ProxyVar, *, unit: int, horizons: int, level: float, cumulate: tuple[int, ...] = ()
) -> list[list[Estimate]]:
    r"""Estimate responses to a shock that moves variable ``unit`` by one unit on impact.

    .. math:: \lambda_{ih} = \frac{e_i'\Psi_h \Gamma}{e_u'\Gamma}

    Parameters
    ----------
    horizons : last horizon; 0 is the period of the shock.
    cumulate : variables whose responses are summed from horizon 0 on.

    Returns
    -------
    One list a horizon, of one estimate a variable; unit of the variable per unit of ``unit``.

    References
    ----------
    montielolea2021, eq. 8-12
    """
    n, critical = len(var.gamma), float(chi2.ppf(level, 1))
    psi = moving_average(var.slopes, horizons)
    theta = psi @ var.gamma
    below = var.gamma_influence[:, unit]
    running = [np.zeros(len(var.errors)) for _ in range(n)]
    totals = np.zeros(n)
    rows = []
    for h in range(horizons + 1):
        row = []
        for i in range(n):
            gradient = response_gradient(var, psi, theta, h, i)
            influence = coefficient_influence(var, gradient) + var.gamma_influence @ psi[h, i]
            kept = float(i in cumulate)
            running[i] = kept * running[i] + influence
            totals[i] = kept * totals[i] + theta[h, i]
            row.append(_ratio(totals[i], var.gamma[unit], running[i], below, var, critical))
        rows.append(row)
    return rows


def response_gradient(
    var: ProxyVar, psi: np.ndarray, theta: np.ndarray, horizon: int, variable: int
) -> np.ndarray:
    r"""Gradient (regressor, variable) of :math:`e_i'\Psi_h\Gamma` with respect to B.

    .. math:: \sum_{s=1}^{h} x_s\, e_i'\Psi_{h-s}, \qquad
        x_s = (0, \theta_{s-1}', \ldots, \theta_{s-p}')'
    """
    n, first = theta.shape[1], int(var.constant)
    gradient = np.zeros_like(var.coefficients)
    for s in range(1, horizon + 1):
        for lag in range(1, min(s, var.lags) + 1):
            rows = slice(first + (lag - 1) * n, first + lag * n)
            gradient[rows] += np.outer(theta[s - lag], psi[horizon - s, variable])
    return gradient


def _ratio(
    above: float,
    below: float,
    above_influence: np.ndarray,
    below_influence: np.ndarray,
    var: ProxyVar,
    critical: float,
) -> Estimate:
    pair = covariance_of(np.stack([above_influence, below_influence], 1), var.hac_lags)
    value = above / below
    variance = pair[0, 0] - 2.0 * value * pair[0, 1] + value**2 * pair[1, 1]
    se = float(np.sqrt(max(variance, 0.0))) / abs(below)
    reach = float(np.sqrt(critical)) * se
    return Estimate(
        value=float(value),
        se=se,
        delta=ConfidenceSet("interval", value - reach, value + reach),
        robust=ratio_set(above, below, (pair[0, 0], pair[0, 1], pair[1, 1]), critical),
    )
