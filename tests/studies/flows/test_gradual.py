"""A dating that changes gradually: all paths by hand, and no order lost on any of them."""

import math

import numpy as np
import pytest
from scipy.special import logsumexp

from attribution.studies.flows import gradual
from attribution.studies.flows.dated_flow import SOME, UNUSED, row_log_likelihood
from attribution.studies.flows.dating import (
    CONVENTIONS,
    GRADUAL,
    DatingPrior,
    date_rows,
    draw_paths,
)
from attribution.studies.flows.gradual import (
    HOLDS,
    date_either,
    date_gradually,
    draw_either,
    joint_chances,
    pair_chances,
)

TIME, LENGTH = 6, 3.0


def paths(prior):
    """Every path of the share (time,), before it and in it, with its log weight."""
    weight, time = prior.log_weights(TIME), TIME
    yield np.ones(time + 1), weight[0]
    yield np.zeros(time + 1), weight[1]
    for first, w in ((0.0, weight[2]), (1.0, weight[3])):
        for s in range(1, time):
            for end in range(s + 1, time + 1):  # the row in which the half is over; time: not yet
                share = np.full(time + 1, first)
                share[s + 1 :] = 0.5
                share[end + 1 :] = 1.0 - first
                rest = end - s - 1
                law = rest * math.log(1 - 1 / LENGTH)
                yield share, w + law + (math.log(1 / LENGTH) if end < time else 0.0)


def reading_of(share):
    """Place in ``HOLDS`` of each row of a path."""
    held = np.column_stack([share[1:], 1.0 - share[:-1]])
    return np.array([np.flatnonzero((pair == HOLDS).all(axis=1))[0] for pair in held])


@pytest.fixture(params=[(1, 1, 1), (0.2, 0.5, 0.3), (0, 1, 1), (0, 0, 1)])
def prior(request):
    return DatingPrior(*request.param)


def test_the_sum_over_paths_is_the_sum_over_paths(prior):
    rows = np.random.default_rng(2).normal(-1.0, 1.5, (9, 3, TIME))
    found = date_gradually(rows, prior, LENGTH)
    every = [(reading_of(share), w) for share, w in paths(prior)]
    for draw in range(3):
        heights = np.array([w + rows[r, draw, np.arange(TIME)].sum() for r, w in every])
        total = logsumexp(heights)
        assert found.log_marginal[draw] == pytest.approx(total, abs=1e-12)
        chance = np.exp(heights - total)
        for reading in range(9):
            at = sum(p * (r == reading) for p, (r, _) in zip(chance, every, strict=True))
            assert found.reading[draw, reading] == pytest.approx(at, abs=1e-12)
        for direction, enters in enumerate((5, 7)):
            at = sum(p * (r == enters) for p, (r, _) in zip(chance, every, strict=True))
            assert found.start[draw, direction] == pytest.approx(at, abs=1e-12)


def test_weights_of_paths_add_up_to_one(prior):
    found = date_gradually(np.zeros((9, 1, TIME)), prior, LENGTH)
    assert found.log_marginal[0] == pytest.approx(0.0, abs=1e-12)
    assert found.reading.sum(axis=1) == pytest.approx(1.0)


def test_rows_hold_every_order_once_however_the_share_moves():
    """Total of rows is total of orders, but for those that fall to rows before and after."""
    orders = np.random.default_rng(0).normal(size=TIME + 1)
    for share, _ in paths(DatingPrior()):
        own, before = HOLDS[reading_of(share)].T
        rows = own * orders[1:] + before * orders[:-1]
        edges = (1.0 - share[0]) * orders[0] - (1.0 - share[-1]) * orders[-1]
        assert rows.sum() == pytest.approx(orders[1:].sum() + edges)


def test_rows_that_tell_whole_days_apart_from_halves_give_what_the_sudden_change_gives():
    """Where no row may hold a half, nothing but always and never is left."""
    rows = np.random.default_rng(3).normal(size=(9, 2, TIME))
    rows[4:] = -np.inf
    found = date_gradually(rows, DatingPrior(1, 2, 3), LENGTH)
    alone = date_rows(rows[:4], DatingPrior(1, 2, 0))
    assert found.log_marginal == pytest.approx(alone.log_marginal + math.log(0.5))
    assert found.reading[:, :2] == pytest.approx(alone.reading[:, :2])


def test_long_series_far_from_zero_are_summed_without_underflow():
    rows = np.random.default_rng(4).normal(-50.0, 40.0, (9, 2, 3000))
    found = date_gradually(rows, DatingPrior(), 20.0)
    assert np.isfinite(found.log_marginal).all()
    assert found.reading.sum(axis=1) == pytest.approx(1.0, abs=1e-8)


