"""A dating that changes gradually: all paths by hand, and no order lost on any of them."""

import math

import numpy as np
import pytest
from scipy.special import logsumexp

from attribution.studies.flows.dating import DatingPrior, date_rows
from attribution.studies.flows.dating_sensitivity import HOLDS, date_gradually

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
