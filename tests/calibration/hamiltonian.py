"""A log density with gradient and its mode in; draws of one chain, nearly independent, out.

Hamiltonian Monte Carlo in coordinates whitened by the mode's curvature, later by the chain's own
covariance.  Steps and metric are learnt before the draws that are kept and fixed for those, so that
every kept step leaves the density invariant; a path's length is drawn evenly, so that no period of
the density is hit again and again.

References: hoffman2014 (dual averaging of the step).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attribution.errors import DiagnosticsError
from attribution.sampling.diagnostics import ess_bulk
from attribution.sampling.modes import Density, Mode

WARM = (150, 250, 100)
"""Iterations of each round of warm-up; the metric is renewed after every round."""
LENGTH = 3.6
"""Longest path, in standard deviations: a little more than half a period of a normal density."""
MOST = 40
"""Most steps of one path."""
TARGET, FIRST, JITTER = 0.8, 0.1, 0.2
ENOUGH = 1.5
"""Effective size of the chain for one draw that is kept."""
DOUBLINGS = 5


@dataclass
class Chain:
    """Where a chain stands, and how it steps.

    Attributes
    ----------
    point, gradient : (dimension,), of the density's own coordinates.
    height : log density there.
    factor : (dimension, dimension); its product with its transpose is the inverse of the metric.
    step : length of a step, in whitened coordinates.
    """

    density: Density
    point: np.ndarray
    height: float
    gradient: np.ndarray
    factor: np.ndarray
    step: float

    def move(self, rng: np.random.Generator) -> float:
        """Follow one path and accept its end or stay; return the probability of accepting."""
        step = self.step * rng.uniform(1.0 - JITTER, 1.0 + JITTER)
        count = int(rng.integers(1, min(int(LENGTH / self.step) + 1, MOST) + 1))
        momentum = rng.standard_normal(len(self.point))
        energy = self.height - 0.5 * momentum @ momentum
        point, height, gradient = self.point, self.height, self.gradient
        momentum = momentum + 0.5 * step * (self.factor.T @ gradient)
        for left in range(count, 0, -1):
            point = point + step * (self.factor @ momentum)
            height, gradient = self.density(point)
            if not np.isfinite(height):
                break
            momentum = momentum + (step if left > 1 else 0.5 * step) * (self.factor.T @ gradient)
        gain = height - 0.5 * momentum @ momentum - energy if np.isfinite(height) else -np.inf
        chance = float(np.exp(min(0.0, gain))) if not np.isnan(gain) else 0.0
        if rng.random() < chance:
            self.point, self.height, self.gradient = point, float(height), gradient
        return chance

    def run(self, count: int, rng: np.random.Generator, *, learn: bool) -> np.ndarray:
        """Return points (iteration, dimension); the step is learnt on the way, or kept."""
        found = np.empty((count, len(self.point)))
        centre, error, average = np.log(10.0 * self.step), 0.0, 0.0
        for i in range(count):
            chance = self.move(rng)
            found[i] = self.point
            if learn:
                rate = 1.0 / (i + 11.0)
                error += rate * (TARGET - chance - error)
                here = centre - np.sqrt(i + 1.0) / 0.05 * error
                average += (i + 1.0) ** -0.75 * (here - average)
                self.step = float(np.exp(here if i + 1 < count else average))
        return found


def independent(
    density: Density, top: Mode, *, draws: int, thin: int, rng: np.random.Generator
) -> np.ndarray:
    """Draw a density (draw, dimension), far enough apart to be nearly independent.

    The chain is made twice as long until the effective size of every coordinate is half as much
    again as the number of draws that are kept.

    Parameters
    ----------
    thin : iterations for one kept draw, at least.

    Raises
    ------
    DiagnosticsError
        If a chain 32 times as long is still too short.
    """
    chain = _warm(density, top, rng)
    points = np.empty((0, len(top.place)))
    for _ in range(DOUBLINGS + 1):
        more = chain.run(max(draws * thin, len(points)), rng, learn=False)
        points = np.concatenate([points, more])
        least = float(ess_bulk(points[None]).min())
        if least >= ENOUGH * draws:
            return points[:: len(points) // draws][-draws:]
    raise DiagnosticsError(
        f"hamiltonian: {len(points)} iterations are worth {least:.0f} independent draws and"
        f" {ENOUGH * draws:.0f} are needed; sample this world for longer"
    )


def _warm(density: Density, top: Mode, rng: np.random.Generator) -> Chain:
    """Start at the mode; learn the step and, round after round, the covariance."""
    size = len(top.place)
    height, gradient = density(top.place)
    factor = np.linalg.cholesky(top.covariance)
    chain = Chain(density, top.place, height, gradient, factor, FIRST)
    for count in WARM:
        kept = chain.run(count, rng, learn=True)[count // 3 :]
        # a short round: its covariance is shrunk to the mode's, one draw a coordinate
        share = len(kept) / (len(kept) + size)
        covariance = share * np.cov(kept.T) + (1.0 - share) * top.covariance
        if count != WARM[-1]:
            chain.factor = np.linalg.cholesky(covariance)
    return chain
