"""Single-barrier options: what no arbitrage and the scale of money demand, limits, refusals."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from attribution.errors import DataError
from attribution.mechanics.barrier import KINDS, barrier
from attribution.mechanics.vanilla import vanilla


def both(kind, book, **more):
    """A knock-in and the knock-out of the same terms."""
    return tuple(barrier(kind.replace("_in_", f"_{way}_"), **book, **more) for way in ("in", "out"))


INS = sorted(kind for kind in KINDS if "_in_" in kind)


@pytest.mark.parametrize("kind", INS)
def test_in_and_out_together_are_the_vanilla_with_every_greek(kind, options):
    book = options(kind)
    knock_in, knock_out = both(kind, book)
    plain = vanilla(kind.rsplit("_", 1)[1], **{k: v for k, v in book.items() if k != "level"})
    together = knock_in + knock_out
    for one, other in zip(together.parts(), plain.parts(), strict=True):
        assert_allclose(one, other, rtol=1e-12, atol=1e-12 * np.abs(other).max())


@pytest.mark.parametrize("kind", INS)
def test_a_knock_out_is_worth_nothing_just_before_its_barrier(kind, options):
    book = options(kind)
    book["spot"] = book["level"]
    at = barrier(kind.replace("_in_", "_out_"), **book, touched=False)
    assert_allclose(at.value / book["level"], 0.0, atol=1e-12)
    near = book | {"spot": book["level"] * (1 + 1e-9 * KINDS[kind][0])}
    close = barrier(kind.replace("_in_", "_out_"), **near)
    assert_allclose(close.delta, at.delta, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_prices_lie_between_nothing_and_the_vanilla(kind, options):
    book = options(kind, 4000, deep=1.5)
    plain = vanilla(kind.rsplit("_", 1)[1], **{k: v for k, v in book.items() if k != "level"})
    found = barrier(kind, **book).value
    assert (found >= -1e-12 * book["spot"]).all()
    assert (found <= plain.value + 1e-12 * book["spot"]).all()


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_asset_and_cash_may_be_exchanged(kind, options):
    """Put-call transformation: a down call is an up put, spot and strike swapped."""
    book = options(kind)
    way, knock, option = kind.split("_")
    twin = f"{'up' if way == 'down' else 'down'}_{knock}_{'put' if option == 'call' else 'call'}"
    spot, strike, level = book["spot"], book["strike"], book["level"]
    other = barrier(
        twin, strike, spot, spot * strike / level, book["time"], book["vol"],
        book["rate"] - book["carry"], -book["carry"],
    )  # fmt: skip
    assert_allclose(barrier(kind, **book).value, other.value, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_prices_scale_with_the_unit_of_currency(kind, options):
    book = options(kind)
    money = ("spot", "strike", "level")
    once = barrier(kind, **book, rebate=2.5)
    scaled = barrier(
        kind, **{k: 1e4 * v if k in money else v for k, v in book.items()}, rebate=2.5e4
    )
    powers = (1, 0, -1, 1, 0, 1, 1)
    for one, other, power in zip(once.parts(), scaled.parts(), powers, strict=True):
        assert_allclose(other, one * 1e4**power, rtol=1e-8, atol=1e-10 * 1e4**power)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_calendar_changes_nothing_when_rates_and_variance_are_kept(kind, options):
    book = options(kind)
    once = barrier(kind, **book, rebate=1.0)
    slow = book | {"time": 4 * book["time"], "vol": book["vol"] / 2,
                   "rate": book["rate"] / 4, "carry": book["carry"] / 4}  # fmt: skip
    other = barrier(kind, **slow, rebate=1.0)
    assert_allclose(other.value, once.value, rtol=1e-11, atol=1e-11)
    assert_allclose(other.vanna, 2 * once.vanna, rtol=1e-8, atol=1e-9)
    assert_allclose(other.theta, once.theta / 4, rtol=1e-8, atol=1e-9)


def test_a_barrier_out_of_reach_leaves_nothing_of_a_knock_in():
    put = barrier("down_in_put", 50.0, 60.0, 1e-6, 1.0, 0.6, 0.04, 0.01)
    assert_allclose(put.parts(), 0.0, atol=1e-12)
    call = barrier("up_in_call", 50.0, 60.0, 1e9, 1.0, 0.6, 0.04, 0.01)
    assert_allclose(call.parts(), 0.0, atol=1e-8)


def test_a_put_struck_at_or_below_its_barrier_is_in_as_soon_as_it_pays():
    spot = np.linspace(51.0, 90.0, 40)
    for strike in (30.0, 50.0):
        knock_in = barrier("down_in_put", spot, strike, 50.0, 0.7, 0.6, 0.04, 0.01)
        plain = vanilla("put", spot, strike, 0.7, 0.6, 0.04, 0.01)
        assert_allclose(knock_in.parts(), plain.parts(), rtol=1e-12)


def test_value_is_continuous_in_the_strike_across_the_barrier():
    for kind in KINDS:
        eta = KINDS[kind][0]
        below, above = (
            barrier(kind, 50.0, level * (1 + h), level, 0.7, 0.6, 0.04, 0.01).parts()
            for level in [50.0 * np.exp(-0.2 * eta)]
            for h in (-1e-12, 1e-12)
        )
        assert_allclose(below, above, rtol=1e-8, atol=1e-8)


def test_touched_options_are_what_they_have_become():
    market = (0.5, 0.6, 0.04, 0.04)
    plain = vanilla("put", 40.0, 55.0, *market)
    touches_now = barrier("down_in_put", 40.0, 55.0, 41.0, *market, rebate=2.0)
    assert touches_now == plain
    earlier = barrier("down_in_put", 45.0, 55.0, 41.0, *market, touched=True)
    assert earlier == vanilla("put", 45.0, 55.0, *market)
    out = barrier("down_out_put", 40.0, 55.0, 41.0, *market, rebate=2.0)
    assert (out.value, out.delta, out.theta) == (2.0, 0.0, 0.0)
    paid = barrier("down_out_put", 45.0, 55.0, 41.0, *market, rebate=2.0, touched=True)
    assert paid.value == 0.0
    still = barrier("down_out_put", 41.0, 55.0, 41.0, 1.0, 0.0, 0.04, 0.0, 2.0, touched=False)
    assert still.value == 2.0


def test_the_hedge_jumps_at_the_touch_by_the_published_amounts():
    """Deltas per unit at K 55, H 38.5, r 4 %: live side, vanilla, and further away."""
    table = [
        (1.8, 0.50, -0.397, -0.510, -0.557, -0.535),
        (1.8, 0.65, -0.349, -0.431, -0.466, -0.456),
        (1.0, 0.50, -0.476, -0.640, -0.701, -0.649),
        (0.25, 0.50, -0.617, -1.136, -1.250, -0.896),
        (0.25, 0.90, -0.527, -0.713, -0.778, -0.707),
    ]
    for time, vol, far, near, at, plain in table:
        found = [
            barrier("down_in_put", 38.5 * x, 55.0, 38.5, time, vol, 0.04, 0.04, touched=False).delta
            for x in (1.3, 1.08, 1.0)
        ]
        found.append(vanilla("put", 38.5, 55.0, time, vol, 0.04, 0.04).delta)
        assert_allclose(found, (far, near, at, plain), atol=6e-4)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_small_volatilities_and_times_neither_overflow_nor_fail(kind):
    spot = np.array([30.0, 49.0, 49.999, 50.0, 50.001, 51.0, 80.0])
    for time in (0.0, 1e-12, 1e-4, 1.0, 30.0):
        for vol in (0.0, 1e-9, 1e-5, 1e-3, 0.02, 4.0):
            for carry in (-0.2, 0.0, 0.2):
                found = barrier(kind, spot, 55.0, 50.0, time, vol, 0.04, carry, rebate=1.0)
                assert np.isfinite(found.parts()).all(), (time, vol, carry)
                assert (found.value > -1e-9).all()


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_strikes_on_both_sides_of_a_barrier_do_not_disturb_each_other(kind):
    """The image of a strike beyond the barrier overflows; it may not be evaluated there."""
    spot, strike = 65.0 if KINDS[kind][0] == 1 else 38.0, np.array([35.0, 65.0])
    for carry in (-0.2, 0.2):
        together = barrier(kind, spot, strike, 50.0, 1.0, 0.01, 0.04, carry)
        for i in range(2):
            alone = barrier(kind, spot, strike[i], 50.0, 1.0, 0.01, 0.04, carry)
            assert [part[i] for part in together.parts()] == [*alone.parts()]


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("carry", [-0.2, -0.05, 0.0, 0.05, 0.2])
def test_the_certain_path_is_what_small_volatilities_approach(kind, carry):
    eta = KINDS[kind][0]
    spot = 50.0 * np.exp(eta * np.array([0.03, 0.12, 0.4]))
    for strike in (45.0, 56.0):
        limit = barrier(kind, spot, strike, 50.0, 1.0, 0.0, 0.04, carry, rebate=1.0)
        small = barrier(kind, spot, strike, 50.0, 1.0, 3e-5, 0.04, carry, rebate=1.0)
        assert_allclose(small.value, limit.value, atol=1e-7)
        assert_allclose(small.delta, limit.delta, atol=1e-6)
        assert_allclose(small.theta, limit.theta, atol=1e-6)


def test_a_first_passage_without_drift_keeps_its_digits():
    exact = barrier("down_out_call", 50.0, 45.0, 40.0, 1.0, 0.4, 0.0, 0.08, 3.0)
    beside = barrier("down_out_call", 50.0, 45.0, 40.0, 1.0, 0.4, 1e-7, 0.08, 3.0)
    assert_allclose(exact.parts(), beside.parts(), rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "down_in_putt"}, "nearest: 'down_in_put'"),
        ({"level": -1.0}, "level is -1.0; give a number above zero"),
        ({"vol": -0.2}, "vol is -0.2; give zero or a positive number"),
        ({"time": np.nan}, "time is nan; give a finite number"),
        ({"spot": 30.0, "touched": False}, "touched is False where spot is beyond the barrier"),
        ({"spot": [45.0, 46.0], "touched": [True] * 3}, "do not broadcast"),
        ({"kind": "down_out_put", "rate": -0.5, "rebate": 1.0}, "so negative a rate"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(change, message):
    given = {"kind": "down_in_put", "spot": 45.0, "strike": 50.0, "level": 40.0, "time": 1.0,
             "vol": 0.5, "rate": 0.04, "carry": 0.04}  # fmt: skip
    with pytest.raises(DataError, match=message) as caught:
        barrier(**(given | change))
    assert "\n" not in str(caught.value)
