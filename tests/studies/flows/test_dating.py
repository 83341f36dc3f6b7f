import math

import numpy as np
import pytest

from attribution.studies.flows.dating import (
    CONVENTIONS,
    SAFE,
    DatingPrior,
    date_rows,
    draw_paths,
    log_marginal,
    sum_in_logs,
    sum_paths,
)

TIME = 6


def enumerate_paths(time, prior):
    """Every path (time,) of lags with its prior weight and convention, by hand."""
    weights = np.array([prior.same, prior.previous, prior.switch], float)
    weights /= weights.sum()
    yield np.zeros(time, int), weights[0], 0
    yield np.ones(time, int), weights[1], 1
    row = np.arange(time)
    for s in range(1, time):
        to_same = np.where(row == s, 2, (row < s).astype(int))
        to_previous = np.where(row == s, 3, (row > s).astype(int))
        yield to_same, weights[2] / 2 / (time - 1), 2
        yield to_previous, weights[2] / 2 / (time - 1), 3


def brute(density, prior):
    density = np.exp(density)
    rows = np.arange(density.shape[1])
    paths = list(enumerate_paths(density.shape[1], prior))
    joint = np.array([w * density[lag, rows].prod() for lag, w, _ in paths])
    return np.array([lag for lag, _, _ in paths]), joint, np.array([c for _, _, c in paths])


@pytest.fixture(params=[(1, 1, 1), (0.2, 0.5, 0.3), (0, 1, 1), (0, 0, 1), (3, 0, 0)])
def prior(request):
    return DatingPrior(*request.param)


@pytest.fixture
def rows():
    return np.random.default_rng(4).normal(-1.0, 1.5, (4, 3, TIME))


def test_the_sum_over_paths_is_the_sum_over_paths(rows, prior):
    found = date_rows(rows, prior)
    for i in range(rows.shape[1]):
        lags, joint, kind = brute(rows[:, i], prior)
        total = joint.sum()
        assert found.log_marginal[i] == pytest.approx(math.log(total), abs=1e-12)
        by_kind = [joint[kind == k].sum() / total for k in range(len(CONVENTIONS))]
        assert found.convention[i] == pytest.approx(by_kind, abs=1e-13)
        for reading in range(4):
            share = joint @ (lags == reading) / total
            assert found.reading[i, reading] == pytest.approx(share, abs=1e-13)
        for direction in (0, 1):
            at = joint[kind == 2 + direction] / total
            assert found.switch[i, direction, 1:] == pytest.approx(at, abs=1e-13)
            assert found.switch[i, direction, 0] == 0.0


def test_a_row_left_out_is_predicted_from_the_others_alone(rows, prior):
    found = date_rows(rows, prior).log_left_out
    for t in range(TIME):
        blank = np.where(np.arange(TIME) == t, 0.0, rows)
        whole = log_marginal(rows, prior) - log_marginal(blank, prior)
        assert found[:, t] == pytest.approx(whole)


def test_a_flow_is_never_the_empty_row_of_a_switch(rows):
    rows[3] = -np.inf
    for found in (date_rows(rows, DatingPrior()), date_rows(200.0 * rows, DatingPrior())):
        assert (found.convention[:, 3] == 0.0).all() and (found.reading[:, 3] == 0.0).all()
        assert np.isfinite(found.log_marginal).all() and np.isfinite(found.log_left_out).all()
    found = date_rows(rows, DatingPrior()).log_left_out
    for t in range(TIME):
        blank = np.where(np.arange(TIME) == t, 0.0, rows)
        whole = log_marginal(rows, DatingPrior()) - log_marginal(blank, DatingPrior())
        assert found[:, t] == pytest.approx(whole)


def test_rows_hold_every_order_once_wherever_the_dating_switches():
    """Orders of all days but the first and the last; what rows hold at the edges lies outside."""
    orders = np.random.default_rng(0).normal(size=TIME)
    holds = np.array([[1, 0], [0, 1], [1, 1], [0, 0]])  # of the row's own day and the day before
    for path, _, _ in enumerate_paths(TIME, DatingPrior()):
        own, before = holds[path].T
        held = own * orders + before * np.append(0.0, orders[:-1])
        share = own[:-1] + before[1:]  # of each day's orders, in its own row and in the next
        assert (share == 1).all()
        edge = (1 - own[-1]) * orders[-1]
        assert held.sum() == pytest.approx(orders.sum() - edge)
    drawn = draw_paths(np.zeros((4, 400, TIME)), DatingPrior(), np.random.default_rng(1))
    assert (holds[drawn][:, :-1, 0] + holds[drawn][:, 1:, 1] == 1).all()


