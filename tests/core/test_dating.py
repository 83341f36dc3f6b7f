import math

import numpy as np
import pytest

from attribution.core.dating import (
    CONVENTIONS,
    SAFE,
    DatingPrior,
    date_rows,
    draw_paths,
    log_marginal,
)
from attribution.core.dating_sums import sum_in_logs, sum_paths

TIME = 6


def enumerate_paths(time, prior):
    """Every path (time,) of lags with its prior weight and convention, by hand."""
    weights = np.array([prior.same, prior.previous, prior.switch], float)
    weights /= weights.sum()
    yield np.zeros(time, int), weights[0], 0
    yield np.ones(time, int), weights[1], 1
    for s in range(1, time):
        row = np.arange(time)
        yield (row < s).astype(int), weights[2] / 2 / (time - 1), 2
        yield (row >= s).astype(int), weights[2] / 2 / (time - 1), 3


def brute(same, previous, prior):
    density = np.exp(np.stack([same, previous]))
    rows = np.arange(len(same))
    paths = list(enumerate_paths(len(same), prior))
    joint = np.array([w * density[lag, rows].prod() for lag, w, _ in paths])
    return np.array([lag for lag, _, _ in paths]), joint, np.array([c for _, _, c in paths])


@pytest.fixture(params=[(1, 1, 1), (0.2, 0.5, 0.3), (0, 1, 1), (0, 0, 1), (3, 0, 0)])
def prior(request):
    return DatingPrior(*request.param)


@pytest.fixture
def rows():
    return np.random.default_rng(4).normal(-1.0, 1.5, (2, 3, TIME))


def test_the_sum_over_paths_is_the_sum_over_paths(rows, prior):
    same, previous = rows
    found = date_rows(same, previous, prior)
    for i in range(len(same)):
        lags, joint, kind = brute(same[i], previous[i], prior)
        total = joint.sum()
        assert found.log_marginal[i] == pytest.approx(math.log(total), abs=1e-12)
        by_kind = [joint[kind == k].sum() / total for k in range(len(CONVENTIONS))]
        assert found.convention[i] == pytest.approx(by_kind, abs=1e-13)
        assert found.previous[i] == pytest.approx(joint @ lags / total, abs=1e-13)
        for direction in (0, 1):
            at = joint[kind == 2 + direction] / total
            assert found.switch[i, direction, 1:] == pytest.approx(at, abs=1e-13)
            assert found.switch[i, direction, 0] == 0.0


def test_a_row_left_out_is_predicted_from_the_others_alone(rows, prior):
    same, previous = rows
    found = date_rows(same, previous, prior).log_left_out
    for t in range(TIME):
        blank = [np.where(np.arange(TIME) == t, 0.0, side) for side in (same, previous)]
        without = log_marginal(*blank, prior)
        assert found[:, t] == pytest.approx(log_marginal(same, previous, prior) - without)


def test_the_probability_of_a_reading_is_the_derivative_of_the_marginal(rows):
    same, previous = rows
    prior, step = DatingPrior(), 1e-5
    found = date_rows(same, previous, prior).previous
    for t in range(TIME):
        move = step * (np.arange(TIME) == t)
        up, down = (log_marginal(same, previous + s * move, prior) for s in (1, -1))
        assert (up - down) / (2 * step) == pytest.approx(found[:, t], abs=1e-9)


def test_swapping_the_readings_swaps_the_conventions(rows):
    same, previous = rows
    ahead = date_rows(same, previous, DatingPrior(0.2, 0.5, 0.3))
    back = date_rows(previous, same, DatingPrior(0.5, 0.2, 0.3))
    assert back.log_marginal == pytest.approx(ahead.log_marginal)
    assert back.convention == pytest.approx(ahead.convention[:, [1, 0, 3, 2]])
    assert back.previous == pytest.approx(1 - ahead.previous)


def test_rows_that_say_nothing_leave_the_prior(prior):
    found = date_rows(np.zeros(TIME), np.zeros(TIME), prior)
    assert found.log_marginal == pytest.approx(0.0)
    assert found.convention == pytest.approx(prior.probability)


def test_a_long_and_clear_switch_is_found_without_underflow():
    time, at = 5000, 3210
    better = np.where(np.arange(time) < at, 3.0, -3.0)
    found = date_rows(np.full(time, -400.0), better - 400.0, DatingPrior())
    assert np.isfinite(found.log_marginal) and np.isfinite(found.log_left_out).all()
    assert found.switch[0].argmax() == at and found.switch[0, at] > 0.85
    assert found.convention.sum() == pytest.approx(1.0)


def test_readings_that_are_far_apart_are_summed_in_logs():
    rng, prior = np.random.default_rng(5), DatingPrior(0.2, 0.5, 0.3)
    same, previous = rng.normal(-1.0, 300.0, (2, 40, TIME))
    found = date_rows(same, previous, prior)
    assert np.abs(same - previous).max() > SAFE
    for t in range(TIME):
        blank = [np.where(np.arange(TIME) == t, 0.0, side) for side in (same, previous)]
        without = log_marginal(*blank, prior)
        assert found.log_left_out[:, t] == pytest.approx(
            log_marginal(same, previous, prior) - without, abs=1e-9
        )


def test_sums_with_and_without_logs_agree(rows, prior):
    weight = prior.log_weights(TIME)
    for plain, careful in zip(sum_paths(*rows, weight), sum_in_logs(*rows, weight), strict=True):
        assert plain == pytest.approx(careful, abs=1e-12)


def test_paths_are_drawn_with_their_posterior_probabilities(rows):
    prior, draws = DatingPrior(0.2, 0.5, 0.3), 40_000
    same, previous = (np.broadcast_to(side[0], (draws, TIME)) for side in rows)
    drawn = draw_paths(same, previous, prior, np.random.default_rng(1))
    lags, joint, _ = brute(rows[0, 0], rows[1, 0], prior)
    for lag, probability in zip(lags, joint / joint.sum(), strict=True):
        share = (drawn == lag).all(axis=1).mean()
        error = math.sqrt(probability * (1 - probability) / draws)
        assert abs(share - probability) < 4.5 * error + 1e-12


def test_only_paths_with_one_switch_at_most_are_drawn():
    rng = np.random.default_rng(2)
    drawn = draw_paths(rng.normal(size=(500, 9)), rng.normal(size=(500, 9)), DatingPrior(), rng)
    assert np.abs(np.diff(drawn, axis=1)).sum(axis=1).max() <= 1


def test_one_row_knows_no_switch():
    found = date_rows(np.array([-1.0]), np.array([-2.0]), DatingPrior())
    assert found.convention[2:] == pytest.approx(0.0)
    assert found.log_marginal == pytest.approx(np.log((math.exp(-1) + math.exp(-2)) / 2))


@pytest.mark.parametrize("weights", [(-1.0, 1.0, 1.0), (0, 0, 0), (1, math.inf, 1)])
def test_weights_that_are_no_prior_are_refused(weights):
    with pytest.raises(ValueError, match="not a prior"):
        DatingPrior(*weights)
