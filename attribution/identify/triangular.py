"""What the two triangular schemes share: one rotation for every draw of a reduced form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from attribution.core import niw
from attribution.errors import SpecError, nearest
from attribution.posterior import StructuralPosterior
from attribution.reduced import ReducedForm


@dataclass(frozen=True)
class Ordered:
    """Recursively identified draws, and what the reduced form drew beside (chain, draw, ...)."""

    posterior: StructuralPosterior
    hyper: Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Drawn:
    """Draws of a reduced form.

    Attributes
    ----------
    covariance : (chain, draw, variable, variable), Σ.
    lag_coefficients : (chain, draw, lag, variable, regressor).
    intercept : (chain, draw, variable).
    weight : (chain, draw); mean one.
    hyper : name -> (chain, draw, ...).
    """

    covariance: np.ndarray
    lag_coefficients: np.ndarray
    intercept: np.ndarray
    weight: np.ndarray
    hyper: Mapping[str, np.ndarray]

    def ordered(
        self, variables: tuple[str, ...], shocks: tuple[str, ...], impact: np.ndarray
    ) -> Ordered:
        """Return the posterior with these impact matrices, every shock a channel."""
        posterior = StructuralPosterior(
            variables=variables,
            shocks=shocks,
            channels=shocks,
            impact=impact,
            lag_coefficients=self.lag_coefficients,
            intercept=self.intercept,
            weight=self.weight,
        )
        return Ordered(posterior, self.hyper)


def drawn(reduced: ReducedForm, draws: int, seed: int | np.random.SeedSequence) -> Drawn:
    """Draw covariances and coefficients, ``draws`` over all chains.

    Raises
    ------
    SpecError
        If the draws do not fill the chains.
    """
    chains = reduced.chains
    if draws < chains or draws % chains:
        raise SpecError(
            f"{draws} draws do not fill {chains} equal chains; ask for"
            f" {max(1, -(-draws // chains)) * chains}"
        )
    batch = reduced.batch(draws // chains)
    coefficients = batch.coefficients(np.arange(draws), np.random.default_rng(seed))
    lead = batch.weight.shape
    slopes, intercept = niw.split(coefficients, constant=reduced.constant)
    return Drawn(
        batch.factor @ batch.factor.swapaxes(-1, -2),
        slopes.reshape(*lead, *slopes.shape[1:]),
        intercept.reshape(*lead, -1),
        batch.weight / batch.weight.mean(),
        batch.hyper,
    )


def ordering(
    variables: tuple[str, ...], order: tuple[str, ...], shocks: tuple[str, ...]
) -> tuple[list[int], tuple[str, ...]]:
    """Return places of the ordered variables, and names of the shocks in that order.

    Raises
    ------
    SpecError
        If the order is not one of all variables, or names are too few, too many or not distinct.
    """
    order = order or variables
    for name in order:
        if name not in variables:
            raise SpecError(f"order: unknown variable '{name}'{nearest(name, variables)}")
    if len(set(order)) != len(order) or len(order) != len(variables):
        missing = [name for name in variables if name not in order]
        raise SpecError(
            f"order: it must name each of the {len(variables)} variables once"
            + (f"; add {', '.join(missing)}" if missing else "; drop what it names twice")
        )
    names = shocks or order
    if len(names) != len(order) or len(set(names)) != len(names):
        raise SpecError(
            f"shocks: {len(names)} names ({len(set(names))} distinct) for {len(order)} shocks;"
            " name each once"
        )
    return [variables.index(name) for name in order], names
