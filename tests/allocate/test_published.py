"""Two toys whose attributions are known: two shocks with two amplifiers, and a crash with kinks."""

from math import log
from textwrap import dedent

import numpy as np
import pytest

from attribution import allocate
from attribution.allocate import (
    aumann_shapley,
    but_for,
    coalitions,
    every_order,
    interaction,
    interaction_share,
    order_range,
    pair_interactions,
    shapley,
    shapley_taylor,
    stand_alone,
    triggers_first,
)

STAGES = [["F", "B"], ["G", "L"]]
TABLE = {
    "stand-alone": (-4.0, -1.5, 0.0, 0.0, -5.5),
    "but-for": (-7.273, -2.727, -3.125, -2.667, -15.792),
    "shapley": (-5.480, -2.055, -1.347, -1.118, -10.0),
    "triggers first": (-4.0, -1.5, -2.479, -2.021, -10.0),
    "aumann-shapley": (-5.314, -1.993, -1.496, -1.197, -10.0),
}
PAIRS = {"FG": -1.803, "FL": -1.470, "BG": -0.676, "BL": -0.551, "GL": -0.646, "FB": 0.0}


@pytest.fixture
def by_rule(golden, amplified):
    found = [
        stand_alone(golden),
        but_for(golden),
        shapley(golden),
        triggers_first(golden, STAGES),
        aumann_shapley(amplified, golden.players, unit="pp", tolerance=1e-9),
    ]
    return {allocation.rule: allocation for allocation in found}


@pytest.mark.parametrize("rule", TABLE)
def test_the_five_rules_give_the_published_table(by_rule, rule):
    found = by_rule[rule].draws[0]
    assert np.abs([*found, found.sum()] - np.array(TABLE[rule])).max() <= 5.1e-4


def test_shapley_interactions_are_the_published_ones(golden):
    found = pair_interactions(golden)
    for pair, value in PAIRS.items():
        assert found.of(*pair)[0] == pytest.approx(value, abs=5.1e-4)
        assert np.array_equal(found.of(*pair), found.of(*pair[::-1]))


def test_one_amplifier_is_worth_five_numbers(golden, by_rule):
    worth = sorted(a.of("G")[0] for a in by_rule.values())
    assert np.abs(np.array(worth) - [-3.13, -2.48, -1.50, -1.35, 0.0]).max() <= 5.1e-3
    span = order_range(golden, every_order(golden.players))
    assert span.low[0, 2] == pytest.approx(-3.125, rel=1e-14)
    assert span.high[0, 2] == 0.0


def test_interaction_is_what_nobody_moves_alone(golden):
    assert interaction(golden)[0] == pytest.approx(-4.5, rel=1e-14)
    assert interaction_share(golden, least=1.0)[0] == pytest.approx(0.45, rel=1e-14)
    assert shapley_taylor(golden).draws.sum() == pytest.approx(-4.5, rel=1e-14)


def test_the_path_integral_has_its_closed_form(by_rule):
    gain, shock = 0.45, -5.5
    direct = -log(1 - gain) / gain
    fed = (log(1 - gain) + 1 / (1 - gain) - 1) / gain**2
    expected = np.array([-4.0 * direct, -1.5 * direct, shock * 0.25 * fed, shock * 0.2 * fed])
    found = by_rule["aumann-shapley"]
    assert (np.abs(found.draws[0] - expected) <= found.error[0]).all()
    assert np.allclose(found.draws[0], expected, rtol=1e-9)


# A crash: r = -[1.2 F + 0.8 B + 0.6 K + 1.2 L + 1.2 D] - 0.25 (-r - 4)+ - 0.27 (-r - 3)+ .
# K is hedging, in part fed back above a fall of 4; L liquidations, fed back above a fall of 3.
CRASH = ("F", "B", "K", "L", "D")
DIRECT = np.array([3.6, 2.4, 0.6, 1.2, 0.24])


