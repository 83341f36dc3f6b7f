"""Fits: weights of laws, mixtures, priors, simulated days, and known parameters found again."""

from dataclasses import replace

import numpy as np
import pytest
from calibration import event_days
from calibration.event_days import simulate_days
from scipy import stats

from attribution.errors import DataError
from attribution.mechanics import impact
from attribution.sampling import engine
from attribution.studies.event import priors
from attribution.studies.event.density import law_model, response
from attribution.studies.event.fit import fit_event, mixture, prior_draws, weights
from attribution.studies.event.flows import book_scale, gamma_flow, levels, liquidation_flow
from attribution.studies.event.layout import layout
from attribution.studies.event.sampling import LawFit, log_posterior
from attribution.studies.event.tables import absorbed_of


def fit_of(log_evidence=0.0, error=0.0, mark=0.0, shape=(4, 100), chance=0.25):
    draws = {"mu": np.broadcast_to(mark + np.arange(shape[1]) / 1e3, shape)}
    chance = np.full(shape, chance) if np.isscalar(chance) else chance
    return LawFit(
        "linear", draws, chance, log_evidence, error, {"diverging": np.zeros(shape, bool)}
    )


def test_a_model_file_names_the_laws_of_impact_that_there_are():
    assert priors.LAWS == impact.LAWS


def test_weights_of_laws_are_bayes_theorem():
    fits = [fit_of(np.log(0.2), 0.1), fit_of(np.log(0.6), 0.0)]
    weight, error = weights(np.array([0.5, 0.5]), fits)
    assert weight == pytest.approx([0.25, 0.75])
    assert error == pytest.approx(0.25 * 0.75 * 0.1)  # only one law has an error to share
    weight, _ = weights(np.array([0.75, 0.25]), fits)
    assert weight == pytest.approx([0.5, 0.5])


def test_a_mixture_holds_each_law_in_proportion_in_every_chain():
    fits = [fit_of(mark=0.0), fit_of(mark=1.0), fit_of(mark=2.0)]
    weight = np.array([0.213, 0.787, 0.0])
    mixed, law = mixture(fits, weight, np.random.default_rng(0))
    counts = np.stack([(law == number).sum(axis=1) for number in range(3)])
    assert (np.abs(counts - 100 * weight[:, None]) <= 1.0).all()
    assert (np.floor(mixed["mu"]) == law).all()
    for chain in range(4):  # spread over the whole chain, in its order
        taken = mixed["mu"][chain, law[chain] == 1] - 1.0
        assert (np.diff(taken) > 0.0).all()
        assert taken[[0, -1]] == pytest.approx([0.0, 0.099])


def test_prior_draws_follow_their_priors(question, rows):
    drawn = prior_draws(question, rows, 4000, np.random.default_rng(1))
    law = stats.norm(np.log(question.notes.face.median), question.notes.face.sd)
    assert stats.kstest(np.log(drawn["face"]), law.cdf).pvalue > 1e-3
    gamma = question.gamma
    share = (drawn["dealer_position"] - gamma.none) / (gamma.all - gamma.none)
    assert stats.kstest(share, stats.beta(gamma.position.p, gamma.position.q).cdf).pvalue > 1e-3
    shares = np.bincount(drawn["law"], minlength=4) / 4000
    assert shares == pytest.approx([one.weight for one in question.impact.laws], abs=0.03)
    linear = drawn["law"] != 0
    assert (drawn["exponent"][linear] == 1.0).all()
    assert (drawn["exponent"][~linear] != 1.0).all()
    assert drawn["unwound"].shape == (4000, len(rows.named))
    assert set(drawn["absorbed"]) == {0, 1}
    often = stats.binomtest(int(drawn["absorbed"].sum()), 4000, question.liquidations.absorbed)
    assert often.pvalue > 1e-3


def test_whether_orders_were_absorbed_is_averaged_over_draws_and_laws():
    """Each draw says its own probability; a law counts by its weight."""
    rng = np.random.default_rng(3)
    each = [rng.beta(2.0, 5.0, (4, 500)), rng.beta(5.0, 2.0, (4, 500))]
    fits = [fit_of(error=0.1, chance=each[0]), fit_of(error=0.2, chance=each[1])]
    weight = np.array([0.3, 0.7])
    found = absorbed_of(0.25, fits, weight)
    means = [one.mean() for one in each]
    assert found.by_law == pytest.approx(means)
    assert found.chance == pytest.approx(0.3 * means[0] + 0.7 * means[1])
    # draws are independent; log evidences move the weights by 0.3 x 0.7 times their errors
    own = (np.array([0.3, 0.7]) * [one.std() for one in each]) / np.sqrt(2000)
    moved = 0.21 * (means[1] - means[0]) * np.array([0.1, 0.2])
    assert found.error == pytest.approx(np.sqrt((own**2).sum() + (moved**2).sum()), rel=0.1)
    assert found.factor() == pytest.approx(found.chance / (1.0 - found.chance) * 3.0)
    assert np.isnan(absorbed_of(0.0, [fit_of(chance=0.0)], np.ones(1)).factor())
    still = absorbed_of(0.25, [fit_of(chance=0.25)], np.ones(1))
    assert (still.chance, still.error, still.factor()) == pytest.approx((0.25, 0.0, 1.0))


