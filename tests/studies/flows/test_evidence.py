"""Accounts of an event: one that made the rows is found, one that did not is not, none wins more
than a shift of the mean could."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from attribution.errors import EventError
from attribution.studies.flows import evidence as flow_evidence
from attribution.studies.flows.evidence import (
    event_rows,
    evidence_findings,
    evidence_of,
    evidence_tables,
    frames,
)
from attribution.studies.flows.leave_future_out import PANELS
from attribution.studies.flows.question import FlowsQuestion, Mechanism, Term
from attribution.studies.flows.rows import FlowData

TIME, EVENT = 260, (220, 221)
MECHANISMS = (
    Mechanism("none", "Nothing"),
    Mechanism("lag", "A new date", dating="free", reason="-"),
    Mechanism("true", "What was done", (Term("cause", sign=1),), scale=200.0, reason="-"),
    Mechanism("idle", "What was not", (Term("noise"),), scale=200.0, reason="-"),
)


def question(**changes):
    days = pd.bdate_range("2024-01-01", periods=TIME)
    made = FlowsQuestion(
        net_creation="f",
        fund_return="fund_return",
        focus="A",
        hold_out=tuple(days[i].date() for i in EVENT),
        asked=(date(2024, 11, 4),),
        benchmark=(-1.0, 1.0),
        mechanisms=MECHANISMS,
    )
    return replace(made, **changes)


@pytest.fixture(scope="module")
def data():
    """Rows of the day before; a cause that acts on one day in twelve and on the event."""
    rng = np.random.default_rng(8)
    r = 2.0 * rng.standard_t(5, TIME)
    cause = (rng.random(TIME) < 1 / 12).astype(float)
    cause[EVENT[0] - 1 : EVENT[1]] = 1.0
    order = 50.0 + 20.0 * np.minimum(r, 0.0) + 90.0 * np.maximum(r, 0.0) + 500.0 * cause
    flow = np.concatenate([[0.0], order[:-1]]) + 40.0 * rng.standard_t(6, TIME)
    held = np.isin(np.arange(TIME), EVENT)
    covariates = {"cause": cause, "noise": rng.standard_normal(TIME)}
    days = pd.bdate_range("2024-01-01", periods=TIME)
    return FlowData(days, ("A",), 0, flow[:, None], r[:, None], covariates, held)


@pytest.fixture(scope="module")
def evidence(data):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flow_evidence, "FORESEEN", 50)
        return evidence_of(data, question(), draws=600, seed=np.random.SeedSequence(3))


def rival(evidence, name, panel="held"):
    return next(r for r in evidence.rivals[panel] if r.mechanism.name == name)


@pytest.mark.parametrize("panel", PANELS)
def test_what_made_the_rows_counts_and_what_did_not_does_not(evidence, panel):
    assert evidence.counts(rival(evidence, "true", panel))
    assert not evidence.counts(rival(evidence, "idle", panel))
    assert evidence.foresight(rival(evidence, "true", panel)).value > 20


def test_the_part_of_what_made_the_rows_is_found(evidence):
    part = rival(evidence, "true").contribution
    assert part.shape == (600, 2)
    low, high = np.quantile(part, (0.005, 0.995), axis=0)
    active = 500.0 * (1.0 - 1 / 12)  # a level enters less its mean
    assert (low < active).all()
    assert (high > active - 25).all()


def test_no_shift_of_the_mean_gains_more_than_the_ceiling(evidence):
    for panel, rivals in evidence.rivals.items():
        for target in evidence.targets:
            top = evidence.ceiling(panel, target)
            for each in rivals:
                if each.mechanism.terms and each.mechanism.name == "idle":
                    gain = evidence.gain(each, target)
                    assert gain.value <= top.value + 3 * np.hypot(gain.error, top.error)


def test_the_baseline_gains_nothing_over_itself(evidence):
    for panel in PANELS:
        base = evidence.rivals[panel][0]
        assert base.mechanism.baseline
        assert evidence.gain(base, evidence.whole).value == 0.0
        assert evidence.foresight(base).value == 0.0


def test_the_convention_of_the_event_is_that_of_most_rows_before_it(evidence):
    assert evidence.reading == "previous day"
    assert (rival(evidence, "none").previous > 1 - 1e-9).all()


def test_stacking_prefers_what_made_the_rows(evidence):
    for panel in PANELS:
        names = [r.mechanism.name for r in evidence.rivals[panel]]
        assert evidence.weights[panel].sum() == pytest.approx(1.0)
        assert evidence.weights[panel][names.index("true")] > 0.5


def test_the_penalty_is_the_log_of_the_accounts_tried(evidence):
    assert evidence.tried == 3
    assert evidence.penalty == pytest.approx(np.log(3))


def test_every_account_with_terms_is_put_to_other_priors(evidence):
    changes = {(each.mechanism, each.change) for each in evidence.sensitivity}
    for name in ("true", "idle"):
        assert {(name, "prior scale x 0.5"), (name, "prior scale x 2")} <= changes


def test_one_seed_gives_the_same_evidence(data, monkeypatch):
    monkeypatch.setattr(flow_evidence, "FORESEEN", 4)
    small = question(mechanisms=MECHANISMS[:2])
    one, two = (
        evidence_of(data, small, draws=200, seed=np.random.SeedSequence(1)) for _ in range(2)
    )
    assert one.rivals["held"][1].score == two.rivals["held"][1].score


def test_a_row_of_the_event_without_a_flow_is_not_asked(data):
    flow = data.flow.copy()
    flow[EVENT[0]] = 0.0
    targets = event_rows(replace(data, flow=flow))
    assert list(targets) == [f"{data.days[EVENT[1]]:%Y-%m-%d}"]
    flow[list(EVENT)] = 0.0
    with pytest.raises(EventError, match="no held-out day has a flow; hold out"):
        event_rows(replace(data, flow=flow))


def test_findings_say_what_was_possible_and_judge_every_account(evidence):
    possible, *accounts = evidence_findings(evidence)
    assert possible.name == "event evidence within reach"
    assert possible.verdict == "holds"
    verdicts = {finding.name: finding.verdict for finding in accounts}
    assert verdicts["true, dating held"] == "holds"
    assert verdicts["idle, dating held"] != "holds"
    assert len(verdicts) == 3 + 2


def test_tables_hold_one_row_a_question(evidence):
    tables = frames(evidence)
    rivals = sum(len(found) for found in evidence.rivals.values())
    assert len(tables["mechanism_evidence"]) == rivals * len(evidence.targets)
    assert len(tables["mechanism_foresight"]) == rivals
    assert tables["mechanism_foresight"].groupby("dating")["stacking"].sum().to_numpy() == (
        pytest.approx(1.0)
    )
    effects = tables["mechanism_effects"]
    assert (effects["q05"] <= effects["mean"]).all()
    assert (effects.loc[effects["account"] == "true", "q05"] >= 0).any()


def test_a_model_without_accounts_has_no_evidence(data):
    assert evidence_tables(question(mechanisms=()), data, seed=np.random.SeedSequence(0)) == (
        {},
        (),
    )
