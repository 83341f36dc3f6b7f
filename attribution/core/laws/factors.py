r"""Log-likelihood of latent factors seen through measurement noise, its gradient, and its draws.

.. math::
    u_t = \Lambda f_t + v_t, \qquad
    f_{kt} \mid b_{kt}, \lambda_t \sim N(0, \lambda_t s_t^2 \omega_{g(t)k} \tau_k^{b_{kt}}), \qquad
    v_t \mid \lambda_t \sim N(0, \lambda_t s_t^2 D), \qquad
    \lambda_t \sim \text{inverse gamma}, \quad E\lambda_t = 1

with D diagonal and :math:`b_{kt} \sim \text{Bernoulli}(\pi_k)` independent over factors and days:
every factor has a scale of its own each day, a mixture of two normals, on top of the day's common
Student-t volatility.  Both are integrated out exactly, over all :math:`2^K` states of a day, so no
latent variable is left to sample.  Missing cells are left out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import digamma, gammaln, logsumexp

from attribution.core.laws.conditional import condition
from attribution.core.laws.factor_mixture import state_odds, sweep
from attribution.core.laws.overcomplete import Groups


@dataclass(frozen=True)
class FactorGradient:
    """Log-likelihood and its derivatives.

    Attributes
    ----------
    errors : (time, variable).  loading : (variable, factor).  noise : (variable,), of variances.
    calm : (group, factor); in the log of the calm variance.
    ratio : (factor,); in the log of the variance ratio, calm variances held.
    probability : (factor,); of the larger scale.
    log_scale : (time,).
    """

    value: float
    errors: np.ndarray
    loading: np.ndarray
    noise: np.ndarray
    calm: np.ndarray
    ratio: np.ndarray
    probability: np.ndarray
    log_scale: np.ndarray
    dof: float


def bits(factors: int) -> np.ndarray:
    """Which factors are at their larger scale in each state (state, factor), zero or one."""
    found: np.ndarray = np.arange(1 << factors)[:, None] >> np.arange(factors) & 1
    return found


def log_states(probability: np.ndarray) -> np.ndarray:
    """Log probability of every state (..., state) from those of the larger scales (..., factor)."""
    large = bits(probability.shape[-1])
    found: np.ndarray = np.log(probability) @ large.T + np.log1p(-probability) @ (1 - large).T
    return found


def log_likelihood(
    errors: np.ndarray,
    loading: np.ndarray,
    noise: np.ndarray,
    calm: np.ndarray,
    ratio: np.ndarray,
    probability: np.ndarray,
    log_scale: np.ndarray,
    dof: float,
    groups: Groups,
) -> FactorGradient:
    """Return the log-likelihood and its gradient.

    Parameters
    ----------
    errors : (time, variable), u; unit of the variable; zero where not observed.
    loading : (variable, factor).  noise : (variable,); variances of the measurement noise.
    calm : (group, factor); variances of the factors at their smaller scale.
    ratio, probability : (factor,); of the larger scale's variance to the smaller's; its chance.
    log_scale : (time,), log s; common to all factors and noise of a day.
    dof : degrees of freedom above two.
    groups : which days share variances and missing cells.
    """
    found = sweep(
        errors,
        loading,
        noise,
        calm,
        ratio,
        log_states(probability),
        log_scale,
        float(dof),
        groups.of_day,
        groups.observed,
    )
    value, d_errors, d_loading, d_noise, d_calm, d_ratio, d_log_scale = found[:7]
    large, count, kernel, weighted = found[7:]
    a = 0.5 * (dof + count)
    value += (
        gammaln(a).sum()
        - len(count) * gammaln(0.5 * dof)
        - 0.5 * count.sum() * math.log(math.pi * (dof - 2.0))
    )
    d_dof = (
        0.5 * digamma(a).sum()
        - 0.5 * len(count) * digamma(0.5 * dof)
        - 0.5 * count.sum() / (dof - 2.0)
        - 0.5 * kernel
        + weighted / (dof - 2.0)
    )
    return FactorGradient(
        value=float(value),
        errors=d_errors,
        loading=d_loading,
        noise=d_noise,
        calm=d_calm,
        ratio=d_ratio,
        probability=large / probability - (len(count) - large) / (1.0 - probability),
        log_scale=d_log_scale,
        dof=float(d_dof),
    )


@dataclass(frozen=True)
class FactorLaw:
    """The law of one day's factors and noise, one entry a draw.

    Attributes
    ----------
    loading : (draw, variable, factor).  noise : (draw, variable); variances.
    calm, ratio, probability : (draw, factor).
    log_scale, dof : (draw,).
    """

    loading: np.ndarray
    noise: np.ndarray
    calm: np.ndarray
    ratio: np.ndarray
    probability: np.ndarray
    log_scale: np.ndarray
    dof: np.ndarray

    def odds(self, errors: np.ndarray, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Log odds and unscaled squared lengths (draw, state) of errors (draw, variable)."""
        odds, length = state_odds(
            np.where(seen, errors, 0.0),
            self.loading,
            self.noise,
            self.calm,
            self.ratio,
            log_states(self.probability),
            self.log_scale,
            self.dof,
            seen,
        )
        return odds, length


def log_density(law: FactorLaw, errors: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Log density (draw,) of a day's errors (draw, variable) on the cells ``seen`` (variable,)."""
    m = seen.sum()
    odds, _ = law.odds(errors, seen)
    value: np.ndarray = (
        logsumexp(odds, axis=1)
        - m * law.log_scale
        + gammaln(0.5 * (law.dof + m))
        - gammaln(0.5 * law.dof)
        - 0.5 * m * np.log(np.pi * (law.dof - 2.0))
    )
    return value


def draw_factors(
    law: FactorLaw, errors: np.ndarray, seen: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw the factors and the noise of a day given its errors, exactly.

    Parameters
    ----------
    errors : (draw, variable); what is not ``seen`` (variable,) is not used.

    Returns
    -------
    Factors f (draw, factor); noise e in scales (draw, variable), with Λ f + D^½ e equal to the
    errors where seen; probability that each factor was at its larger scale given the errors
    (draw, factor).
    """
    draws, n, k = law.loading.shape
    odds, length = law.odds(errors, seen)
    chance = np.exp(odds - logsumexp(odds, axis=1, keepdims=True))
    state = (chance.cumsum(1) < rng.random((draws, 1))).sum(1).clip(max=chance.shape[1] - 1)
    square = length[np.arange(draws), state] * np.exp(-2.0 * law.log_scale)
    volatility = 0.5 * (law.dof - 2.0 + square) / rng.gamma(0.5 * (law.dof + seen.sum()))
    volatility = (volatility * np.exp(2.0 * law.log_scale))[:, None]
    large = bits(k)
    variance = np.concatenate([law.calm * law.ratio ** large[state], np.ones((draws, n))], axis=1)
    noise = np.sqrt(law.noise)[:, :, None] * np.eye(n)
    impact = np.concatenate([law.loading, noise], axis=2)[:, seen]
    struck = condition(impact, variance * volatility, errors[:, seen], rng)
    return struck[:, :k], struck[:, k:], chance @ large
