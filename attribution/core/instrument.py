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

from attribution.core.long_run import long_run


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
