import numpy as np
import pytest
from scipy import stats

from attribution.studies.flows.dated_flow import (
    NONE,
    SOME,
    UNUSED,
    dated_flow,
    log_density,
    of_both,
    of_held,
    row_log_likelihood,
)
from attribution.studies.flows.dating import DatingPrior, log_marginal
from attribution.studies.flows.gradual import HOLDS, date_either

SERIES, TIME, TAIL = 3, 12, 4.5


@pytest.fixture
def case():
    rng = np.random.default_rng(8)
    flow = rng.normal(size=(SERIES, TIME))
    status = rng.choice([UNUSED, NONE, SOME], (SERIES, TIME), p=[0.1, 0.2, 0.7])
    status[:, 0] = UNUSED
    flow[status == NONE] = 0.0
    flow[status == UNUSED] = np.nan
    arrays = [rng.normal(scale=s, size=(SERIES, TIME)) for s in (0.5, 1.0, 0.3, 1.0)]
    return flow, status, arrays


def of_prior(case, arrays=None, tail=TAIL, prior=None):
    flow, status, first = case
    return dated_flow(
        flow, status, *(arrays or first), np.broadcast_to(tail, SERIES), prior or DatingPrior()
    )


of = of_prior


def test_the_value_is_that_of_scipys_laws_summed_over_the_dating(case):
    flow, status, (row, orders, log_scale, log_odds) = case
    prior, total = DatingPrior(0.2, 0.5, 0.3), 0.0
    for i in range(SERIES):
        sides = np.zeros((4, TIME))
        for lag, t in np.ndindex(2, TIME):
            zero = 1 / (1 + np.exp(-log_odds[i, t - lag]))
            if status[i, t] == NONE:
                sides[lag, t] = np.log(zero)
            elif status[i, t] == SOME:
                mean, scale = row[i, t] + orders[i, t - lag], np.exp(log_scale[i, t - lag])
                sides[lag, t] = np.log1p(-zero) + stats.t.logpdf(flow[i, t], TAIL, mean, scale)
        for t in range(1, TIME):
            zero = np.prod(1 / (1 + np.exp(-log_odds[i, t - 1 : t + 1])))
            if status[i, t] == NONE:
                sides[2:, t] = np.log(zero), 0.0
            elif status[i, t] == SOME:
                mean = row[i, t] + orders[i, t] + orders[i, t - 1]
                scale = np.sqrt(2) * np.exp(log_scale[i, t - 1 : t + 1].mean())
                law = stats.t(TAIL, mean, scale)
                sides[2:, t] = np.log1p(-zero) + law.logpdf(flow[i, t]), -np.inf
                sums = of_both(
                    *([x[i, d] for x in (orders, log_scale, log_odds)] for d in (t, t - 1))
                )
                both = log_density(flow[i, t], SOME, row[i, t] + sums[0], *sums[1:], np.array(TAIL))
                assert both == pytest.approx(sides[2, t], abs=1e-12)
        parts = (array[i][None] for array in (row, orders, log_scale, log_odds))
        found = row_log_likelihood(flow[i], status[i], *parts, np.array([TAIL]))
        assert found[:, 0, 1:] == pytest.approx(sides[:, 1:], abs=1e-12)
        for lag, t in ((lag, t) for lag in (0, 1) for t in range(1, TIME)):
            mean, law = (
                row[i, t] + orders[i, t - lag],
                (log_scale[i, t - lag], log_odds[i, t - lag]),
            )
            one = log_density(flow[i, t], status[i, t], mean, *law, np.array(TAIL))
            assert one == pytest.approx(sides[lag, t], abs=1e-12)
        total += log_marginal(sides, prior)
    assert of(case, prior=prior).value == pytest.approx(total, abs=1e-10)


SHAPES = [DatingPrior(), DatingPrior(gradual=0.5), DatingPrior(0.2, 0.5, 0.3, 1.0)]


