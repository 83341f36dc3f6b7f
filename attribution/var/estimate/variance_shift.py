r"""A variance shift: regimes, their relative variances as a posterior, and whether it identifies.

.. math:: u_t = B \varepsilon_t, \qquad \Sigma_1 = BB', \qquad \Sigma_r = B \Lambda_r B'

The variances of the shocks change on known days and their impacts do not.  B is identified, up to
signs and order, where no two shocks' variances change in proportion; that is tested here.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.stats import binom, chi2, gamma

from attribution.core import niw
from attribution.core.laws import variance_shift, variance_shift_likelihood
from attribution.core.laws.structural_form import DOF_RATE, DOF_SHAPE
from attribution.core.laws.structural_gibbs import LEAST_DOF
from attribution.core.rotations.naming import anchored, match
from attribution.errors import DiagnosticsError, SpecError
from attribution.finding import Finding
from attribution.model.spec import ModelSpec
from attribution.sampling.diagnostics import mean_with_error
from attribution.var.estimate.conjugate import CHAINS, estimation_sample, refuse_settings
from attribution.var.estimate.independent_laws import spell_of

PROPORTIONAL = 1e-12


@dataclass(frozen=True)
class VarianceShift:
    """Gaussian maximum likelihood under variances that change on known days.

    Attributes
    ----------
    variables, time, constant : of the sample, lags excluded.
    spell : (time,) int; regime of each day, from zero.
    impact : (variable, shock) B; unit of the variable per shock of the first regime.  Shock i is
        the one that explains most of variable i's impact variance, one each, and moves it up.
    variance : (regime, shock); one in the first regime.
    coefficients : (regressor, variable); constant first if any, then nearest lag first.
    log_likelihood : at the maximum.
    impact_error, variance_error : standard errors, from the observed information.
    covariance : (regime, variable, variable); of the residuals, about zero.
    """

    variables: tuple[str, ...]
    time: pd.DatetimeIndex
    constant: bool
    spell: np.ndarray
    impact: np.ndarray
    variance: np.ndarray
    coefficients: np.ndarray
    log_likelihood: float
    impact_error: np.ndarray
    variance_error: np.ndarray
    covariance: np.ndarray

    @property
    def days(self) -> np.ndarray:
        """Days of each regime (regime,)."""
        return np.bincount(self.spell)


@dataclass(frozen=True)
class Proportional:
    """Test that the variances of some shocks change in proportion, so that they mix freely.

    Attributes
    ----------
    shocks : their numbers, from zero.
    statistic, dof, p : likelihood ratio, its degrees of freedom and tail probability.
    """

    shocks: tuple[int, ...]
    statistic: float
    dof: int
    p: float


@dataclass(frozen=True)
class Standardised:
    """Data sets in units of order one, and the way back.

    Attributes
    ----------
    moment : (set, regime, coordinate, coordinate); of white regressors and residuals.
    days : (regime,).
    least_squares : (set, regressor, variable).
    spread : (set, variable); of the residuals.
    upper : (set, regressor, regressor); white regressors are the regressors times its inverse.
    """

    moment: np.ndarray
    days: np.ndarray
    least_squares: np.ndarray
    spread: np.ndarray
    upper: np.ndarray

    def coefficients(self, inner: np.ndarray) -> np.ndarray:
        """Take coefficients (set, regressor, variable) back to the units of the data."""
        moved = np.linalg.solve(self.upper, inner * self.spread[:, None])
        return np.asarray(self.least_squares + moved)


def fit_variance_shift(
    spec: ModelSpec,
    values: pd.DataFrame,
    *,
    event_in: str = "out",
    free: np.ndarray | None = None,
) -> VarianceShift:
    """Estimate by iterated generalised least squares, to convergence.

    Parameters
    ----------
    values : (time, variable); unit of the variable.
    event_in : ``out`` ends the sample before ``event.hold_out``, ``in`` at ``sample.end``.
    free : (variable, shock) bool; the other impacts are exact zeros.  Columns then keep the order
        of ``free``, each turned so that its largest entry, in standard errors, is positive.

    Raises
    ------
    SpecError, DataError
        If there are no breaks, or sample or regimes cannot be used.

    References
    ----------
    rigobon2003; lanne2008; herwartz2016
    """
    refuse_settings(spec, CHAINS, event_in, estimator="a variance shift")
    if not spec.scheme.breaks:
        raise SpecError(
            f"model '{spec.name}': scheme.breaks is empty; name the first day of each variance"
            " regime after the first"
        )
    frame = estimation_sample(spec, values, event_in, last=spec.sample.end)
    lags, constant = spec.system.lags, spec.system.constant
    time = pd.DatetimeIndex(frame.index[lags:])
    spell = spell_of(spec, time)
    response, regressors = niw.design(frame.to_numpy(float), lags=lags, constant=constant)
    units = standardised(response[None], regressors[None], spell)
    inner, impact, variance, value = _maximum(units, free)
    spread = units.spread[0]
    covariance = variance_shift.residual_covariances(units.moment[0], units.days, inner)
    n = len(impact)
    error = np.zeros((n, n)), np.zeros((len(units.days), n))
    able = np.ones((n, n), bool) if free is None else free
    inverse = variance_shift_likelihood.curvature(impact, variance, covariance, units.days, able)
    size = np.sqrt(np.diag(inverse))
    error[0][able], error[1][1:] = size[: able.sum()], size[able.sum() :].reshape(-1, n)
    return VarianceShift(
        variables=spec.system.variables,
        time=time,
        constant=constant,
        spell=spell,
        impact=impact * spread[:, None],
        variance=variance,
        coefficients=units.coefficients(inner[None])[0],
        log_likelihood=value - len(time) * float(np.log(spread).sum()),
        impact_error=error[0] * spread[:, None],
        variance_error=error[1],
        covariance=covariance * np.outer(spread, spread),
    )


def standardised(response: np.ndarray, regressors: np.ndarray, spell: np.ndarray) -> Standardised:
    """Standardise data sets: response (set, time, variable), regressors (set, time, regressor)."""
    root = np.sqrt(len(spell))
    white, upper = np.linalg.qr(regressors)
    slopes = white.swapaxes(1, 2) @ response
    residuals = response - white @ slopes
    spread = residuals.std(1)
    moment, days = variance_shift.moments(residuals / spread[:, None], white * root, spell)
    return Standardised(moment, days, np.linalg.solve(upper, slopes), spread, upper / root)


def _maximum(
    units: Standardised, free: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Return coefficients, impact, variances and likelihood of one data set, in its own units."""
    n = units.spread.shape[1]
    found = variance_shift.maximise(units.moment, units.days, variables=n)
    if not found.rounds.all():
        raise DiagnosticsError(
            f"the likelihood still moves after {variance_shift.MOST} rounds; merge regimes or use"
            " fewer lags"
        )
    raw = np.linalg.inv(found.rows[0])
    if free is not None:
        restricted = variance_shift_likelihood.maximise_restricted(
            units.moment[0], units.days, free, np.eye(n)
        )
        impact = restricted.impact
        sign = np.sign(impact[np.abs(impact).argmax(0), np.arange(n)])
        value = restricted.log_likelihood
        return restricted.coefficients, impact * sign, restricted.variance, value
    impact = anchored(raw)
    order, _ = match((found.rows[0] @ impact).T[None])
    variance = found.variance[0][:, np.abs(order[0]) - 1]
    value = float(variance_shift.log_likelihood(found.rows, found.variance, units.days)[0])
    return found.coefficients[0], impact, variance, value


