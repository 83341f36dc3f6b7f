"""The sampler's density: equal to the equations, with their gradient, and a density in the move."""

from dataclasses import replace

import numpy as np
import pytest
from oracles import event_density

from attribution.mechanics.feedback import loop_gain
from attribution.studies.event.density import law_model
from attribution.studies.event.loop import SCALARS, loop_price
from attribution.studies.event.priors import GAMMA_DAYS, LAWS


def point(given, seed, spread=0.5):
    rng = np.random.default_rng(seed)
    z = spread * rng.standard_normal(given.plan.size)
    return z, rng.uniform(0.2, 0.8, len(given.plan.shares))


def law_named(question, name):
    return next(law for law in question.impact.laws if law.name == name)


def hedging(question, days):
    return replace(question, gamma=replace(question.gamma, days=days))


def forced(question, absorbed):
    """The question with a prior probability that forced orders leave no mark on the price."""
    return replace(question, liquidations=replace(question.liquidations, absorbed=absorbed))


@pytest.mark.parametrize("absorbed", [0.0, 0.25])
@pytest.mark.parametrize("held", [False, True])
@pytest.mark.parametrize("days", GAMMA_DAYS)
@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize("seed", range(3))
def test_the_kernel_says_what_the_equations_say(
    question, rows, surface, name, days, seed, held, absorbed
):
    question = replace(forced(hedging(question, days), absorbed), held_out=held)
    given = law_model(question, rows, surface, law_named(question, name))
    z, shares = point(given, seed)
    value, _ = given.kernel.value_and_gradient(z, shares)
    parts = event_density.log_likelihood(
        question, rows, surface, name, given.plan.unpack(z, shares)
    )
    assert np.isfinite(value)
    assert value == pytest.approx(parts.total, rel=1e-10, abs=1e-10)
    assert given.kernel.chance(z, shares) == pytest.approx(parts.chance, rel=1e-9, abs=1e-12)


def even(question, rows, surface, name, z, shares):
    """The prior probability under which the data leave both accounts of a point alike likely."""
    given = law_model(forced(question, 0.5), rows, surface, law_named(question, name))
    return 1.0 - given.kernel.chance(z, shares)


@pytest.mark.parametrize("prior", ["none", "shipped", "even"])
@pytest.mark.parametrize("held", [False, True])
@pytest.mark.parametrize("name", LAWS)
def test_the_gradient_is_that_of_the_value(question, rows, surface, name, held, prior):
    question = replace(hedging(question, "all"), held_out=held)
    given = law_model(question, rows, surface, law_named(question, name))
    z, shares = point(given, 5)
    if prior != "shipped":
        absorbed = even(question, rows, surface, name, z, shares) if prior == "even" else 0.0
        question = forced(question, absorbed)
        given = law_model(question, rows, surface, law_named(question, name))
        expected = 0.5 if prior == "even" else 0.0
        assert given.kernel.chance(z, shares) == pytest.approx(expected)
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


def cascading(question, rows, surface):
    """A point at which forced orders alone, if they leave a mark, have a loop gain above one."""
    given = law_model(question, rows, surface, law_named(question, "linear"))
    z, shares = point(given, 1, spread=0.0)
    names = [entry.name for entry in given.plan.entries for _ in range(entry.width)]
    z[names.index("liquidation_multiple")] = 9.0
    return given, z, shares, names


def test_a_cascade_without_an_end_has_a_density_where_the_market_absorbs_it(
    question, rows, surface
):
    given, z, shares, names = cascading(question, rows, surface)
    value, (slope, _) = given.kernel.value_and_gradient(z, shares)
    parts = event_density.log_likelihood(
        question, rows, surface, "linear", given.plan.unpack(z, shares)
    )
    assert parts.gain.max() > 1.0
    assert parts.price.sum() == -np.inf
    assert np.isfinite(value)
    assert value == pytest.approx(parts.total, rel=1e-10)
    assert given.kernel.chance(z, shares) == parts.chance == 1.0
    # only what was closed still speaks of the multiple, and only the bounds of one day know it
    quiet = replace(rows, vanished=np.full(len(rows.days), np.nan))
    calm = law_model(question, quiet, surface, law_named(question, "linear"))
    _, (still, _) = calm.kernel.value_and_gradient(z, shares)
    at = names.index("liquidation_multiple")
    assert still[at] == 0.0
    assert slope[at] != 0.0


def test_without_a_chance_of_absorption_a_cascade_without_an_end_has_none(question, rows, surface):
    given, z, shares, _ = cascading(forced(question, 0.0), rows, surface)
    value, slopes = given.kernel.value_and_gradient(z, shares)
    assert value == -np.inf
    assert all((slope == 0.0).all() for slope in slopes)


