"""Digitals, touches and barriers watched at maturity: decompositions, parities, limits."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import integrate, stats

from attribution.errors import DataError
from attribution.mechanics.barrier import KINDS
from attribution.mechanics.digital import at_maturity, digital, one_touch
from attribution.mechanics.note_prices import gain, loss
from attribution.mechanics.vanilla import vanilla

ALL = sorted(KINDS)
MARKET = (0.7, 0.6, 0.05, 0.02)


def expected(payoff, spot, time, vol, rate, carry, corners):
    """Discounted mean of a payoff, by quadrature between its corners."""
    law = stats.norm(np.log(spot) + (carry - vol**2 / 2) * time, vol * np.sqrt(time))
    ends = [law.mean() - 12 * law.std(), *np.log(sorted(corners)), law.mean() + 12 * law.std()]
    total = sum(
        integrate.quad(lambda x: payoff(np.exp(x)) * law.pdf(x), low, high, limit=200)[0]
        for low, high in pairwise(ends)
    )
    return np.exp(-rate * time) * total


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("strike", [40.0, 50.0, 60.0])
def test_a_barrier_at_maturity_is_the_mean_of_its_payoff(kind, strike):
    eta, knock, phi = KINDS[kind]
    level = 50.0

    def payoff(price):
        inside = eta * (price - level) < 0.0
        return max(phi * (price - strike), 0.0) * (inside == (knock == "in"))

    found = at_maturity(kind, 47.0, strike, level, *MARKET).value
    assert_allclose(found, expected(payoff, 47.0, *MARKET, [strike, level]), atol=1e-8)


def test_a_knock_in_put_at_maturity_is_a_lower_put_and_digitals():
    spot = np.linspace(20.0, 90.0, 30)
    found = at_maturity("down_in_put", spot, 55.0, 38.5, *MARKET)
    parts = vanilla("put", spot, 38.5, *MARKET) + digital("put", "cash", spot, 38.5, *MARKET).times(
        55.0 - 38.5
    )
    for one, other in zip(found.parts(), parts.parts(), strict=True):
        assert_allclose(one, other, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("option", ["call", "put"])
def test_in_and_out_at_maturity_are_the_vanilla(option, options):
    for way in ("down", "up"):
        book = options(f"{way}_in_{option}")
        plain = vanilla(option, **{k: v for k, v in book.items() if k != "level"})
        together = at_maturity(f"{way}_in_{option}", **book) + at_maturity(
            f"{way}_out_{option}", **book
        )
        for one, other in zip(together.parts(), plain.parts(), strict=True):
            assert_allclose(one, other, rtol=1e-12, atol=1e-12 * np.abs(other).max())


def test_asset_less_strike_digitals_are_the_vanilla():
    spot = np.linspace(20.0, 90.0, 30)
    for option, sign in (("call", 1), ("put", -1)):
        asset = digital(option, "asset", spot, 50.0, *MARKET)
        parts = (asset - digital(option, "cash", spot, 50.0, *MARKET).times(50.0)).times(sign)
        for one, other in zip(
            parts.parts(), vanilla(option, spot, 50.0, *MARKET).parts(), strict=True
        ):
            assert_allclose(one, other, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("side", ["down", "up"])
def test_touched_or_never_touched_is_certain(side):
    spot = np.linspace(20.0, 90.0, 71)
    never = one_touch(side, "never", spot, 50.0, *MARKET)
    touched = one_touch(side, "expiry", spot, 50.0, *MARKET)
    together = never + touched
    bond = np.exp(-0.05 * 0.7)
    assert_allclose(together.value, bond, rtol=1e-13)
    assert_allclose(together.delta, 0.0, atol=1e-13)
    assert_allclose(together.theta, 0.05 * bond, rtol=1e-10)
    sooner = one_touch(side, "touch", spot, 50.0, *MARKET)
    assert (sooner.value >= touched.value - 1e-15).all()
    same = one_touch(side, "touch", spot, 50.0, 0.7, 0.6, 0.0, 0.02)
    late = one_touch(side, "expiry", spot, 50.0, 0.7, 0.6, 0.0, 0.02)
    assert_allclose(same.parts(), late.parts(), atol=1e-9)


def test_cash_at_the_touch_of_an_endless_option_has_the_classical_price():
    """The perpetual first-passage price is a power of the distance."""
    rate, carry, vol = 0.06, 0.03, 0.4
    mu = carry / vol**2 - 0.5
    power = mu + np.sqrt(mu**2 + 2 * rate / vol**2)
    found = one_touch("down", "touch", 60.0, 40.0, 3000.0, vol, rate, carry)
    assert_allclose(found.value, (40.0 / 60.0) ** power, rtol=1e-12)


def test_no_time_or_volatility_leaves_the_payoff():
    spot = np.array([30.0, 45.0])
    for time, vol in ((0.0, 0.5), (1.0, 0.0)):
        bond = np.exp(-0.05 * time)
        market = (time, vol, 0.05, 0.0)
        assert_allclose(digital("put", "cash", spot, 40.0, *market).value, bond * np.array([1, 0]))
        assert_allclose(
            one_touch("down", "never", spot, 40.0, *market).value, bond * np.array([0, 1])
        )
        assert_allclose(one_touch("down", "touch", spot, 40.0, *market).value, [1, 0])
        found = at_maturity("down_in_put", spot, 50.0, 40.0, *market)
        assert_allclose(found.value, bond * np.array([20.0, 0.0]))
        assert np.isfinite(found.parts()).all()


def test_a_buffered_note_pays_what_its_terms_say():
    """Participation 2 up to 145 % and a buffer of 20 %, at maturity."""
    end = np.array([30.0, 52.8, 60.0, 66.0, 80.0, 95.7, 120.0])
    up = gain(end, 66.0, 95.7, 2.0, 0.0, 0.5, 0.04, 0.04).value
    down = loss(end, 52.8, 1.0, 0.0, 0.5, 0.04, 0.04).value
    assert_allclose(up, 2.0 * np.clip(end - 66.0, 0.0, 29.7))
    assert_allclose(down, np.maximum(52.8 - end, 0.0))
    uncapped = gain(end, 66.0, np.inf, 1.0, 1.0, 0.5, 0.04, 0.04)
    assert uncapped.parts()[0] == pytest.approx(
        vanilla("call", end, 66.0, 1.0, 0.5, 0.04, 0.04).value
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: one_touch("below", "touch", 50.0, 40.0, *MARKET), "side is 'below'"),
        (lambda: one_touch("down", "tuch", 50.0, 40.0, *MARKET), "nearest: 'touch'"),
        (lambda: digital("put", "money", 50.0, 40.0, *MARKET), "pays is 'money'"),
        (lambda: at_maturity("down_in_put", -5.0, 40.0, 30.0, *MARKET), "spot is -5.0"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(DataError, match=message):
        call()
