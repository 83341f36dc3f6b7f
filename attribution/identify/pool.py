"""Batches of a reduced form in; accepted draws, as many of every chain, out."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from attribution.core import niw
from attribution.identify.bite import Bite, bites
from attribution.identify.candidates import Candidates, accepted
from attribution.identify.claims import Claims
from attribution.identify.weights import narrative_weight, scale_of, zero_log_weight
from attribution.reduced import Batch, ReducedForm

FIRST = 1000
"""Draws of the first batch, which tells how hard the claims bite."""
CHUNK, NUMBERS = 2048, 8_000_000
"""Rotations held at once, fewer where they and what belongs to them are more than these numbers."""
PATIENCE = 64
"""Most rotations for one reduced-form draw."""
YIELD = 0.25
"""Accepted rotations for one reduced-form draw that the number of rotations aims at."""

Arrays = dict[str, np.ndarray]


@dataclass
class Pool:
    """Fills every chain with ``need`` accepted draws, batch by batch.

    Attributes
    ----------
    tried : rotations so far, all chains.
    passed : of which accepted, those beyond a chain's need included.
    weight : sum over accepted rotations of namings times the reduced form's weight.
    mass : sum over tried rotations of the reduced form's weight.
    bites : what each claim turned away in the first batch.
    draws, factors, hyper : by name (chain, need, ...); the posterior's arrays, the factors of its
        weight, and what the reduced form drew beside.
    filled : (chain,) int; how many of each chain's draws there are.
    """

    reduced: ReducedForm
    claims: Claims
    need: int
    rotations: int | None
    budget: int
    rng: np.random.Generator
    tried: int = 0
    passed: int = 0
    weight: float = 0.0
    mass: float = 0.0
    bites: tuple[Bite, ...] = ()
    draws: Arrays = field(default_factory=dict)
    factors: Arrays = field(default_factory=dict)
    hyper: Arrays = field(default_factory=dict)
    filled: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.filled = np.zeros(self.reduced.chains, dtype=np.int64)

    @property
    def full(self) -> bool:
        """Whether every chain has what it needs."""
        return bool((self.filled == self.need).all())

    @property
    def spent(self) -> bool:
        """Whether no rotation is left to try."""
        return self.tried >= self.budget

    def advance(self) -> None:
        """Try the rotations of one more batch, the same number for every draw of it."""
        turns = self._turns()
        batch = self.reduced.batch(self._draws(turns))
        if not self.tried:
            self.bites = bites(batch, self.claims, 1, self.rng)
        found = accepted(batch, self.claims, turns, self.rng)
        own = batch.weight.ravel()
        self.tried += own.size * turns
        self.passed += len(found.draw)
        self.weight += float((found.namings * own[found.draw]).sum())
        self.mass += float(own.sum()) * turns
        chain = found.draw // batch.weight.shape[1]
        ends = np.searchsorted(chain, np.arange(len(self.filled) + 1))
        taken = np.minimum(np.diff(ends), self.need - self.filled)
        if taken.any():
            spans = zip(ends[:-1], taken, strict=True)
            chosen = np.concatenate([np.arange(start, start + size) for start, size in spans])
            self._store(batch, found.take(chosen), taken)

    def _turns(self) -> int:
        """Rotations for each draw of the next batch."""
        if self.rotations is not None:
            return self.rotations
        if not self.passed:
            return PATIENCE if self.tried else 1
        return int(np.clip(YIELD * self.tried / self.passed, 1, PATIENCE))

    def _draws(self, turns: int) -> int:
        """Reduced-form draws of every chain in the next batch."""
        chains = len(self.filled)
        n = len(self.claims.variables)
        each = n * (n + len(self.claims.program) + self.claims.regressors.shape[1])
        most = max(1, min(CHUNK, NUMBERS // each) // (turns * chains))
        if not self.passed:
            return int(min(most, max(1, FIRST // chains)))
        rate = self.passed / self.tried
        missing = self.need - int(self.filled.min())
        return int(min(most, 1.1 * missing / (rate * turns) + 8))

    def _store(self, batch: Batch, found: Candidates, taken: np.ndarray) -> None:
        """Complete the accepted draws and put each chain's behind those it has."""
        n = batch.factor.shape[-1]
        impact = batch.factor.reshape(-1, n, n)[found.draw] @ found.q
        coefficients = found.coefficients
        if coefficients is None:
            coefficients = batch.coefficients(found.draw, self.rng)
        slopes, intercept = niw.split(coefficients, constant=self.reduced.constant)
        drawn = {"impact": impact, "lag_coefficients": slopes, "intercept": intercept}
        self._put(self.draws, drawn, taken)
        self._put(self.factors, self._factors(batch, found, impact, slopes), taken)
        flat = {name: array.reshape(-1, *array.shape[2:]) for name, array in batch.hyper.items()}
        self._put(self.hyper, {name: array[found.draw] for name, array in flat.items()}, taken)
        self.filled = self.filled + taken

    def _put(self, store: Arrays, arrays: Arrays, taken: np.ndarray) -> None:
        lead = (len(self.filled), self.need)
        for name, array in arrays.items():
            if name not in store:
                store[name] = np.empty((*lead, *array.shape[1:]), array.dtype)
            parts = np.split(array, np.cumsum(taken)[:-1])
            for chain, part in enumerate(parts):
                start = self.filled[chain]
                store[name][chain, start : start + len(part)] = part

    def _factors(
        self, batch: Batch, found: Candidates, impact: np.ndarray, slopes: np.ndarray
    ) -> Arrays:
        """Every factor of the importance weight (draw,), by name."""
        out = {"reduced form": batch.weight.ravel()[found.draw], "namings": found.namings}
        if self.claims.zeros:
            out["zeros"] = np.exp(zero_log_weight(self.claims, impact, slopes, found.log_density))
        if self.claims.conditional and found.functionals is not None:
            scale = batch.scale
            own = None if scale is None else scale.reshape(-1, scale.shape[-1])[found.draw]
            dated = scale_of(self.claims, self.reduced.time, own, len(found.draw))
            columns = found.functionals @ found.q
            out["narratives"] = narrative_weight(self.claims, columns, dated, self.rng)
        return out
