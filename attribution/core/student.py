r"""Log density of Student's t with a scale of its own, and its derivatives.

.. math::
    \ln t_\nu(e; s) = \ln\Gamma\tfrac{\nu+1}2 - \ln\Gamma\tfrac\nu2 - \tfrac12 \ln \nu\pi - \ln s
        - \tfrac{\nu+1}2 \ln\Bigl(1 + \frac{e^2}{\nu s^2}\Bigr)

References: none; a textbook density.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from scipy.special import digamma, gammaln


@dataclass(frozen=True)
class StudentSlopes:
    """Sum of log densities; ``gap`` is (row,), the derivative in each value, the rest numbers."""

    value: float
    gap: np.ndarray
    scale: float
    nu: float


def constant(nu: float) -> tuple[float, float]:
    """Part of one log density that no value touches, and its derivative in the tail."""
    value = gammaln(0.5 * (nu + 1.0)) - gammaln(0.5 * nu) - 0.5 * np.log(nu * np.pi)
    slope = 0.5 * (digamma(0.5 * (nu + 1.0)) - digamma(0.5 * nu) - 1.0 / nu)
    return float(value), float(slope)


def student(gap: np.ndarray, scale: float, nu: float) -> StudentSlopes:
    """Sum the log densities of values (row,) of one scale and tail."""
    slopes = np.empty(len(gap))
    tail, whole = _sums(gap, scale, nu, slopes)
    each, slope = constant(nu)
    return StudentSlopes(
        value=len(gap) * (each - float(np.log(scale))) - 0.5 * (nu + 1.0) * tail,
        gap=slopes,
        scale=(whole - len(gap)) / scale,
        nu=len(gap) * slope - 0.5 * tail + 0.5 * whole / nu,
    )


@njit(cache=True, nogil=True)
def _sums(gap, scale, nu, slopes):  # type: ignore[no-untyped-def]
    """Sum of logarithms, and of how far each value pulls; the derivative in each value."""
    tail = whole = 0.0
    for t in range(len(gap)):
        square = (gap[t] / scale) ** 2
        pull = (nu + 1.0) / (nu + square)
        tail += math.log1p(square / nu)
        whole += pull * square
        slopes[t] = -pull * gap[t] / (scale * scale)
    return tail, whole
