"""A study with instruments: an effect that least squares misses, and honesty if they are weak."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

import attribution as at
from attribution.errors import DataError
from attribution.report.figures import pictures
from attribution.report.run_tables import tables
from attribution.runs import study_tables
from attribution.runs.run import load_run, save_run

DAYS = pd.bdate_range("2023-01-02", periods=700)
TRUE = 2.0


def frame(*, strength=1.0, direct=0.0, seed=1, ahead=0):
    """Returns move flows by two, and flows move returns; stocks move returns alone, or not."""
    rng = np.random.default_rng(seed)
    stocks, credit = rng.standard_normal((2, len(DAYS)))
    demand, news = rng.standard_normal((2, len(DAYS)))
    returns = strength * (stocks + 0.5 * credit) + news + demand
    flows = TRUE * returns + direct * stocks + 2 * demand
    lagged = np.roll(flows, ahead)
    return pd.DataFrame({"flow": lagged, "ret": returns, "stocks": stocks, "credit": credit}, DAYS)


def model(equation=None, **changes):
    base = {
        "schema": 1,
        "kind": "iv",
        "title": "flows on returns",
        "sample": {"start": DAYS[0].date(), "end": DAYS[-1].date()},
        "equations": [
            {
                "name": "flow",
                "outcome": "flow",
                "endogenous": ["ret"],
                "instruments": ["stocks", "credit"],
                "reason": "stocks do not read flows",
            }
            | (equation or {})
        ],
    }
    return at.model_from(base | changes)


def fitted(frame, equation=None, **changes):
    return at.fit(model(equation, **changes), data=frame)


def finding(run, name):
    (one,) = [f for f in run.manifest["findings"] if f["name"] == name]
    return one


def test_the_effect_is_found_where_least_squares_is_off():
    run = fitted(frame())
    answers = tables(run)["answers"]
    for method in ("2sls", "liml", "gmm"):
        row = answers.loc[f"flow, {method}"]
        assert abs(row["mean"] - TRUE) < 3 * row["sd"]
    least = answers.loc["flow, ols"]
    assert least["mean"] - TRUE > 5 * least["sd"]
    assert finding(run, "flow: instruments of ret")["verdict"] == "holds"
    assert finding(run, "flow: least squares differs")["verdict"] == "holds"
    assert finding(run, "flow: effect")["verdict"] == "holds"


def test_two_stage_least_squares_is_its_formula():
    data = frame()
    x = np.column_stack([data["ret"], np.ones(len(data))])
    z = np.column_stack([data[["stocks", "credit"]], np.ones(len(data))])
    hat = z @ np.linalg.lstsq(z, x, rcond=None)[0]
    expected = np.linalg.lstsq(hat, data["flow"], rcond=None)[0]
    found = tables(fitted(data))["coefficients"]["coefficient"]
    assert found["flow: ret, 2sls"] == pytest.approx(expected[0], rel=1e-9)
    assert found["flow: constant, 2sls"] == pytest.approx(expected[1], abs=1e-9)


def test_weak_instruments_are_said_to_be_weak():
    run = fitted(frame(strength=0.02))
    weak = finding(run, "flow: instruments of ret")
    assert weak["verdict"] == "fails"
    assert "read the Anderson-Rubin set" in weak["evidence"]
    row = tables(run)["anderson_rubin"].loc["flow: 95 %"]
    assert row["shape"] in ("line", "half_lines")


def test_instruments_that_disagree_are_seen_and_the_assumption_is_always_stated():
    run = fitted(frame(direct=3.0))
    assert finding(run, "flow: instruments agree")["verdict"] == "fails"
    for direct in (0.0, 3.0):
        said = finding(fitted(frame(direct=direct)), "flow: exclusion")
        assert said["verdict"] == "untestable"
        assert "stocks, credit must move flow through ret alone" in said["evidence"]
        assert "stocks do not read flows" in said["evidence"]


def test_an_outcome_of_the_next_row_is_found_there():
    data = frame(ahead=1)
    there = tables(fitted(data, {"ahead": 1}))["answers"].loc["flow, 2sls"]
    here = tables(fitted(data))["answers"].loc["flow, 2sls"]
    assert abs(there["mean"] - TRUE) < 3 * there["sd"]
    assert abs(here["mean"]) < 3 * here["sd"]
    assert tables(fitted(data, {"ahead": 1}))["instruments"]["rows"].iloc[0] == len(DAYS) - 1


def test_lags_are_taken_inside_each_entity():
    wide = {name: frame(seed=seed) for seed, name in enumerate("ab")}
    both = pd.concat(wide, names=["entity", "time"])
    run = fitted(both, {"lagged": {"flow": 2}})
    assert tables(run)["instruments"]["rows"].iloc[0] == 2 * (len(DAYS) - 2)


def test_a_category_is_one_dummy_a_text_but_the_first():
    rng, data = np.random.default_rng(3), frame().reset_index(drop=True)
    data["place"] = rng.choice(["north", "south", "west"], len(data))
    spec = model({"exogenous": ["place"]}, categories=["place"], sample={})
    names = tables(at.fit(spec, data=data))["coefficients"].index
    assert [n for n in names if "place" in n and n.endswith("ols")] == [
        "flow: place = south, ols",
        "flow: place = west, ols",
    ]


@pytest.mark.parametrize("covariance", ["unadjusted", "robust", "kernel"])
def test_every_covariance_gives_a_set_around_the_truth(covariance):
    errors = {"covariance": covariance} | ({"bandwidth": 5} if covariance == "kernel" else {})
    row = tables(fitted(frame(), errors=errors))["anderson_rubin"].loc["flow: 95 %"]
    assert row["shape"] == "interval"
    assert row["lowest"] < TRUE < row["highest"]


def test_two_endogenous_columns_have_no_set_and_say_how_each_is_moved():
    rng, data = np.random.default_rng(4), frame()
    data["fear"] = rng.standard_normal(len(data)) + data["credit"]
    run = fitted(data, {"endogenous": ["ret", "fear"]})
    assert "anderson_rubin" not in tables(run)
    assert "Shea's R2" in finding(run, "flow: instruments of fear")["evidence"]
    assert pictures(run.tree, tables(run)) == []


@pytest.mark.parametrize(
    ("equation", "changes", "said"),
    [
        ({"exogenous": ["word"]}, {}, "column 'word' holds texts; name it under categories"),
        ({"exogenous": ["one"]}, {}, "column 'one' is constant or a sum of others"),
        ({"instruments": ["stocks", "double"]}, {}, "column 'double' is constant or a sum of"),
        ({"exogenous": ["empty"]}, {}, "no row has all of its columns"),
        ({"exogenous": ["word"]}, {"categories": ["word"]}, "category 'word' has one text"),
        ({"endogenous": ["double"]}, {}, "column 'double' is constant or a sum of others"),
        (
            {"outcome": "double", "endogenous": ["stocks"], "instruments": ["credit"]},
            {},
            "'double'",
        ),
        ({}, {"errors": {"covariance": "kernel", "bandwidth": 700}}, "bandwidth = 700 reaches"),
    ],
)
def test_columns_that_cannot_be_used_are_refused(equation, changes, said):
    data = frame().assign(word="x", one=1.0, empty=np.nan)
    data["double"] = 2 * data["stocks"]
    with pytest.raises(DataError, match=said):
        fitted(data, equation, **changes)


def test_rows_without_days_have_no_lags():
    data = frame().reset_index(drop=True)
    with pytest.raises(DataError, match="lags, ahead and a kernel's covariance need days"):
        at.fit(model({"lagged": {"flow": 1}}, sample={}), data=data)
    with pytest.raises(DataError, match="has 4 complete row"):
        at.fit(model(sample={}), data=data.head(4))


def test_the_figure_is_drawn_from_a_saved_run(tmp_path):
    save_run(fitted(frame()), tmp_path)
    again = load_run(tmp_path)
    (drawn,) = pictures(again.tree, tables(again))
    assert [axis.get_title(loc="left") for axis in drawn.figure.axes] == ["flow"]


def test_the_shipped_model_ends_before_the_event_and_keeps_both_readings_of_ibit():
    spec = at.read_model("flow_return")
    assert spec.sample.end < date(2026, 2, 5)
    names = {equation.name for equation in spec.question.equations}
    assert {"ibit_next_row", "ibit_as_stamped", "other_funds"} == names


@pytest.mark.parametrize("name", ["flow_return", "degrossing", "panel"])
def test_a_shipped_study_that_is_quick_runs_from_its_file_to_its_answers(name):
    """One of them has its outcome, a row ahead, among its own covariates."""
    run = at.fit(name)
    assert run.manifest["headline"] and len(study_tables(run.tree)["answers"])
