r"""Least squares and one instrument in; the point estimate of a proxy VAR out.

.. math::
    \gamma = \mathrm{cov}(u_t, m_t), \qquad
    h_1 = \gamma / \sqrt{\gamma'\Sigma^{-1}\gamma}, \qquad H = P [q_1, Q_\perp]

with u the residuals, Σ their covariance by degrees of freedom, and P its factor.  The instrument
identifies its own shock, :math:`h_1'\Sigma^{-1} u_t`, alone: the other columns are some rotation
of what is left, and only their sum means anything.
"""

from __future__ import annotations

import numpy as np

from attribution.core import niw
from attribution.core.instrument import one_sd
from attribution.estimate import proxy_setup as setup
from attribution.estimate.proxy_strength import Instrumented
from attribution.model.spec import ModelSpec
from attribution.posterior import StructuralPosterior


def proxy_point(
    spec: ModelSpec, data: Instrumented, channels: tuple[str, ...]
) -> StructuralPosterior | None:
    """Return the estimate as one draw, or None unless one instrument stands for one channel.

    Several instruments or channels without one need further choices, which the posterior makes.

    References
    ----------
    mertens2013; gertler2015
    """
    columns = [instrument.column for instrument in spec.scheme.instruments]
    if len(columns) != 1 or len(channels) != 1:
        return None
    var = data.least_squares(spec, columns[0], 0)
    n, used = len(spec.system.variables), var.regressors.shape[1]
    covariance = var.errors.T @ var.errors / (len(var.errors) - used)
    first = one_sd(var.gamma, covariance)
    fixed = setup.sign_of(spec, channels[0])
    if fixed is not None and first[spec.system.variables.index(fixed[0])] * fixed[1] < 0:
        first = -first
    root = np.linalg.cholesky(covariance)
    turned = np.linalg.qr(np.column_stack([np.linalg.solve(root, first), np.eye(n)]))[0][:, :n]
    impact = root @ turned
    impact[:, 0] = first
    slopes, intercept = niw.split(var.coefficients[None, None], constant=spec.system.constant)
    return StructuralPosterior(
        variables=spec.system.variables,
        shocks=(*channels, *(f"unnamed_{number}" for number in range(1, n))),
        channels=channels,
        impact=impact[None, None],
        lag_coefficients=slopes,
        intercept=intercept,
        weight=np.ones((1, 1)),
    )
