"""A table and a reduced-form posterior in; how hard the restrictions bite, or a refusal, out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attribution.core import niw
from attribution.core.rotations import restrictions
from attribution.core.rotations.bounds import admissible
from attribution.core.rotations.haar import haar
from attribution.errors import IdentificationError
from attribution.model.restriction import Cell
from attribution.model.spec import ModelSpec
from attribution.sampling import diagnostics
from attribution.var.estimate.cones import Cones

PLAIN_DRAWS, PLAIN_ROTATIONS = 500, 8
CASES = 100
"""Reduced-form draws whose admissible set is searched."""
ENOUGH = 0.5
SEARCHES = 5
"""Uniform starts of a search that failed from its guess."""


@dataclass(frozen=True)
class Acceptance:
    """How hard the restrictions bite.

    Attributes
    ----------
    tried, accepted, rate, weighted_ess : plain joint acceptance of uniform rotations, every naming
        of their columns counted; zero accepted where the cones are too narrow for it.
    sole : claim -> candidate columns that this cell alone turned away, in those tries.
    plausibility : share of reduced-form draws for which an admissible rotation was found.
    ess, rhat : channel -> of its share in the impact variance of the outcome, or of the first
        variable where nothing is asked, over the four chains.
    """

    tried: int
    accepted: int
    rate: float
    weighted_ess: float
    sole: dict[str, int]
    plausibility: float
    ess: dict[str, float]
    rhat: dict[str, float]


def measure_acceptance(
    spec: ModelSpec,
    reduced: niw.NormalInverseWishart,
    cones: Cones,
    impact: np.ndarray,
    rng: np.random.Generator,
) -> Acceptance:
    """Measure plain acceptance, plausibility and mixing; refuse a table that the data contradict.

    Parameters
    ----------
    reduced : posterior of (B, Σ) without restrictions.
    impact : (chain, draw, variable, shock); draws under the restrictions.

    Raises
    ------
    IdentificationError
        If for more than half of the draws of Σ no admissible rotation is found; names the cells
        whose removal frees most of them.

    References
    ----------
    giacomini2021, on the plausibility of restrictions
    """
    root = niw.draw_factor(reduced, PLAIN_DRAWS, rng)
    plain = restrictions.accept(cones.rows @ root, cones.ends, rotations=PLAIN_ROTATIONS, rng=rng)
    sole = {_claim(cell): 0 for cell in cones.cells}
    for row, count in enumerate(plain.sole):
        if cones.owner[row] >= 0:
            sole[_claim(cones.cells[cones.owner[row]])] += int(count)
    root = root[:CASES]
    flat = impact.reshape(-1, *impact.shape[2:])
    guess = flat[rng.integers(len(flat), size=CASES)]
    found = _not_empty(root, guess, cones.rows, cones.ends, rng)
    if found.mean() < ENOUGH:
        _refuse_contradiction(spec, cones, root[~found], guess[~found], rng)
    outcome = spec.system.variables.index(spec.event.outcome or spec.system.variables[0])
    square = impact[:, :, outcome] ** 2
    share = (square / square.sum(-1, keepdims=True))[..., : len(cones.channels)]
    ess, rhat = diagnostics.effective_size(share), diagnostics.split_rhat(share)
    return Acceptance(
        tried=plain.tried,
        accepted=len(plain.weight),
        rate=plain.rate,
        weighted_ess=plain.ess,
        sole=sole,
        plausibility=float(found.mean()),
        ess=dict(zip(cones.channels, ess.tolist(), strict=True)),
        rhat=dict(zip(cones.channels, rhat.tolist(), strict=True)),
    )


def _not_empty(
    root: np.ndarray,
    guess: np.ndarray,
    rows: np.ndarray,
    ends: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Whether an admissible rotation was found (case,): from a guess, then from uniform ones."""
    found, _ = admissible(root, guess, rows, ends)
    for _ in range(SEARCHES):
        if not found.all():
            missing = root[~found]
            turned = missing @ haar(root.shape[-1], len(missing), rng)
            found[~found] = admissible(missing, turned, rows, ends)[0]
    return found


def _refuse_contradiction(
    spec: ModelSpec, cones: Cones, root: np.ndarray, guess: np.ndarray, rng: np.random.Generator
) -> None:
    """Name the cells without which the search succeeds most often."""
    freed = [
        int(_not_empty(root, guess, *cones.without(cell), rng).sum())
        for cell in range(len(cones.cells))
    ]
    order = np.argsort(freed, kind="stable")[::-1][:3]
    named = ", ".join(f"{_claim(cones.cells[i])} (frees {freed[i]})" for i in order if freed[i])
    table = spec.identification.name if spec.identification else ""
    raise IdentificationError(
        f"table '{table}': the data contradict it, for {len(root)} of {CASES} draws of the"
        " covariance no rotation was found that obeys every cell;"
        + (
            f" widen or drop one of {named}"
            if named
            else " no single cell is to blame: drop a channel or widen several cells"
        )
    )


def _claim(cell: Cell) -> str:
    return f"{cell.channel}.{cell.variable} {cell.claim}"
