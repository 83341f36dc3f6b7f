"""What cannot be allocated is refused in one sentence that says where, what, and what to do."""

import numpy as np
import pytest

from attribution.allocate import (
    Coalitions,
    aumann_shapley,
    but_for,
    coalitions,
    coalitions_named,
    coalitions_of,
    every_order,
    grouped,
    interaction_share,
    merged,
    one_at_a_time,
    order_range,
    owen,
    pair_interactions,
    sampled_orders,
    shapley,
    staged,
    stand_alone,
    triggers_first,
)
from attribution.errors import DataError, SpecError

FOUR = ["factor", "basis", "gamma", "liquidation"]
RNG = np.random.default_rng(0)


def values(players=4, draws=3):
    return np.random.default_rng(1).normal(size=(draws, 1 << players))


def game(**change):
    return coalitions_of(values(), FOUR, **{"unit": "pp", **change})


def incomplete(*masks):
    on = np.array(masks)[:, None] >> np.arange(4) & 1
    return coalitions_of(values()[:, masks], FOUR, unit="pp", on=on)


def with_nan():
    table = values()
    table[1, 0b0110] = np.nan
    return table


def drifting():
    """Return a simulator with random numbers of its own."""
    rng = np.random.default_rng(2)
    return lambda on: rng.normal(size=(3, len(on)))


def sample(count, players=4):
    orders = every_order([f"m{i}" for i in range(players)])
    return sampled_orders(lambda on: on.sum(1)[None], orders, count=count, rng=RNG, unit="pp")


def solve(simulate, players=FOUR, **change):
    return coalitions(simulate, players, **{"unit": "pp", **change})


