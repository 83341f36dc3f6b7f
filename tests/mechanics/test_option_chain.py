"""Listed options: what a chain accepts, what it refuses, and its sums against a loop."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from attribution.errors import DataError
from attribution.mechanics.gamma import by_strike_and_expiry, calls_long_puts_short, chain, less

CALL = np.array([True, False, True, False])
STRIKE = np.array([50.0, 50.0, 60.0, 60.0])
TIME = np.array([0.1, 0.2, 0.1, 0.1])
OPEN = np.array([0.0, 3.0, 2.0, 5.0])


def book(**change):
    return chain(**{"call": CALL, "strike": STRIKE, "time": TIME, "vol": 0.6, **change})


def test_a_strike_that_nobody_holds_is_a_row_like_any_other():
    made = book(open_interest=OPEN, multiplier=[100.0, 10.0, 1.0, 2.0])
    assert made.units.tolist() == [0.0, 30.0, 2.0, 10.0]
    assert book(open_interest=0.0).units.tolist() == [0.0] * 4
    assert calls_long_puts_short(made).tolist() == [1.0, -1.0, 1.0, -1.0]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"open_interest": [0.0, 3.0, -1e-9, 5.0]}, "open interest is below zero"),
        ({"open_interest": OPEN, "call": []}, "no contract is given"),
        ({"open_interest": OPEN, "call": [1, 0, 1, 0]}, "give booleans"),
        ({"open_interest": OPEN, "call": [True, False, True]}, "call does not fit"),
        ({"open_interest": np.ones((2, 4))}, "more than one dimension"),
        ({"open_interest": OPEN, "strike": [50.0, 50.0, 0.0, 60.0]}, "strike"),
        ({"open_interest": OPEN, "multiplier": 0.0}, "multiplier"),
        ({"open_interest": [0.0, np.nan, 1.0, 1.0]}, "open_interest"),
    ],
)
def test_what_is_no_chain_is_refused(change, sentence):
    with pytest.raises(DataError, match=sentence):
        book(**change)


def test_sums_by_strike_and_expiry_are_those_of_a_loop():
    made = book(open_interest=OPEN)
    values = np.random.default_rng(2).standard_normal((3, 4))
    strikes, times, table = by_strike_and_expiry(made, values)
    assert strikes.tolist() == [50.0, 60.0] and times.tolist() == [0.1, 0.2]
    expected = np.zeros((3, 2, 2))
    for i in range(4):
        at = strikes.tolist().index(STRIKE[i]), times.tolist().index(TIME[i])
        expected[:, *at] += values[:, i]
    assert_allclose(table, expected, atol=1e-15)


def test_every_open_contract_may_be_taken_out_and_not_one_more():
    made = book(open_interest=OPEN)
    assert less(made, OPEN).open_interest.tolist() == [0.0] * 4
    assert less(made, [0.0, 1.0, 0.0, 0.0]).open_interest.tolist() == [0.0, 2.0, 2.0, 5.0]
    with pytest.raises(DataError, match="strike 60 has 2 open contracts, 1 fewer than are"):
        less(made, [0.0, 1.0, 3.0, 0.0])
