"""The sampler's density: equal to the equations, with their gradient, and a density in the move."""

from dataclasses import replace

import numpy as np
import pytest

from attribution.estimate import event_density
from attribution.estimate.event_model import law_model
from attribution.mechanics.feedback import loop_gain
from attribution.model.event_priors import GAMMA_DAYS, LAWS


def point(given, seed, spread=0.5):
    rng = np.random.default_rng(seed)
    z = spread * rng.standard_normal(given.plan.size)
    return z, rng.uniform(0.2, 0.8, len(given.plan.shares))


def law_named(question, name):
    return next(law for law in question.impact.laws if law.name == name)


def hedging(question, days):
    return replace(question, gamma=replace(question.gamma, days=days))


@pytest.mark.parametrize("held", [False, True])
@pytest.mark.parametrize("days", GAMMA_DAYS)
@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize("seed", range(3))
def test_the_kernel_says_what_the_equations_say(question, rows, surface, name, days, seed, held):
    question = replace(hedging(question, days), held_out=held)
    given = law_model(question, rows, surface, law_named(question, name))
    z, shares = point(given, seed)
    value, _ = given.kernel.value_and_gradient(z, shares)
    parts = event_density.log_likelihood(
        question, rows, surface, name, given.plan.unpack(z, shares)
    )
    assert np.isfinite(value)
    assert value == pytest.approx(parts.total, rel=1e-10, abs=1e-10)


@pytest.mark.parametrize("held", [False, True])
@pytest.mark.parametrize("name", LAWS)
def test_the_gradient_is_that_of_the_value(question, rows, surface, name, held):
    question = replace(hedging(question, "all"), held_out=held)
    given = law_model(question, rows, surface, law_named(question, name))
    z, shares = point(given, 5)
    _, slopes = given.kernel.value_and_gradient(z, shares)
    step = 1e-5
    for number, start in enumerate((z, shares)):
        for at in range(len(start)):
            ends = []
            for side in (step, -step):
                moved = [z.copy(), shares.copy()]
                moved[number][at] += side
                ends.append(given.kernel.value_and_gradient(*moved)[0])
            central = (ends[0] - ends[1]) / (2.0 * step)
            assert slopes[number][at] == pytest.approx(central, rel=1e-5, abs=1e-4)


def test_a_loop_gain_of_one_has_no_density_and_no_slope(question, rows, surface):
    question = hedging(question, "all")
    given = law_model(question, rows, surface, law_named(question, "linear"))
    z, shares = point(given, 1, spread=0.0)
    names = [entry.name for entry in given.plan.entries for _ in range(entry.width)]
    shares[0] = 0.02  # dealers short nearly all
    z[names.index("log_impact")] = 3.0
    value, slopes = given.kernel.value_and_gradient(z, shares)
    parts = event_density.log_likelihood(
        question, rows, surface, "linear", given.plan.unpack(z, shares)
    )
    assert parts.gain.max() > 1.0
    assert value == parts.total == -np.inf
    assert all((slope == 0.0).all() for slope in slopes)


def alone(rows, day):
    """The days, of which all but one keep quiet: no other is read."""
    return replace(rows, named=np.array([day]), event=day)


@pytest.mark.parametrize("name", ["square_root", "linear"])
def test_the_density_of_a_move_integrates_to_one(question, rows, surface, name):
    """Without the Jacobian, or with another gain, it would not: the loop stretches the line."""
    question = hedging(question, "all")
    day, size = 60, 901
    given = law_model(question, rows, surface, law_named(question, name))
    z, shares = point(given, 2, spread=0.2)
    draw = given.plan.unpack(z, shares)
    draw |= {"nu": 30.0, "s0": np.log(0.03), "dealer_position": -0.3}
    draw |= {"gross_gamma": 3e4, "log_impact": {"linear": -11.3, "square_root": 0.3}[name]}
    move = np.linspace(-0.45, 0.45, size)
    density, gains = over_moves(question, rows, surface, name, draw, day, move)
    assert gains.max() < 1.0
    assert np.abs(gains).max() > 0.15  # there is a loop to account for
    assert np.trapezoid(density, move) == pytest.approx(1.0, abs=2e-3)
    assert abs(np.trapezoid(density / (1.0 - gains), move) - 1.0) > 0.03


def over_moves(question, rows, surface, name, draw, day, move):
    """Density and loop gain of one day at each move, its liquidation and volatility shocks held."""
    repeated = {
        key: np.repeat(getattr(rows, key)[[day]], len(move), axis=0)
        for key in (
            "days",
            "before",
            "drivers",
            "noise",
            "sigma",
            "volume",
            "capitalisation",
            "price",
            "open_interest",
            "funding",
            "basis",
            "creations",
            "carried",
            "vanished",
        )
    }
    reach = {
        side: (np.maximum(sign * move, 0.0) / question.liquidations.reference)
        ** draw[f"power_{side}"]
        for side, sign in (("long", -1.0), ("short", 1.0))
    }
    slope = np.where(move < 0.0, draw["vol_down"], draw["vol_up"])
    rest = {
        "longs": 400.0 * (draw["base_long"] + reach["long"]),
        "shorts": 300.0 * (draw["base_short"] + reach["short"]),
        "volatility": 0.02 + slope * move,
    }
    grid = replace(rows, move=move, named=np.array([], dtype=int), event=0, **repeated, **rest)
    one = {
        "book": np.repeat(surface.book[:, [day]], len(move), axis=1),
        "overlay": np.repeat(surface.overlay[:, [day]], len(move), axis=1),
    }
    quiet = draw | {"unwound": np.zeros(0), "zeta_long": np.zeros(0), "zeta_short": np.zeros(0)}
    parts = event_density.log_likelihood(question, grid, replace(surface, **one), name, quiet)
    return np.exp(parts.price), parts.gain