REFUSED = {
    "an unknown player in a stage": (
        lambda: triggers_first(game(), [["factor", "basis"], ["gama", "liquidation"]]),
        r"staged: no player 'gama' \(nearest: 'gamma'\)",
    ),
    "an unknown player in a group": (
        lambda: owen(game(), {"shocks": ["factors", "basis"], "rest": ["gamma", "liquidation"]}),
        r"grouped: no player 'factors' \(nearest: 'factor'\)",
    ),
    "an unknown player in a coalition": (
        lambda: game().value("bases"),
        r"coalitions: no player 'bases' \(nearest: 'basis'\)",
    ),
    "an unknown player in a list of coalitions": (
        lambda: coalitions_named({(): 0.0, ("a", "c"): 1.0}, ["a", "b"], unit="pp"),
        r"coalitions: no player 'c' \(known: a, b\)",
    ),
    "an unknown player of an allocation": (
        lambda: shapley(game()).of("liquidations"),
        r"allocation 'shapley': no player 'liquidations' \(nearest: 'liquidation'\)",
    ),
    "a player in no stage": (
        lambda: staged(FOUR, [["factor", "basis"], ["gamma"]]),
        "staged: player 'liquidation' is in no stage; put every player in one",
    ),
    "a player in two groups": (
        lambda: merged(game(), {"a": ["factor", "basis"], "b": ["basis"]}),
        "merged: player 'basis' stands twice; one group a player",
    ),
    "a group that is a word": (
        lambda: grouped(["F", "B"], {"a": "FB"}),
        "grouped: group 'FB' is a word; write a list of players",
    ),
    "an empty stage": (lambda: staged(FOUR, [FOUR, []]), "staged: a stage is empty; leave it out"),
    "no stages": (lambda: staged(FOUR, []), "staged: player 'factor' is in no stage"),
    "a player named twice": (
        lambda: every_order(["a", "b", "a"]),
        "orders: player 'a' is named twice; give each player its own name",
    ),
    "no player": (lambda: every_order([]), "orders: there is no player; name at least one"),
    "a player without a name": (lambda: every_order(["a", " "]), "orders: ' ' is no name"),
    "too many players": (
        lambda: every_order([f"m{i}" for i in range(63)]),
        "orders: 63 players are more than 62; merge some into groups",
    ),
    "all off missing": (
        lambda: incomplete(1, 3, 15),
        r"coalitions: \{\} \(all off\) is missing, .*; solve the model for it",
    ),
    "all on missing": (
        lambda: incomplete(0, 3, 7),
        r"coalitions: \{factor, basis, gamma, liquidation\} \(all on\) is missing",
    ),
    "a coalition missing for but-for": (
        lambda: but_for(incomplete(0, 0b0111, 0b1011, 0b1110, 15)),
        r"coalitions: \{factor, gamma, liquidation\} is missing, as are 0 more",
    ),
    "a coalition missing for stand-alone": (
        lambda: stand_alone(incomplete(0, 1, 2, 15)),
        r"coalitions: \{gamma\} is missing, as are 1 more",
    ),
    "coalitions missing for Shapley": (
        lambda: shapley(incomplete(0, 1, 2, 4, 8, 15)),
        r"coalitions: \{factor, basis\} is missing",
    ),
    "coalitions missing for pairs": (
        lambda: pair_interactions(incomplete(0, 1, 2, 4, 8, 15)),
        r"is missing, as are \d+ more that are needed",
    ),
    "no coalition": (
        lambda: coalitions_named({}, ["a"], unit="pp"),
        "coalitions: there is no coalition; give at least all off and all on",
    ),
    "a coalition listed twice": (
        lambda: coalitions_named(
            {(): 0.0, ("a", "b"): 1.0, ("b", "a"): 1.0}, ["a", "b"], unit="pp"
        ),
        r"coalitions: \{a, b\} \(all on\) stands twice; give each coalition one column",
    ),
    "columns that are not all coalitions": (
        lambda: coalitions_of(values()[:, :10], FOUR, unit="pp"),
        "coalitions: 10 columns cannot be the 16 coalitions of 4 players",
    ),
    "switches of another shape": (
        lambda: coalitions_of(values(), FOUR, unit="pp", on=np.ones((16, 3))),
        r"coalitions: 'on' has shape \(16, 3\); give \(16, 4\)",
    ),
    "switches that are intensities": (
        lambda: coalitions_of(values(), FOUR, unit="pp", on=np.full((16, 4), 0.5)),
        "of true and false, a row for each column of values",
    ),
    "an axis too many": (
        lambda: coalitions_of(np.zeros((2, 3, 16)), FOUR, unit="pp"),
        r"coalitions: values have shape \(2, 3, 16\); give \(draw, 16\)",
    ),
    "no draw": (lambda: coalitions_of(np.zeros((0, 16)), FOUR, unit="pp"), "there is no draw"),
    "words for values": (
        lambda: coalitions_of([["a"] * 16], FOUR, unit="pp"),
        "coalitions: values are no array of real numbers",
    ),
    "ragged values": (
        lambda: coalitions_named({(): [0.0, 1.0], ("a",): [1.0]}, ["a"], unit="pp"),
        r"coalitions: \{a\} \(all on\) has shape \(1,\), the first coalition \(2,\)",
    ),
    "a value that is no number": (
        lambda: coalitions_of(with_nan(), FOUR, unit="pp"),
        r"coalitions: draw 1 of \{basis, gamma\} is nan, as are 1 draws of 3",
    ),
    "a solution that is no number": (
        lambda: solve(lambda on: with_nan()[:, on @ (1 << np.arange(4))]),
        r"coalitions: draw 1 of \{basis, gamma\} is nan, as are 1 draws of 3",
    ),
    "an observed value that is no number": (
        lambda: game(observed=float("nan")),
        "coalitions: observed is nan; give a number or leave it out",
    ),
    "a simulator of one coalition": (
        lambda: solve(lambda on: np.zeros(5)),
        r"the simulator returned shape \(5,\) for 2 coalitions; .* one_at_a_time",
    ),
    "a simulator that returns the transpose": (
        lambda: solve(lambda on: np.zeros((len(on), 5))),
        r"the simulator returned shape \(2, 5\) for 2 coalitions; return \(draw, 2\)",
    ),
    "a simulator that draws its own random numbers": (
        lambda: solve(drifting()),
        r"the simulator gave two answers for \{\} \(all off\); hold its draws",
    ),
    "draws that change with the coalition": (
        lambda: solve(one_at_a_time(lambda on: np.zeros(1 + int(on[0])))),
        r"switches \[True, .*\] gave shape \(2,\), others \(1,\); return the same draws",
    ),
    "too many coalitions": (
        lambda: solve(lambda on: np.zeros((1, len(on))), [f"m{i}" for i in range(13)]),
        "coalitions: 13 players need 8192 coalitions, more than 4096; .* sampled_orders",
    ),
    "far too many coalitions": (
        lambda: solve(lambda on: np.zeros((1, len(on))), [f"m{i}" for i in range(40)]),
        "coalitions: 40 players need 1099511627776 coalitions",
    ),
    "orders that cannot be listed": (
        lambda: every_order([f"m{i}" for i in range(30)]).coalitions(),
        r"orders: 'm0' may follow 2\^29 coalitions, too many to list",
    ),
    "more numbers than can be held": (
        lambda: solve(lambda on: np.zeros((60_000, len(on))), list("abcdefghijkl")),
        "60000 draws of 4096 coalitions are more than 200,000,000 numbers; thin the draws",
    ),
    "orders of other players": (
        lambda: order_range(game(), every_order(["a", "b"])),
        "allocate: orders are of a, b, the game of factor, basis, gamma, liquidation",
    ),
    "orders of other players for a simulator": (
        lambda: solve(lambda on: on.sum(1)[None], orders=every_order(["a"])),
        "coalitions: orders are of a, the game of factor, basis",
    ),
    "levels that descend": (
        lambda: order_range(game(), every_order(FOUR), levels=(0.9, 0.1)),
        "order_range: levels .* must ascend between 0 and 1",
    ),
    "a share of next to nothing": (
        lambda: interaction_share(game(), least=50.0),
        "all players together move less than 50 pp in 3 of 3 draws, first in draw 0; report",
    ),
    "a share of anything": (
        lambda: interaction_share(game(), least=0.0),
        "interaction_share: least is 0.0; give a number above zero",
    ),
    "a pair of one": (
        lambda: pair_interactions(game()).of("basis", "basis"),
        "interactions: 'basis' and 'basis' are one player; name two",
    ),
    "pairs of one player": (
        lambda: pair_interactions(coalitions_of([0.0, 1.0], ["a"], unit="pp")),
        "interactions: 1 players; pairs need at least two and at most 20",
    ),
    "too few orders": (lambda: sample(20), "count is 20; ask for an even number, at least 40"),
    "an odd number of orders": (lambda: sample(41), "count is 41; ask for an even number"),
    "half an order": (lambda: sample(50.0), "count is 50.0; ask for an even number"),
    "more orders than feasible": (
        lambda: sample(100_000, 19),
        "100000 orders of 19 players pass 2,000,000 coalitions, .* ask for 50000 orders at most",
    ),
    "no tolerance": (
        lambda: aumann_shapley(lambda z: z.sum(1)[None], FOUR, unit="pp", tolerance=0.0),
        "aumann_shapley: tolerance is 0.0; give a number between 0 and 1",
    ),
    "a path of another shape": (
        lambda: aumann_shapley(lambda z: z.sum(1), FOUR, unit="pp"),
        r"aumann_shapley: the simulator returned shape \(2,\) for 2 points",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_is_refused_in_one_located_sentence(case):
    task, message = REFUSED[case]
    with pytest.raises((SpecError, DataError), match=message) as refused:
        task()
    text = str(refused.value)
    assert "\n" not in text
    assert not text.endswith(".")
    assert ": " in text


def test_a_limit_itself_is_allowed_and_one_more_is_not():
    assert sample(40).draws.shape == (1, 4)
    with pytest.raises(SpecError, match="count is 38"):
        sample(38)
    with pytest.raises(SpecError, match="count is 39"):
        sample(39)
    assert sample(50_000, 19).draws.shape == (1, 19)  # 50,000 orders of 20 coalitions: a million
    with pytest.raises(SpecError, match="50002 orders of 19 players pass 1,000,040 coalitions"):
        sample(50_002, 19)
    twelve = solve(lambda on: on.sum(1)[None], list("abcdefghijkl"))
    assert len(twelve.masks) == 4096


@pytest.mark.parametrize(
    ("masks", "sentence"),
    [([0, 2, 1, 3], "ascend"), ([0, 1, 1, 3], "ascend"), ([0, 1, 2, 4], "no player"),
     ([-1, 1, 2, 3], "no player")],
)  # fmt: skip
def test_masks_that_are_no_coalitions_cannot_be_held(masks, sentence):
    with pytest.raises(ValueError, match=sentence):
        Coalitions(("a", "b"), np.array(masks), np.zeros((1, 4)), "pp")
