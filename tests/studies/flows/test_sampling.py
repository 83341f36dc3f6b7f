"""The joint model in PyMC: its density, what moves it and what does not, and what it recovers."""

import numpy as np
import pytest

from attribution.sampling import engine
from attribution.studies.flows.dating import DatingPrior
from attribution.studies.flows.model import FlowKernel, build, dating_of, fit_flows
from attribution.studies.flows.question import FlowPrior

FIELDS = ("intercept", "persistence", "response", "loading", "log_scale", "activity", "demand")


def arguments(fit, draw=0):
    values = [getattr(fit, name)[draw] for name in (*FIELDS, "none", "none_slope")]
    return [*values, np.asarray(fit.tail[draw])]


def density(rows, prior=None):
    model = build(rows, prior or DatingPrior(), FlowPrior())
    return engine.log_density(model, mode="FAST_COMPILE")


def test_the_gradient_of_the_kernel_is_that_of_finite_differences(shaped):
    _, rows, fit = shaped
    kernel, step = FlowKernel(rows, fit.prior), 1e-6
    at = arguments(fit)
    gradient = kernel.value_and_gradient(*at)[1]
    rng = np.random.default_rng(1)
    for k, part in enumerate(gradient):
        direction = rng.normal(size=at[k].shape)
        sides = []
        for move in (step, -step):
            moved = [*at]
            moved[k] = at[k] + move * direction
            sides.append(kernel.value_and_gradient(*moved)[0])
        slope = float(np.sum(part * direction))
        assert (sides[0] - sides[1]) / (2 * step) == pytest.approx(slope, rel=1e-5, abs=1e-4), k


def test_the_kernel_is_the_sum_of_the_funds_own_likelihoods(shaped):
    _, rows, fit = shaped
    kernel = FlowKernel(rows, fit.prior)
    whole = sum(dating_of(fit, i).log_marginal for i in range(len(rows.flow)))
    for draw in (0, 7):
        value, _ = kernel.value_and_gradient(*arguments(fit, draw))
        assert value == pytest.approx(whole[draw], abs=1e-8)


def test_held_out_rows_do_not_move_the_density(panel, made):
    frame, _ = panel
    question, rows = made["rows"](frame)
    days = frame.index.get_level_values("time")
    changed = frame.copy()
    inside = (days >= str(question.hold_out[0])) & (days <= str(question.hold_out[1]))
    changed["flow"] = np.where(inside, -999.0, changed["flow"])
    first, start = density(rows)
    second, _ = density(made["rows"](changed)[1])
    for point in (start, start + 0.1):
        (a, slope), (b, other) = first(point), second(point)
        assert a == b and np.array_equal(slope, other)


def test_the_unit_of_a_fund_does_not_move_the_likelihood(panel, made, asked):
    frame, _ = panel
    other = frame.copy()
    other["flow"] *= np.where(other.index.get_level_values(0) == "switched", 1e3, 1.0)
    at = arguments(asked[2])
    first, second = (FlowKernel(made["rows"](x)[1], DatingPrior()) for x in (frame, other))
    assert second.value_and_gradient(*at)[0] == pytest.approx(first.value_and_gradient(*at)[0])


def test_the_names_of_the_funds_do_not_move_the_likelihood(panel, made, asked):
    frame, _ = panel
    names = {"always same": "z", "always previous": "a", "switched": "m"}
    rows = asked[1]
    other = made["rows"](frame.rename(index=names, level=0), focus="m")[1]
    order = [rows.data.funds.index({v: k for k, v in names.items()}[n]) for n in other.data.funds]
    at = arguments(asked[2])
    moved = [x if x.shape[:1] != (3,) else x[order] for x in at]
    first = FlowKernel(rows, DatingPrior()).value_and_gradient(*at)
    second = FlowKernel(other, DatingPrior()).value_and_gradient(*moved)
    assert second[0] == pytest.approx(first[0], abs=1e-9)
    assert second[1][0] == pytest.approx(first[1][0][order], abs=1e-9)


def test_a_few_draws_are_taken_without_shared_demand_too(panel, made):
    frame, _ = panel
    _, rows = made["rows"](frame, shared_demand=False)
    model = build(rows, DatingPrior(), FlowPrior())
    settings = {"draws": 3, "tune": 3, "chains": 1, "cores": 1, "mode": "FAST_COMPILE"}
    first, second = (engine.sample(model, seed=4, **settings) for _ in range(2))
    assert "demand_average" not in first["posterior"].data_vars
    for name, draws in first["posterior"].data_vars.items():
        assert np.array_equal(draws.to_numpy(), second["posterior"][name].to_numpy()), name


