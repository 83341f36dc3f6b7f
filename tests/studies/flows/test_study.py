"""The study, its checks and its figures, from draws about the truth of a small panel."""

import json
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from attribution.sampling import judge
from attribution.studies.flows.answer import answer
from attribution.studies.flows.checks import _spread, findings_of
from attribution.studies.flows.dating_checks import (
    BREADTH,
    EVERY,
    PRIORS,
    Weighted,
    asked_days,
    under_priors,
)
from attribution.studies.flows.pictures import pictures

KEPT = ("/posterior", "/dating", "/predictive", "/posterior_predictive", "/observed_data")


def quiet(_):
    """Say nothing."""


@contextmanager
def unjudged():
    """Draws about the truth are no chain: their effective number is not the question here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(judge, "R_HAT", 10.0)
        patch.setattr(judge, "ESS", 0.0)
        yield


@pytest.fixture
def loose():
    with unjudged():
        yield


@pytest.fixture(scope="session")
def study(asked, made):
    question, _, fit = asked
    streams = np.random.SeedSequence(5).spawn(2)
    units = {name: made["units"][name] for name in question.columns}
    with unjudged():
        return answer("small", question, units, fit, streams, quiet)


@pytest.fixture(scope="session")
def tree(study):
    return xr.DataTree.from_dict(dict(study.groups))


def test_the_study_hands_over_what_it_promises(study, asked):
    question, rows, fit = asked
    assert next(iter(study.tables)) == "answers"
    assert set(KEPT) < set(study.groups)
    flow = study.groups["/predictive"]["flow"]
    assert flow.dims == ("chain", "draw", "day", "fund", "convention")
    assert flow.shape == (*fit.lead, len(question.asked), len(rows.data.funds), 3)
    likelihood = study.groups["/log_likelihood"]["focus"]
    assert likelihood.dims == ("chain", "draw", "time") and np.isfinite(likelihood).all()
    answers = study.tables["answers"]
    assert {"published", "at_least_published", "error"} < set(answers.columns)
    assert answers["error"].dropna().lt(0.1).all()
    assert json.dumps([study.notes, dict(study.diagnostics)], allow_nan=False)
    assert len({finding.name for finding in study.findings}) == len(study.findings)


def test_the_same_seed_gives_the_same_study(study, asked, made, loose):
    question, _, fit = asked
    again = answer("small", question, made["units"], fit, np.random.SeedSequence(5).spawn(2), quiet)
    for name, table in study.tables.items():
        assert table.equals(again.tables[name]), name
    assert study.headline == again.headline


def test_the_dating_is_told_fund_by_fund(study):
    table = study.tables["dating"]
    assert table.loc["always same", "same day"] > 0.9
    assert table.loc["always previous", "previous day"] > 0.9
    assert table.loc["switched", "previous to same day"] > 0.99
    assert table.loc["switched", "switch_q05"] <= table.loc["switched", "switch_median"]


def test_the_hurdle_explains_the_zeros_and_a_law_without_one_does_not(study):
    table = study.tables["zeros"]
    error = np.sqrt(table["published"] * (1 - table["published"]) / table["rows"])
    assert (np.abs(table["hurdle"] - table["published"]) < 4 * error).all()
    assert (table["without_hurdle"] < table["published"] / 3).all()


def test_coefficients_are_in_units_of_the_data(study, panel, asked):
    truth, (_, rows, _) = panel[1], asked
    table = study.tables["coefficients"]
    for name, scale in zip(
        ("always same", "always previous", "switched"), truth.scale, strict=True
    ):
        for covariate, response in zip(rows.covariates, truth.response, strict=True):
            row = table.loc[f"{name}: {covariate}"]
            assert row["mean"] == pytest.approx(scale * response, abs=4 * row["sd"])
        assert row["unit"] == "USD million per bp"
    assert table.loc["switched: persistence", "mean"] == pytest.approx(truth.persistence, abs=0.05)


def test_a_higher_published_row_is_a_surprise(tree):
    usual = {finding.name: finding for finding in findings_of(tree)[0]}
    day = asked_days(tree)[1]
    name = f"surprise {day.day}, averaged"
    assert usual[name].verdict == "undecided"
    high = tree.copy()
    data = high["weighted/predictive"].to_dataset().copy(deep=True)
    data["published"][1] = 1e4
    data["at_least_published"][:, :, 1] = 0.001
    high["weighted/predictive"] = xr.DataTree(data)
    found = {finding.name: finding for finding in findings_of(high)[0]}
    assert found[name].verdict == "holds" and found[name].probability == pytest.approx(0.999)
    assert found[f"all funds {day.day}"].verdict == "holds"


def test_a_plain_mean_of_a_prediction_is_the_one_that_is_printed(tree, study):
    """Draws that leave a fitted day out carry weights; those that are saved weigh alike."""
    saved, before = tree["predictive"].to_dataset(), tree["weighted/predictive"].to_dataset()
    assert "log_weight" not in saved and np.ptp(before["log_weight"].to_numpy()) > 0.1
    focus = saved.attrs["focus"]
    plain = saved["at_least_published"].sel(fund=focus).mean(("chain", "draw"))
    moved = saved["previous_day_probability"].sel(fund=focus).mean(("chain", "draw"))
    for day, data in zip(saved["day"].to_numpy(), asked_days(tree), strict=True):
        row = f"{data.day} averaged"
        found = float(plain.sel(day=day, convention="averaged"))
        assert found == pytest.approx(
            study.tables["answers"].loc[row, "at_least_published"], rel=1e-10
        )
        assert float(moved.sel(day=day)) == pytest.approx(
            data.weighted.mean(before["previous_day_probability"].sel(fund=focus, day=day)),
            rel=1e-10,
        )
        x = before["mean"].sel(fund=focus, day=day, convention="averaged")
        x = x.transpose("chain", "draw").to_numpy()
        log_weight = before["log_weight"].sel(day=day).transpose("chain", "draw").to_numpy()
        exact = Weighted.of(log_weight)
        part = exact.weight % 1
        noise = np.sqrt(np.sum(part * (1 - part) * (x - exact.mean(x)) ** 2)) / x.size
        kept = saved["mean"].sel(fund=focus, day=day, convention="averaged")
        assert abs(float(kept.mean()) - exact.mean(x)) <= 5 * noise + 1e-9
        assert data.weighted.pareto_k == exact.pareto_k


def test_the_sum_over_funds_and_the_count_are_those_of_the_draws(tree):
    day = asked_days(tree)[1]
    flow = day.predicted["flow"].transpose("chain", "draw", "fund", "convention")
    everyone = flow.sel(convention="averaged").to_numpy()
    assert day.draws(EVERY, "averaged") == pytest.approx(everyone.sum(axis=2))
    assert day.draws(BREADTH, "averaged") == pytest.approx((everyone > 0).sum(axis=2))
    gap = day.draws(EVERY, "same day") - day.draws(EVERY, "previous day")
    own = day.draws(day.focus, "same day") - day.draws(day.focus, "previous day")
    assert gap == pytest.approx(own)


def test_the_prior_of_the_run_gives_back_its_own_answer(tree, study):
    days = asked_days(tree)
    table = under_priors(days, np.asarray(tree["predictive"].attrs["prior"], float))
    for day in days:
        row = study.tables["answers"].loc[f"{day.day} averaged"]
        found = table.loc[f"{day.day}, equal thirds"]
        assert found["at_least"] == pytest.approx(row["at_least_published"], abs=1e-3)
    sure = table.loc[f"{days[1].day}, the same day for sure"]
    assert sure["previous_day"] == 0.0
    assert len(table) == len(days) * len(PRIORS)


def test_another_prior_is_the_posterior_under_that_prior(asked, made, loose):
    """Reweighting the focus's conventions agrees with dating the rows again under other weights."""
    from attribution.studies.flows.dating import DatingPrior
    from attribution.studies.flows.model import dating_of

    _, rows, fit = asked
    focus = rows.data.focus
    first = dating_of(fit, focus)
    second = dating_of(replace(fit, prior=DatingPrior(0.1, 0.7, 0.2)), focus)
    old, new = fit.prior.probability, DatingPrior(0.1, 0.7, 0.2).probability
    factor = first.convention @ (new / old)
    assert first.convention * (new / old) / factor[:, None] == pytest.approx(second.convention)
    assert np.log(factor) == pytest.approx(second.log_marginal - first.log_marginal)


