"""A price and its derivatives as one thing that can be added, scaled and chosen between."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from attribution.mechanics.inputs import Array, Functions


@dataclass(frozen=True)
class Greeks:
    """The value of one unit of a claim and its derivatives; every field has the same shape.

    Attributes
    ----------
    value : price in the currency of spot and strike.
    delta : dV/dS.
    gamma : d²V/dS², per unit of currency.
    vega : dV/dσ, per 1.00 of annual volatility (100 vol points).
    vanna : d²V/dS dσ, the change of delta per 1.00 of volatility.
    volga : d²V/dσ².
    theta : dV/dt, the passing of calendar time, per year.
    """

    value: Array
    delta: Array
    gamma: Array
    vega: Array
    vanna: Array
    volga: Array
    theta: Array

    def __add__(self, other: Greeks) -> Greeks:
        return self._with(other, lambda a, b: a + b)

    def __sub__(self, other: Greeks) -> Greeks:
        return self._with(other, lambda a, b: a - b)

    def times(self, weight: Array) -> Greeks:
        """Scale by a weight that depends neither on spot nor on volatility nor on time."""
        return Greeks(*(weight * part for part in self.parts()))

    def where(self, f: Functions, condition: Array, other: Greeks) -> Greeks:
        """Keep these where the condition holds, take the other's elsewhere."""
        return self._with(other, lambda a, b: f.where(condition, a, b))

    def shaped(self, *inputs: np.ndarray) -> Greeks:
        """Give every field the one shape of all inputs; constant fields are views."""
        shape = np.broadcast_shapes(*(array.shape for array in inputs))
        return Greeks(*(np.broadcast_to(part, shape) for part in self.parts()))

    def parts(self) -> tuple[Array, ...]:
        """Return value, delta, gamma, vega, vanna, volga, theta."""
        return (
            self.value,
            self.delta,
            self.gamma,
            self.vega,
            self.vanna,
            self.volga,
            self.theta,
        )

    @classmethod
    def of_cash(cls, value: Array) -> Greeks:
        """Cash in hand: a value that nothing moves."""
        none = 0.0 * value
        return cls(value, none, none, none, none, none, none)

    def _with(self, other: Greeks, rule: Callable[[Array, Array], Array]) -> Greeks:
        return Greeks(*map(rule, self.parts(), other.parts()))
