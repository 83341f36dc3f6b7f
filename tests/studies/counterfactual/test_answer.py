"""A counterfactual through the public face: answers, checks, and what is refused."""

import numpy as np
import pandas as pd
import pytest

import attribution as at
from attribution.errors import DataError, DiagnosticsError, EventError, SpecError
from attribution.report.figures import pictures
from attribution.runs import study_tables
from attribution.sampling.judge import sampled
from attribution.studies.counterfactual.placebo import Placebo

MODEL = {
    "schema": 1,
    "kind": "counterfactual",
    "title": "a level",
    "sample": {},
    "event": {
        "outcome": "y",
        "windows": [
            {"name": "post", "start": 71, "end": 100},
            {"name": "late", "start": 95, "end": 100},
        ],
    },
    "counterfactual": {"form": "level", "pre": [1, 70]},
    "controls": {"columns": ["a", "b"]},
}


def model(**sections):
    return at.model_from({**MODEL, **sections})


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(1)
    a = 100 + rng.standard_normal(100).cumsum()
    y = 1.2 * a + rng.standard_normal(100)
    y[70:] += 10
    index = pd.Index(np.arange(1, 101), name="t")
    return pd.DataFrame({"y": y, "a": a, "b": rng.standard_normal(100)}, index)


def fit(spec, frame, draws=800, seed=3):
    return at.fit(spec, data=frame, settings=at.Settings(draws=draws, seed=seed))


@pytest.fixture(scope="module")
def run(frame):
    return fit(model(), frame)


def test_a_known_effect_is_found_with_its_interval(run):
    answers = study_tables(run.tree)["answers"]
    row = answers.loc["post/average"]
    assert row["q05"] < 10 < row["q95"]
    assert row["tail_probability"] == 0.0
    assert "y lay +" in run.manifest["headline"]


def test_the_sum_over_a_window_is_its_mean_times_its_rows(run):
    answers = study_tables(run.tree)["answers"]
    for name, rows in (("post", 30), ("late", 6)):
        whole, mean = answers.loc[f"{name}/unexplained"], answers.loc[f"{name}/average"]
        for key in ("mean", "sd", "q05", "q95"):
            assert whole[key] == pytest.approx(rows * mean[key], rel=1e-12)


def test_observed_is_counterfactual_plus_effect_on_every_row(run, frame):
    rows = study_tables(run.tree)["rows"]
    gap = rows["observed"] - rows["counterfactual"] - rows["effect"]
    assert np.abs(gap).max() < 1e-12
    assert rows["observed"].to_numpy() == pytest.approx(frame["y"].to_numpy()[70:])


def test_units_of_both_sides_do_not_matter(run, frame):
    other = fit(model(), frame * [1000.0, 0.01, 7.0] + [5.0, -3.0, 1.0])
    one, two = (study_tables(r.tree)["answers"] for r in (run, other))
    assert two.loc["post/average", "mean"] == pytest.approx(
        1000 * one.loc["post/average", "mean"], rel=1e-9
    )
    assert two["sd"].to_numpy() == pytest.approx(1000 * one["sd"].to_numpy(), rel=1e-9)


def test_one_seed_is_one_run_and_days_are_as_good_as_numbers(run, frame):
    again = fit(model(), frame)
    assert study_tables(again.tree)["answers"].equals(study_tables(run.tree)["answers"])
    days = pd.bdate_range("2020-01-01", periods=100, name="time")
    spec = model(
        sample={"start": days[0].date(), "end": days[-1].date()},
        event={
            "outcome": "y",
            "windows": [{"name": "post", "start": days[70].date(), "end": days[99].date()}],
        },
        counterfactual={"form": "level", "pre": [days[0].date(), days[69].date()]},
    )
    dated = fit(spec, frame.set_axis(days))
    found, numbered = (study_tables(r.tree)["answers"] for r in (dated, run))
    columns = ["mean", "sd", "q05", "q95"]
    assert found.loc["post/average", columns].equals(numbered.loc["post/average", columns])