def test_absorbed_orders_move_no_price_and_are_closed_all_the_same(question, rows, surface):
    """With the same seed: other prices where a mark is left, the same base of what was closed."""
    asked = calm(question)
    drawn = prior_draws(asked, rows, 1, np.random.default_rng(2))
    wide = {"liquidation_multiple": np.array([4.0])}
    made = [
        simulate_days(asked, rows, surface, {**drawn, **fate}, 0, np.random.default_rng(7))
        for fate in (
            {"absorbed": np.array([1])},
            {"absorbed": np.array([1]), **wide},
            {"absorbed": np.array([0]), "liquidation_multiple": np.array([0.0])},
            {"absorbed": np.array([0])},
        )
    ]
    clean, other, none, mark = made
    assert clean is not None and mark is not None
    for days in (other, none):
        assert np.array_equal(days.move, clean.move)
        assert np.array_equal(days.longs, clean.longs, equal_nan=True)
    away = np.abs(mark.move - clean.move)
    assert away.max() > 1e-3
    assert (np.nan_to_num(clean.longs) > 0.0).any()


def far_apart(question):
    """The calm question with orders that reach the market many times over: the data can tell."""
    multiple = replace(question.liquidations.multiple, median=8.0, sd=0.3)
    return replace(
        calm(question), liquidations=replace(question.liquidations, multiple=multiple, absorbed=0.5)
    )


@pytest.mark.slow
def test_evidence_is_that_of_both_accounts_and_the_posterior_of_one_follows_from_it(
    question, rows, surface
):
    """The integral is linear in the prior probability, so that two fits say the same twice.

    With Z(a) = a Z(1) + (1 - a) Z(0), P(absorbed) = 1 - (1 - a) Z(0)/Z(a) for every a.
    """
    asked, found = far_apart(question), []
    quiet = replace(rows, vanished=np.full(len(rows.days), np.nan))
    for absorbed in (0.0, 0.3):
        here = replace(asked, liquidations=replace(asked.liquidations, absorbed=absorbed))
        fit = fit_event(here, quiet, surface, draws=1000, tune=250, seed=6)
        said = absorbed_of(absorbed, fit.laws, fit.weight)
        found.append((fit.laws[0].log_evidence, fit.laws[0].evidence_error, said))
        drawn = fit.draws["absorbed"]
        assert abs(drawn.mean() - said.chance) < 5.0 * np.sqrt(0.25 / drawn.size)
    (none, error, sure), (log, own, said) = found
    assert sure.chance == sure.error == 0.0
    ratio = 0.7 * np.exp(none - log)
    wrong = 5.0 * (said.error + ratio * np.hypot(error, own))
    assert said.chance == pytest.approx(1.0 - ratio, abs=wrong)
    assert not 0.5 < said.factor() < 2.0  # the data do say something


@pytest.mark.parametrize("number", [0, 1])
def test_the_density_without_bounds_is_the_sampler_s(question, rows, surface, number):
    given = law_model(question, rows, surface, question.impact.laws[number])
    density, start = engine.log_density(given.model)
    points = start + 0.2 * np.random.default_rng(0).standard_normal((5, len(start)))
    found = log_posterior(given, points)
    assert found == pytest.approx([density(point)[0] for point in points], rel=1e-12)


def calm(question):
    """The question with loops that are weak a priori, so that days can be drawn."""
    gross = replace(question.gamma.gross, median=5e3, sd=0.2)
    laws = tuple(
        replace(law, weight=1.0, scale=replace(law.scale, sd=0.2))
        for law in question.impact.laws[1:2]
    )
    return replace(
        question,
        gamma=replace(question.gamma, gross=gross),
        impact=replace(question.impact, laws=laws),
    )