def proportional(fit: VarianceShift, shocks: tuple[int, ...]) -> Proportional:
    r"""Test that the variances of ``shocks`` change in proportion in every regime.

    .. math:: LR = T \log|\hat\Omega| + m \sum_r T_r \log \hat\lambda_r
        - \sum_r T_r \sum_k \log \hat\lambda_{rk}

    with the m shocks' covariance :math:`\lambda_r \Omega` under the null, the other shocks and the
    coefficients kept; its limit is chi-squared with :math:`m(m-1)/2 + (m-1)(R-1)` degrees of
    freedom.  A Wald test of equal variances is not used: under the null, impacts are not
    identified, and ordered estimates of equal variances repel each other.

    References
    ----------
    lutkepohl2021
    """
    rows, regimes, m = np.linalg.inv(fit.impact)[list(shocks)], len(fit.days), len(shocks)
    spread = rows @ fit.covariance @ rows.T
    days, total = fit.days, fit.days.sum()
    scale = np.ones(regimes)
    for _ in range(10_000):
        common = (days[:, None, None] * spread / scale[:, None, None]).sum(0) / total
        new = np.trace(np.linalg.solve(common, spread), axis1=1, axis2=2) / m
        new /= new[0]
        step, scale = float(np.abs(np.log(new / scale)).max()), new
        if step < PROPORTIONAL:
            break
    common = (days[:, None, None] * spread / scale[:, None, None]).sum(0) / total
    apart = days @ np.log(np.diagonal(spread, axis1=1, axis2=2)).sum(1)
    together = total * np.linalg.slogdet(common)[1] + m * float(days @ np.log(scale))
    statistic, dof = max(float(together - apart), 0.0), m * (m - 1) // 2 + (m - 1) * (regimes - 1)
    return Proportional(shocks, statistic, dof, float(chi2.sf(statistic, dof)))


