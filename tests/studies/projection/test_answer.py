"""Local projections through the public face: answers, checks, and what is refused."""

import numpy as np
import pandas as pd
import pytest

import attribution as at
from attribution.errors import DataError, EventError, SpecError
from attribution.report.figures import pictures
from attribution.report.run_tables import tables
from attribution.runs import study_tables


@pytest.fixture(scope="module")
def shipped():
    return at.fit("projection", settings=at.Settings(draws=2000, seed=5))


@pytest.fixture(scope="module")
def var():
    return at.fit("var", settings=at.Settings(draws=2000, seed=5))


def test_windows_are_those_of_the_vars_and_answers_are_laid_beside_theirs(shipped):
    spec, var = at.read_model("projection"), at.read_model("var")
    assert spec.question.event.windows == var.event.windows
    assert spec.question.event.hold_out == var.event.hold_out
    assert spec.question.variables == var.system.variables
    answers = study_tables(shipped.tree)["answers"]
    assert [w.name for w in var.event.windows] == list(answers.index[:3])
    assert set(answers["unit"]) == {"log points"}
    assert study_tables(shipped.tree)["windows"].loc["crash/observed", "mean"] == pytest.approx(
        -14.21, abs=0.01
    )


def test_the_share_of_software_agrees_with_the_recursive_var(shipped, var):
    answers = study_tables(shipped.tree)["answers"]
    for window in ("crash", "shock+crash", "round-trip"):
        rival = tables(var)[window]
        row = answers.loc[window]
        assert abs(row["mean"] - rival.loc["igv_return", "mean"]) < row["sd"]


def test_a_response_of_a_series_that_moves_the_impulse_is_zero_on_the_day(shipped):
    table = study_tables(shipped.tree)["responses"]
    assert table.loc["gold_return/0", "response"] == 0.0
    assert table.loc["vix_change/0", "error"] == 0.0
    size = shipped.tree["projection"].attrs["size"]
    assert table.loc["igv_return/0", "response"] == pytest.approx(size)
    assert np.abs(table["response"] - table["var"])[[i.endswith("/0") for i in table.index]].max(
    ) < 1e-9  # fmt: skip


def test_draws_centre_on_the_point_and_one_seed_is_one_run(shipped):
    answers = study_tables(shipped.tree)["answers"]
    draws = shipped.tree["posterior/contribution"].sel(answer="crash").to_numpy().ravel()
    error = draws.std() / np.sqrt(len(draws))
    assert draws.mean() == pytest.approx(answers.loc["crash", "mean"], abs=5 * error)
    again = at.fit("projection", settings=at.Settings(draws=2000, seed=5))
    assert study_tables(again.tree)["answers"].equals(answers)


def test_the_figure_has_a_panel_a_series(shipped):
    drawn = pictures(shipped.tree, study_tables(shipped.tree))
    assert [picture.name for picture in drawn] == ["projection_responses"]
    axes = drawn[0].figure.axes
    assert len(axes) == 8
    assert axes[3].get_title(loc="left") == "btc return, log points"
    line = axes[3].lines[0].get_ydata()
    table = study_tables(shipped.tree)["responses"]
    assert line[0] == pytest.approx(table.loc["btc_return/0", "response"])


MODEL = {
    "schema": 1,
    "kind": "projection",
    "title": "a projection",
    "sample": {},
    "event": {"outcome": "y"},
    "projection": {"impulse": "x", "variables": ["x", "y"], "lags": 1, "horizons": 4},
}


def frame(rows=120, seed=1):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(rows)
    y = 0.8 * x + np.roll(x, 1) + rng.standard_normal(rows)
    z = x + rng.standard_normal(rows)
    days = pd.bdate_range("2020-01-01", periods=rows, name="time")
    return pd.DataFrame({"x": x, "y": y, "z": z}, days)


def fit(data, **sections):
    spec = at.model_from({**MODEL, **sections})
    return at.fit(spec, data=data, settings=at.Settings(draws=400, seed=1))


def finding(run, name):
    return {f["name"]: f for f in run.manifest["findings"]}[name]


def test_a_lead_is_found_where_there_is_one_and_denied_where_there_is_none():
    assert finding(fit(frame()), "lead")["verdict"] == "holds"
    rng = np.random.default_rng(3)
    data = frame(2000)
    data["y"] = 2.0 * data["x"] + rng.standard_normal(2000)
    assert finding(fit(data), "lead")["verdict"] == "fails"


def test_responses_alone_need_no_days():
    data = frame().reset_index(drop=True)
    run = fit(data)
    answers = study_tables(run.tree)["answers"]
    assert list(answers.index) == ["horizon 0", "horizon 1"]
    assert run.tree["projection"].attrs["step"] == "rows"
    assert finding(run, "against_the_var")["verdict"] == "holds"


def test_a_unit_and_an_sd_differ_by_the_sd():
    one = study_tables(fit(frame()).tree)["responses"]
    sections = {"projection": {**MODEL["projection"], "scale": "unit"}}
    run = fit(frame(), **sections)
    unit = study_tables(run.tree)["responses"]
    assert unit.loc["x/0", "response"] == 1.0
    ratio = one["response"] / unit["response"]
    assert ratio.to_numpy() == pytest.approx(one.loc["x/0", "response"])


def test_cumulated_responses_are_about_the_sums_of_the_others():
    sections = {"projection": {**MODEL["projection"], "cumulative": True}}
    total = study_tables(fit(frame(800), **sections).tree)["responses"]
    plain = study_tables(fit(frame(800)).tree)["responses"]
    summed = plain["response"].loc[[f"y/{h}" for h in range(5)]].cumsum()
    assert total.loc["y/4", "response"] == pytest.approx(summed.iloc[-1], abs=0.02)


def test_an_instrument_tells_its_strength_at_every_horizon():
    instrument = {"column": "z", "reason": "x with error"}
    run = fit(frame(), instrument=instrument)
    assert len(study_tables(run.tree)["first_stage"]) == 5
    assert finding(run, "first_stage")["verdict"] == "holds"
    weak = frame().assign(z=np.random.default_rng(9).standard_normal(120))
    assert finding(fit(weak, instrument=instrument), "first_stage")["verdict"] == "fails"


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda f: f.assign(x=f["x"].where(f.index != f.index[60])), DataError,
         "column 'x' has no value on row 2020-03-25"),
        (lambda f: f.assign(y=1.0), DataError, "column 'y' is constant"),
        (lambda f: f.assign(y=2 * f["x"]), DataError, "columns x, y are collinear"),
        (lambda f: f.iloc[:30], EventError, "24 rows are left at horizon 4 for 7 coefficients"),
        (lambda f: f.assign(y="a"), DataError, "column 'y' holds texts"),
    ],
)  # fmt: skip
def test_rows_that_cannot_answer_are_refused(change, error, message):
    with pytest.raises(error) as refusal:
        fit(change(frame()))
    assert message in str(refusal.value)
    assert ";" in str(refusal.value)


def test_a_window_past_the_data_is_refused():
    data = frame()
    days = [day.date() for day in data.index]
    event = {
        "name": "e",
        "outcome": "y",
        "windows": [{"name": "w", "start": days[-1], "end": days[-1].replace(year=2021)}],
    }
    with pytest.raises(EventError, match=r"window 'w' .* is not covered by the data"):
        fit(data, event=event, sample={"start": days[0], "end": days[-1].replace(year=2021)})


def test_too_few_draws_are_refused():
    with pytest.raises(SpecError, match="--draws 100 is fewer than 400"):
        at.fit(at.model_from(MODEL), data=frame(), settings=at.Settings(draws=100))