@pytest.fixture(scope="module")
def fitted(panel, made):
    _, rows = made["rows"](panel[0])
    settings = {"draws": 400, "tune": 400, "chains": 2, "cores": 1, "seed": 7}
    return fit_flows(rows, DatingPrior(), FlowPrior(), **settings)


@pytest.mark.slow
def test_the_sampler_recovers_the_dating_and_the_coefficients(fitted, panel, made):
    rows, truth = fitted.rows, panel[1]
    chance = {n: dating_of(fitted, i).convention.mean(0) for i, n in enumerate(rows.data.funds)}
    assert chance["always same"][0] > 0.9
    assert chance["always previous"][1] > 0.9
    assert chance["switched"][2] > 0.99
    switch = dating_of(fitted, rows.data.focus).switch[:, 0].mean(axis=0)
    low, high = np.searchsorted(np.cumsum(switch), [0.005, 0.995])
    assert low <= made["switch"] <= high and high - low < 30
    order = [made["funds"].index(name) for name in rows.data.funds]
    for i, fund in enumerate(order):
        draws = fitted.response[:, i] * rows.size[i] * rows.per_unit
        gap = np.abs(draws.mean(0) - truth.scale[fund] * truth.response) / draws.std(0)
        assert (gap < 4.0).all()
        own = fitted.persistence[:, i]
        assert abs(own.mean() - truth.persistence) < 4.0 * own.std()
    low, high = np.quantile(fitted.demand, (0.05, 0.95), axis=0)
    covered = ((low <= truth.demand) & (truth.demand <= high)).mean()
    assert abs(covered - 0.9) < 4.0 * np.sqrt(0.09 / len(truth.demand))


@pytest.mark.slow
def test_chains_agree_and_nothing_diverges(fitted):
    posterior = fitted.tree["posterior"]
    assert int(fitted.tree["sample_stats"]["diverging"].sum()) == 0
    for name in ("average", "persistence", "log_scale", "none"):
        assert engine.rhat(posterior[name].to_numpy()).max() < 1.05, name


@pytest.mark.slow
def test_one_seed_gives_one_result_whatever_the_held_out_rows_say(panel, made, monkeypatch):
    monkeypatch.setitem(engine.sample.__kwdefaults__, "mode", "FAST_COMPILE")
    frame, _ = panel
    question, rows = made["rows"](frame)
    days = frame.index.get_level_values("time")
    changed = frame.copy()
    inside = (days >= str(question.hold_out[0])) & (days <= str(question.hold_out[1]))
    changed["flow"] = np.where(inside, 555.0, changed["flow"])
    settings = {"draws": 4, "tune": 6, "chains": 2, "cores": 1, "seed": 7}
    first = fit_flows(rows, DatingPrior(), FlowPrior(), **settings)
    second = fit_flows(made["rows"](changed)[1], DatingPrior(), FlowPrior(), **settings)
    for name in (*FIELDS, "none", "none_slope", "tail", "demand_tail", "average", "spread"):
        assert np.array_equal(getattr(first, name), getattr(second, name)), name


@pytest.mark.slow
def test_a_study_runs_from_its_rows_to_its_answers(fitted, panel, made, monkeypatch):
    """On the draws of the fit above: the study hands the sampler these rows and no others."""
    from attribution.model.study import StudySample, StudySpec
    from attribution.runs.study import Effort
    from attribution.sampling import judge as sampled
    from attribution.studies.flows import answer as flows

    monkeypatch.setattr(sampled, "R_HAT", 10.0)
    monkeypatch.setattr(sampled, "ESS", 0.0)
    handed = []

    def fit(rows, dating, prior, **given):
        handed.append((rows, dating, prior, given))
        return fitted

    monkeypatch.setattr(flows, "fit_flows", fit)
    question = made["question"](panel[0])
    spec = StudySpec("small", "flows", "A small panel", (), StudySample("made up"), question)
    said = []
    effort = Effort(draws=200, seed=3, say=said.append)
    found = flows.flows_study(spec, made["evidence"](panel[0]), effort)
    assert found.headline.startswith("Net creation of switched of at least USD")
    assert found.tables["dating"].loc["switched", "previous to same day"] > 0.9
    assert said[0] == "sampling 3 funds over 150 days"
    ((rows, dating, prior, given),) = handed
    assert (dating, prior) == (
        DatingPrior(*question.dating.weights, question.dating.gradual),
        question.prior,
    )
    assert (given["draws"], given["chains"]) == (50, 4)
    for name in ("flow", "design", "activity", "size", "per_unit"):
        assert np.array_equal(getattr(rows, name), getattr(fitted.rows, name), equal_nan=True)