def test_a_return_beyond_all_others_is_called_an_extrapolation(panel, made, loose):
    frame, truth = panel
    far = frame.copy()
    when = frame.index.get_level_values("time").unique()[-12]
    far.loc[(slice(None), when), "move"] = -60.0
    question, rows = made["rows"](far)
    fit = made["draws"](rows, truth, lead=(2, 20))
    streams = np.random.SeedSequence(5).spawn(2)
    found = {
        f.name: f for f in answer("far", question, made["units"], fit, streams, quiet).findings
    }
    assert found[f"extrapolation {question.asked[1]}"].verdict == "fails"
    assert found[f"extrapolation {question.asked[2]}"].verdict == "holds"


def test_ignored_weights_are_equal_weights():
    x = np.random.default_rng(1).normal(size=(2, 500))
    plain = Weighted.of(np.zeros((2, 500)))
    assert plain.mean(x) == pytest.approx(x.mean())
    assert plain.size == pytest.approx(1000)
    assert plain.error(np.ones((2, 500))) == 0.0
    assert plain.error(x) == pytest.approx(1 / np.sqrt(1000), rel=0.25)


def test_a_spread_that_is_too_wide_is_seen():
    rng = np.random.default_rng(1)

    def rows(middle):
        return xr.Dataset({"low": ("time", middle), "high": ("time", middle)})

    assert _spread(rows(rng.random(400)))[1] > 0.05
    assert _spread(rows(0.5 + 0.4 * (rng.random(400) - 0.5)))[1] < 1e-6
    zeros = xr.Dataset({"low": ("time", np.zeros(200)), "high": ("time", np.ones(200))})
    assert _spread(zeros) == (pytest.approx(0.9), pytest.approx(1.0))


