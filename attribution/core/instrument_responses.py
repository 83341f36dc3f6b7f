r"""A VAR and its instrument in; responses to the instrument's shock, with two kinds of sets, out.

The delta method takes the denominator of :math:`e_i'\Psi_h\Gamma / e_u'\Gamma` for surely not
zero.  Inverting the test of :math:`e_i'\Psi_h\Gamma = \lambda\, e_u'\Gamma` for every λ, as
Anderson and Rubin do, takes nothing for granted: with a weak instrument the set may be two half
lines or everything, which is then what the data say.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

from attribution.core.confidence import ConfidenceSet, ratio_set
from attribution.core.instrument import (
    ProxyVar,
    coefficient_influence,
    covariance_of,
    moving_average,
)


@dataclass(frozen=True)
class Estimate:
    """A number, its standard error, and its two confidence sets at one level.

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
