"""Parameters of the headline model, from the posterior or from the prior, in one shape."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attribution.core.laws.conditional import Law
from attribution.model.spec import ModelSpec
from attribution.var.estimate.design import Design, Rows
from attribution.var.estimate.kernel import Kernel


@dataclass(frozen=True)
class Parameters:
    """Draws in standardised units; one leading axis.

    Attributes
    ----------
    impact : (draw, variable, shock).
    coefficients : (draw, regressor, variable).
    slope : (draw, exposed); of the log variance on the exposure.
    state : (draw, 1 + jumper); probability of a calm day, then of each jump.
    jump : (draw, jumper); standard normals behind the variance ratio of a jump.
    scale_slope : (draw, column).
    dof : (draw,).
    """

    impact: np.ndarray
    coefficients: np.ndarray
    slope: np.ndarray
    state: np.ndarray
    jump: np.ndarray
    scale_slope: np.ndarray
    dof: np.ndarray

    def errors(self, rows: Rows) -> np.ndarray:
        """One-step errors (draw, time, variable); NaN where not observed."""
        fitted = np.einsum("tr,drv->dtv", rows.regressors, self.coefficients)
        found: np.ndarray = rows.response - fitted
        return found

    def law(self, kernel: Kernel, rows: Rows, day: int, observed: np.ndarray) -> Law:
        """Law of the shocks of one day, for the rows of the ``observed`` variables."""
        jumpers = kernel.prior.jumpers
        full = kernel.full_slope(self.slope)
        variance = kernel.variance(self.slope, self.state, self.jump)
        # the normaliser is that of the estimation days: read it off a day of their first group
        tilt = full * (rows.exposure[day] - kernel.groups.exposure[0])
        return Law(
            impact=self.impact[:, observed],
            calm=variance.calm[:, 0] * np.exp(tilt),
            extra=variance.extra[:, 0] * np.exp(tilt[:, jumpers]),
            log_state=np.log(self.state),
            jumpers=jumpers,
            log_scale=self.scale_slope @ rows.scale[day],
            dof=self.dof,
        )


def prior_parameters(
    spec: ModelSpec,
    data: Design,
    kernel: Kernel,
    coefficients: np.ndarray,
    rng: np.random.Generator,
) -> Parameters:
    """Draw every parameter but the lag coefficients (draw, regressor, variable) from the prior."""
    settings, draws = spec.structural, len(coefficients)
    jumpers = len(data.prior.jumpers)
    return Parameters(
        impact=data.prior.draw(rng, draws),
        coefficients=coefficients,
        slope=np.abs(settings.exposure_sd * rng.standard_normal((draws, len(kernel.exposed)))),
        state=rng.dirichlet(np.append(settings.jump_calm, np.ones(jumpers)), size=draws),
        jump=rng.standard_normal((draws, jumpers)),
        scale_slope=settings.scale_sd * rng.standard_normal((draws, kernel.scale.shape[1])),
        dof=2.1 + rng.gamma(settings.tail_shape, 1.0 / settings.tail_rate, size=draws),
    )
