r"""A conjugate posterior and claims too tight for rejection in; draws that obey them out.

.. math:: (B, \Sigma, Q) = g(z), \qquad z \sim N(0, I) \text{ restricted to } \{v(z) \le 0\}

with v the worst margin of the claims.  Levels of v lead into the set and elliptical slices move
inside it (``attribution.core.rotations.ellipse``), so that the probability that uniform rotations
obey the
table is estimated on the way, however small.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attribution.core import niw
from attribution.core.rotations import ellipse
from attribution.core.rotations import ellipse as normal_map
from attribution.core.rotations.functionals import functionals
from attribution.core.standard import Standard
from attribution.errors import SpecError
from attribution.var.identify.claims import Claims
from attribution.var.identify.obey import violation

PARTICLES, SWEEPS = 512, 10
"""Chains side by side; passes over (Q, Σ, B) at each level and between kept draws."""


@dataclass(frozen=True)
class Sliced:
    """Draws that obey every claim.

    Attributes
    ----------
    factor, q : (particle, draw, n, n); channel k is column k of q.
    coefficients : (particle, draw, regressor, variable).
    log_rate : log of the probability that a named uniform rotation obeys the claims.
    levels : of the worst margin, on the way in.
    """

    factor: np.ndarray
    q: np.ndarray
    coefficients: np.ndarray
    log_rate: float
    levels: tuple[float, ...]


@dataclass(frozen=True)
class _Map:
    """From normal vectors to draws of the posterior."""

    posterior: niw.NormalInverseWishart
    claims: Claims
    standard: Standard | None

    @property
    def blocks(self) -> tuple[int, ...]:
        """Normals behind Q, Σ and, where some claim looks beyond impact, B."""
        n, k = len(self.posterior.scale), len(self.posterior.mean)
        return (n * n, n * (n + 1) // 2, *((k * n,) if self.claims.late else ()))

    def draws(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """Return P, Q and B of normal vectors (draw, coordinate)."""
        parts = np.split(z, np.cumsum(self.blocks)[:-1], axis=1)
        q, factor = normal_map.rotation(parts[0]), normal_map.factor(self.posterior, parts[1])
        if not self.claims.late:
            return self.impact(factor), q, None
        slopes = normal_map.coefficients(self.posterior, factor, parts[2])
        return self.impact(factor), q, self.coefficients(slopes)

    def impact(self, inner: np.ndarray) -> np.ndarray:
        """Factors in units of the data."""
        return inner if self.standard is None else self.standard.impact(inner)

    def coefficients(self, inner: np.ndarray) -> np.ndarray:
        """Coefficients in units of the data."""
        return inner if self.standard is None else self.standard.coefficients(inner)

    def violation(self, z: np.ndarray) -> np.ndarray:
        """Worst margin at normal vectors."""
        factor, q, slopes = self.draws(z)
        rows = factor
        if slopes is not None:
            rows = functionals(
                np.ascontiguousarray(factor),
                np.ascontiguousarray(slopes),
                self.claims.program,
                self.claims.observed,
                self.claims.regressors,
            )
        return violation(self.claims, rows, q)


def sliced(
    posterior: niw.NormalInverseWishart,
    claims: Claims,
    *,
    draws: int,
    particles: int = PARTICLES,
    sweeps: int = SWEEPS,
    standard: Standard | None = None,
    rng: np.random.Generator,
) -> Sliced:
    """Sample (B, Σ, Q) under the claims.

    Parameters
    ----------
    posterior : of (B, Σ) without claims.
    draws : kept draws of each particle.
    standard : the coordinates of the posterior, from which draws go back to units of the data.

    Raises
    ------
    SpecError
        If the claims hold an exact zero, a set of no volume that slices cannot enter.
    IdentificationError
        If no draw that obeys the claims is found.

    References
    ----------
    arias2025; murray2010
    """
    if claims.zeros:
        raise SpecError(
            "sampler 'slice' cannot enter the set of an exact zero, which has no volume; use"
            " sampler 'accept', or bounds in place of the zero"
        )
    of = _Map(posterior, claims, standard)
    inside = ellipse.draw_inside(
        of.violation, of.blocks, particles=particles, draws=draws, sweeps=sweeps, rng=rng
    )
    flat = inside.states.reshape(-1, inside.states.shape[-1])
    factor, q, slopes = of.draws(flat)
    if slopes is None:
        inner = factor if standard is None else factor / standard.unit[:, None]
        slopes = of.coefficients(niw.draw_coefficients(posterior, np.ascontiguousarray(inner), rng))
    lead = (particles, draws)
    return Sliced(
        factor=factor.reshape(*lead, *factor.shape[1:]),
        q=q.reshape(*lead, *q.shape[1:]),
        coefficients=slopes.reshape(*lead, *slopes.shape[1:]),
        log_rate=inside.log_probability,
        levels=inside.levels,
    )
