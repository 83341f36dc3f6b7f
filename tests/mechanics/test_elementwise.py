"""Closed forms take arrays: an element's price does not hang on what else stands beside it."""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose

from attribution.mechanics.barrier import KINDS, barrier
from attribution.mechanics.digital import at_maturity, binary_barrier, digital, one_touch
from attribution.mechanics.vanilla import vanilla

OF_STRIKE = {
    f"vanilla {option}": lambda s, k, h, *market, o=option: vanilla(o, s, k, *market)
    for option in ("call", "put")
} | {
    f"digital {pays}": lambda s, k, h, *market, p=pays: digital("put", p, s, k, *market)
    for pays in ("cash", "asset")
}
OF_LEVEL = {
    f"{side} touch, {pays}, {unit}": lambda s, k, h, *market, a=(side, pays), u=unit: one_touch(
        *a, s, h, *market, unit=u
    )
    for side in ("down", "up")
    for pays in ("touch", "expiry", "never")
    for unit in ("cash", "asset")
}
OF_BOTH = (
    {kind: lambda *given, k=kind: barrier(k, *given, rebate=2.0) for kind in KINDS}
    | {f"{kind} at maturity": lambda *given, k=kind: at_maturity(k, *given) for kind in KINDS}
    | {
        f"{kind} binary, {pays}": lambda *given, a=(kind, pays): binary_barrier(*a, *given)
        for kind in KINDS
        for pays in ("cash", "asset")
    }
)
FORMULAS = OF_STRIKE | OF_LEVEL | OF_BOTH
GRID = np.array(
    list(itertools.product((40.0, 50.0, 75.0), (45.0, 60.0), (0.0, 0.5), (0.0, 0.6), (-0.3, 0.04)))
).T


@pytest.mark.parametrize("name", FORMULAS)
def test_an_element_is_priced_as_it_is_alone(name):
    """Spots on both sides of a barrier at 50, time and volatility zero beside ordinary ones."""
    spot, strike, time, vol, carry = GRID
    together = FORMULAS[name](spot, strike, 50.0, time, vol, 0.03, carry)
    every = zip(spot, strike, time, vol, carry, strict=True)
    alone = [FORMULAS[name](s, k, 50.0, t, v, 0.03, b) for s, k, t, v, b in every]
    for part in together.__dataclass_fields__:
        expected = np.array([float(getattr(one, part)) for one in alone])
        assert_allclose(getattr(together, part), expected, rtol=1e-12, atol=1e-12, err_msg=part)