def test_the_gain_of_listed_options_is_the_loop_gain_of_feedback(question, rows, surface):
    """At no move, gamma alone and a linear law: minus lambda times gamma."""
    question = hedging(question, "all")
    given = law_model(question, rows, surface, law_named(question, "linear"))
    z, shares = point(given, 2, spread=0.0)
    draw = given.plan.unpack(z, shares) | {"face": 0.0, "dealer_position": -0.4}
    still = replace(rows, move=np.zeros(len(rows.days)))
    parts = event_density.log_likelihood(question, still, surface, "linear", draw)
    held = draw["dealer_position"] * draw["gross_gamma"] * rows.price / rows.price[rows.event]
    expected = loop_gain(np.exp(draw["log_impact"]), held)
    assert parts.gain == pytest.approx(expected, rel=1e-12)


def test_drivers_may_be_named_in_any_order(question, rows, surface):
    law = law_named(question, "linear")
    turned = replace(
        rows, drivers=rows.drivers[:, ::-1], names=rows.names[::-1],
        groups={k: len(rows.names) - 1 - v for k, v in rows.groups.items()},
    )  # fmt: skip
    first = law_model(question, rows, surface, law)
    second = law_model(question, turned, surface, law)
    z, shares = point(first, 7)
    names = [entry.name for entry in first.plan.entries for _ in range(entry.width)]
    at = [i for i, name in enumerate(names) if name == "beta"]
    other = z.copy()
    other[at] = z[at][::-1]
    assert first.kernel.value_and_gradient(z, shares)[0] == pytest.approx(
        second.kernel.value_and_gradient(other, shares)[0], rel=1e-13
    )


def test_the_unit_of_coins_does_not_matter(question, rows, surface):
    """Twice the price of half as large a coin: dollars are the same, and so is the density."""
    given = law_model(question, rows, surface, law_named(question, "invariance"))
    other = law_model(
        question, replace(rows, price=2.0 * rows.price), surface, law_named(question, "invariance")
    )
    z, shares = point(given, 9)
    assert given.kernel.value_and_gradient(z, shares)[0] == pytest.approx(
        other.kernel.value_and_gradient(z, shares)[0], rel=1e-13
    )


def test_no_notes_are_no_flow_whatever_their_face(question, rows, surface):
    none = replace(surface, book=0.0 * surface.book, overlay=0.0 * surface.overlay)
    given = law_model(question, rows, none, law_named(question, "linear"))
    z, shares = point(given, 4)
    names = [entry.name for entry in given.plan.entries for _ in range(entry.width)]
    _, (slope, d_shares) = given.kernel.value_and_gradient(z, shares)
    assert slope[names.index("face")] == slope[names.index("pass_through")] == 0.0
    assert d_shares[[name for name, _ in given.plan.shares].index("overlay")] == 0.0


def test_options_hedged_apart_on_named_days_leave_no_loop_on_others(question, rows, surface):
    given = law_model(question, rows, surface, law_named(question, "linear"))
    z, shares = point(given, 2, spread=0.0)
    draw = given.plan.unpack(z, shares) | {"face": 0.0, "liquidation_multiple": 0.0}
    parts = event_density.log_likelihood(question, rows, surface, "linear", draw)
    assert np.array_equal(np.flatnonzero(parts.gain), rows.named)


def test_moves_held_out_teach_nothing_of_options_that_are_hedged_on_their_days_alone(
    question, rows, surface
):
    """Days named for their size would else be read as amplification."""
    taught = {}
    for held in (False, True):
        asked = replace(hedging(question, "named"), held_out=held)
        given = law_model(asked, rows, surface, law_named(question, "linear"))
        z, shares = point(given, 2)
        _, (slope, by_share) = given.kernel.value_and_gradient(z, shares)
        found = given.plan.views(slope, by_share)
        taught[held] = [float(found[name]) for name in ("gross_gamma", "gamma_width")]
        taught[held].append(float(found["dealer_position"]))
    assert taught[True] == [0.0, 0.0, 0.0]
    assert all(value != 0.0 for value in taught[False])


def test_what_is_held_out_is_the_density_of_moves_and_nothing_else(question, rows, surface):
    draws = law_model(question, rows, surface, law_named(question, "linear"))
    draw = draws.plan.unpack(*point(draws, 4))
    seen, held = (
        event_density.log_likelihood(replace(question, held_out=out), rows, surface, "linear", draw)
        for out in (False, True)
    )
    assert (held.price[rows.named] == 0.0).all()
    assert seen.total - held.total == pytest.approx(seen.price[rows.named].sum(), rel=1e-10)
