"""Raw parameters in, log-likelihood times the prior of the lag coefficients out, with gradient.

One operation for the whole density keeps PyTensor's graph, and so its compile time, small.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np

from attribution.core.laws.overcomplete import (
    Gradient,
    Groups,
    Variance,
    log_likelihood,
    shock_variance,
)
from attribution.model.spec import ModelSpec
from attribution.var.estimate.design import Design
from attribution.var.estimate.structural_prior import ImpactPrior


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
        cls,
        spec: ModelSpec,
        variables: tuple[str, ...],
        response: np.ndarray,
        regressors: np.ndarray,
    ) -> Coefficients:
        """Minnesota prior in standardised units, and each equation's Gaussian posterior."""
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
            start[:, j] = np.linalg.solve(precision, x.T @ y / noise + mean[:, j] * sd[:, j] ** -2)
            factor[j] = np.linalg.cholesky(np.linalg.inv(precision))
        return cls(mean, sd, start, factor)

    def colour(self, whitened: np.ndarray) -> np.ndarray:
        """Lag coefficients (..., regressor, variable) from whitened ones."""
        found: np.ndarray = self.start + np.einsum("jrs,...sj->...rj", self.factor, whitened)
        return found

    def log_prior(self, coefficients: np.ndarray) -> tuple[float, np.ndarray]:
        """Log prior density up to a constant, and its gradient."""
        z = (coefficients - self.prior_mean) / self.prior_sd
        return float(-0.5 * (z * z).sum()), -z / self.prior_sd


@dataclass(frozen=True)
class Kernel:
    """Everything that the density needs but the parameters.

    Attributes
    ----------
    response : (time, variable), zero where not observed.
    observed : (time, variable) bool.  regressors : (time, regressor).
    exposed : columns of the shocks whose variance an exposure moves.
    scale : (time, column).  own_scale : (time,) int, −1 where a day has no scale of its own.
    jump_log, jump_sd : log median and log sd of what a jump adds to a variance of one.
    """

    prior: ImpactPrior
    coefficients: Coefficients
    response: np.ndarray
    observed: np.ndarray
    regressors: np.ndarray
    groups: Groups
    exposed: np.ndarray
    scale: np.ndarray
    own_scale: np.ndarray
    jump_log: float
    jump_sd: float

    @classmethod
    def from_design(cls, spec: ModelSpec, data: Design) -> Self:
        """Lay out the days of a design and the settings of a model."""
        rows, prior = data.rows, data.prior
        observed = np.isfinite(rows.response)
        return cls(
            prior=prior,
            coefficients=Coefficients.from_design(
                spec, prior.variables, rows.response, rows.regressors
            ),
            response=np.where(observed, rows.response, 0.0),
            observed=observed,
            regressors=rows.regressors,
            groups=Groups.from_days(observed, rows.exposure, data.reference),
            exposed=np.array(sorted({prior.shocks.index(e.channel) for e in spec.exposures}), int),
            scale=rows.scale,
            own_scale=data.own_scale,
            jump_log=math.log(spec.structural.jump_ratio),
            jump_sd=spec.structural.jump_ratio_sd,
        )

    def full_slope(self, slope: np.ndarray) -> np.ndarray:
        """Slopes of all shocks (..., shock); zero where a shock has no exposure."""
        full = np.zeros((*slope.shape[:-1], self.prior.shape[1]))
        full[..., self.exposed] = slope
        return full

    def log_scale(self, scale_slope: np.ndarray, own_log_scale: np.ndarray) -> np.ndarray:
        """Return the common log scale of every day (time,)."""
        found: np.ndarray = self.scale @ scale_slope + np.append(own_log_scale, 0.0)[self.own_scale]
        return found

    def variance(self, slope: np.ndarray, state: np.ndarray, jump: np.ndarray) -> Variance:
        """Shock variances of the calm state and of jumps (..., group, shock or jumper)."""
        return shock_variance(
            self.full_slope(slope),
            state[..., 1:],
            self.ratio(jump),
            self.prior.jumpers,
            self.groups,
        )

    def ratio(self, jump: np.ndarray) -> np.ndarray:
        """Variance ratio of a jump, one plus a log-normal, from standard normals (..., jumper)."""
        return 1.0 + np.exp(self.jump_log + self.jump_sd * jump)

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
        """Return the log density and its derivative in each argument, in order."""
        impact = self.prior.assemble(share, log_scale, signed, banded, own, reach)
        variance = self.variance(slope, state, jump)
        coefficients = self.coefficients.colour(whitened)
        found = log_likelihood(
            np.where(self.observed, self.response - self.regressors @ coefficients, 0.0),
            impact,
            variance,
            np.log(state),
            self.prior.jumpers,
            self.log_scale(scale_slope, own_log_scale),
            float(dof),
            self.groups,
        )
        log_prior, d_prior = self.coefficients.log_prior(coefficients)
        d_coefficients = d_prior - self.regressors.T @ found.errors
        d_own_scale = np.bincount(
            self.own_scale + 1, weights=found.log_scale, minlength=len(own_log_scale) + 1
        )[1:]
        return found.value + log_prior, (
            *self.prior.pull_back(found.impact, impact, share),
            np.einsum("jrs,rj->sj", self.coefficients.factor, d_coefficients),
            *self._variance_gradient(found, variance, state, jump),
            self.scale.T @ found.log_scale,
            d_own_scale,
            np.asarray(found.dof),
        )

    def _variance_gradient(
        self, found: Gradient, variance: Variance, state: np.ndarray, jump: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Chain rule through ``shock_variance`` to slopes, state probabilities and jump sizes."""
        jumpers, ratio = self.prior.jumpers, self.ratio(jump)
        each = found.calm * variance.calm  # derivative in the log of each calm variance
        each[:, jumpers] += found.extra * variance.extra
        centred = self.groups.exposure - self._mean_exposure(variance.calm)
        level = 1.0 + state[1:] * (ratio - 1.0)
        total = each[:, jumpers].sum(0)
        d_state = found.log_state / state
        d_state[1:] -= total * (ratio - 1.0) / level
        own = (found.extra * variance.extra).sum(0) / (ratio - 1.0)
        d_ratio = own - total * state[1:] / level
        d_jump = d_ratio * (ratio - 1.0) * self.jump_sd
        return (each * centred).sum(0)[self.exposed], d_state, d_jump

    def _mean_exposure(self, calm: np.ndarray) -> np.ndarray:
        """Variance-weighted mean exposure of each shock, the derivative of the log normaliser."""
        weight = self.groups.share[:, None] * calm
        mean: np.ndarray = (weight * self.groups.exposure).sum(0) / weight.sum(0)
        return mean


class Differentiable(Protocol):
    """A log density of named arrays that knows its derivative in each."""

    @property
    def value_and_gradient(self) -> Callable[..., tuple[float, tuple[np.ndarray, ...]]]:
        """Return the value, then one array for each argument."""
        ...


def operation(kernel: Differentiable) -> Any:
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
