"""Raw parameters in, log-likelihood times the prior of the lag coefficients out, with gradient.

One operation for the whole density keeps PyTensor's graph, and so its compile time, small.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from attribution.core.overcomplete import Groups, log_likelihood, shock_variance
from attribution.estimate.structural_prior import ImpactPrior
from attribution.model.spec import ModelSpec

PARAMETERS = (
    "share",
    "log_scale",
    "signed",
    "banded",
    "own",
    "reach",
    "whitened",
    "slope",
    "scale_slope",
    "own_log_scale",
    "dof",
)


@dataclass(frozen=True)
class Coefficients:
    """Prior of the lag coefficients, and the affine map that whitens their posterior.

    ``B[:, j] = start[:, j] + factor[j] @ whitened[:, j]``: the map only speeds up the sampler.

    Attributes
    ----------
    prior_mean, prior_sd, start : (regressor, variable).
    factor : (variable, regressor, regressor).
    """

    prior_mean: np.ndarray
    prior_sd: np.ndarray
    start: np.ndarray
    factor: np.ndarray

    @classmethod
    def from_design(
        cls, spec: ModelSpec, variables: tuple[str, ...], response: np.ndarray, regressors: np.ndarray
    ) -> Coefficients:
        """Minnesota prior in standardised units and its Gaussian posterior, equation by equation."""
        core, prior = spec.system.variables, spec.prior
        mean = np.zeros((regressors.shape[1], len(variables)))
        sd = np.full_like(mean, prior.tightness)
        sd[0] = spec.structural.intercept_sd
        for lag in range(spec.system.lags):
            sd[1 + lag * len(core) : 1 + (lag + 1) * len(core)] /= (lag + 1) ** prior.decay
        for i, variable in enumerate(core):
            mean[1 + i, i] = prior.mean_of(variable)
        start, factor = np.empty_like(mean), np.empty((len(variables), *[len(mean)] * 2))
        for j in range(len(variables)):
            rows = np.isfinite(response[:, j])
            x, y = regressors[rows], response[rows, j]
            noise = (y - x @ np.linalg.lstsq(x, y, rcond=None)[0]).var()
            precision = x.T @ x / noise + np.diag(sd[:, j] ** -2)
            start[:, j] = np.linalg.solve(
                precision, x.T @ y / noise + mean[:, j] * sd[:, j] ** -2
            )
            factor[j] = np.linalg.cholesky(np.linalg.inv(precision))
        return cls(mean, sd, start, factor)

    def colour(self, whitened: np.ndarray) -> np.ndarray:
        """Lag coefficients (..., regressor, variable) from whitened ones."""
        return self.start + np.einsum("jrs,...sj->...rj", self.factor, whitened)

    def log_prior(self, coefficients: np.ndarray) -> tuple[float, np.ndarray]:
        """Log prior density up to a constant, and its gradient."""
        z = (coefficients - self.prior_mean) / self.prior_sd
        return float(-0.5 * (z * z).sum()), -z / self.prior_sd


@dataclass(frozen=True)
class Kernel:
    """Everything that the density needs but the parameters.

    Attributes
    ----------
    response : (time, variable), zero where not observed.  regressors : (time, regressor).
    exposed : columns of the shocks whose variance an exposure moves.
    scale : (time, column).  own_scale : (time,) int, −1 where a day has no scale of its own.
    """

    prior: ImpactPrior
    coefficients: Coefficients
    response: np.ndarray
    regressors: np.ndarray
    groups: Groups
    exposed: np.ndarray
    scale: np.ndarray
    own_scale: np.ndarray

    def full_slope(self, slope: np.ndarray) -> np.ndarray:
        """Slopes of all shocks (..., shock); zero where a shock has no exposure."""
        full = np.zeros((*slope.shape[:-1], self.prior.shape[1]))
        full[..., self.exposed] = slope
        return full

    def log_scale(self, scale_slope: np.ndarray, own_log_scale: np.ndarray) -> np.ndarray:
        """Common log scale of every day (time,)."""
        return self.scale @ scale_slope + np.append(own_log_scale, 0.0)[self.own_scale]

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
        scale_slope: np.ndarray,
        own_log_scale: np.ndarray,
        dof: np.ndarray,
    ) -> tuple[float, tuple[np.ndarray, ...]]:
        """Return the log density and its derivative in each argument, in order."""
        impact = self.prior.assemble(share, log_scale, signed, banded, own, reach)
        full = self.full_slope(slope)
        variance = shock_variance(full, self.groups.exposure, self.groups.share)
        coefficients = self.coefficients.colour(whitened)
        errors = self.response - self.regressors @ coefficients
        value, d_errors, d_impact, d_variance, d_scale, d_dof = log_likelihood(
            errors,
            impact,
            variance,
            self.log_scale(scale_slope, own_log_scale),
            float(dof),
            self.groups,
        )
        log_prior, d_prior = self.coefficients.log_prior(coefficients)
        d_coefficients = d_prior - self.regressors.T @ d_errors
        weighted = self.groups.exposure * variance
        mean = (self.groups.share[:, None] * weighted).sum(0)
        d_slope = (d_variance * variance * (self.groups.exposure - mean)).sum(0)
        d_own_scale = np.bincount(
            self.own_scale + 1, weights=d_scale, minlength=len(own_log_scale) + 1
        )[1:]
        return value + log_prior, (
            *self._impact_gradient(d_impact, impact, share),
            np.einsum("jrs,rj->sj", self.coefficients.factor, d_coefficients),
            d_slope[self.exposed],
            self.scale.T @ d_scale,
            d_own_scale,
            np.asarray(d_dof),
        )

    def _impact_gradient(
        self, d_impact: np.ndarray, impact: np.ndarray, share: np.ndarray
    ) -> tuple[np.ndarray, ...]:
        """Chain rule through ``ImpactPrior.assemble``."""
        prior, k = self.prior, self.prior.channels
        product = d_impact * impact
        column = product[:, :k].sum(0)
        strength = np.abs(impact[prior.outcome, :k])
        signed, banded = tuple(prior.signed.T), tuple(prior.banded.T)
        return (
            np.append(0.5 * column / share[:k], 0.0),
            np.asarray(column.sum()),
            product[signed] * prior.elasticity_sd,
            d_impact[banded] * prior.banded_sd * strength[prior.banded[:, 1]],
            product[tuple(prior.own.T)] * prior.own_sd,
            d_impact[tuple(prior.reach.T)] * prior.reach_sd,
        )


def operation(kernel: Kernel) -> Any:
    """Wrap a kernel as a PyTensor operation: one scalar, then its gradient in each argument."""
    import pytensor.tensor as pt
    from pytensor.graph.basic import Apply
    from pytensor.graph.op import Op

    class LogDensity(Op):  # type: ignore[misc]
        def make_node(self, *inputs: Any) -> Any:
            inputs = tuple(pt.as_tensor_variable(value) for value in inputs)
            return Apply(self, list(inputs), [pt.dscalar(), *(value.type() for value in inputs)])

        def perform(self, node: Any, inputs: Any, output_storage: Any) -> None:
            value, gradient = kernel.value_and_gradient(*inputs)
            output_storage[0][0] = np.asarray(value)
            for slot, array in zip(output_storage[1:], gradient, strict=True):
                slot[0] = np.asarray(array, dtype=float)

        def L_op(self, inputs: Any, outputs: Any, output_grads: Any) -> Any:
            return [output_grads[0] * part for part in outputs[1:]]

        pullback = L_op

    return LogDensity()
