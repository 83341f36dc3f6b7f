"""Rotations as they come and the claims in; how many candidates each claim turns away out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attribution.core import assign
from attribution.core.claim_rows import ordered, stack
from attribution.core.holds import narrowed
from attribution.identify.candidates import drawn, evaluated
from attribution.identify.claims import Claim, Claims
from attribution.reduced import Batch


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
