r"""A log density and points in; the modes above them, their widths and their masses out.

Mass is Laplace's: a mode of height h and covariance C holds :math:`h + \tfrac12 \ln |C|`, up to a
constant that all modes share.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from attribution.errors import DiagnosticsError

Density = Callable[[np.ndarray], tuple[float, np.ndarray]]
STEP = 1e-4
"""Step of the finite differences of the gradient, in units of the unconstrained parameters."""
FLOOR = 0.25
"""Least curvature: directions flatter than the priors' own are cut to a sd of two."""
SAME = 0.3
"""Distance in any one parameter, in standard deviations, up to which two climbs met one mode."""
NOWHERE = 1e12


@dataclass(frozen=True)
class Mode:
    """A local mode of a density.

    Attributes
    ----------
    place : (parameter,).
    height : log density there.
    covariance : (parameter, parameter); inverse of the curvature.
    """

    place: np.ndarray
    height: float
    covariance: np.ndarray

    @property
    def log_mass(self) -> float:
        """Laplace's logarithm of the mass, but for a constant that modes share."""
        return self.height + 0.5 * float(np.linalg.slogdet(self.covariance)[1])


def mode_above(density: Density, start: np.ndarray) -> Mode:
    """Climb from a point and measure the curvature at the top.

    Raises
    ------
    DiagnosticsError
        If the density is nowhere finite on the way.
    """
    place, height = _climb(density, start)
    return Mode(place, height, _inverse_curvature(density, place))


def masses_above(density: Density, points: np.ndarray, known: Mode) -> np.ndarray:
    """Log mass (point,) of the mode that each point (point, parameter) belongs to.

    Parameters
    ----------
    known : a mode whose curvature need not be measured again.
    """
    found, masses = [known], np.empty(len(points))
    for i, point in enumerate(points):
        place, height = _climb(density, point)
        mode = next((m for m in found if _same(m, place, height)), None)
        if mode is None:
            mode = Mode(place, height, _inverse_curvature(density, place))
            found.append(mode)
        masses[i] = mode.log_mass
    return masses


def _same(mode: Mode, place: np.ndarray, height: float) -> bool:
    away = np.abs(place - mode.place) / np.sqrt(np.diag(mode.covariance))
    return abs(height - mode.height) < SAME and bool((away < SAME).all())


def _climb(density: Density, start: np.ndarray) -> tuple[np.ndarray, float]:
    found = minimize(
        lambda point: _negative(density, point),
        start,
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 1000, "maxcor": 30},
    )
    if not np.isfinite(found.fun) or found.fun >= NOWHERE:
        raise DiagnosticsError(
            "the posterior has no mode that could be found; check the data for outliers of the"
            " wrong unit, or widen the priors"
        )
    return found.x, -float(found.fun)


def _inverse_curvature(density: Density, place: np.ndarray) -> np.ndarray:
    size = len(place)
    hessian = np.empty((size, size))
    for i in range(size):
        step = np.zeros(size)
        step[i] = STEP
        above, below = (_negative(density, place + side * step)[1] for side in (1, -1))
        hessian[i] = (above - below) / (2 * STEP)
    values, vectors = np.linalg.eigh(0.5 * (hessian + hessian.T))
    inverse: np.ndarray = (vectors / np.maximum(values, FLOOR)) @ vectors.T
    return inverse


def _negative(density: Density, point: np.ndarray) -> tuple[float, np.ndarray]:
    value, gradient = density(point)
    if not np.isfinite(value):
        return NOWHERE, np.zeros_like(point)
    return -value, -gradient
