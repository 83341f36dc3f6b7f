"""The same formulas on symbolic tensors: equal numbers, and its own gradient agrees with them."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from numpy.testing import assert_allclose
from pytensor.compile.mode import Mode

from attribution.mechanics.barrier import barrier, knock_in, paid_at_touch
from attribution.mechanics.digital import at_maturity, one_touch
from attribution.mechanics.inputs import Functions
from attribution.mechanics.terms import Market
from attribution.mechanics.vanilla import gap

TENSORS = Functions(pt.exp, pt.log, pt.sqrt, pt.erfcx, pt.switch)
SPOT = np.array([39.0, 42.0, 55.0, 80.0])
STRIKE, LEVEL = (pt.constant(x, dtype="float64") for x in (55.0, 38.5))
VOL, TIME, RATE, CARRY = 0.55, 1.3, 0.04, 0.03


def forms():
    """Symbolic claims and the arrays they must equal."""
    numbers = (TIME, VOL, RATE, CARRY)
    return {
        "continuous": (
            lambda market: knock_in(TENSORS, market, -1, 1, STRIKE, LEVEL, False),
            barrier("down_in_put", SPOT, 55.0, 38.5, *numbers),
        ),
        "at maturity": (
            lambda market: gap(TENSORS, market, -1, STRIKE, LEVEL),
            at_maturity("down_in_put", SPOT, 55.0, 38.5, *numbers),
        ),
        "at the touch": (
            lambda market: paid_at_touch(TENSORS, market, 1, LEVEL),
            one_touch("down", "touch", SPOT, 38.5, *numbers),
        ),
    }


@pytest.mark.parametrize("name", list(forms()))
def test_tensors_and_arrays_give_the_same_greeks(name):
    build, expected = forms()[name]
    spot, vol, time = pt.dvector("spot"), pt.dscalar("vol"), pt.dscalar("time")
    found = build(Market(spot, time, vol, RATE, CARRY))
    total = found.value.sum()
    slopes = [pt.grad(total, spot), pt.grad(total, vol), -pt.grad(total, time)]
    plain = Mode(linker="py", optimizer=None)
    compiled = pytensor.function([spot, vol, time], [*found.parts(), *slopes], mode=plain)
    values = compiled(SPOT, VOL, TIME)
    for one, other in zip(values[:7], expected.parts(), strict=True):
        assert_allclose(one, other, rtol=1e-12, atol=1e-14)
    assert_allclose(values[7], expected.delta, rtol=1e-10, atol=1e-12)
    assert_allclose(values[8], expected.vega.sum(), rtol=1e-10)
    assert_allclose(values[9], expected.theta.sum(), rtol=1e-10)
