"""Published values of barrier options, vanilla options and digitals, and Greeks with 40 digits."""

from pathlib import Path

import pandas as pd
import pytest
from numpy.testing import assert_allclose

from attribution.mechanics.barrier import KINDS, barrier
from attribution.mechanics.digital import digital, one_touch
from attribution.mechanics.vanilla import vanilla

FOLDER = Path(__file__).resolve().parent / "barrier_haug"
WORDS = {"DownIn": "down_in", "DownOut": "down_out", "UpIn": "up_in", "UpOut": "up_out"}


def rows(name):
    return list(pd.read_csv(FOLDER / f"{name}.csv").itertuples(index=False))


def priced(row, *, level, rebate=0.0):
    kind = f"{WORDS[row.barrier_type]}_{row.option.lower()}"
    carry = row.r - row.q
    return barrier(kind, row.spot, row.strike, level, row.t, row.vol, row.r, carry, rebate)


@pytest.mark.parametrize("table", ["barrier_values", "barrier_values_no_rebate"])
def test_every_published_barrier_option(table):
    misses = [
        (row, found)
        for row in rows(table)
        if abs((found := priced(row, level=row.barrier, rebate=row.rebate).value) - row.value)
        > row.tol
    ]
    assert misses == []


def test_the_published_table_covers_all_eight_kinds():
    seen = {f"{WORDS[row.barrier_type]}_{row.option.lower()}" for row in rows("barrier_values")}
    assert seen == set(KINDS)


@pytest.mark.parametrize("row", rows("barrier_greeks"), ids=lambda row: row.barrier_type)
def test_greeks_with_forty_digits(row):
    found = priced(row, level=row.barrier)
    for name in ("value", "delta", "gamma", "vega", "theta"):
        assert_allclose(getattr(found, name), getattr(row, name), rtol=1e-12)


@pytest.mark.parametrize("row", rows("vanilla_values_greeks"), ids=lambda row: row.quantity)
def test_published_vanilla_values_and_greeks(row):
    found = vanilla(row.option.lower(), row.spot, row.strike, row.t, row.vol, row.r, row.r - row.q)
    if row.quantity == "rho":
        # At a fixed yield the rate enters through both arguments.
        step = 1e-4
        up, down = (
            vanilla("call", row.spot, row.strike, row.t, row.vol, row.r + h, row.r - row.q + h)
            for h in (step, -step)
        )
        assert abs((up.value - down.value) / (2 * step) - row.value) <= row.tol
    else:
        assert abs(getattr(found, row.quantity) - row.value) <= row.tol


@pytest.mark.parametrize("row", rows("digitals_onetouch"), ids=lambda row: row.test)
def test_published_digitals_and_one_touches(row):
    option, market = row.option.lower(), (row.t, row.vol, row.r, row.r - row.q)
    if "AtHit" in row.test:
        side = "down" if option == "put" else "up"
        found = 15.0 * one_touch(side, "touch", row.spot, row.strike, *market).value
    elif row.test.startswith("Cash", 4):
        found = 10.0 * digital(option, "cash", row.spot, row.strike, *market).value
    else:
        found = digital(option, "asset", row.spot, row.strike, *market).value
    assert abs(found - row.value) <= row.tol