def test_every_figure_is_drawn_from_the_saved_run(tree, study, tmp_path):
    from attribution.report.style import png_bytes
    from attribution.sampling import engine as compat

    compat.save(tree, tmp_path / "run.nc")
    saved = compat.load(tmp_path / "run.nc")
    drawn = pictures(saved, study.tables)
    assert [picture.name for picture in drawn] == ["asked_rows", "dating", "left_out"]
    for picture in drawn:
        assert len(png_bytes(picture.figure, title=picture.title)) > 10_000
    assert [f.record() for f in findings_of(saved)[0]] == [f.record() for f in findings_of(tree)[0]]


def test_either_shape_of_a_change_is_answered_and_each_alone(asked, made, loose):
    """The run's own answer is the average; a shape alone is the run that knows no other."""
    from attribution.studies.flows.dating import DatingPrior
    from attribution.studies.flows.model import dating_of

    question, rows, fit = asked
    both = replace(fit, prior=DatingPrior(gradual=0.5))
    units = {name: made["units"][name] for name in question.columns}
    found = answer("both", question, units, both, np.random.SeedSequence(5).spawn(2), quiet)
    days, table = asked_days(xr.DataTree.from_dict(dict(found.groups))), found.tables["adoption"]
    assert len(table) == 3 * len(days)
    assert "half of a day's orders" in found.headline
    for day in days:
        each = table.loc[[f"{day.day}, {name}" for name in ("sudden", "gradual")]]
        either = table.loc[f"{day.day}, either, by probability"]
        own = found.tables["answers"].loc[f"{day.day} averaged", "at_least_published"]
        assert either["at_least"] == pytest.approx(own, abs=1e-3)
        assert each["probability"].sum() == pytest.approx(1.0)
        low, high = sorted(each["at_least"])
        assert low - 1e-3 <= either["at_least"] <= high + 1e-3
    shape = next(f for f in found.findings if f.name == "adoption")
    slow = table.loc[f"{question.hold_out[0]}, gradual", "probability"]
    assert shape.probability == pytest.approx(slow)
    alone, mixed = (dating_of(one, rows.data.focus) for one in (fit, both))
    factor = np.array([1.0, 1.0, 2.0, 2.0, 0.0, 0.0])
    mass = mixed.convention @ factor
    kept = (mixed.convention * factor / mass[:, None])[:, :4]
    assert kept == pytest.approx(alone.convention, abs=1e-9)
    assert np.log(mass) == pytest.approx(alone.log_marginal - mixed.log_marginal)
    assert mass.max() <= 2.0 + 1e-9
