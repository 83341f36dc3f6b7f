"""Contributions from sampled orders: right within their stated error, and reproducible."""

from math import sqrt

import numpy as np
import pytest

from attribution.allocate import (
    averaged,
    coalitions,
    every_order,
    grouped,
    sampled_orders,
    shapley,
    staged,
)

NAMES = tuple("abcdef")


def tabled(values):
    """Return the simulator that looks up a game's values."""
    return lambda on: values[:, on @ (1 << np.arange(on.shape[1]))]


def game_of(values):
    return coalitions(tabled(values), NAMES, unit="pp")


CASES = {
    "shapley": every_order(NAMES),
    "owen": grouped(NAMES, {"one": ["a", "f"], "two": ["b", "c", "d"], "three": ["e"]}),
    "triggers first": staged(NAMES, [["f", "a", "c"], ["b", "d", "e"]]),
}


@pytest.mark.parametrize("rule", CASES)
def test_estimates_scatter_about_the_exact_value_as_their_errors_say(rule):
    """z-scores of independent games: mean zero, variance that of Student's t."""
    rng = np.random.default_rng(0)
    repeats, pairs = 150, 50
    z = []
    for _ in range(repeats):
        values = rng.normal(size=(1, 64))
        found = sampled_orders(tabled(values), CASES[rule], count=2 * pairs, rng=rng, unit="pp")
        assert found.rule == rule
        exact = averaged(game_of(values), CASES[rule]).draws
        z.append((found.draws - exact)[0] / found.error[0])
    z = np.array(z)
    freedom = pairs - 1
    variance = freedom / (freedom - 2)
    assert np.abs(z.mean(0)).max() <= 4 * sqrt(variance / repeats)
    kurtosis = 3 + 6 / (freedom - 4)
    assert np.abs((z**2).mean(0) / variance - 1).max() <= 4 * sqrt((kurtosis - 1) / repeats)


def test_every_order_adds_up_hence_so_does_the_estimate():
    values = np.random.default_rng(1).normal(size=(20, 64))
    found = sampled_orders(
        tabled(values), CASES["shapley"], count=40, rng=np.random.default_rng(2), unit="pp"
    )
    assert np.abs(found.draws.sum(1) - found.total).max() <= 1e-13
    assert found.adds_up


def test_an_order_and_its_reverse_leave_no_error_in_a_game_of_pairs():
    """What two players add together is met once before and once after, in every pair of orders."""
    rng = np.random.default_rng(3)
    pair = rng.normal(size=(4, 15))
    i, j = np.triu_indices(6, 1)
    on = np.arange(64)[:, None] >> np.arange(6) & 1
    values = pair @ (on[:, i] * on[:, j]).T
    found = sampled_orders(tabled(values), CASES["shapley"], count=40, rng=rng, unit="pp")
    assert np.abs(found.draws - shapley(game_of(values)).draws).max() <= 1e-13
    assert found.error.max() <= 1e-13


def test_twenty_players_are_within_four_errors_of_the_closed_form():
    """v(S) = (sum of weights on)^2 + what is fed back beyond a share; weights known."""
    rng = np.random.default_rng(4)
    weight = rng.uniform(0.1, 1.0, (3, 20))
    names = [f"m{i}" for i in range(20)]

    def v(on):
        return (weight @ on.T) ** 3

    found = sampled_orders(v, every_order(names), count=2000, rng=rng, unit="pp")
    total = weight.sum(1, keepdims=True)
    two = (weight**2).sum(1, keepdims=True)
    # Shapley of a cube: w^3 + 3/2 (w^2 (W-w) + w (Q-w^2)) + 6/3 w e2 of the others
    rest, rest2 = total - weight, two - weight**2
    exact = weight**3 + 1.5 * (weight**2 * rest + weight * rest2) + weight * (rest**2 - rest2)
    assert np.abs(exact.sum(1) - total[:, 0] ** 3).max() <= 1e-10
    assert (np.abs(found.draws - exact) <= 4 * found.error).all()
    assert (found.error > 0).all()


def test_one_seed_reproduces_and_another_does_not():
    values = np.random.default_rng(5).normal(size=(3, 64))
    one, same, other = (
        sampled_orders(
            tabled(values), CASES["owen"], count=60, rng=np.random.default_rng(s), unit="pp"
        )
        for s in (7, 7, 8)
    )
    assert np.array_equal(one.draws, same.draws)
    assert np.array_equal(one.error, same.error)
    assert not np.array_equal(one.draws, other.draws)


def test_a_coalition_is_solved_once_however_many_orders_pass_it():
    met = []

    def v(on):
        met.extend((on @ (1 << np.arange(6))).tolist())
        return on.sum(1)[None].astype(float) ** 2

    sampled_orders(v, CASES["triggers first"], count=200, rng=np.random.default_rng(9), unit="pp")
    assert sorted(met) == [0, 0, *sorted(CASES["triggers first"].coalitions())[1:]]