def test_what_is_no_gradual_dating_is_refused():
    with pytest.raises(ValueError, match="no gradual dating"):
        date_gradually(np.zeros((4, 1, TIME)), DatingPrior(), LENGTH)
    with pytest.raises(ValueError, match="no gradual dating"):
        date_gradually(np.zeros((9, 1, TIME)), DatingPrior(), 0.5)


# ---- sudden and gradual changes together ---------------------------------------------------------

EITHER = [(1, 1, 1, 0.5), (0.2, 0.5, 0.3, 0.8), (0, 1, 1, 0.1), (0, 0, 1, 0.5), (0, 0, 1, 1)]


@pytest.fixture(params=EITHER, ids=str)
def mixed(request, monkeypatch):
    """A prior of both shapes, and every one of its paths: readings, log weight, convention."""
    monkeypatch.setattr(gradual, "HALF", LENGTH)
    prior = DatingPrior(*request.param)
    same, previous, switch, share = request.param
    every = []
    for kind, (share_path, w) in enumerate(paths(DatingPrior(same, previous, switch))):
        slow = kind > 1  # the first two are always and never
        to_same = share_path[0] == 0.0
        name = (0, 1)[kind] if not slow else (4 if to_same else 5)
        weight = w + (np.log(share) if slow else 0.0)
        every.append((reading_of(share_path), weight, name))
    total = same + previous + switch
    for s in range(1, TIME):
        for name, first in ((2, 0.0), (3, 1.0)):
            path = np.append(np.full(s + 1, first), np.full(TIME - s, 1.0 - first))
            with np.errstate(divide="ignore"):
                weight = np.log(switch / total * (1.0 - share) / 2 / (TIME - 1))
            every.append((reading_of(path), weight, name))
    return prior, every


def brute(rows, every):
    """Heights (draw, path) by hand, readings (path, time) and conventions (path,)."""
    readings = np.array([path for path, _, _ in every])
    weight = np.array([w for _, w, _ in every])
    heights = weight + rows[readings, :, np.arange(TIME)].sum(axis=1).T
    return heights, readings, np.array([name for _, _, name in every])


@pytest.mark.parametrize("far", [1.0, 300.0])  # the second is more than a sum without logs can hold
def test_both_shapes_are_one_sum_over_all_their_paths(mixed, far):
    prior, every = mixed
    rows = far * np.random.default_rng(5).normal(-1.0, 1.5, (9, 3, TIME))
    found = date_either(rows, prior)
    heights, readings, names = brute(rows, every)
    total = logsumexp(heights, axis=1)
    chance = np.exp(heights - total[:, None])
    assert found.log_marginal == pytest.approx(total, abs=1e-11 * far)
    for kind in range(6):
        expected = chance[:, names == kind].sum(axis=1)
        assert found.convention[:, kind] == pytest.approx(expected, abs=1e-11)
    joint, pairs = joint_chances(rows, prior, 2), pair_chances(rows, prior, 2)
    for reading in range(9):
        shown = np.stack([chance @ (readings[:, t] == reading) for t in range(TIME)], axis=1)
        assert found.reading[:, reading] == pytest.approx(shown, abs=1e-11)
        for kind in range(6):
            both = chance @ ((readings[:, 2] == reading) & (names == kind))
            assert joint[:, kind, reading] == pytest.approx(both, abs=1e-11)
        for following in range(9):
            both = chance @ ((readings[:, 2] == reading) & (readings[:, 3] == following))
            mine = pairs.get((reading, following), np.zeros(3))
            assert mine == pytest.approx(both, abs=1e-11)
    assert found.previous == pytest.approx(found.reading[:, 1])
    for t in range(TIME):
        without = rows.copy()
        without[:, :, t] = 0.0
        alone = total - logsumexp(brute(without, every)[0], axis=1)
        assert found.log_left_out[:, t] == pytest.approx(alone, abs=1e-10 * far)


def test_prior_probabilities_of_both_shapes_are_what_rows_that_say_nothing_leave(mixed):
    prior, _ = mixed
    found = date_either(np.zeros((9, 1, TIME)), prior)
    assert prior.conventions == CONVENTIONS + GRADUAL
    assert found.log_marginal == pytest.approx(0.0, abs=1e-12)
    assert found.convention[0] == pytest.approx(prior.probability, abs=1e-12)


