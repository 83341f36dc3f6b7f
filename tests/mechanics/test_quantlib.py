"""QuantLib as an independent witness, where it is installed (read with version 1.44)."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose

from attribution.mechanics.barrier import KINDS, barrier
from attribution.mechanics.vanilla import vanilla

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    ql = pytest.importorskip("QuantLib")


def process(spot, vol, rate, carry):
    today = ql.Date(5, 2, 2026)
    ql.Settings.instance().evaluationDate = today
    clock = ql.Actual365Fixed()
    flat = [
        ql.YieldTermStructureHandle(ql.FlatForward(today, float(x), clock))
        for x in (rate - carry, rate)
    ]
    smile = ql.BlackConstantVol(today, ql.NullCalendar(), float(vol), clock)
    quote = ql.QuoteHandle(ql.SimpleQuote(float(spot)))
    return ql.BlackScholesMertonProcess(quote, *flat, ql.BlackVolTermStructureHandle(smile))


def terms(option, strike, days):
    side = ql.Option.Call if option == "call" else ql.Option.Put
    end = ql.EuropeanExercise(ql.Date(5, 2, 2026) + int(days))
    return ql.PlainVanillaPayoff(side, float(strike)), end


def dated(book):
    """Whole days, which is what the other library knows."""
    days = np.maximum(np.round(book["time"] * 365), 1)
    return days, book | {"time": days / 365}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_barrier_options_of_every_kind(kind, options):
    way, knock, option = kind.split("_")
    days, book = dated(options(kind, 150, seed=9, deep=1.0))
    names = {"down_in": ql.Barrier.DownIn, "down_out": ql.Barrier.DownOut,
             "up_in": ql.Barrier.UpIn, "up_out": ql.Barrier.UpOut}  # fmt: skip
    expected = []
    for i, span in enumerate(days):
        law = process(*(book[k][i] for k in ("spot", "vol", "rate", "carry")))
        claim = ql.BarrierOption(
            names[f"{way}_{knock}"], float(book["level"][i]), 2.0,
            *terms(option, book["strike"][i], span),
        )  # fmt: skip
        claim.setPricingEngine(ql.AnalyticBarrierEngine(law))
        expected.append(claim.NPV())
    found = barrier(kind, **book, rebate=2.0).value
    assert_allclose(found, expected, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("option", ["call", "put"])
def test_vanilla_options_and_their_greeks(option, options):
    days, book = dated(options(f"down_in_{option}", 150, seed=10))
    del book["level"]
    expected = {name: [] for name in ("NPV", "delta", "gamma", "vega", "theta")}
    for i, span in enumerate(days):
        law = process(*(book[k][i] for k in ("spot", "vol", "rate", "carry")))
        claim = ql.VanillaOption(*terms(option, book["strike"][i], span))
        claim.setPricingEngine(ql.AnalyticEuropeanEngine(law))
        for name, column in expected.items():
            column.append(getattr(claim, name)())
    found = vanilla(option, **book)
    for name, column in expected.items():
        mine = found.value if name == "NPV" else getattr(found, name)
        assert_allclose(mine, column, rtol=1e-9, atol=1e-9)
