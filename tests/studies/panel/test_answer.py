"""A study of funds: a planted effect is found on its day, under the dating that is right."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

import attribution as at
from attribution.errors import DataError, EventError
from attribution.report.figures import pictures
from attribution.report.run_tables import tables
from attribution.runs.run import load_run, save_run

DAYS = pd.bdate_range("2024-01-01", periods=160)
EVENT, NEXT = DAYS[150].date(), DAYS[151].date()
SWITCH = DAYS[155].date()
DATINGS = ("as_stamped", "changed_before", "changed_after")
FUNDS = ["a", "b", "c", "d", "e", "f"]


def frame(*, effect=0.0, late=False, seed=1):
    """Six funds; fund a answers the return more, has an effect on the event, and may be late."""
    rng = np.random.default_rng(seed)
    move = rng.standard_t(4, len(DAYS))
    move[150] = np.sign(move[150]) * np.abs(move).max() * 1.1
    size = np.array([20.0, 4, 2, 1, 3, 0.5])
    flows = (
        rng.standard_t(5, (len(DAYS), 6))
        + rng.standard_normal((len(DAYS), 1))
        + 0.3 * move[:, None]
    )
    flows[:, 0] += 0.5 * move
    flows[150, 0] += effect
    if late:  # rows up to the switch stand one row later; the row after it describes its own day
        own = flows[:, 0].copy()
        flows[1:156, 0] = own[:155]
        flows[0, 0] = rng.standard_normal()
    wide = pd.DataFrame(flows * size, DAYS, FUNDS)
    rows = wide.assign(move=move).rename_axis("time").reset_index()
    tidy = rows.melt(["time", "move"], FUNDS, var_name="fund", value_name="creation")
    return tidy.set_index(["fund", "time"]).sort_index()


def model(**changes):
    base = {
        "schema": 1,
        "kind": "panel",
        "title": "six funds",
        "sample": {"start": DAYS[0].date(), "end": DAYS[-1].date()},
        "outcome": {"column": "creation", "scale": "typical_day", "lags": 1},
        "regressors": [{"column": "move", "entities": ["a"]}],
        "events": [{"name": "fall", "days": [EVENT], "entities": ["a"], "reason": "test"}],
        "placebo": {"column": "move", "groups": 5},
    }
    return at.model_from(base | changes)


def answers(frame, **changes):
    return tables(at.fit(model(**changes), data=frame))["answers"]


def test_a_planted_effect_is_found_and_none_is_not():
    row = answers(frame(effect=6.0)).loc["fall"]
    assert row["p"] <= 0.05
    assert row["q05"] < 6.0 / 1.1 < row["q95"]  # in typical days of about 1.1
    none = answers(frame()).loc["fall"]
    assert none["p"] > 0.1


def test_the_effect_stands_under_the_dating_that_is_right_alone():
    late = [
        {"name": "stamped"},
        {"name": "late", "entity": "a", "until": SWITCH, "reason": "test"},
    ]
    found = answers(frame(effect=6.0, late=True), datings=late)
    aligned = answers(frame(effect=6.0)).loc["fall"]
    assert found.loc["fall (late)", "p"] <= 0.05
    assert found.loc["fall (late)", "mean"] == pytest.approx(aligned["mean"], rel=0.1)
    assert found.loc["fall (stamped)", "p"] > 0.1


def test_an_event_has_no_standard_error_and_no_t_ratio_anywhere():
    run = at.fit(model(), data=frame(effect=6.0))
    found = tables(run)
    assert np.isnan(found["answers"].loc["fall", "sd"])
    for table in found.values():
        assert not {"t", "tstat", "t_ratio", "z"} & set(map(str.lower, map(str, table.columns)))
    assert "fall" not in " ".join(found["covariates"].index)
    assert set(run.tree["placebo"].data_vars) == {"coefficient", "placebo", "like", "p"}


def test_the_scale_of_a_fund_and_the_order_of_rows_change_no_coefficient():
    data = frame(effect=3.0)
    bigger = data.copy()
    bigger.loc["b", "creation"] = 1000 * data.loc["b", "creation"].to_numpy()
    shuffled = data.sample(frac=1, random_state=1)
    base = answers(data).loc["fall"]
    for other in (bigger, shuffled):
        assert answers(other).loc["fall", "mean"] == pytest.approx(base["mean"], rel=1e-8)
        assert answers(other).loc["fall", "p"] == base["p"]


def test_like_days_are_a_fifth_of_the_days_and_move_as_much():
    run = at.fit(model(), data=frame())
    data = run.tree["placebo"].to_dataset().isel(dating=0, event=0)
    like = data["like"].to_numpy().astype(bool)
    move = frame()["move"].groupby("time").first().abs().to_numpy()
    assert move[like].min() > np.median(move)
    assert like.sum() == pytest.approx(159 / 5, abs=2)


def test_two_events_are_asked_separately():
    events = [
        {"name": "fall", "days": [EVENT], "entities": ["a"], "reason": "test"},
        {"name": "after", "days": [NEXT], "entities": ["a"], "reason": "test"},
    ]
    data = frame(effect=6.0)
    found = answers(data, events=events)
    assert found.loc["fall", "p"] <= 0.05 < found.loc["after", "p"]


def test_an_exposure_may_be_a_column_and_a_panel_may_have_no_event():
    data = frame(effect=6.0)
    data["share"] = (data.index.get_level_values(0) == "a").astype(float)
    events = [{"name": "fall", "days": [EVENT], "exposure": "share", "reason": "test"}]
    by_column, by_name = answers(data, events=events), answers(data)
    assert by_column.loc["fall", "mean"] == pytest.approx(by_name.loc["fall", "mean"], rel=1e-8)
    spec = {"events": [], "outcome": {"column": "creation", "lags": 0}}
    base = {k: v for k, v in MINIMAL.items() if k not in ("events", "placebo")}
    found = tables(at.fit(at.model_from(base | spec), data=data))["answers"]
    assert list(found.index) == ["move, a"]
    assert found["mean"].iloc[0] == pytest.approx(20 * 0.5 + 0.3 * (20 - 2.1), rel=0.25)


MINIMAL = {
    "schema": 1,
    "kind": "panel",
    "title": "six funds",
    "sample": {"start": DAYS[0].date(), "end": DAYS[-1].date()},
    "regressors": [{"column": "move", "entities": ["a"]}],
}


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"regressors": [{"column": "move"}]}, DataError, "regressor 'move' is the same for all"),
        (
            {"regressors": [{"column": "move", "entities": ["ab"]}]},
            DataError,
            "there is no fund 'ab'",
        ),
        (
            {
                "events": [
                    {"name": "x", "days": [date(2024, 1, 6)], "entities": ["a"], "reason": "t"}
                ]
            },
            EventError,
            "event 'x': 2024-01-06 is no day of the sample",
        ),
        (
            {"datings": [{"name": "l", "entity": "z", "until": SWITCH, "reason": "t"}]},
            DataError,
            "dating 'l': there is no entity 'z'",
        ),
    ],
)
def test_what_cannot_be_asked_is_refused(changes, error, said):
    with pytest.raises(error, match=said):
        at.fit(model(**changes), data=frame())


def test_an_event_without_a_row_of_the_exposed_is_refused():
    data = frame()
    data.loc[("a", DAYS[150]), "creation"] = np.nan
    with pytest.raises(EventError, match="no exposed entity can be held against another"):
        at.fit(model(), data=data)


def test_texts_and_funds_that_never_move_are_refused():
    with pytest.raises(DataError, match="column 'move' holds texts"):
        at.fit(model(), data=frame().assign(move="x"))
    still = frame()
    still.loc["b", "creation"] = 0.0
    with pytest.raises(DataError, match="'creation' of 'b' is never observed, or always zero"):
        at.fit(model(), data=still)
    with pytest.raises(DataError, match="event 'fall': no day is like it"):
        at.fit(model(placebo={"column": "move", "groups": 1000}), data=frame())


def test_rows_that_are_no_panel_are_refused():
    single = frame().loc["a"]
    with pytest.raises(DataError, match="its rows are no panel"):
        at.fit(model(), data=single)


def test_the_figure_is_drawn_from_a_saved_run(tmp_path):
    run = at.fit(model(), data=frame(effect=6.0))
    save_run(run, tmp_path)
    again = load_run(tmp_path)
    (drawn,) = pictures(again.tree, tables(again))
    (axis,) = drawn.figure.axes
    assert "p = 0.0" in axis.texts[0].get_text()


def test_the_shipped_model_asks_both_days_under_every_dating():
    run = at.fit("panel")
    found = tables(run)["answers"]
    assert len(found) == 6
    assert {f"crash ({d})" for d in DATINGS} < set(found.index)
    assert tables(run)["placebos"]["like_days"].min() >= 19, "a p-value of 5 % must be possible"
    assert "typical days" in run.manifest["headline"]
