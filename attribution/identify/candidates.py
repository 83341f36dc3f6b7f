"""One batch of reduced-form draws and the claims in; the rotations that obey them all out."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from attribution.core import assign
from attribution.core.claim_rows import ordered
from attribution.core.functionals import functionals
from attribution.core.holds import narrowed
from attribution.core.rotations import haar, restricted
from attribution.errors import IdentificationError
from attribution.identify.claims import Claims
from attribution.reduced import Batch


@dataclass(frozen=True)
class Candidates:
    """Rotations that obey every claim looked at so far.

    Attributes
    ----------
    draw : (candidate,) int; flat index of the reduced-form draw, ascending.
    q : (candidate, n, n); once named, channels first, signs included.
    log_density : (candidate,); of the rotation under the law that drew it, for exact zeros.
    namings : (candidate,); valid namings of the rotation, or an unbiased estimate.
    coefficients : (candidate, regressor, variable), or None where no claim needed them.
    functionals : (candidate, functional, n), or None likewise.
    """

    draw: np.ndarray
    q: np.ndarray
    log_density: np.ndarray
    namings: np.ndarray
    coefficients: np.ndarray | None = None
    functionals: np.ndarray | None = None

    def take(self, kept: np.ndarray) -> Candidates:
        """Those of some indices."""
        return Candidates(
            draw=self.draw[kept],
            q=self.q[kept],
            log_density=self.log_density[kept],
            namings=self.namings[kept],
            coefficients=None if self.coefficients is None else self.coefficients[kept],
            functionals=None if self.functionals is None else self.functionals[kept],
        )


def drawn(batch: Batch, claims: Claims, rotations: int, rng: np.random.Generator) -> Candidates:
    """Draw the same number of rotations for every draw of a batch.

    Raises
    ------
    IdentificationError
        If the exact zeros of a channel repeat each other.
    """
    n = batch.factor.shape[-1]
    factor = np.ascontiguousarray(batch.factor).reshape(-1, n, n)
    of = np.repeat(np.arange(len(factor)), rotations)
    one = np.ones(len(of))
    zeros = claims.zeros
    if not zeros:
        return Candidates(of, haar(n, len(of), rng), 0.0 * one, one)
    coefficients, rows = None, factor
    if claims.early:
        coefficients = batch.coefficients(np.arange(len(factor)), rng)
        rows = evaluated(factor, coefficients, claims)
    ends = np.cumsum([sum(z.channel == k for z in zeros) for k in claims.zero_channels])
    at = np.array([zero.at for zero in zeros], dtype=np.int64)
    q, log_density = restricted(rows, of, at, ends, rng)
    if not np.isfinite(log_density).all():
        raise IdentificationError(
            "the zeros of one channel say the same thing twice, or cannot be told from the columns"
            " of the channels with more zeros; drop the zero that follows from the others"
        )
    found = Candidates(of, q, log_density, one)
    if coefficients is None:
        return found
    return replace(found, coefficients=coefficients[of], functionals=rows[of])


def evaluated(factor: np.ndarray, coefficients: np.ndarray, claims: Claims) -> np.ndarray:
    """Functionals of the claims at draws (draw, n, n) and (draw, regressor, variable)."""
    return functionals(factor, coefficients, claims.program, claims.observed, claims.regressors)


def accepted(batch: Batch, claims: Claims, rotations: int, rng: np.random.Generator) -> Candidates:
    """Try the same number of rotations on every draw of a batch and keep all that pass.

    Reduced form and rotation are accepted *jointly*: retrying until something passes would change
    the posterior, and make it depend on the patience of the program.  Coefficients are drawn for
    rotations that obey the claims on impact, for given the covariance these do not bear on them.

    References
    ----------
    arias2018; chan2026
    """
    n = batch.factor.shape[-1]
    factor = np.ascontiguousarray(batch.factor).reshape(-1, n, n)
    found = drawn(batch, claims, rotations, rng)
    masks = narrowed(factor, found.draw, found.q, claims.impact_rows(), claims.masks())
    alive = np.flatnonzero(masks.any((1, 2)))
    found, masks = found.take(alive), masks[alive]
    if claims.late:
        if found.functionals is None:
            coefficients = batch.coefficients(found.draw, rng)
            rows = evaluated(factor[found.draw], coefficients, claims)
            found = replace(found, coefficients=coefficients, functionals=rows)
        every = np.arange(len(found.q))
        rows = np.asarray(found.functionals)
        masks = narrowed(rows, every, found.q, claims.later_rows(), masks)
    return named(found, factor, masks, claims, rng)


def named(
    found: Candidates,
    factor: np.ndarray,
    masks: np.ndarray,
    claims: Claims,
    rng: np.random.Generator,
) -> Candidates:
    """Name the columns, apply the claims across channels, and drop what fails."""
    weight, order = assign.named(masks, factor.shape[-1], rng)
    kept = np.flatnonzero(weight)
    found = replace(found.take(kept), namings=weight[kept])
    found = replace(found, q=assign.taken(found.q, order[kept]))
    if not claims.orders():
        return found
    rows = factor[found.draw] if found.functionals is None else found.functionals
    return found.take(np.flatnonzero(ordered(claims.orders(), rows @ found.q)))
