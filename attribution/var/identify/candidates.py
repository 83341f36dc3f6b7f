"""One batch of reduced-form draws and the claims in; the rotations that obey them all out."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from attribution.core.rotations import assign
from attribution.core.rotations.functionals import functionals
from attribution.core.rotations.haar import haar, restricted
from attribution.core.rotations.holds import narrowed, ordered, stack
from attribution.errors import IdentificationError
from attribution.var.identify.claims import Claim, Claims
from attribution.var.reduced import Batch


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


# Rotations as they come and the claims in; how many candidates each claim turns away out.


@dataclass(frozen=True)
class Bite:
    """What one claim does to candidates: signed columns, or signed namings for a ranking.

    Attributes
    ----------
    claim : in words.
    killed : candidates that fail it.
    alone : candidates that fail it and no other claim.
    of : candidates looked at.
    """

    claim: str
    killed: int
    alone: int
    of: int


def bites(
    batch: Batch, claims: Claims, rotations: int, rng: np.random.Generator
) -> tuple[Bite, ...]:
    """Count, over the rotations of one batch, the candidates that each claim turns away.

    Exact zeros turn nothing away: rotations are drawn under them.
    """
    n = batch.factor.shape[-1]
    factor = np.ascontiguousarray(batch.factor).reshape(-1, n, n)
    found = drawn(batch, claims, rotations, rng)
    rows, of = factor, found.draw
    if claims.late:
        coefficients = batch.coefficients(np.arange(len(factor)), rng)
        rows = evaluated(factor, coefficients, claims)
    if found.functionals is not None:
        rows, of = found.functionals, np.arange(len(found.q))
    allowed = claims.masks()
    single = [claim for claim in claims.claims if claim.parts]
    passes = [
        narrowed(rows, of, found.q, stack(claim.parts), allowed)[:, claim.parts[0].channel]
        for claim in single
    ]
    masks = np.broadcast_to(allowed, (len(of), *allowed.shape)).copy()
    for claim, fits in zip(single, passes, strict=True):
        masks[:, claim.parts[0].channel] &= fits
    weight, order = assign.named(masks, n, rng)
    kept = np.flatnonzero(weight)
    columns = rows[of[kept]] @ assign.taken(found.q[kept], order[kept])
    return (*_columns(single, passes, allowed), *_rankings(claims, columns))


def _columns(single: list[Claim], passes: list[np.ndarray], allowed: np.ndarray) -> list[Bite]:
    out = []
    for number, claim in enumerate(single):
        channel = claim.parts[0].channel
        others = np.broadcast_to(allowed[channel], passes[number].shape).copy()
        for other, fits in enumerate(passes):
            if other != number and single[other].parts[0].channel == channel:
                others &= fits
        fails = allowed[channel] & ~passes[number]
        out.append(
            Bite(
                claim.words,
                killed=int(np.bitwise_count(fails).sum()),
                alone=int(np.bitwise_count(fails & others).sum()),
                of=int(np.bitwise_count(allowed[channel]).sum()) * len(fails),
            )
        )
    return out


def _rankings(claims: Claims, columns: np.ndarray) -> list[Bite]:
    """Count namings that obey the claims on single columns and fail a ranking."""
    ranked = [claim for claim in claims.claims if claim.orders]
    holds = [ordered(claim.orders, columns) for claim in ranked]
    failed = np.sum([~held for held in holds], axis=0)
    return [
        Bite(
            claim.words,
            killed=int((~held).sum()),
            alone=int((~held & (failed == 1)).sum()),
            of=len(held),
        )
        for claim, held in zip(ranked, holds, strict=True)
    ]
