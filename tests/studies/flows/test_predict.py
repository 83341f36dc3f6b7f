"""Rows that are asked are predicted from other rows alone: weights, demand, tails."""

import numpy as np
import pytest
from scipy.special import logsumexp

from attribution.studies.flows.dated_flow import UNUSED
from attribution.studies.flows.gradual import date_either
from attribution.studies.flows.model import dating_of, readings_of, replicate
from attribution.studies.flows.predict import GRID, _using, ask, day_evidence, left_out


def marginal(fit, demand, day, with_row):
    """Log likelihood (draw,) of all rows for given demand of a day, its own rows in or out."""
    from dataclasses import replace

    moved = fit.demand.copy()
    moved[:, day] = demand
    status = fit.rows.status.copy()
    if not with_row:
        status[:, day] = UNUSED
    fit = replace(_using(fit, status), demand=moved)
    return sum(dating_of(fit, i).log_marginal for i in range(len(fit.rows.flow)))


def test_known_parameters_recover_the_dating(asked, made):
    _, rows, fit = asked
    chance = {
        name: dating_of(fit, i).convention.mean(axis=0) for i, name in enumerate(rows.data.funds)
    }
    assert chance["always same"][0] > 0.9
    assert chance["always previous"][1] > 0.9
    assert chance["switched"][2] > 0.99
    switch = dating_of(fit, rows.data.focus).switch[:, 0].mean(axis=0)
    low, high = np.searchsorted(np.cumsum(switch), [0.005, 0.995])
    assert low <= made["switch"] <= high
    assert high - low < 20


@pytest.mark.parametrize("day", [40, 88, 149])
def test_the_evidence_on_a_days_demand_is_that_of_all_rows(shaped, day):
    _, _, fit = shaped
    known, blank = day_evidence(fit, day)
    at = [10, 30, 33, 50]
    nu = fit.demand_tail[:, None]
    prior = -(nu + 1) / 2 * np.log1p(GRID**2 / nu) + np.log(np.gradient(GRID))
    for found, with_row in ((known, True), (blank, False)):
        likelihood = np.stack([marginal(fit, GRID[j], day, with_row) for j in at], axis=1)
        mine = (found - prior)[:, at]
        assert mine - mine[:, :1] == pytest.approx(likelihood - likelihood[:, :1], abs=1e-8)
    both = (known - blank)[:, at]
    wanted = np.stack(
        [marginal(fit, GRID[j], day, True) - marginal(fit, GRID[j], day, False) for j in at], axis=1
    )
    assert both == pytest.approx(wanted, abs=1e-8)


def test_a_fitted_day_is_taken_out_by_its_own_evidence(asked):
    question, rows, fit = asked
    day = rows.data.days.get_loc(str(question.asked[0]))
    found = ask(fit, day, np.random.default_rng(1))
    known, blank = day_evidence(fit, day)
    wanted = logsumexp(blank, axis=1) - logsumexp(known, axis=1)
    assert found.log_weight == pytest.approx(wanted)


def test_the_first_held_out_day_needs_no_weights_and_the_second_knows_the_first(asked):
    question, rows, fit = asked
    first, second = (rows.data.days.get_loc(str(day)) for day in question.asked[1:])
    assert (ask(fit, first, np.random.default_rng(1)).log_weight == 0.0).all()
    assert np.ptp(ask(fit, second, np.random.default_rng(1)).log_weight) > 0.0


def test_the_asked_row_itself_does_not_enter_its_prediction(panel, made):
    frame, truth = panel
    day = -12
    other = frame.copy()
    when = frame.index.get_level_values("time").unique()[day]
    other.loc[(slice(None), when), "flow"] = 777.0
    found = []
    for rows_frame in (frame, other):
        _, rows = made["rows"](rows_frame)
        fit = made["draws"](rows, truth, lead=(1, 50))
        found.append(ask(fit, len(rows.data.days) + day, np.random.default_rng(2)))
    for name in ("flow", "mean", "previous", "convention", "log_weight"):
        assert np.array_equal(getattr(found[0], name), getattr(found[1], name)), name
    assert not np.array_equal(found[0].exceedance, found[1].exceedance)


