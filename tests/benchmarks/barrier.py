"""Measure Greeks of knock-in puts a note, against a loop over notes.

Usage: python tests/benchmarks/barrier.py [NOTES] [RUNS]

The loop is QuantLib's analytic engine where QuantLib is installed; quotes and engines are made once
and only moved. It has no Greeks of barrier options, so that the seven numbers of a note take eleven
prices; four of them (value, delta, gamma, vega) take five. Without QuantLib the loop is our own
formula, one note at a time. Seconds are of one core's processor time; medians of RUNS.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from attribution.mechanics.barrier import barrier

STRIKE, LEVEL, RATE = 55.0, 38.5, 0.04
DAYS = 365


def book(notes: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw spots above the barrier, and volatilities."""
    rng = np.random.default_rng(0)
    return rng.uniform(39.5, 70.0, notes), rng.uniform(0.3, 1.1, notes)


def arrays(spot: np.ndarray, vol: np.ndarray) -> np.ndarray:
    """Value, delta, gamma, vega, vanna, volga and theta of every note at once."""
    found = barrier("down_in_put", spot, STRIKE, LEVEL, DAYS / 365, vol, RATE, RATE)
    return np.stack(found.parts())


def one_by_one(spot: np.ndarray, vol: np.ndarray) -> np.ndarray:
    """The same, a Python call a note."""
    return np.stack([arrays(s, v) for s, v in zip(spot, vol, strict=True)], axis=-1)


def pricer() -> Callable[[float, float, int], float] | None:
    """Return QuantLib's price by spot, volatility and days more or less, if it is there."""
    try:
        import QuantLib as ql
    except ImportError:
        return None
    today, clock = ql.Date(5, 2, 2026), ql.Actual365Fixed()
    ql.Settings.instance().evaluationDate = today
    s, v = ql.SimpleQuote(50.0), ql.SimpleQuote(0.5)
    rate = ql.YieldTermStructureHandle(ql.FlatForward(today, RATE, clock))
    smile = ql.BlackConstantVol(today, ql.NullCalendar(), ql.QuoteHandle(v), clock)
    law = ql.BlackScholesMertonProcess(
        ql.QuoteHandle(s), rate_of_yield(ql, today, clock), rate,
        ql.BlackVolTermStructureHandle(smile),
    )  # fmt: skip
    engine = ql.AnalyticBarrierEngine(law)
    claims = {}
    for more in (-1, 0, 1):
        claims[more] = ql.BarrierOption(
            ql.Barrier.DownIn, LEVEL, 0.0, ql.PlainVanillaPayoff(ql.Option.Put, STRIKE),
            ql.EuropeanExercise(today + DAYS + more),
        )  # fmt: skip
        claims[more].setPricingEngine(engine)

    def price(spot: float, vol: float, more: int = 0) -> float:
        s.setValue(spot)
        v.setValue(vol)
        return float(claims[more].NPV())

    return price


def rate_of_yield(ql: Any, today: Any, clock: Any) -> Any:
    """Return a yield of nothing."""
    return ql.YieldTermStructureHandle(ql.FlatForward(today, 0.0, clock))


def bumped(price: Callable[..., float], whole: bool) -> Callable[..., np.ndarray]:
    """Return a loop over notes with central differences; ``whole`` for all seven numbers."""

    def loop(spot: np.ndarray, vol: np.ndarray) -> np.ndarray:
        out = np.full((7, len(spot)), np.nan)
        for i, (x, v) in enumerate(zip(spot.tolist(), vol.tolist(), strict=True)):
            h, k = 1e-3 * x, 1e-4
            mid, up, down = price(x, v), price(x + h, v), price(x - h, v)
            high, low = price(x, v + k), price(x, v - k)
            out[:4, i] = (
                mid,
                (up - down) / (2 * h),
                (up - 2 * mid + down) / h**2,
                (high - low) / (2 * k),
            )
            if whole:
                cross = price(x + h, v + k) - price(x - h, v + k)
                cross -= price(x + h, v - k) - price(x - h, v - k)
                clock = price(x, v, 1) - price(x, v, -1)
                out[4:, i] = cross / (4 * h * k), (high - 2 * mid + low) / k**2, -clock * 365 / 2
        return out

    return loop


def seconds(task: Callable[[np.ndarray, np.ndarray], np.ndarray], count: int, runs: int) -> float:
    """Median processor seconds a note."""
    spot, vol = book(count)
    task(spot[:2], vol[:2])
    found = []
    for _ in range(runs):
        began = time.process_time()
        task(spot, vol)
        found.append((time.process_time() - began) / count)
    return statistics.median(found)


def main(notes: int = 8_000, runs: int = 7) -> None:
    """Print microseconds a note, the ratio, and the largest difference."""
    price = pricer()
    loops = {"own formula, note by note": one_by_one}
    if price is not None:
        loops = {
            "QuantLib, 5 prices": bumped(price, False),
            "QuantLib, 11 prices": bumped(price, True),
        }
    fast = seconds(arrays, notes, runs)
    print(f"{'arrays, seven numbers':<28} {1e6 * fast:8.2f} us a note")
    few = min(notes, 2_000)
    spot, vol = book(few)
    for name, loop in loops.items():
        slow = seconds(loop, few, runs)
        gap = np.nanmax(np.abs(loop(spot, vol) - arrays(spot, vol)), axis=1, initial=0.0)
        print(f"{name:<28} {1e6 * slow:8.2f} us a note   {slow / fast:.0f} x   ", end="")
        print("largest differences", *(f"{x:.0e}" for x in gap))


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
