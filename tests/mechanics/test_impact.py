"""Laws of impact: published values, inverses, and the invariances that tell them apart."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from attribution.errors import DataError
from attribution.mechanics.impact import (
    LAWS,
    Response,
    chosen,
    inelastic,
    invariance,
    linear,
    simple,
    square_root,
)

RNG = np.random.default_rng(8)
FLOWS = RNG.normal(0, 3000, 200)


def every_law():
    return {
        "square_root": square_root(1.0, 0.022, 60_000.0),
        "linear": linear(1e-5),
        "inelastic": inelastic(5.0, 1.46e6),
        "invariance": invariance(5.0, 0.022, 60_000.0),
    }


def test_invariance_gives_the_published_move_of_1987():
    # Kyle and Obizhaeva (2023): 13.75 bn sold into 20.57 bn a day at 1.35 % daily volatility.
    found = invariance(5.0, 0.0135, 20_570.0).move(-13_750.0)
    assert_allclose(-found, 0.159, atol=5e-4)


def test_invariance_at_the_reference_stock_is_its_definition():
    # One percent of the volume of a stock that trades USD 40 million a day at 2 %: 5 basis points.
    assert_allclose(invariance(5.0, 0.02, 40.0).move(0.4), 5e-4, rtol=1e-13)


@pytest.mark.parametrize(
    ("vol", "expected"), [(0.022, (2.25, 1.08, 0.77)), (0.03, (3.41, 1.64, 1.17))]
)
def test_invariance_of_a_billion_in_bitcoin_in_log_points(vol, expected):
    found = invariance(5.0, vol, np.array([20e3, 60e3, 100e3])).move(-1000.0)
    assert_allclose(-100 * found, expected, atol=0.0051)


def test_a_fall_of_13_percent_needs_4_to_18_billion_under_invariance():
    need = [
        -invariance(5.0, vol, volume).flow(np.log1p(-0.132)) / 1000
        for vol, volume in ((0.03, 20e3), (0.022, 100e3))
    ]
    assert_allclose(need, [4, 18], rtol=0.05)
    # The square root would need more than the whole day's volume.
    assert -square_root(1.0, 0.03, 20e3).flow(np.log1p(-0.132)) > 20e3


def test_moves_of_a_billion_under_the_other_laws():
    assert_allclose(100 * inelastic(5.0, 1.46e6).move(1000.0), 0.34, atol=0.005)
    assert_allclose(100 * square_root(1.0, 0.022, 100e3).move(1000.0), 0.2, atol=0.05)
    assert_allclose(100 * square_root(1.0, 0.03, 20e3).move(1000.0), 0.7, atol=0.05)


@pytest.mark.parametrize("name", LAWS)
def test_the_inverse_undoes_the_law_and_both_are_odd(name):
    law = every_law()[name]
    assert_allclose(law.flow(law.move(FLOWS)), FLOWS, rtol=1e-12)
    assert (law.move(-FLOWS) == -law.move(FLOWS)).all()
    assert law.move(0.0) == 0.0 and law.flow(0.0) == 0.0
    assert (np.diff(law.move(np.sort(FLOWS))) > 0).all()


@pytest.mark.parametrize("days", [1 / 24, 5.0, 21.0])
def test_the_two_laws_of_volatility_and_volume_do_not_know_how_long_a_day_is(days):
    vol, volume = 0.022, 60e3
    for law in (square_root, invariance):
        once = law(1.3, vol, volume).move(FLOWS)
        other = law(1.3, vol * np.sqrt(days), volume * days).move(FLOWS)
        assert_allclose(other, once, rtol=1e-12)
    # With another exponent the clock matters, which is why 0.5 is special.
    off = square_root(1.0, vol * np.sqrt(days), volume * days, 0.6).move(1000.0)
    assert abs(off / square_root(1.0, vol, volume, 0.6).move(1000.0) - 1) > 0.05


def test_the_unit_of_money_cancels_where_flow_is_a_share_and_not_in_invariance():
    k = 0.92
    assert_allclose(
        square_root(1.0, 0.02, 5e4 * k).move(FLOWS * k), square_root(1.0, 0.02, 5e4).move(FLOWS)
    )
    assert_allclose(inelastic(5.0, 1e6 * k).move(FLOWS * k), inelastic(5.0, 1e6).move(FLOWS))
    # Invariance measures volume against USD 40 million: a cube root of the unit remains.
    ratio = invariance(5.0, 0.02, 5e4 * k).move(FLOWS * k) / invariance(5.0, 0.02, 5e4).move(FLOWS)
    assert_allclose(ratio, k ** (1 / 3), rtol=1e-12)


def test_linear_laws_add_up_and_the_square_root_does_not():
    for name in ("linear", "inelastic", "invariance"):
        law = every_law()[name]
        assert_allclose(law.move(300.0) + law.move(700.0), law.move(1000.0), rtol=1e-12)
    root = every_law()["square_root"]
    assert_allclose(root.move(4000.0), 2 * root.move(1000.0), rtol=1e-12)
    assert root.move(300.0) + root.move(700.0) > 1.2 * root.move(1000.0)


def test_which_market_counts_moves_invariance_by_the_two_thirds_power_of_its_volume():
    wide, narrow = invariance(5.0, 0.022, 100e3), invariance(5.0, 0.022, 20e3)
    assert_allclose(narrow.move(1.0) / wide.move(1.0), 5 ** (2 / 3), rtol=1e-12)


def test_averaging_over_laws_takes_the_law_of_each_draw():
    index = np.array([3, 0, 1, 2, 0])
    laws = every_law()
    found = chosen(index, laws).move(-1000.0)
    assert_allclose(found, [laws[LAWS[k]].move(-1000.0) for k in index], rtol=1e-14)
    draws = {"linear": linear(np.array([1e-5, 2e-5])), "inelastic": inelastic(5.0, 1e6)}
    assert_allclose(chosen(np.array([2, 1]), draws).coefficient, [5e-6, 2e-5])


def test_log_points_never_lose_more_than_everything():
    assert simple(linear(1e-5).move(-1e9)) == -1.0
    assert_allclose(simple(-0.1), np.exp(-0.1) - 1, rtol=1e-14)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: square_root(1.0, 0.02, 0.0), "volume is 0.0; give a number above zero"),
        (lambda: linear(-1e-5), "slope is -1e-05"),
        (lambda: inelastic(5.0, np.nan), "capitalisation is nan"),
        (lambda: linear(1e-5).move(np.inf), "flow is inf"),
        (lambda: Response(np.zeros(()), np.ones(())).flow(0.1), "no flow makes a move"),
        (lambda: chosen(np.array([4]), every_law()), "no whole number below 4"),
        (lambda: chosen(np.array([0.0]), every_law()), "no whole number"),
        (lambda: chosen(np.array([0]), {"linear": linear(1.0)}), "'square_root', which is not"),
        (lambda: chosen(np.array([1]), {"lin": linear(1.0)}), ".nearest: 'linear'."),
    ],
)
def test_bad_laws_are_refused_in_one_sentence(act, message):
    with pytest.raises(DataError, match=message) as caught:
        act()
    assert "\n" not in str(caught.value)


# ---- crossover


def rounded(crossover, exponent=0.5, coefficient=1e-4):
    return Response(np.asarray(coefficient), np.asarray(exponent), np.asarray(crossover))


def test_small_flows_move_prices_in_proportion_and_large_ones_by_the_power():
    """Bucci and others (2019): linear for small orders, the square root for large ones."""
    law, sharp = rounded(100.0), rounded(0.0)
    small, large = np.array([1e-4, 1e-2, 1.0]), np.array([1e4, 1e6])
    assert_allclose(law.move(small) / small, 1e-4 * 100.0**-0.5, rtol=1e-4)
    assert_allclose(law.move(large), sharp.move(large), rtol=1e-4)
    assert_allclose(law.move(100.0), 2**-0.25 * sharp.move(100.0), rtol=1e-13)
    assert (law.move(np.abs(FLOWS)) <= sharp.move(np.abs(FLOWS))).all()


@pytest.mark.parametrize("name", LAWS)
def test_without_a_crossover_a_law_is_what_it_was_to_the_bit(name):
    law = every_law()[name]
    plain = law.coefficient * np.sign(FLOWS) * np.abs(FLOWS) ** law.exponent
    assert (law.move(FLOWS) == plain).all()
    mixed = Response(law.coefficient, law.exponent, np.where(np.arange(200) < 100, 0.0, 50.0))
    assert (mixed.move(FLOWS)[:100] == plain[:100]).all()
    inverse = np.sign(FLOWS) * (np.abs(FLOWS) / law.coefficient) ** (1.0 / law.exponent)
    assert (law.flow(FLOWS) == inverse).all()
    assert (mixed.flow(FLOWS)[:100] == inverse[:100]).all()


@pytest.mark.parametrize("crossover", [1e-6, 3.0, 500.0, 1e7])
@pytest.mark.parametrize("exponent", [0.3, 0.5, 1.0, 1.6])
def test_the_inverse_undoes_a_crossover_and_the_slope_is_the_derivative(crossover, exponent):
    law = rounded(crossover, exponent)
    assert_allclose(law.flow(law.move(FLOWS)), FLOWS, rtol=1e-10)
    assert (law.move(-FLOWS) == -law.move(FLOWS)).all()
    assert law.move(0.0) == 0.0 and law.flow(0.0) == 0.0
    step = 1e-5 * np.abs(FLOWS)
    ratio = (law.move(FLOWS + step) - law.move(FLOWS - step)) / (2 * step)
    assert_allclose(law.slope(FLOWS), ratio, rtol=1e-6)
    assert_allclose(law.slope(0.0), 1e-4 * crossover ** (exponent - 1.0), rtol=1e-12)


def test_the_slope_of_a_bare_power_is_its_own_and_infinite_at_no_flow():
    law = every_law()["square_root"]
    assert_allclose(law.slope(FLOWS), 0.5 * law.move(FLOWS) / FLOWS, rtol=1e-12)
    assert law.slope(0.0) == np.inf
    assert_allclose(every_law()["linear"].slope(np.r_[0.0, FLOWS]), 1e-5)
    assert Response(np.zeros(()), np.full((), 0.5)).slope(0.0) == 0.0


def test_a_crossover_has_the_unit_of_flows_and_means_nothing_under_a_linear_law():
    thousand = rounded(0.1, coefficient=1e-4 * 1000**0.5)
    assert_allclose(thousand.move(FLOWS / 1000), rounded(100.0).move(FLOWS), rtol=1e-12)
    assert_allclose(rounded(300.0, 1.0).move(FLOWS), rounded(0.0, 1.0).move(FLOWS), rtol=1e-14)


def test_one_crossover_below_zero_is_refused_among_others_above():
    for width in (-1.0, [5.0, -1.0]):
        with pytest.raises(DataError, match="a crossover is below zero"):
            rounded(width)


def test_averaging_over_laws_takes_the_crossover_of_each():
    laws = every_law() | {"square_root": rounded(np.array([10.0, 20.0, 30.0]))}
    found = chosen(np.array([0, 1, 0]), laws)
    assert found.crossover.tolist() == [10.0, 0.0, 30.0]
    assert_allclose(found.move(5.0)[2], rounded(30.0).move(5.0), rtol=1e-14)


@pytest.mark.parametrize(
    ("crossover", "message"), [(-1.0, "below zero"), (np.nan, "crossover is nan"), ("x", "'x'")]
)
def test_a_bad_crossover_is_refused_in_one_sentence(crossover, message):
    with pytest.raises(DataError, match=message) as caught:
        Response(np.ones(()), np.ones(()), crossover)
    assert "\n" not in str(caught.value)