@pytest.mark.parametrize("name", LAWS)
def test_no_chance_of_absorption_is_the_density_without_that_question_to_the_bit(
    question, rows, surface, name
):
    """Against the sum of the moves' own density and the other equations, written out again."""
    given = law_model(forced(question, 0.0), rows, surface, law_named(question, name))
    other = law_model(forced(question, 1e-300), rows, surface, law_named(question, name))
    z, shares = point(given, 3)
    kernel, theta = given.kernel, given.plan.unpack(z, shares)
    scalars = [{**theta, "through": theta["arbitrage"] * theta["leg_ratio"]}[n] for n in SCALARS]
    zeta = np.stack([theta["zeta_long"], theta["zeta_short"]])
    alone = loop_price(np.array(scalars, float), theta["beta"], theta["unwound"], zeta, kernel.days)
    mixed = kernel._loop(theta)
    assert mixed.chance == 0.0
    assert mixed.slopes.value == alone.value
    for part in ("scalars", "beta", "unwound", "zeta"):
        assert np.array_equal(getattr(mixed.slopes, part), getattr(alone, part))
    assert kernel.value_and_gradient(z, shares)[0] == pytest.approx(
        other.kernel.value_and_gradient(z, shares)[0], rel=1e-12
    )


def test_one_fate_holds_for_all_days_and_what_was_closed_knows_nothing_of_it(
    question, rows, surface
):
    """Whole sums are mixed: the log odds of absorption are the sum over days of what each says."""
    given = law_model(question, rows, surface, law_named(question, "inelastic"))
    z, shares = point(given, 6)
    parts = event_density.log_likelihood(
        question, rows, surface, "inelastic", given.plan.unpack(z, shares)
    )
    chance = given.kernel.chance(z, shares)
    prior = question.liquidations.absorbed
    odds = np.log(chance / (1.0 - chance)) - np.log(prior / (1.0 - prior))
    assert odds == pytest.approx((parts.clean - parts.price).sum(), rel=1e-8)
    assert 0.0 < chance < 1.0
    quiet = replace(rows, vanished=np.full(len(rows.days), np.nan))
    assert len(rows.bounded) and not len(quiet.bounded)
    without = law_model(question, quiet, surface, law_named(question, "inelastic"))
    assert without.kernel.chance(z, shares) == chance


def alone(rows, day):
    """The days, of which all but one keep quiet: no other is read."""
    return replace(rows, named=np.array([day]), event=day)


@pytest.mark.parametrize("name", ["square_root", "linear"])
def test_the_density_of_a_move_integrates_to_one(question, rows, surface, name):
    """Without the Jacobian, or with another gain, it would not: the loop stretches the line.

    So does that where forced orders leave no mark, and therefore any mixture of the two.
    """
    question = hedging(question, "all")
    day, size = 60, 901
    given = law_model(question, rows, surface, law_named(question, name))
    z, shares = point(given, 2, spread=0.2)
    draw = given.plan.unpack(z, shares)
    draw |= {"nu": 30.0, "s0": np.log(0.03), "dealer_position": -0.3}
    draw |= {"gross_gamma": 3e4, "log_impact": {"linear": -11.3, "square_root": 0.3}[name]}
    move = np.linspace(-0.45, 0.45, size)
    parts = over_moves(question, rows, surface, name, draw, day, move)
    density, clean, gains = np.exp(parts.price), np.exp(parts.clean), parts.gain
    assert gains.max() < 1.0
    assert np.abs(gains).max() > 0.15  # there is a loop to account for
    assert np.trapezoid(density, move) == pytest.approx(1.0, abs=2e-3)
    assert np.trapezoid(clean, move) == pytest.approx(1.0, abs=2e-3)
    assert np.abs(clean - density).max() > 0.01 * density.max()
    assert abs(np.trapezoid(density / (1.0 - gains), move) - 1.0) > 0.03


def over_moves(question, rows, surface, name, draw, day, move):
    """Densities and gain of one day at each move, its liquidation and volatility shocks held."""
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
    return event_density.log_likelihood(question, grid, replace(surface, **one), name, quiet)


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
    for absorbed in (0.0, 0.25):
        asked = forced(question, absorbed)
        seen, held = (
            event_density.log_likelihood(
                replace(asked, held_out=out), rows, surface, "linear", draw
            )
            for out in (False, True)
        )
        for name in ("price", "clean"):
            left, whole = getattr(held, name), getattr(seen, name)
            assert (left[rows.named] == 0.0).all()
            assert np.array_equal(np.delete(left, rows.named), np.delete(whole, rows.named))
        gone = [part.price[rows.named].sum() for part in (seen, held)]
        if not absorbed:
            assert seen.total - held.total == pytest.approx(gone[0] - gone[1], rel=1e-10)
        for name in ("closed", "interval", "volatility", "basis", "creations"):
            assert getattr(seen, name) == getattr(held, name)
