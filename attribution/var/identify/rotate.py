r"""A reduced form and a table in; the posterior of the structural shocks out.

.. math:: H = P Q, \qquad \Sigma = P P', \quad Q \sim \text{uniform on } O(n)

with (B, Σ, Q) accepted jointly where every claim of the table holds.  Each accepted draw has a
weight, the product of the number of valid namings of its rotation, of the volume elements of exact
zeros, of one over the probability of the narratives (in the conditional reading) and of the
reduced form's own weight.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from attribution.core import niw
from attribution.core.rotations import assign
from attribution.errors import DiagnosticsError, IdentificationError, SpecError
from attribution.model.restriction import Identification
from attribution.posterior import StructuralPosterior
from attribution.sampling.diagnostics import psis
from attribution.screen import told
from attribution.var.identify.candidates import Bite, Candidates, accepted, bites
from attribution.var.identify.claims import Claims
from attribution.var.identify.compile import compiled
from attribution.var.identify.feasible import refuse_infeasible
from attribution.var.identify.weights import narrative_weight, scale_of, zero_log_weight
from attribution.var.reduced import Batch, ReducedForm

# Batches of a reduced form in; accepted draws, as many of every chain, out.

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


BUDGET = 20_000_000
FEASIBLE = 200_000
"""Draws that one may ask for; where more would be needed it is not said that they help."""
"""Rotations tried before the table is given up."""
ENOUGH = 400
"""Least effective size of the weighted draws, or a quarter of them if fewer were asked for."""
HEAVY, TINY = 0.7, float(np.finfo(float).tiny)
"""Pareto-k of the weights above which their mean cannot be trusted."""


@dataclass(frozen=True)
class Rotated:
    r"""What the table leaves of the rotations.

    Attributes
    ----------
    posterior : channels first, then ``unnamed_1`` ...; weights of mean one.
    tried, accepted : rotations.
    rate : share of signed namings of rotations that obey the table: what plain rejection accepts.
    ess : effective size of the weighted draws, were they independent, :math:`(\sum w)^2/\sum w^2`.
    pareto_k : tail of the weights; minus infinity where they are numbers of namings alone.
    bites : what each claim turns away, over the first rotations.
    factors : the factors of the weight by name (chain, draw), as they came.
    hyper : what the reduced form drew beside, at the accepted draws.
    """

    posterior: StructuralPosterior
    tried: int
    accepted: int
    rate: float
    ess: float
    pareto_k: float
    bites: tuple[Bite, ...]
    factors: Mapping[str, np.ndarray]
    hyper: Mapping[str, np.ndarray]


def rotate(
    reduced: ReducedForm,
    table: Identification,
    values: pd.DataFrame,
    *,
    lags: int,
    draws: int = 4000,
    seed: int | np.random.SeedSequence,
    levels: Collection[str] = (),
    rotations: int | None = None,
    budget: int = BUDGET,
) -> Rotated:
    """Identify shocks by a table of claims.

    Parameters
    ----------
    reduced : draws of (B, Σ) under a law that rotations leave alone.
    values : (date, variable); the observed series, unit of the variable.
    lags : of the vector autoregression.
    draws : accepted draws over all chains, a multiple of their number.
    levels : variables measured in levels (see ``compiled``).
    rotations : per reduced-form draw; if None, so many that about one in four draws yields one.
        The posterior does not depend on it.
    budget : rotations tried in all.

    Raises
    ------
    SpecError
        If the draws do not fill the chains, or a claim speaks of what the data lack.
    IdentificationError
        If claims contradict each other, or too few rotations obey them.
    DiagnosticsError
        If the weights leave too few effective draws, or have too heavy a tail.

    References
    ----------
    rubioramirez2010; arias2018; antolindiaz2018; chan2026
    """
    if draws < reduced.chains or draws % reduced.chains:
        raise SpecError(
            f"table '{table.name}': {draws} draws do not fill {reduced.chains} equal chains; ask"
            f" for {max(1, -(-draws // reduced.chains)) * reduced.chains}"
        )
    claims = compiled(
        table, reduced.variables, values, lags=lags, constant=reduced.constant, levels=levels
    )
    refuse_infeasible(table.name, claims)
    rng = np.random.default_rng(seed)
    pool = Pool(reduced, claims, draws // reduced.chains, rotations, budget, rng)
    while not pool.full:
        if pool.spent:
            raise IdentificationError(_exhausted(table.name, pool))
        pool.advance()
        told(int(pool.filled.sum()), draws, "draws that obey the table")
    return _result(table.name, pool)


def _result(table: str, pool: Pool) -> Rotated:
    claims, factors = pool.claims, pool.factors
    weight = np.prod(list(factors.values()), axis=0)
    weight = weight / weight.mean()
    ess = float(weight.sum() ** 2 / (weight**2).sum())
    open_ended = any(np.ptp(array) > 0 for name, array in factors.items() if name != "namings")
    k = psis(np.log(np.maximum(weight, TINY)))[1] if open_ended else -np.inf
    refuse_thin(table, ess, k, weight.size)
    n, named = len(claims.variables), len(claims.channels)
    posterior = StructuralPosterior(
        variables=claims.variables,
        shocks=(*claims.channels, *(f"unnamed_{i}" for i in range(1, n - named + 1))),
        channels=claims.channels,
        impact=pool.draws["impact"],
        lag_coefficients=pool.draws["lag_coefficients"],
        intercept=pool.draws["intercept"],
        weight=weight,
    )
    ways = assign.namings(named, n, len(claims.zero_channels))
    return Rotated(
        posterior=posterior,
        tried=pool.tried,
        accepted=pool.passed,
        rate=pool.weight / (pool.mass * ways),
        ess=ess,
        pareto_k=k,
        bites=pool.bites,
        factors=factors,
        hyper=pool.hyper,
    )


def refuse_thin(table: str, ess: float, k: float, draws: int) -> None:
    """Refuse weights of so few effective draws, or so heavy a tail, that a few draws decide.

    Parameters
    ----------
    ess, k : effective size and Pareto-k of the weights.

    Raises
    ------
    DiagnosticsError
        With what to ask for instead.
    """
    floor = min(ENOUGH, draws // 4)
    if ess < floor:
        needed = int(1.2 * draws * floor / ess)
        ask = f"ask for {needed:d} draws, or " if needed <= FEASIBLE else ""
        raise DiagnosticsError(
            f"table '{table}': the weights of {draws} draws leave {ess:.0f} effective ones, fewer"
            f" than {floor}; {ask}replace exact zeros by narrow bounds and conditional narratives"
            " by unconditional ones"
        )
    if k > HEAVY:
        raise DiagnosticsError(
            f"table '{table}': the weights have a Pareto-k of {k:.2f}, above {HEAVY}, so a few"
            " draws decide; replace exact zeros by narrow bounds, or read narratives as"
            ' reading = "unconditional"'
        )


def _exhausted(table: str, pool: Pool) -> str:
    blame = sorted(pool.bites, key=lambda bite: (bite.alone, bite.killed / bite.of), reverse=True)
    named = ""
    if blame:
        worst = blame[0]
        named = (
            f"; widen or drop {worst.claim}, which fails {worst.killed} of {worst.of} candidates"
            f" and {worst.alone} that obey everything else"
        )
    return (
        f"table '{table}': {pool.passed} of {pool.tried} rotations obey every claim, too few for"
        f" {pool.need * len(pool.filled)} draws{named or '; widen or drop claims'}"
        + (", ask for fewer --draws" if pool.passed else "")
        + ", or search inside the set by sampler 'gibbs' (bounds on impact alone) or 'slice'"
    )