def test_what_happens_after_the_pre_period_does_not_move_the_counterfactual(run, frame):
    changed = frame.copy()
    changed.loc[71:, "y"] += 50.0
    other = fit(model(), changed)
    one, two = (r.tree["counterfactual/predicted"].to_numpy() for r in (run, other))
    assert np.array_equal(one, two)
    gap = np.subtract(*(study_tables(r.tree)["answers"]["mean"]["post/average"]
                        for r in (other, run)))  # fmt: skip
    assert gap == pytest.approx(50.0)


def test_controls_outside_their_range_are_called_an_extrapolation(frame):
    far = frame.copy()
    far.loc[71:, ["a", "b"]] = far.loc[1:70, ["a", "b"]].mean().to_numpy()
    inside = {f["name"]: f for f in fit(model(), far).manifest["findings"]}["extrapolation"]
    assert inside["verdict"] == "holds"
    far.loc[90:, "b"] = 30.0
    found = {f["name"]: f for f in fit(model(), far).manifest["findings"]}["extrapolation"]
    assert found["verdict"] == "fails"
    assert "outside it: b on 11 of 30 rows" in found["evidence"]


def test_too_few_earlier_windows_leave_the_checks_undecided(run):
    found = {f["name"]: f["verdict"] for f in run.manifest["findings"]}
    assert found["placebo_size"] == found["placebo_rank"] == "undecided"


def test_subsets_of_controls_are_weighed(frame):
    run = fit(model(controls={"columns": ["a", "b"], "prior": "spike_and_slab"}), frame)
    included = study_tables(run.tree)["controls"]["included"]
    assert included["a"] > 0.99
    assert included["b"] < 0.6


def test_the_figure_needs_the_saved_run_alone(run):
    drawn = pictures(run.tree, study_tables(run.tree))
    assert [picture.name for picture in drawn] == ["counterfactual_effects"]
    top, middle, bottom = drawn[0].figure.axes
    assert top.get_ylabel() == "y\nunit"
    dots = top.lines[-2].get_ydata()  # the vertical line is the last
    assert len(dots) == 60
    assert bottom.lines[0].get_ydata()[-1] == pytest.approx(
        float(study_tables(run.tree)["answers"].loc["post/unexplained", "mean"]), rel=0.02
    )
    assert middle.get_xlim() == top.get_xlim()


def test_rank_counts_the_event_among_the_windows():
    found = Placebo(np.array([1.0, -3.0, 0.5]), np.ones(3), np.array([0.3, 0.0, 0.6]),
                    (-2.0, 0.05), 1)  # fmt: skip
    assert found.rank == pytest.approx(2 / 4)
    assert found.size(0.1) == pytest.approx(1 / 3)


def test_draws_that_disagree_are_refused():
    rng = np.random.default_rng(2)
    good = rng.standard_normal((4, 500, 2))
    assert (
        sampled({"x": good}, {"diverging": np.zeros((4, 500))}, "m").diagnostics["max_rhat"] < 1.01
    )
    with pytest.raises(DiagnosticsError, match=r"R-hat .* of y is above 1.01"):
        sampled({"x": good, "y": good[..., 0] + np.arange(4)[:, None]}, {}, "m")
    with pytest.raises(DiagnosticsError, match="1 transitions diverged; ask for more --draws"):
        sampled({"x": good}, {"diverging": np.eye(4)[:1]}, "m")


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda f: f.assign(a=f["a"].where(f.index != 80)), DataError,
         "column 'a' has no value on row 80"),
        (lambda f: f.assign(b=1.0), DataError, "column 'b' is constant in the pre-period"),
        (lambda f: f.assign(b=2 * f["a"] + 1), DataError, "controls a, b are collinear"),
        (lambda f: f.loc[:97], EventError, "window 'post' (71 to 100) is not covered"),
        (lambda f: f.loc[60:], EventError, "11 rows in the pre-period are too few"),
        (lambda f: f.assign(b="x"), DataError, "column 'b' holds texts"),
        (lambda f: f.set_axis(pd.bdate_range("2020-01-01", periods=100)), DataError,
         "periods are numbers of rows and the rows are labelled otherwise ('2020-01-01')"),
        (lambda f: f.rename(columns={"a": "aa"}), DataError, "no column 'a'"),
    ],
)  # fmt: skip
def test_rows_that_cannot_answer_are_refused(frame, change, error, message):
    with pytest.raises(error) as refusal:
        fit(model(), change(frame))
    assert message in str(refusal.value)
    assert ";" in str(refusal.value)