def test_a_shape_that_has_all_the_weight_answers_as_it_does_alone():
    rows = np.random.default_rng(6).normal(-1.0, 1.5, (9, 3, 40))
    step = date_either(rows[:4], DatingPrior(1, 2, 3, 0.0))
    alone = date_rows(rows[:4], DatingPrior(1, 2, 3))
    for name in ("log_marginal", "convention", "switch", "log_left_out", "reading"):
        assert np.array_equal(getattr(step, name), getattr(alone, name)), name
    drawn = draw_either(rows[:4], DatingPrior(1, 2, 3), np.random.default_rng(1))
    again = draw_paths(rows[:4], DatingPrior(1, 2, 3), np.random.default_rng(1))
    assert np.array_equal(drawn, again)
    nearly = date_either(rows, DatingPrior(1, 2, 3, 1e-300))
    assert nearly.log_marginal == pytest.approx(alone.log_marginal, abs=1e-12)
    assert nearly.log_left_out == pytest.approx(alone.log_left_out, abs=1e-12)
    slow = date_either(rows, DatingPrior(1, 2, 3, 1.0))
    whole = date_gradually(rows, DatingPrior(1, 2, 3), gradual.HALF)
    for name in ("log_marginal", "reading", "log_left_out"):
        assert getattr(slow, name) == pytest.approx(getattr(whole, name), abs=1e-12), name
    with pytest.raises(ValueError, match="gradual switches"):
        date_rows(rows[:4], DatingPrior(gradual=0.5))


def test_the_marginal_is_the_average_of_the_shapes_by_their_marginal_likelihood():
    rows, weights = np.random.default_rng(7).normal(-1.0, 1.5, (9, 3, 40)), (1, 2, 3)
    both = date_either(rows, DatingPrior(*weights, 0.3))
    step = date_rows(rows[:4], DatingPrior(*weights))
    slow = date_gradually(rows, DatingPrior(*weights), gradual.HALF)
    parts = np.stack([0.7 * np.exp(step.log_marginal), 0.3 * np.exp(slow.log_marginal)])
    assert np.exp(both.log_marginal) == pytest.approx(parts.sum(axis=0))
    share = parts / parts.sum(axis=0)
    mean = share[0][:, None] * step.previous + share[1][:, None] * slow.reading[:, 1]
    assert both.previous == pytest.approx(mean, abs=1e-12)


def test_paths_are_drawn_with_their_posterior_probability(mixed):
    prior, every = mixed
    rows = np.random.default_rng(8).normal(-1.0, 1.0, (9, 1, TIME))
    count = 20_000
    drawn = draw_either(np.repeat(rows, count, axis=1), prior, np.random.default_rng(2))
    heights, readings, _ = brute(rows, every)
    chance = np.exp(heights[0] - logsumexp(heights[0]))
    seen = (drawn[:, None] == readings).all(axis=2)
    assert seen.any(axis=1).all()
    error = np.sqrt(chance * (1 - chance) / count) + 1.0 / count
    assert (np.abs(seen.mean(axis=0) - chance) < 5 * error).all()


def simulate(count, slow, seed, time=120, size=3.0):
    """Rows of orders that answer a known driver, each changed once to the same day, by a shape."""
    rng = np.random.default_rng(seed)
    orders = size * rng.normal(size=(count, time + 1))
    share = np.zeros((count, time + 1))
    start = rng.integers(2, time, count)
    length = np.where(slow, rng.geometric(1.0 / gradual.HALF, count), 0)
    at = np.arange(time + 1)
    share[at >= start[:, None]] = 0.5
    share[at >= (start + length)[:, None]] = 1.0
    own, late = share[:, 1:], 1.0 - share[:, :-1]
    flow = own * orders[:, 1:] + late * orders[:, :-1]
    flow += np.sqrt(own + late) * rng.standard_t(6.0, flow.shape)
    status = np.full(time + 1, SOME)
    status[0] = UNUSED
    found = []
    for i in range(count):
        zero = np.zeros((1, time + 1))
        none = np.full((1, time + 1), -30.0)  # all but never a row without a flow
        published = np.append(0.0, flow[i])
        law = orders[i][None], zero, none, np.array([6.0])
        found.append(row_log_likelihood(published, status, zero, *law, readings=9))
    return np.concatenate(found, axis=1)


def test_the_shape_of_a_change_is_recovered_and_its_probability_is_calibrated():
    slow = np.arange(400) % 2 == 1  # half of them gradual, as the prior has it
    found = date_either(simulate(400, slow, 9), DatingPrior(0, 0, 1, 0.5))
    share = found.convention[:, 4:].sum(axis=1)
    assert found.convention[:, [2, 4]].sum(axis=1).mean() > 0.98
    assert share[slow].mean() > 0.75 and share[~slow].mean() < 0.25
    error = np.sqrt((share * (1.0 - share)).mean() / len(share))
    assert abs(share.mean() - 0.5) < 4.0 * error
    sure = share > 0.9
    assert slow[sure].mean() > 0.9
