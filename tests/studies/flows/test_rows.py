"""Net creations by fund and day become arrays: what enters, what is kept out, what is refused."""

import numpy as np
import pytest

from attribution.errors import DataError, EventError
from attribution.studies.flows.dated_flow import NONE, SOME, UNUSED

ARRAYS = ("flow", "status", "design", "activity", "magnitude", "size", "per_unit")


def test_a_fund_is_measured_in_its_typical_flow(asked):
    _, rows, _ = asked
    inside = rows.flow[:, ~rows.data.held_out]
    for flow in inside:
        assert np.median(np.abs(flow[flow != 0])) == pytest.approx(1.0)


def test_rescaling_a_fund_changes_nothing_but_its_size(panel, made):
    frame, _ = panel
    other = frame.copy()
    other["flow"] *= np.where(other.index.get_level_values(0) == "always previous", 1000.0, 1.0)
    first, second = made["rows"](frame)[1], made["rows"](other)[1]
    for name in ("flow", "status", "previous", "design"):
        assert getattr(second, name) == pytest.approx(getattr(first, name), abs=1e-12)
    at = first.data.funds.index("always previous")
    assert second.size[at] == pytest.approx(1000.0 * first.size[at])


def test_relabelling_funds_permutes_and_changes_nothing(panel, made):
    frame, _ = panel
    names = {"always same": "z", "always previous": "a", "switched": "m"}
    first = made["rows"](frame)[1]
    second = made["rows"](frame.rename(index=names, level=0), focus="m")[1]
    order = [second.data.funds.index(names[name]) for name in first.data.funds]
    for name in ("flow", "status", "previous", "design", "size"):
        assert np.array_equal(getattr(second, name)[order], getattr(first, name)), name


def test_held_out_rows_and_the_row_after_them_do_not_enter(panel, made):
    frame, _ = panel
    question, rows = made["rows"](frame)
    held = rows.data.held_out
    after = np.append(False, held[:-1]) & ~held
    assert held.sum() == 2 and after.sum() == 1
    assert (rows.status[:, held | after] == UNUSED).all()
    assert (rows.published[:, held | after] != UNUSED).all()
    changed = frame.copy()
    days = frame.index.get_level_values("time")
    inside = (days >= str(question.hold_out[0])) & (days <= str(question.hold_out[1]))
    changed.loc[inside, "flow"] = 1e4
    other = made["rows"](changed)[1]
    for name in ARRAYS:
        first, second = getattr(rows, name), getattr(other, name)
        if name == "flow":
            first, second = (np.where(x.status == UNUSED, 0, x.flow) for x in (rows, other))
        assert np.array_equal(first, second), name
    used = rows.status != UNUSED
    assert np.array_equal(rows.previous[used], other.previous[used])


def test_exact_zeros_are_told_from_flows(asked):
    _, rows, _ = asked
    used = rows.status != UNUSED
    assert (rows.flow[used & (rows.status == NONE)] == 0.0).all()
    assert (rows.flow[used & (rows.status == SOME)] != 0.0).all()
    assert (rows.status == NONE).any()


def test_a_missing_basis_enters_at_its_mean(panel, made):
    frame, _ = panel
    gap = frame.copy()
    day = frame.index.get_level_values("time").unique()[30]
    gap.loc[(slice(None), day), "basis"] = np.nan
    rows = made["rows"](gap)[1]
    assert rows.covariates[-1] == "basis change"
    assert (rows.design[:, 30, -1] == 0.0).all()
    assert (rows.status[:, 31] != UNUSED).all()


def test_a_missing_return_takes_three_rows_out(panel, made):
    frame, _ = panel
    gap = frame.copy()
    day = frame.index.get_level_values("time").unique()[30]
    gap.loc[("switched", day), "move"] = np.nan
    rows = made["rows"](gap)[1]
    at = rows.data.funds.index("switched")
    assert np.flatnonzero(rows.status[at, 3:120] == UNUSED).tolist() == [27, 28, 29]


@pytest.mark.parametrize(
    ("change", "error", "sentence"),
    [
        ({"focus": "switch"}, DataError, "no fund 'switch' (nearest: 'switched'); correct"),
        ({"asked": (-200,)}, EventError, "correct [event]"),
    ],
)
def test_a_question_about_what_is_not_there_is_refused(panel, made, change, error, sentence):
    frame, _ = panel
    if "asked" in change:
        question = made["question"](frame)
        change = {"asked": (question.asked[0].replace(year=1999),)}
        from dataclasses import replace

        from attribution.studies.flows.rows import flow_data

        with pytest.raises(error) as refusal:
            flow_data(replace(question, **change), made["evidence"](frame))
    else:
        with pytest.raises(error) as refusal:
            made["rows"](frame, **change)
    assert sentence in str(refusal.value)


def test_a_common_column_that_differs_between_funds_is_refused(panel, made):
    frame, _ = panel
    odd = frame.copy()
    odd.iloc[7, odd.columns.get_loc("basis")] += 1.0
    with pytest.raises(DataError, match="'basis' differs between the rows of"):
        made["rows"](odd)


def test_a_fund_without_flows_is_refused(panel, made):
    frame, _ = panel
    idle = frame.copy()
    idle["flow"] *= idle.index.get_level_values(0) != "always same"
    with pytest.raises(DataError, match="fund 'always same': it has no flow in the sample"):
        made["rows"](idle)


def test_a_column_that_does_not_move_is_refused(panel, made):
    frame, _ = panel
    with pytest.raises(DataError, match="column 'vol': it does not move over the sample"):
        made["rows"](frame.assign(vol=1.0))