def test_the_order_of_numbered_rows_says_nothing(frame, run):
    turned = fit(model(), frame.iloc[::-1])
    for name, table in study_tables(run.tree).items():
        pd.testing.assert_frame_equal(study_tables(turned.tree)[name], table)


def test_a_control_that_begins_to_move_late_leaves_the_earlier_windows_out(frame):
    still = frame.assign(b=frame["b"].where(frame.index > 50, 0.0))
    spec = model(controls={"columns": ["a", "b"], "prior": "spike_and_slab"})
    found = study_tables(fit(spec, still, draws=160).tree)["placebo"]
    # from row 52 on, every start before which it has moved and after which the window has room
    assert found["earlier_windows"].to_dict() == {"post": 0.0, "late": 0.0}
    near = model(
        controls={"columns": ["a", "b"], "prior": "spike_and_slab"},
        event={"outcome": "y", "windows": [{"name": "post", "start": 71, "end": 74}]},
    )
    found = study_tables(fit(near, still, draws=160).tree)["placebo"]
    assert found["earlier_windows"].to_dict() == {"post": 16.0}


def test_days_asked_of_numbered_rows_are_refused(frame):
    days = pd.bdate_range("2020-01-01", periods=100)
    spec = model(
        event={"outcome": "y", "windows": [
            {"name": "post", "start": days[70].date(), "end": days[99].date()}]},
        counterfactual={"form": "level", "pre": [days[0].date(), days[69].date()]},
    )  # fmt: skip
    with pytest.raises(DataError, match="periods are dates and the rows have none"):
        fit(spec, frame)


def test_settings_and_steps_that_cannot_be_met_are_refused(frame):
    with pytest.raises(SpecError, match="--draws 30 is fewer than 160"):
        fit(model(), frame, draws=30)
    spec = model(
        counterfactual={"form": "returns", "pre": [1, 70]},
        betas={"law": "random_walk", "every": 60},
    )
    with pytest.raises(EventError, match="70 rows in the pre-period hold no second step of 60"):
        fit(spec, frame)


@pytest.mark.slow
def test_the_shipped_question_is_answered():
    run = at.fit("counterfactual")
    answers = study_tables(run.tree)["answers"]
    table = study_tables(run.tree)["windows"]
    assert table.loc["crash/observed", "mean"] == pytest.approx(-14.21, abs=0.01)
    assert table.loc["crash/unexplained", "mean"] == answers.loc["crash/unexplained", "mean"]
    parts = table.loc[[f"crash/{part}" for part in ("unexplained", "accounted", "drift")]]
    for column in ("mean", "per_cent"):
        assert parts[column].sum() == pytest.approx(table.loc["crash/observed", column])
    assert parts["per_cent"].sum() == pytest.approx(100 * np.expm1(-0.1421), abs=0.01)
    assert abs(parts.loc["crash/drift", "mean"]) < 0.5
    assert run.manifest["diagnostics"]["max_rhat"] < 1.01
    names = [picture.name for picture in pictures(run.tree, study_tables(run.tree))]
    assert names == ["counterfactual_effects", "counterfactual_wandering_coefficients"]
