"""A PyMC model in; a metric and dispersed starts for its sampler out.

The first metric is the curvature at the mode; short pilot chains from overdispersed starts then
measure the covariance of the posterior itself.  Neither touches the target, only the pace.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from scipy.optimize import minimize

from attribution import compat
from attribution.errors import DiagnosticsError

STEP = 1e-4
"""Step of the finite differences of the gradient, in units of the unconstrained parameters."""
FLOOR = 0.25
"""Least curvature: directions flatter than the priors' own are cut to a sd of two."""
DISPERSION = 2.0


@dataclass(frozen=True)
class Warm:
    """Where to start and at what pace.

    Attributes
    ----------
    metric : (parameter, parameter); covariance of the unconstrained parameters.
    starts : one dictionary of starting values a chain.
    """

    metric: np.ndarray
    starts: list[dict[str, Any]]


def warm_up(
    model: Any, *, chains: int, cores: int, iterations: int, seed: int, progress: bool
) -> Warm:
    """Find the mode, disperse the starts around it, and learn the metric from pilot chains.

    Parameters
    ----------
    iterations : of each pilot chain; the second half is kept.
    """
    rng = np.random.default_rng(seed)
    mode, metric = curvature(model)
    factor = np.linalg.cholesky(metric)
    scattered = mode + DISPERSION * rng.standard_normal((chains, len(mode))) @ factor.T
    constrain = _constrain(model)
    pilot = compat.sample(
        model,
        draws=iterations - iterations // 2,
        tune=iterations // 2,
        chains=chains,
        cores=cores,
        seed=int(rng.integers(2**31)),
        metric=metric,
        initvals=[constrain(point) for point in scattered],
        progressbar=progress,
        unconstrained=True,
    )
    draws = _unconstrained(model, pilot)
    flat = draws.reshape(-1, draws.shape[-1])
    found = np.cov(flat.T)
    # the pilot is short: what it says is shrunk to the curvature, one pilot draw a parameter
    share = len(flat) / (len(flat) + len(mode))
    return Warm(
        metric=share * found + (1.0 - share) * metric,
        starts=[constrain(point) for point in draws[:, -1]],
    )


def curvature(model: Any) -> tuple[np.ndarray, np.ndarray]:
    """Mode of the unconstrained posterior and the inverse of its curvature there."""
    density, start = compat.log_density(model)

    def negative(point: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = density(point)
        if not np.isfinite(value):
            return 1e12, np.zeros_like(point)
        return -value, -gradient

    found = minimize(
        negative, start, jac=True, method="L-BFGS-B", options={"maxiter": 1000, "maxcor": 30}
    )
    if not np.isfinite(found.fun) or found.fun >= 1e12:
        raise DiagnosticsError(
            "the posterior has no mode that could be found; check the data for outliers of the"
            " wrong unit, or widen the priors"
        )
    size = len(found.x)
    hessian = np.empty((size, size))
    for i in range(size):
        step = np.zeros(size)
        step[i] = STEP
        hessian[i] = (negative(found.x + step)[1] - negative(found.x - step)[1]) / (2 * STEP)
    values, vectors = np.linalg.eigh(0.5 * (hessian + hessian.T))
    return found.x, (vectors / np.maximum(values, FLOOR)) @ vectors.T


def _constrain(model: Any) -> Any:
    """Return the map from an unconstrained vector to starting values by name."""
    backward = compat.backward(model)
    names = [variable.name for variable in model.unobserved_value_vars]
    wanted = {variable.name for variable in model.free_RVs}

    def constrain(point: np.ndarray) -> dict[str, Any]:
        found = dict(zip(names, backward(point), strict=True))
        return {name: np.asarray(found[name]) for name in wanted}

    return constrain


def _unconstrained(model: Any, tree: xr.DataTree) -> np.ndarray:
    """Pilot draws (chain, draw, parameter) in the order of the model's value variables."""
    groups = [tree[name] for name in ("unconstrained_posterior", "posterior") if name in tree]
    columns = []
    for variable in model.value_vars:
        name = variable.name
        array = next(group[name] for group in groups if name in group.data_vars).to_numpy()
        columns.append(array.reshape(*array.shape[:2], -1))
    return np.concatenate(columns, axis=2)
