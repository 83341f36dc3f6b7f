"""Digitals behind a barrier: published values of all 28, identities with options, derivatives."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from attribution.errors import DataError
from attribution.mechanics.barrier import KINDS, barrier
from attribution.mechanics.digital import binary_barrier, digital, one_touch

ALL = sorted(KINDS)
UNITS = ("cash", "asset")
HAUG = {"level": 100.0, "time": 0.5, "vol": 0.2, "rate": 0.1, "carry": 0.1}
SPOT = {"down": 105.0, "up": 95.0}
CASH = 15.0
# Haug (2007), table of binary barrier options: H = 100, K = 15, T = 0.5, r = b = 0.1, vol 0.2;
# spot 105 above the barrier, 95 below; strikes 102 and 98, cash then asset.
PUBLISHED = {
    "down_in_call": ((4.9289, 37.2782), (6.2150, 45.8530)),
    "up_in_call": ((5.8926, 44.5294), (7.4519, 54.9262)),
    "down_in_put": ((4.4314, 27.5644), (3.1454, 18.9896)),
    "up_in_put": ((5.3297, 33.1723), (3.7704, 22.7755)),
    "down_out_call": ((4.8758, 39.9391), (4.9081, 40.1574)),
    "up_out_call": ((0.0000, 0.0000), (0.0407, 0.2676)),
    "down_out_put": ((0.0323, 0.2183), (0.0000, 0.0000)),
    "up_out_put": ((3.0461, 17.2983), (3.0054, 17.0306)),
}
TOUCHES = {
    "down": {"touch": (9.7264, 64.8426), "expiry": (9.3604, 64.8426), "never": (4.9081, 40.1574)},
    "up": {"touch": (11.6553, 77.7017), "expiry": (11.2223, 77.7017), "never": (3.0461, 17.2983)},
}


@pytest.mark.parametrize("kind", ALL)
def test_published_values_of_those_with_a_strike(kind):
    spot = SPOT[kind.split("_")[0]]
    for strike, values in zip((102.0, 98.0), PUBLISHED[kind], strict=True):
        for unit, size, value in zip(UNITS, (CASH, 1.0), values, strict=True):
            found = size * binary_barrier(kind, unit, spot, strike, **HAUG).value
            assert_allclose(found, value, atol=1.5e-4)  # four decimals, the last one cut or rounded


@pytest.mark.parametrize("side", ["down", "up"])
def test_published_values_of_those_that_ask_of_the_touch_alone(side):
    for pays, values in TOUCHES[side].items():
        for unit, size, value in zip(UNITS, (CASH, 1.0), values, strict=True):
            found = size * one_touch(side, pays, SPOT[side], **HAUG, unit=unit).value
            assert_allclose(found, value, atol=1.5e-4)


@pytest.mark.parametrize("kind", ALL)
def test_a_barrier_option_is_its_two_binaries(kind, options):
    """The asset past the strike less the strike in cash, and every Greek of it."""
    book = options(kind)
    phi = KINDS[kind][2]
    cash, asset = (binary_barrier(kind, unit, **book) for unit in UNITS)
    whole = (asset - cash.times(book["strike"])).times(phi)
    for one, other in zip(whole.parts(), barrier(kind, **book).parts(), strict=True):
        assert_allclose(one, other, rtol=1e-9, atol=1e-8)


@pytest.mark.parametrize("kind", ALL)
def test_cash_is_the_limit_of_spreads_of_barrier_options(kind, options, slope):
    book = options(kind)
    step = 1e-3 * book["strike"]
    step = np.minimum(step, 0.2 * np.abs(book["strike"] - book["level"]))
    spread = slope(lambda h: barrier(kind, **book | {"strike": book["strike"] + h}).value, step)
    found = binary_barrier(kind, "cash", **book).value
    assert_allclose(found, -KINDS[kind][2] * spread, atol=1e-6)


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("kind", [kind for kind in ALL if "_in_" in kind])
def test_in_and_out_are_the_digital(kind, unit, options):
    book = options(kind)
    both = binary_barrier(kind, unit, **book) + binary_barrier(
        kind.replace("_in_", "_out_"), unit, **book
    )
    plain = digital(kind.split("_")[2], unit, **{k: v for k, v in book.items() if k != "level"})
    for one, other in zip(both.parts(), plain.parts(), strict=True):
        assert_allclose(one, other, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("side", ["down", "up"])
def test_call_and_put_together_ask_of_the_touch_alone(side, unit, options):
    book = options(f"{side}_in_call")
    touch = {k: v for k, v in book.items() if k != "strike"}
    for knock, pays in (("in", "expiry"), ("out", "never")):
        both = binary_barrier(f"{side}_{knock}_call", unit, **book) + binary_barrier(
            f"{side}_{knock}_put", unit, **book
        )
        for one, other in zip(
            both.parts(), one_touch(side, pays, **touch, unit=unit).parts(), strict=True
        ):
            assert_allclose(one, other, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("kind", ALL)
def test_greeks_are_the_derivatives_of_the_price(kind, unit, options, slope):
    book = options(kind, 150)

    def at(name, **moves):
        moved = book | {key: book[key] + move for key, move in moves.items()}
        return getattr(binary_barrier(kind, unit, **moved), name)

    found = binary_barrier(kind, unit, **book)
    spread = book["spot"] * book["vol"] * np.sqrt(book["time"])
    far = np.minimum(2e-2 * spread, 0.4 * np.abs(book["spot"] - book["level"]))
    near, clock = 5e-3 * book["vol"], 5e-3 * book["time"]
    size = 1.0 if unit == "cash" else book["spot"]
    for name, step, way, of in (
        ("delta", far, "spot", "value"),
        ("gamma", far, "spot", "delta"),
        ("vega", near, "vol", "value"),
        ("vanna", near, "vol", "delta"),
        ("volga", near, "vol", "vega"),
    ):
        rough = slope(lambda h, of=of, way=way: at(of, **{way: h}), step)
        assert_allclose(getattr(found, name) / size, rough / size, rtol=1e-5, atol=1e-6)
    rough = -slope(lambda h: at("value", time=h), clock)
    assert_allclose(found.theta / size, rough / size, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("kind", ALL)
def test_they_satisfy_the_equation_of_black_and_scholes(kind, unit, options):
    book = options(kind, 4000, seed=3)
    found = binary_barrier(kind, unit, **book)
    spot, vol = book["spot"], book["vol"]
    curve = 0.5 * vol**2 * spot**2 * found.gamma
    rest = found.theta + book["carry"] * spot * found.delta + curve - book["rate"] * found.value
    assert_allclose(rest / spot, 0.0, atol=1e-12)


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("kind", ALL)
def test_what_is_touched_is_the_digital_or_nothing(kind, unit, options):
    book = options(kind)
    option = kind.split("_")[2]
    plain = digital(option, unit, **{k: v for k, v in book.items() if k != "level"}).value
    earlier = binary_barrier(kind, unit, **book, touched=True).value
    assert_allclose(earlier, plain if "_in_" in kind else 0.0, rtol=1e-12)
    there = binary_barrier(kind, unit, **book | {"spot": book["level"]})
    live = binary_barrier(kind, unit, **book | {"spot": book["level"]}, touched=False)
    assert_allclose(live.value, there.value, rtol=1e-9, atol=1e-8)


def test_without_volatility_the_forward_decides():
    sure = {"time": 1.0, "vol": 0.0, "rate": 0.0, "carry": -0.2}
    falls = 100.0 * np.exp(-0.2)  # from 100 to 82
    assert binary_barrier("down_in_put", "asset", 100.0, 90.0, 85.0, **sure).value == pytest.approx(
        falls
    )
    assert binary_barrier("down_in_put", "cash", 100.0, 90.0, 80.0, **sure).value == 0.0
    assert binary_barrier("down_out_put", "cash", 100.0, 90.0, 80.0, **sure).value == 1.0


@pytest.mark.parametrize("kind", ["down_in_call", "up_out_put", "up_in_put", "down_out_call"])
def test_a_crude_simulation_agrees(kind):
    """Paths on a fine grid, the chance of a touch between its points by that of a bridge."""
    eta, knock, phi = KINDS[kind]
    spot, strike, level, time, vol, rate, carry = (
        100.0,
        104.0,
        100.0 - 8 * eta,
        0.5,
        0.3,
        0.04,
        0.01,
    )
    rng = np.random.default_rng(4)
    paths, steps = 40_000, 25
    dt = time / steps
    moves = (carry - vol**2 / 2) * dt + vol * np.sqrt(dt) * rng.standard_normal((paths, steps))
    log = np.concatenate([np.zeros((paths, 1)), moves.cumsum(axis=1)], axis=1)
    gap = eta * (log - np.log(level / spot))
    cross = np.exp(-2.0 * np.maximum(gap[:, 1:], 0) * np.maximum(gap[:, :-1], 0) / (vol**2 * dt))
    stays = np.prod(1.0 - cross, axis=1)
    end = spot * np.exp(log[:, -1])
    chance = (1.0 - stays if knock == "in" else stays) * (phi * (end - strike) > 0.0)
    for unit, worth in (("cash", np.ones(paths)), ("asset", end)):
        drawn = np.exp(-rate * time) * chance * worth
        found = binary_barrier(kind, unit, spot, strike, level, time, vol, rate, carry).value
        assert abs(drawn.mean() - found) < 4.0 * drawn.std() / np.sqrt(paths)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("down_in_swap", "cash"), "use a known one"),
        (("down_in_call", "gold"), "use a known one"),
    ],
)
def test_unknown_words_are_refused(words, said):
    with pytest.raises(DataError, match=said):
        binary_barrier(*words, 100.0, 100.0, 90.0, 1.0, 0.2, 0.0, 0.0)
    with pytest.raises(DataError, match="touched is False where spot is beyond"):
        binary_barrier("up_in_put", "cash", 100.0, 90.0, 95.0, 1.0, 0.2, 0.0, 0.0, touched=False)