def test_the_probability_of_a_reading_is_the_derivative_of_the_marginal(rows):
    prior, step = DatingPrior(), 1e-5
    found = date_rows(rows, prior).reading
    for reading, t in np.ndindex(4, TIME):
        move = np.zeros((4, 1, TIME))
        move[reading, 0, t] = step
        up, down = (log_marginal(rows + s * move, prior) for s in (1, -1))
        assert (up - down) / (2 * step) == pytest.approx(found[:, reading, t], abs=1e-9)


def test_swapping_the_readings_swaps_the_conventions(rows):
    ahead = date_rows(rows, DatingPrior(0.2, 0.5, 0.3))
    back = date_rows(rows[[1, 0, 3, 2]], DatingPrior(0.5, 0.2, 0.3))
    assert back.log_marginal == pytest.approx(ahead.log_marginal)
    assert back.convention == pytest.approx(ahead.convention[:, [1, 0, 3, 2]])
    assert back.reading == pytest.approx(ahead.reading[:, [1, 0, 3, 2]])


def test_rows_that_say_nothing_leave_the_prior(prior):
    found = date_rows(np.zeros((4, TIME)), prior)
    assert found.log_marginal == pytest.approx(0.0)
    assert found.convention == pytest.approx(prior.probability)


def test_a_long_and_clear_switch_is_found_without_underflow():
    time, at = 5000, 3210
    better = np.where(np.arange(time) < at, 3.0, -3.0)
    same, previous = np.full(time, -400.0), better - 400.0
    found = date_rows(np.stack([same, previous, same, previous]), DatingPrior())
    assert np.isfinite(found.log_marginal) and np.isfinite(found.log_left_out).all()
    assert found.switch[0].argmax() == at and found.switch[0, at] > 0.85
    assert found.convention.sum() == pytest.approx(1.0)


def test_readings_that_are_far_apart_are_summed_in_logs():
    rng, prior = np.random.default_rng(5), DatingPrior(0.2, 0.5, 0.3)
    rows = rng.normal(-1.0, 300.0, (4, 40, TIME))
    found = date_rows(rows, prior)
    assert np.abs(rows[0] - rows[1]).max() > SAFE
    for t in range(TIME):
        blank = np.where(np.arange(TIME) == t, 0.0, rows)
        whole = log_marginal(rows, prior) - log_marginal(blank, prior)
        assert found.log_left_out[:, t] == pytest.approx(whole, abs=1e-9)


def test_sums_with_and_without_logs_agree(rows, prior):
    weight = prior.log_weights(TIME)
    laid = rows[0], rows[1], np.ascontiguousarray((rows[2:] - rows[:2]).swapaxes(0, 1)), weight
    for plain, careful in zip(sum_paths(*laid), sum_in_logs(*laid), strict=True):
        assert plain == pytest.approx(careful, abs=1e-12)


def test_paths_are_drawn_with_their_posterior_probabilities(rows):
    prior, draws = DatingPrior(0.2, 0.5, 0.3), 40_000
    many = np.broadcast_to(rows[:, :1], (4, draws, TIME))
    drawn = draw_paths(many, prior, np.random.default_rng(1))
    lags, joint, _ = brute(rows[:, 0], prior)
    for lag, probability in zip(lags, joint / joint.sum(), strict=True):
        share = (drawn == lag).all(axis=1).mean()
        error = math.sqrt(probability * (1 - probability) / draws)
        assert abs(share - probability) < 4.5 * error + 1e-12


def test_only_paths_with_one_switch_at_most_are_drawn():
    rng = np.random.default_rng(2)
    drawn = draw_paths(rng.normal(size=(4, 500, 9)), DatingPrior(), rng)
    known = {tuple(path) for path, _, _ in enumerate_paths(9, DatingPrior())}
    assert {tuple(path) for path in drawn.tolist()} <= known


def test_one_row_knows_no_switch():
    found = date_rows(np.array([[-1.0], [-2.0], [-3.0], [-4.0]]), DatingPrior())
    assert found.convention[2:] == pytest.approx(0.0)
    assert found.log_marginal == pytest.approx(np.log((math.exp(-1) + math.exp(-2)) / 2))


@pytest.mark.parametrize("weights", [(-1.0, 1.0, 1.0), (0, 0, 0), (1, math.inf, 1)])
def test_weights_that_are_no_prior_are_refused(weights):
    with pytest.raises(ValueError, match="not a prior"):
        DatingPrior(*weights)