def proportional_pairs(fit: VarianceShift) -> tuple[Proportional, ...]:
    """Test every pair of shocks; B is identified where none is proportional."""
    n = len(fit.variables)
    return tuple(proportional(fit, pair) for pair in combinations(range(n), 2))


NEAR_GAUSSIAN = 30.0
"""Degrees of freedom above which a Student law is taken for a normal one."""
LEVEL = 0.05


def non_gaussian(dof: np.ndarray, weight: np.ndarray | None = None) -> Finding:
    """Ask whether at most one shock is near Gaussian, without which two of them mix freely.

    Parameters
    ----------
    dof : (chain, draw, shock).
    weight : (chain, draw); one if None.
    """
    several = (dof > NEAR_GAUSSIAN).sum(-1) > 1
    p, error = mean_with_error(several, weight)
    before = _several_a_priori(dof.shape[-1])
    return Finding.by_chance(
        name="non-Gaussian shocks",
        question="Is at most one shock near Gaussian, as telling shocks apart by tails requires?",
        evidence=(
            f"probability {p:.2f} that two or more shocks have over {NEAR_GAUSSIAN:g} degrees of"
            f" freedom; {before:.2f} before the data"
        ),
        probability=1.0 - p,
        error=error,
    )


def distinct_variances(fit: VarianceShift, names: tuple[str, ...]) -> Finding:
    """Ask whether any two shocks' variances change in proportion over the regimes."""
    every = proportional(fit, tuple(range(len(names))))
    worst = max(proportional_pairs(fit), key=lambda pair: pair.p, default=every)
    pair = " and ".join(names[i] for i in worst.shocks)
    return Finding(
        name="variances that change in proportion",
        question="Do the variances of no two shocks change in proportion over the regimes?",
        evidence=(
            f"likelihood ratio {every.statistic:.1f} on {every.dof} degrees of freedom against one"
            f" factor for all (p = {every.p:.3f}); the closest pair, {pair}: {worst.statistic:.1f}"
            f" on {worst.dof} (p = {worst.p:.3f})"
        ),
        verdict="holds" if max(worst.p, every.p) < LEVEL else "fails",
    )


def _several_a_priori(n: int) -> float:
    """Prior probability that two or more of n shocks are near Gaussian."""
    one = gamma.sf(DOF_RATE * (NEAR_GAUSSIAN - LEAST_DOF), DOF_SHAPE)
    return float(binom.sf(1, n, one))
