r"""A reduced form and a table in; the posterior of the structural shocks out.

.. math:: H = P Q, \qquad \Sigma = P P', \quad Q \sim \text{uniform on } O(n)

with (B, Σ, Q) accepted jointly where every claim of the table holds.  Each accepted draw has a
weight, the product of the number of valid namings of its rotation, of the volume elements of exact
zeros, of one over the probability of the narratives (in the conditional reading) and of the
reduced form's own weight.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from attribution.core import assign
from attribution.diagnostics import psis
from attribution.errors import DiagnosticsError, IdentificationError, SpecError
from attribution.identify.bite import Bite
from attribution.identify.compile import compiled
from attribution.identify.feasible import refuse_infeasible
from attribution.identify.pool import Pool
from attribution.model.restriction import Identification
from attribution.posterior import StructuralPosterior
from attribution.reduced import ReducedForm

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
