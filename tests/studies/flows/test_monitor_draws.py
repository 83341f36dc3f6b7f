"""The organic part of net creations: what is split adds up, and what was put in is found."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from attribution.errors import DataError, SpecError
from attribution.studies.flows.focus_rows import carry
from attribution.studies.flows.monitor import WINDOW, monitor_findings, monitor_table, organic_part
from attribution.studies.flows.question import FlowsQuestion
from attribution.studies.flows.rows import FlowData
from attribution.studies.flows.true_basis import true_basis

TIME = 260
ERROR, TAU = 10.0, 8.0


def question(**changes):
    made = FlowsQuestion(
        net_creation="f",
        fund_return="fund_return",
        focus="A",
        hold_out=(date(2024, 9, 2), date(2024, 9, 2)),
        asked=(date(2024, 9, 2),),
        benchmark=(-1.0, 1.0),
        basis="b",
    )
    return replace(made, **changes)


def readings(rng, time=TIME):
    """True changes of a basis, and those that two readings a day apart show."""
    true = TAU * rng.standard_t(4, time)
    error = ERROR * rng.standard_normal(time + 1)
    return true, true + np.diff(error)


@pytest.fixture(scope="module")
def world():
    """Same-day rows; returns and the true basis move flows, and at the end buyers come anyway."""
    rng = np.random.default_rng(12)
    r = 2.0 * rng.standard_t(5, TIME)
    true, read = readings(rng)
    free = np.where(np.arange(TIME) >= TIME - 15, 400.0, 0.0)
    explained = 60.0 * r + 6.0 * true
    flow = free + explained + 30.0 * rng.standard_normal(TIME)
    read[100:107] = np.nan
    days = pd.bdate_range("2024-01-01", periods=TIME)
    held = np.asarray(days == "2024-09-02")
    data = FlowData(days, ("A",), 0, flow[:, None], r[:, None], {"b": read}, held)
    return data, flow - explained, true


@pytest.fixture(scope="module")
def organic(world):
    return organic_part(question(), world[0], draws=800, rng=np.random.default_rng(0))


def test_parts_carried_forward_meet_their_definition():
    part, stays = np.array([[1.0, 2.0, 4.0, 8.0]]), np.array([0.5])
    stop = np.array([False, False, True, False])
    assert carry(part, stays, stop).tolist() == [[1.0, 2.5, 0.0, 8.0]]


def test_errors_of_reading_are_told_from_true_changes():
    true, read = readings(np.random.default_rng(1), 800)
    found = true_basis(read, draws=600, rng=np.random.default_rng(2))
    assert found.error == pytest.approx(ERROR, rel=0.15)
    naive = np.mean((read - read.mean() - true) ** 2)
    assert np.mean((found.mean - true) ** 2) < 0.4 * naive
    inside = np.abs(true - found.mean) < 1.645 * found.change.std(axis=0)
    assert inside.mean() == pytest.approx(0.9, abs=0.04)


def test_a_basis_that_was_not_read_may_have_moved_either_way():
    _, read = readings(np.random.default_rng(1))
    read[50:60] = np.nan
    found = true_basis(read, draws=600, rng=np.random.default_rng(2))
    assert np.abs(found.mean[50:60]).max() < 4 * found.tau / np.sqrt(600) * np.sqrt(2)


def test_a_basis_read_too_seldom_is_refused():
    with pytest.raises(DataError, match="40 are needed"):
        true_basis(np.full(TIME, np.nan), draws=10, rng=np.random.default_rng(0))


def test_a_model_without_a_basis_has_no_monitor(world):
    with pytest.raises(SpecError, match="basis is missing"):
        organic_part(question(basis=""), world[0], draws=10, rng=np.random.default_rng(0))


def test_the_organic_part_holds_what_neither_returns_nor_the_basis_made(organic, world):
    truth = world[1]
    low, high = np.quantile(organic.daily, (0.05, 0.95), axis=0)
    inside = (low < truth) & (truth < high)
    assert inside[5:].mean() > 0.8
    late = organic.summed[:, -1] / WINDOW
    assert late.mean() == pytest.approx(400.0, abs=4 * late.std())


def test_five_rows_are_the_sum_of_their_parts(organic):
    assert np.allclose(organic.summed[:, 40], organic.daily[:, 36:41].sum(axis=1))


def test_nothing_explains_a_row_without_a_flow(world):
    flow = world[0].flow.copy()
    flow[90] = 0.0
    found = organic_part(
        question(), replace(world[0], flow=flow), draws=100, rng=np.random.default_rng(0)
    )
    assert (found.daily[:, 90] == 0.0).all()


def test_the_flag_is_up_when_buyers_come_without_a_wider_basis(organic, world):
    table = monitor_table(organic, world[0].returns[:, 0])
    enough = table["readings"] >= 3
    wanted = (table["inflow"] > 0.9) & (table["wider"] < 0.5)
    assert table.loc[~enough, "flag"].isna().all()
    assert (table.loc[enough, "flag"].astype(bool) == wanted[enough]).all()
    assert table["inflow"].iloc[-5:].min() > 0.99
    assert 0.2 < table["inflow"].iloc[50:200].mean() < 0.8


def test_returns_after_a_day_are_those_of_the_next_five(organic, world):
    r = world[0].returns[:, 0]
    table = monitor_table(organic, r)
    assert table["next_return"].iloc[0] == pytest.approx(r[WINDOW : 2 * WINDOW].sum())
    assert table["next_return"].iloc[-WINDOW:].isna().all()


def test_findings_follow_the_last_day(organic, world):
    table = monitor_table(organic, world[0].returns[:, 0])
    now, later = monitor_findings(table, pd.Timestamp("2024-09-02"))
    last = table.iloc[-1]
    expected = "holds" if last["wider"] < 0.5 else "undecided"
    assert now.verdict == expected
    assert f"{last['sum']:+.0f}" in now.evidence
    assert later.verdict in ("holds", "fails", "undecided")
    fallen = table.assign(inflow=0.01)
    assert monitor_findings(fallen, pd.Timestamp("2024-09-02"))[0].verdict == "fails"


def test_a_rise_after_every_flag_is_found_and_no_flag_is_too_few():
    index = pd.bdate_range("2024-01-01", periods=200)
    flag = (np.arange(200) // 10) % 2 == 0
    columns = dict.fromkeys(("sum", "sum_q05", "sum_q95", "inflow", "wider", "readings"), 1.0)
    table = pd.DataFrame(columns, index=index)
    table["flag"] = pd.array(flag, dtype="boolean")
    noise = np.random.default_rng(0).normal(size=200)
    table["next_return"] = 3.0 * flag + noise
    assert monitor_findings(table, index[0])[1].verdict == "holds"
    table["next_return"] = noise - 3.0 * flag
    assert monitor_findings(table, index[0])[1].verdict == "fails"
    table["flag"] = pd.array(np.zeros(200, bool), dtype="boolean")
    assert "too few" in monitor_findings(table, index[0])[1].evidence