def test_simulated_days_solve_the_model_s_equation(question, rows, surface, monkeypatch):
    """What is left of each move after impact and drivers is the noise that was drawn."""
    asked, kept, solved = calm(question), [], 0
    drawn = prior_draws(asked, rows, 12, np.random.default_rng(2))
    made = event_days._shocks
    monkeypatch.setattr(event_days, "_shocks", lambda *given: kept.append(made(*given)) or kept[-1])
    for index in range(12):
        days = simulate_days(asked, rows, surface, drawn, index, np.random.default_rng(index))
        if days is None:
            continue
        draw = {name: value[index] for name, value in drawn.items()}
        explained = draw["mu"] + rows.drivers @ draw["beta"]
        expected = (kept[-1].price - explained) / np.exp(draw["s0"] + draw["s1"] * rows.noise)
        # flows are tabulated every quarter of a log point and straight between
        assert residuals(asked, days, surface, draw) == pytest.approx(expected, abs=2e-3)
        assert np.isnan(days.longs[np.isnan(rows.longs)]).all()
        solved += 1
    assert solved > 5


def test_moves_that_are_held_out_stay_as_given_when_days_are_drawn(question, rows, surface):
    asked = replace(calm(question), held_out=True)
    drawn = prior_draws(asked, rows, 6, np.random.default_rng(2))
    made = [
        simulate_days(asked, rows, surface, drawn, index, np.random.default_rng(index))
        for index in range(6)
    ]
    found = [days for days in made if days is not None]
    assert found
    for days in found:
        assert (days.move[rows.named] == rows.move[rows.named]).all()
        assert (np.delete(days.move, rows.named) != np.delete(rows.move, rows.named)).all()


def residuals(question, days, surface, draw):
    """Standardised noise of each day, flows written out once more."""
    place = np.arange(len(days.days))
    book = surface.book_at(place, days.move, draw["pass_through"] * days.volatility)
    puts = surface.overlay_at(place, days.move, days.volatility)
    flow = draw["face"] * (book + draw["overlay"] * puts)
    flow = flow + gamma_flow(draw, book_scale(question, days), days.move)
    level, reference = levels(question, days, draw), question.liquidations.reference
    flow = flow + liquidation_flow(draw, reference, level, days.move)
    flow[days.named] -= (1.0 - draw["arbitrage"] * draw["leg_ratio"]) * draw["unwound"]
    law = question.impact.laws[int(draw["law"])].name
    moved = response(question.impact, law, days, draw).move(flow)
    rest = days.move - moved - draw["mu"] - days.drivers @ draw["beta"]
    return rest / np.exp(draw["s0"] + draw["s1"] * days.noise)


def test_too_few_draws_are_refused(question, rows, surface):
    with pytest.raises(DataError, match="less than one a chain; ask for 4 or more"):
        fit_event(question, rows, surface, draws=3, seed=0)


@pytest.mark.slow
def test_known_parameters_are_found_again(question, rows, surface):
    """Three sets of parameters drawn from the prior: 90 % intervals hold nine tenths of them.

    A step over the wall at a loop gain of one counts as a divergence and is none: the draw is
    rejected, as it should be.  Whether that distorts anything is for simulation-based calibration.
    """
    asked = replace(calm(question), held_out=True)
    drawn = prior_draws(asked, rows, 100, np.random.default_rng(5))
    plan = layout(asked, rows, asked.impact.laws[0])
    names = [entry.name for entry in plan.entries] + [name for name, _ in plan.shares]
    inside, done = [], 0
    for index in range(100):
        days = simulate_days(asked, rows, surface, drawn, index, np.random.default_rng(index))
        if days is None or done == 3:
            continue
        done += 1
        fit = fit_event(asked, days, surface, draws=1000, tune=300, seed=index)
        for name in names:
            flat = fit.draws[name].reshape(1000, -1)
            low, high = np.quantile(flat, [0.05, 0.95], axis=0)
            truth = np.atleast_1d(drawn[name][index])
            inside += list((low <= truth) & (truth <= high))
    sd = np.sqrt(0.9 * 0.1 / len(inside))
    assert abs(np.mean(inside) - 0.9) < 4.0 * sd


@pytest.mark.slow
def test_a_fit_is_reproduced_by_its_seed(question, rows, surface):
    asked, short = calm(question), {"draws": 1000, "tune": 200}
    first, second = (fit_event(asked, rows, surface, seed=4, **short) for _ in range(2))
    assert all(np.array_equal(first.draws[name], second.draws[name]) for name in first.draws)
    assert first.weight == pytest.approx([1.0])
    other = fit_event(asked, rows, surface, seed=5, **short)
    assert first.laws[0].log_evidence == pytest.approx(
        other.laws[0].log_evidence,
        abs=5.0 * np.hypot(first.laws[0].evidence_error, other.laws[0].evidence_error),
    )
