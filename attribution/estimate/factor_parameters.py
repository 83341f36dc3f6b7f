"""Parameters of the factor model, from the posterior or from the prior, in one shape."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attribution.core.factors import FactorLaw
from attribution.estimate.design import Rows
from attribution.estimate.factor_kernel import FactorKernel
from attribution.model.spec import ModelSpec

CALM, LARGE = 9.0, 1.0
"""Beta prior of the share of days on which a factor is at its larger scale: one in ten."""


@dataclass(frozen=True)
class FactorParameters:
    """Draws in standardised units; one leading axis.

    Attributes
    ----------
    loading : (draw, variable, factor).
    noise : (draw, variable); variances.
    coefficients : (draw, regressor, variable).
    slope : (draw, exposed); of the log variance on the exposure.
    burst : (draw, factor); probability of the larger scale.
    jump : (draw, factor); standard normals behind the ratio of the scales' variances.
    scale_slope : (draw, column).
    dof : (draw,).
    """

    loading: np.ndarray
    noise: np.ndarray
    coefficients: np.ndarray
    slope: np.ndarray
    burst: np.ndarray
    jump: np.ndarray
    scale_slope: np.ndarray
    dof: np.ndarray

    def errors(self, rows: Rows) -> np.ndarray:
        """One-step errors (draw, time, variable); NaN where not observed."""
        fitted = np.einsum("tr,drv->dtv", rows.regressors, self.coefficients)
        found: np.ndarray = rows.response - fitted
        return found

    def law(self, kernel: FactorKernel, rows: Rows, day: int) -> FactorLaw:
        """Law of the factors and the noise of one day."""
        k = kernel.prior.channels
        full = kernel.full_slope(self.slope)[:, :k]
        calm = kernel.factor_variance(self.slope, self.burst, self.jump)
        # the normaliser is that of the estimation days: read it off a day of their first group
        tilt = full * (rows.exposure[day] - kernel.groups.exposure[0])[:k]
        return FactorLaw(
            loading=self.loading,
            noise=self.noise,
            calm=calm[:, 0] * np.exp(tilt),
            ratio=kernel.ratio(self.jump),
            probability=self.burst,
            log_scale=self.scale_slope @ rows.scale[day],
            dof=self.dof,
        )


def prior_parameters(
    spec: ModelSpec, kernel: FactorKernel, coefficients: np.ndarray, rng: np.random.Generator
) -> FactorParameters:
    """Draw every parameter but the lag coefficients (draw, regressor, variable) from the prior."""
    prior, settings, draws = kernel.prior, spec.structural, len(coefficients)
    k = prior.channels
    share = rng.dirichlet(np.ones(k + 1), size=draws)
    log_scale = settings.outcome_scale_sd * rng.standard_normal(draws)
    impact = prior.assemble(
        share,
        log_scale,
        rng.standard_normal((draws, len(prior.signed))),
        rng.standard_normal((draws, len(prior.banded))),
        rng.standard_normal((draws, len(prior.own))),
        np.zeros((draws, 0)),
    )
    return FactorParameters(
        loading=np.ascontiguousarray(impact[..., :k]),
        noise=kernel.noise(impact, share, log_scale),
        coefficients=coefficients,
        slope=np.abs(settings.exposure_sd * rng.standard_normal((draws, len(kernel.exposed)))),
        burst=rng.beta(LARGE, CALM, size=(draws, k)),
        jump=rng.standard_normal((draws, k)),
        scale_slope=settings.scale_sd * rng.standard_normal((draws, kernel.scale.shape[1])),
        dof=2.1 + rng.gamma(settings.tail_shape, 1.0 / settings.tail_rate, size=draws),
    )
