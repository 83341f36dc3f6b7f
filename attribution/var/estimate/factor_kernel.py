"""Raw parameters of the factor model in; its log density and exact gradient out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attribution.core.laws.factors import FactorGradient, FactorLaw, log_likelihood
from attribution.core.laws.overcomplete import Variance
from attribution.model.spec import ModelSpec
from attribution.var.estimate.design import Rows
from attribution.var.estimate.kernel import Kernel


@dataclass(frozen=True)
class FactorKernel(Kernel):
    """Everything that the density needs but the parameters.

    The columns of the impact matrix after the channels hold the noise of one series each; the
    outcome's noise is what the shares of the channels leave.
    """

    def noise(self, impact: np.ndarray, share: np.ndarray, log_scale: np.ndarray) -> np.ndarray:
        """Variances of the measurement noise (..., variable), standardised."""
        row, column = self.prior.own.T
        noise = np.empty(impact.shape[:-1])
        noise[..., row] = impact[..., row, column] ** 2
        noise[..., self.prior.outcome] = np.exp(2.0 * log_scale) * share[..., -1]
        return noise

    def factor_variance(self, slope: np.ndarray, burst: np.ndarray, jump: np.ndarray) -> np.ndarray:
        """Variances of the factors at their smaller scale (..., group, factor)."""
        return self._variance(slope, burst, jump).calm[..., : self.prior.channels]

    def _variance(self, slope: np.ndarray, burst: np.ndarray, jump: np.ndarray) -> Variance:
        # ``variance`` takes the probability of a calm state first; it does not use it
        return self.variance(slope, np.concatenate([burst[..., :1], burst], axis=-1), jump)

    def value_and_gradient(
        self,
        share: np.ndarray,
        log_scale: np.ndarray,
        signed: np.ndarray,
        banded: np.ndarray,
        own: np.ndarray,
        reach: np.ndarray,
        whitened: np.ndarray,
        slope: np.ndarray,
        state: np.ndarray,
        jump: np.ndarray,
        scale_slope: np.ndarray,
        own_log_scale: np.ndarray,
        dof: np.ndarray,
    ) -> tuple[float, tuple[np.ndarray, ...]]:
        """Return the log density and its derivative in each argument, in order.

        ``state`` (factor,) holds the probability that a factor is at its larger scale.
        """
        prior, k = self.prior, self.prior.channels
        impact = prior.assemble(share, log_scale, signed, banded, own, reach)
        noise = self.noise(impact, share, log_scale)
        calm = self.factor_variance(slope, state, jump)
        coefficients = self.coefficients.colour(whitened)
        found = log_likelihood(
            np.where(self.observed, self.response - self.regressors @ coefficients, 0.0),
            np.ascontiguousarray(impact[:, :k]),
            noise,
            np.ascontiguousarray(calm),
            self.ratio(jump),
            state,
            self.log_scale(scale_slope, own_log_scale),
            float(dof),
            self.groups,
        )
        log_prior, d_prior = self.coefficients.log_prior(coefficients)
        d_coefficients = d_prior - self.regressors.T @ found.errors
        d_impact = np.zeros_like(impact)
        d_impact[:, :k] = found.loading
        row, column = prior.own.T
        d_impact[row, column] = 2.0 * impact[row, column] * found.noise[row]
        d_share, d_log_scale, *d_cells = prior.pull_back(d_impact, impact, share)
        rest = found.noise[prior.outcome] * noise[prior.outcome]
        d_share[-1] += rest / share[-1]
        return found.value + log_prior, (
            d_share,
            d_log_scale + 2.0 * rest,
            *d_cells,
            np.einsum("jrs,rj->sj", self.coefficients.factor, d_coefficients),
            *self._scale_gradient(found, calm, state, jump),
            self.scale.T @ found.log_scale,
            np.bincount(
                self.own_scale + 1, weights=found.log_scale, minlength=len(own_log_scale) + 1
            )[1:],
            np.asarray(found.dof),
        )

    def _scale_gradient(
        self, found: FactorGradient, calm: np.ndarray, burst: np.ndarray, jump: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Chain rule through the variances to slopes, probabilities and sizes of larger scales."""
        k, ratio = self.prior.channels, self.ratio(jump)
        full = np.ones((len(calm), self.prior.shape[1]))
        full[:, :k] = calm
        centred = (self.groups.exposure - self._mean_exposure(full))[:, :k]
        level = 1.0 + burst * (ratio - 1.0)
        total = found.calm.sum(0)
        d_slope = np.zeros(self.prior.shape[1])
        d_slope[:k] = (found.calm * centred).sum(0)
        d_burst = found.probability - total * (ratio - 1.0) / level
        d_ratio = found.ratio / ratio - total * burst / level
        return d_slope[self.exposed], d_burst, d_ratio * (ratio - 1.0) * self.jump_sd


# Parameters of the factor model, from the posterior or from the prior, in one shape.

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