@pytest.mark.parametrize("prior", SHAPES, ids=str)
def test_the_gradient_is_that_of_finite_differences(case, prior):
    def of(case, arrays=None, tail=TAIL):
        return of_prior(case, arrays, tail, prior)

    found, step = of(case), 1e-6
    names = ("row", "orders", "log_scale", "log_odds")
    for k, name in enumerate(names):
        for index in np.ndindex(SERIES, TIME):
            sides = []
            for move in (step, -step):
                arrays = [array.copy() for array in case[2]]
                arrays[k][index] += move
                sides.append(of(case, arrays).value)
            slope = (sides[0] - sides[1]) / (2 * step)
            assert getattr(found, name)[index] == pytest.approx(slope, abs=2e-8), (name, index)
    for i in range(SERIES):
        move = step * (np.arange(SERIES) == i)
        slope = (of(case, tail=TAIL + move).value - of(case, tail=TAIL - move).value) / (2 * step)
        assert found.tail[i] == pytest.approx(slope, abs=2e-8)


def test_rows_that_are_not_used_do_not_enter(case):
    flow, status, _ = case
    other = np.where(status == UNUSED, 1e9, flow)
    assert of((other, *case[1:])).value == of(case).value


def test_an_odd_far_apart_series_does_not_overflow(case):
    flow, status, (row, orders, log_scale, log_odds) = case
    far = of((flow * 1e6, status, [row, orders, log_scale - 5, log_odds]))
    assert np.isfinite(far.value) and np.isfinite(far.orders).all()


def test_rows_that_hold_halves_have_the_law_of_orders_that_come_one_by_one(case):
    """Means add up by share, variances too if days are alike; none where neither has any."""
    flow, status, (row, orders, log_scale, log_odds) = case
    total = 0.0
    for i in range(SERIES):
        sides = np.zeros((9, TIME))
        for t in range(1, TIME):
            for reading, (own, late) in enumerate(HOLDS):
                days = [d for d, share in ((t, own), (t - 1, late)) if share > 0]
                zero = np.prod(1 / (1 + np.exp(-log_odds[i, days])))
                if status[i, t] == NONE:
                    sides[reading, t] = np.log(zero)
                elif status[i, t] == SOME:
                    mean = row[i, t] + own * orders[i, t] + late * orders[i, t - 1]
                    level = (own * log_scale[i, t] + late * log_scale[i, t - 1]) / max(
                        own + late, 1
                    )
                    if own + late == 0.5:
                        level *= 2.0
                    scale = np.exp(level) * np.sqrt(own + late)
                    sides[reading, t] = -np.inf
                    if days:
                        law = stats.t(TAIL, mean, scale)
                        sides[reading, t] = np.log1p(-zero) + law.logpdf(flow[i, t])
                        laws = [
                            [x[i, d] for x in (orders, log_scale, log_odds)] for d in (t, t - 1)
                        ]
                        held = of_held(*laws, reading)
                        same = log_density(
                            flow[i, t], SOME, row[i, t] + held[0], *held[1:], np.array(TAIL)
                        )
                        assert same == pytest.approx(sides[reading, t], abs=1e-12)
        parts = (array[i][None] for array in (row, orders, log_scale, log_odds))
        found = row_log_likelihood(flow[i], status[i], *parts, np.array([TAIL]), readings=9)
        assert found[:, 0, 1:] == pytest.approx(sides[:, 1:], abs=1e-12)
        total += date_either(found, DatingPrior(gradual=0.4)).log_marginal[0]
    assert of(case, prior=DatingPrior(gradual=0.4)).value == pytest.approx(total, abs=1e-10)


def test_a_vanishing_weight_of_gradual_switches_leaves_the_sudden_sum(case):
    few, none = of(case, prior=DatingPrior(gradual=1e-300)), of(case)
    assert few.value == pytest.approx(none.value, abs=1e-12)
    for name in ("row", "orders", "log_scale", "log_odds", "tail"):
        assert getattr(few, name) == pytest.approx(getattr(none, name), abs=1e-12), name