def crash(shocks, hedging, liquidation):
    """Fall (coalition,): the highest of the lines it is the fixed point of, feedback below one."""
    x = np.asarray(shocks, float) @ DIRECT
    a, b = 0.25 * np.asarray(hedging, float), 0.27 * np.asarray(liquidation, float)
    lines = [x, (x - 4 * a) / (1 - a), (x - 3 * b) / (1 - b), (x - 4 * a - 3 * b) / (1 - a - b)]
    return -np.maximum.reduce(np.broadcast_arrays(*lines))[None]


@pytest.fixture
def mechanisms():
    """Switching K or L off stops its own selling and what it feeds back."""
    return coalitions(lambda on: crash(on, on[:, 2], on[:, 3]), CRASH, unit="pp")


@pytest.fixture
def shocks():
    """Feedback stays on; only what struck is switched."""
    return coalitions(lambda on: crash(on, 1.0, 1.0), CRASH, unit="pp")


def test_the_crash_solves_its_equation(mechanisms):
    fall = -mechanisms.values[0]
    on = (np.arange(32)[:, None] >> np.arange(5) & 1).astype(float)
    fed = 0.25 * on[:, 2] * np.maximum(fall - 4, 0) + 0.27 * on[:, 3] * np.maximum(fall - 3, 0)
    assert np.allclose(fall, on @ DIRECT + fed, rtol=1e-14)
    assert mechanisms.total[0] == pytest.approx(-12.98, abs=5e-3)


def test_who_sold_who_started_and_what_is_missed_are_the_known_truths(mechanisms, shocks):
    fall = -mechanisms.total[0]
    sold = -DIRECT - np.array([0, 0, 0.25 * (fall - 4), 0.27 * (fall - 3), 0])
    known = {
        "order flow": (sold, (-3.60, -2.40, -2.84, -3.89, -0.24)),
        "mechanisms": (shapley(mechanisms).draws[0], (-5.02, -3.29, -1.68, -2.66, -0.34)),
        "shocks": (shapley(shocks).draws[0], (-5.87, -3.80, -0.97, -1.94, -0.39)),
        "switched off": (but_for(mechanisms).draws[0], (-7.50, -5.00, -3.90, -5.19, -0.50)),
    }
    for found, truth in known.values():
        assert np.abs(found - truth).max() <= 6e-3
    for name in ("order flow", "mechanisms", "shocks"):
        assert known[name][0].sum() == pytest.approx(-fall, rel=1e-13)
    assert known["switched off"][0].sum() == pytest.approx(-22.09, abs=6e-3)


def test_the_catalyst_is_understated_by_who_sold(mechanisms, shocks):
    assert shapley(shocks).of("F")[0] < shapley(mechanisms).of("F")[0] < -DIRECT[0]


def test_feedback_makes_the_crash_what_it_is(mechanisms):
    """All shocks strike in both; without feedback the fall is the sum of what is sold directly."""
    off = crash(np.ones((1, 5)), 0.0, 0.0)[0, 0]
    assert off == pytest.approx(-8.04, rel=1e-14)
    assert mechanisms.total[0] / off == pytest.approx(1.614, abs=5e-4)


@pytest.mark.parametrize("gain", [-0.5, -0.25, 0.0, 0.25])
def test_a_dampener_shows_with_the_other_sign_and_no_gain_with_none(gain):
    """Dealers who buy the dip: under every rule that lets G act, its sign is that of its gain."""

    def fall(z):
        return ((-4.0 * z[:, 0] - 1.5 * z[:, 1]) / (1 - gain * z[:, 2] - 0.2 * z[:, 3]))[None]

    names = ["F", "B", "G", "L"]
    game = coalitions(fall, names, unit="pp")
    acts = [but_for(game), shapley(game), triggers_first(game, STAGES)]
    acts.append(aumann_shapley(fall, names, unit="pp"))
    assert {float(np.sign(found.of("G")[0])) for found in acts} == {-np.sign(gain)}


def test_the_example_of_the_package_runs():
    code = allocate.__doc__.split("::\n", 1)[1]
    found = {}
    exec(compile(dedent(code), "allocate", "exec"), found)
    assert found["game"].total == pytest.approx(-10.0)
