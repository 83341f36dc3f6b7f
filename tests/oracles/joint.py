r"""A sampler's step in; whether prior, data and step fit together, out.

Two ways to draw (θ, y) from the joint law: θ from the prior and y given θ, independently; or a
chain that alternates y given θ with one step of the sampler for θ given y.  Where the step leaves
the posterior in place, functionals have equal means under both.  With standard errors that allow
for the chain's autocorrelation,

.. math:: z_g = \frac{\bar g_1 - \bar g_2}{\sqrt{s_1^2 / M_1 + s_2^2 / \mathrm{ESS}_2}}

is nearly standard normal (Geweke 2004).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from scipy.stats import norm

State = TypeVar("State")
Data = TypeVar("Data")

FAMILY = 0.02
"""Chance that a right step fails; with 40 functionals the limit is 3.5."""
BATCHES = 100
"""The chain's standard error is that of this many batch means."""


@dataclass(frozen=True)
class JointTest:
    """Means of functionals under both ways.

    Attributes
    ----------
    z : (functional,).
    names : of the functionals.
    ess : (functional,); effective size of the chain.
    """

    z: np.ndarray
    names: tuple[str, ...]
    ess: np.ndarray

    @property
    def limit(self) -> float:
        r"""Value that the largest of this many \|z\| exceeds with chance 0.02 if all is right."""
        return float(norm.isf(0.5 * (1 - (1 - FAMILY) ** (1 / len(self.z)))))

    @property
    def worst(self) -> tuple[str, float]:
        """Name and z of the functional that differs most."""
        at = int(np.abs(self.z).argmax())
        return self.names[at], float(self.z[at])

    @property
    def holds(self) -> bool:
        """Whether no functional differs by more than the limit."""
        return bool(abs(self.worst[1]) < self.limit)


def joint_test(
    prior: Callable[[np.random.Generator], State],
    simulate: Callable[[State, np.random.Generator], Data],
    step: Callable[[State, Data, np.random.Generator], State],
    functionals: Callable[[State, Data], dict[str, float]],
    *,
    draws: int,
    rng: np.random.Generator,
    thin: int = 1,
) -> JointTest:
    r"""Compare independent draws from prior and model with a chain through the sampler's step.

    Parameters
    ----------
    prior : draws parameters.  simulate : draws data given parameters.
    step : one transition that should leave parameters given data in place.
    functionals : numbers of parameters and data; first and second moments, bounded if tails are
        heavy, for z is meaningless without a variance.
    draws : of each kind; ``thin`` transitions lie between two kept states of the chain.

    References
    ----------
    geweke2004
    """
    first, second = rng.spawn(2)
    independent = []
    for _ in range(draws):
        state = prior(first)
        independent.append(functionals(state, simulate(state, first)))
    state, chain = prior(second), []
    for number in range(draws * thin):
        data = simulate(state, second)
        state = step(state, data, second)
        if number % thin == thin - 1:
            chain.append(functionals(state, data))
    names = tuple(independent[0])
    return compare(
        np.array([[row[name] for name in names] for row in independent]),
        np.array([[row[name] for name in names] for row in chain]),
        names,
    )


def compare(independent: np.ndarray, chain: np.ndarray, names: tuple[str, ...]) -> JointTest:
    """Compare means of independent draws (draw, functional) with those of a chain (draw, ...).

    Raises
    ------
    ValueError
        If a functional is not finite or never changes, or the chain is too short for its batches.
    """
    length = len(chain) // BATCHES
    if length < 2:
        raise ValueError(f"a chain of {len(chain)} is too short; draw {2 * BATCHES} at least")
    both = np.concatenate([independent, chain])
    if not np.isfinite(both).all() or (np.ptp(both, axis=0) == 0).any():
        raise ValueError("every functional must be finite and vary")
    batches = chain[: BATCHES * length].reshape(BATCHES, length, -1).mean(1)
    error = batches.var(0, ddof=1) / BATCHES
    own = independent.var(0, ddof=1) / len(independent)
    return JointTest(
        z=(independent.mean(0) - chain.mean(0)) / np.sqrt(own + error),
        names=names,
        ess=chain.var(0, ddof=1) / error,
    )
