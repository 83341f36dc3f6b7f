"""Admissible orders, against a list of every one of them."""

from math import factorial

import numpy as np
import pytest

from attribution.allocate import Orders, averaged, every_order, grouped, order_range, staged

NAMES = ("F", "B", "G", "L", "D", "K")
CASES = {
    "any": [[[n] for n in NAMES]],
    "groups": [[["F", "K"], ["G"], ["B", "L", "D"]]],
    "stages": [[["B"], ["D"], ["G"]], [["F"]], [["K"], ["L"]]],
    "stages of groups": [[["K"], ["B", "G"]], [["F"], ["D", "L"]]],
}


@pytest.fixture(params=CASES)
def stages(request):
    return CASES[request.param]


def orders_of(stages):
    return Orders(NAMES, tuple(tuple(tuple(block) for block in stage) for stage in stages))


def test_the_average_is_that_over_every_listed_order(scattered, listed, stages):
    game = scattered(6, 0)
    every = listed(game, stages)
    orders = orders_of(stages)
    assert orders.count == len(every)
    assert np.abs(averaged(game, orders).draws - every.mean(0)).max() <= 1e-13


def test_the_range_and_its_quantiles_are_those_of_every_listed_order(scattered, listed, stages):
    game = scattered(6, 1)
    every = listed(game, stages)
    levels = (0.0, 0.05, 0.25, 0.5, 0.9, 1.0)
    span = order_range(game, orders_of(stages), levels=levels)
    assert np.array_equal(span.low, every.min(0))
    assert np.array_equal(span.high, every.max(0))
    expected = np.quantile(every, levels, axis=0, method="inverted_cdf")
    assert np.array_equal(span.quantiles, expected)
    assert span.orders == len(every)


def test_the_orders_that_precede_a_player_are_counted_as_listed(stages):
    orders = orders_of(stages)
    for name in NAMES:
        masks, count = orders.before(name)
        assert len(np.unique(masks)) == len(masks)
        assert not (masks >> NAMES.index(name) & 1).any()
        assert orders.count % count.sum() == 0


def test_the_constructors_say_what_they_mean(scattered):
    game = scattered(4, 2)
    assert every_order(game.players).count == factorial(4)
    assert staged(game.players, [["F"], ["B", "G", "L"]]).count == 6
    assert grouped(game.players, {"a": ["F", "B"], "b": ["G", "L"]}).count == 8
    found = [
        every_order(["F"]),
        staged(["F", "B"], [["F"], ["B"]]),
        grouped(["F", "B"], {"a": ["F", "B"]}),
    ]
    assert [orders.rule for orders in found] == ["shapley", "triggers first", "owen"]


def test_sampled_orders_are_admissible_and_their_partners_reversed(stages):
    found = orders_of(stages).sample(200, np.random.default_rng(0))
    assert found.shape == (200, 2, 6)
    assert np.array_equal(np.sort(found, 2), np.broadcast_to(np.arange(6), found.shape))
    blocks = [(k, [NAMES.index(n) for n in b]) for k, s in enumerate(stages) for b in s]
    place = np.argsort(found, 2)
    for k, block in blocks:
        at = np.sort(place[..., block], 2)
        assert np.array_equal(at[..., -1] - at[..., 0], np.full((200, 2), len(block) - 1))
        inner = np.argsort(place[..., block], 2)
        assert np.array_equal(inner[:, 0], inner[:, 1, ::-1])
        for later, other in blocks:
            if later > k:
                assert (at[..., -1] < place[..., other].min(2)).all()


def test_sampled_orders_are_uniform(stages):
    """Chi-square of the frequencies of all admissible orders, at z = 4."""
    orders = orders_of(stages)
    pairs = 20 * orders.count
    found = orders.sample(pairs, np.random.default_rng(1))[:, 0]
    _, seen = np.unique(found @ 6 ** np.arange(6), return_counts=True)
    assert len(seen) <= orders.count
    expected, freedom = pairs / orders.count, orders.count - 1
    chi = ((seen - expected) ** 2).sum() / expected + expected * (orders.count - len(seen))
    assert abs(chi - freedom) <= 4 * np.sqrt(2 * freedom)


def test_the_range_holds_every_rule_and_narrows_with_fewer_orders(scattered):
    game = scattered(6, 3)
    wide = order_range(game, orders_of(CASES["any"]))
    for stages in CASES.values():
        span = order_range(game, orders_of(stages))
        found = averaged(game, orders_of(stages)).draws
        assert ((span.low <= found) & (found <= span.high)).all()
        assert ((wide.low <= span.low) & (span.high <= wide.high)).all()


def test_quantiles_hold_the_stated_share_of_the_orders(scattered, listed):
    game = scattered(6, 4)
    every = listed(game, CASES["any"])
    span = order_range(game, orders_of(CASES["any"]), levels=(0.05, 0.95))
    for level, value in zip(span.levels, span.quantiles, strict=True):
        assert ((every <= value).mean(0) >= level).all()
        assert ((every < value).mean(0) < level).all()