def test_the_probability_of_a_tail_is_the_share_of_draws_in_it(panel, made):
    frame, truth = panel
    _, rows = made["rows"](frame)
    fit = made["draws"](rows, truth, lead=(2, 2000))
    found = ask(fit, len(rows.data.days) - 12, np.random.default_rng(2))
    published = rows.data.flow[-12]
    share = (found.flow >= published[None, :, None]).mean(axis=0)
    error = np.sqrt(np.maximum(share * (1 - share), 1e-4) / len(found.flow))
    assert (np.abs(share - found.exceedance.mean(axis=0)) < 4.5 * error).all()
    assert found.flow.mean(axis=0) == pytest.approx(
        found.mean.mean(axis=0), abs=float(4.5 * found.flow.std() / np.sqrt(len(found.flow)))
    )


def test_averaged_rows_mix_the_two_readings_by_their_probability(shaped):
    _, rows, fit = shaped
    found = ask(fit, 40, np.random.default_rng(2))
    chance = found.previous
    assert found.exceedance[:, :, 2] == pytest.approx(found.tail.sum(axis=2))
    apart = found.both + found.halves + found.convention[:, :, 3:].sum(axis=2)
    for mixed, bound in ((found.mean, 1e9), (found.exceedance, 1.0)):
        plain = (1 - chance) * mixed[:, :, 0] + chance * mixed[:, :, 1]
        near = apart < 1e-9  # but for rows that may stand for both days or for neither
        assert mixed[:, :, 2][near] == pytest.approx(plain[near])
        assert (np.abs(mixed[:, :, 2] - plain) <= bound * 2 * (apart + 1e-9)).all()
    assert (found.both >= 0).all() and (found.both + chance <= 1 + 1e-9).all()
    assert found.convention.sum(axis=2) == pytest.approx(1.0)
    assert found.joint.sum(axis=2) == pytest.approx(chance)
    at = rows.data.funds.index("always previous")
    assert chance[:, at].mean() > 0.99


def test_a_row_left_out_keeps_the_reading_of_the_others(shaped):
    _, rows, fit = shaped
    focus = rows.data.focus
    found = left_out(fit, focus)
    assert len(found.row) == (rows.status[focus] != UNUSED).sum()
    assert (found.low <= found.high + 1e-12).all()
    assert found.low.min() >= 0.0 and found.high.max() <= 1.0 + 1e-12
    zero = rows.flow[focus, found.row] == 0.0
    assert (found.high - found.low)[zero].min() > 0.0
    assert (found.high - found.low)[~zero].max() < 1e-12
    readings = readings_of(fit, focus)
    dating = date_either(readings.rows, fit.prior)
    assert found.log_likelihood == pytest.approx(dating.log_left_out[:, found.row])


def test_left_out_rows_of_the_true_model_are_uniform(asked):
    from scipy import stats

    _, rows, fit = asked
    middle = []
    for fund in range(len(rows.flow)):
        found = left_out(fit, fund)
        rng = np.random.default_rng(fund)
        middle.append(found.low + rng.random(len(found.low)) * (found.high - found.low))
    assert stats.kstest(np.concatenate(middle), "uniform").pvalue > 0.01


def test_replicated_rows_look_like_the_published_ones(asked):
    _, rows, fit = asked
    focus = rows.data.focus
    used, drawn = replicate(fit, focus, np.random.default_rng(3))
    seen = rows.data.flow[used, focus]
    share = (drawn == 0).mean(axis=1)
    assert np.quantile(share, 0.001) <= (seen == 0).mean() <= np.quantile(share, 0.999)
    there = np.abs(seen[seen != 0]).mean()  # which rows have a flow is another matter
    same = np.where(drawn[:, seen != 0] == 0, np.nan, np.abs(drawn[:, seen != 0]))
    spread = np.nanmean(same, axis=1)
    assert np.quantile(spread, 0.001) <= there <= np.quantile(spread, 0.999)
