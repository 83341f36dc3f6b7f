"""Raw parameters of the factor model in; its log density and exact gradient out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attribution.core.factors import FactorGradient, log_likelihood
from attribution.core.overcomplete import Variance
from attribution.estimate.kernel import Kernel


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
