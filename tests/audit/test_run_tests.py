"""Tests that read saved runs, on runs of known draws."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from attribution.audit.contributions import (
    Compare,
    Forecast,
    Joint,
    Largest,
    Lead,
    ShareOfMove,
    compare,
    forecast,
    joint,
    largest,
    lead,
    share_of_move,
)
from attribution.audit.saved import (
    FindingOf,
    PredictedFlow,
    Rival,
    finding_of,
    predicted_flow,
    rival,
)
from attribution.audit.tested import Untestable
from attribution.errors import SpecError
from attribution.runs.run import Run

DAYS = pd.to_datetime(["2026-02-04", "2026-02-05"])
CHANNELS = ("factor", "basis", "selling")
DRAWS = 1000


@pytest.fixture
def given(sources, var_run):
    """A fall of ten of which selling does about eight; factor shocks carry one into it."""
    rng = np.random.default_rng(1)
    own = np.array([-1.5, -0.5, -8.0]) + 0.1 * rng.standard_normal((DRAWS, 1, 3))
    eve = np.array([-2.0, 0.3, -0.2]) + 0.1 * rng.standard_normal((DRAWS, 1, 3))
    carried = np.array([-1.0, 0.0, 0.0])
    baseline = 0.1 * rng.standard_normal((DRAWS, 1))
    both = np.concatenate([eve, own + carried], axis=1)
    windows = {
        "crash": (DAYS[1:], own, baseline - 1.0),
        "both": (DAYS, both, np.concatenate([baseline, baseline], 1)),
    }

    def made(**changes):
        return sources({}, runs={"bvar": var_run(windows, CHANNELS, **changes)})

    return made


@pytest.mark.parametrize(("share", "verdict"), [(0.5, "holds"), (0.95, "fails")])
def test_a_share_of_the_move_is_that_of_its_channels(given, share, verdict):
    ask = ShareOfMove("bvar", "crash", ("selling",), share)
    assert share_of_move(ask, given()).verdict == verdict


def test_a_share_can_be_of_one_day_of_a_window(given):
    ask = ShareOfMove("bvar", "both", ("factor",), 0.9, day="2026-02-04")
    assert share_of_move(ask, given()).verdict == "holds"
    assert share_of_move(ShareOfMove("bvar", "both", ("factor",), 0.9), given()).verdict == "fails"


@pytest.mark.parametrize(
    ("more", "than", "verdict"),
    [
        (("selling",), ("factor", "basis"), "holds"),
        (("factor", "basis"), ("selling",), "fails"),
    ],
)
def test_the_larger_of_two_groups_is_found(given, more, than, verdict):
    assert compare(Compare("bvar", "crash", more, than), given()).verdict == verdict


@pytest.mark.parametrize(("channel", "verdict"), [("selling", "holds"), ("factor", "fails")])
def test_the_largest_channel_is_found(given, channel, verdict):
    assert largest(Largest("bvar", "crash", channel), given()).verdict == verdict


@pytest.mark.parametrize(("least", "verdict"), [(0.5, "holds"), (1.5, "fails")])
def test_what_earlier_shocks_carry_into_a_day_is_the_difference_of_windows(given, least, verdict):
    found = lead(Lead("bvar", "both", "crash", "factor", least), given())
    assert found.verdict == verdict
    assert "-1.0 (90 % -1.0 to -1.0)" in found.evidence


def test_a_channel_that_carries_nothing_does_not_lead(given):
    assert lead(Lead("bvar", "both", "crash", "selling", 0.1), given()).verdict == "fails"


@pytest.mark.parametrize(
    ("share", "denied", "verdict"),
    [(0.01, False, "holds"), (0.5, False, "fails"), (0.5, True, "holds"), (0.01, True, "fails")],
)
def test_a_fall_is_foretold_by_what_was_expected_on_its_eve(given, share, denied, verdict):
    assert forecast(Forecast("bvar", "crash", share, denied), given()).verdict == verdict


@pytest.mark.parametrize(
    ("signs", "verdict"), [("- +", "holds"), ("- -", "fails"), ("+ +", "fails")]
)
def test_signs_must_hold_in_the_same_draw(given, signs, verdict):
    ask = Joint("bvar", "both", ("factor", "basis"), "window 2026-02-04", signs)
    assert joint(ask, given()).verdict == verdict


def test_a_joint_probability_is_that_of_the_draws_and_not_a_product(sources, var_run):
    x = np.random.default_rng(2).standard_normal((DRAWS, 1, 1))
    parts = np.concatenate([x, x], axis=2)
    run = var_run({"crash": (DAYS[1:], parts, np.zeros((DRAWS, 1)))}, ("a", "b"))
    ask = Joint("bvar", "crash", ("a", "b"), "window window", "+ +")
    found = joint(ask, sources({}, runs={"bvar": run}))
    assert found.probability == pytest.approx((x > 0).mean(), abs=1e-12)


def test_the_weights_of_draws_are_honoured(given):
    """All weight on draws in which selling is small makes the claim fail."""
    ask = ShareOfMove("bvar", "crash", ("selling",), 0.727)
    parts = given().run("bvar").tree["windows/crash/contribution"].to_numpy()[0, :, 0, 2]
    weight = (parts > -8.0).astype(float)
    assert share_of_move(ask, given()).verdict == "undecided"
    assert share_of_move(ask, given(weight=weight)).verdict == "fails"


def test_a_joint_claim_of_unequal_lists_is_refused(given):
    with pytest.raises(SpecError, match="as many days"):
        joint(Joint("bvar", "both", ("factor", "basis"), "window", "- -"), given())


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (Largest("bvarr", "crash", "factor"), "no such model is shipped"),
        (Largest("factor", "crash", "factor"), "attribution fit --model factor"),
        (Largest("bvar", "crush", "factor"), "no window 'crush' .*'crash'"),
        (Largest("bvar", "crash", "factors"), "no channel 'factors' .*'factor'"),
    ],
)
def test_what_a_run_lacks_is_untestable_and_says_what_it_lacks(given, ask, message):
    with pytest.raises(Untestable, match=message):
        largest(ask, given())


# ---- findings -----------------------------------------------------------------------------------


FOUND = {"name": "basis", "question": "?", "evidence": "12 points"}


@pytest.mark.parametrize(
    ("chance", "denied", "verdict"),
    [(0.95, False, "holds"), (0.95, True, "fails"), (0.5, True, "undecided")],
)
def test_a_finding_of_a_run_is_evidence_for_or_against(given, chance, denied, verdict):
    run = given(findings=[{**FOUND, "verdict": "undecided", "probability": chance}])
    found = finding_of(FindingOf("bvar", "basis", denied), run)
    assert (found.verdict, "12 points" in found.evidence) == (verdict, True)


def test_a_finding_without_a_probability_keeps_its_verdict_or_turns_it(given):
    run = given(findings=[{**FOUND, "verdict": "holds", "probability": None}])
    assert finding_of(FindingOf("bvar", "basis"), run).verdict == "holds"
    assert finding_of(FindingOf("bvar", "basis", denied=True), run).verdict == "fails"


def test_a_finding_that_is_not_there_is_untestable(given):
    run = given(findings=[{**FOUND, "verdict": "holds", "probability": None}])
    with pytest.raises(Untestable, match=r"no finding 'basis_' .*'basis'"):
        finding_of(FindingOf("bvar", "basis_"), run)


def test_a_rival_that_the_series_cannot_tell_apart_is_untestable(given):
    with pytest.raises(Untestable, match="offshore_lead"):
        rival(Rival("bvar", "october_continuation"), given())


# ---- predicted flows ----------------------------------------------------------------------------


@pytest.fixture
def flows(sources):
    """A run that asks about one day: 100 draws of a flow from -50 to 49, read two ways."""
    flow = np.arange(-50.0, 50.0).reshape(1, 100, 1, 1, 1) + np.array([-20.0, 100.0])
    dims = ("chain", "draw", "day", "fund", "convention")
    data = xr.Dataset(
        {
            "flow": (dims, flow),
            "log_weight": (("chain", "draw", "day"), np.zeros((1, 100, 1))),
            "published": (("day", "fund"), [[30.0]]),
            "held_out": ("day", [True]),
        },
        {"day": DAYS[:1], "fund": ["IBIT"], "convention": ["previous day", "same day"]},
    )
    data.attrs["focus"] = "IBIT"
    tree = xr.DataTree.from_dict({"/predictive": data})
    tree.attrs["study"] = "flows"
    return sources({}, runs={"flows": Run(tree, {"findings": []})})


@pytest.mark.parametrize(
    ("reading", "above", "denied", "chance"),
    [
        ("same day", 0.0, False, 1.0),
        ("same day", 0.0, True, 0.0),
        ("previous day", 0.0, False, 0.29),
        ("previous day", -30.5, True, 0.4),
    ],
)
def test_the_sign_of_a_predicted_flow_is_read_off_its_draws(flows, reading, above, denied, chance):
    found = predicted_flow(PredictedFlow("flows", "2026-02-04", reading, above, denied), flows)
    assert found.probability == pytest.approx(chance, abs=1e-9)
    assert "published +30.0" in found.evidence


@pytest.mark.parametrize(
    ("day", "reading", "message"),
    [("2026-02-05", "same day", "does not ask"), ("2026-02-04", "sameday", "'same day'")],
)
def test_a_day_or_a_reading_that_was_not_asked_is_untestable(flows, day, reading, message):
    with pytest.raises(Untestable, match=message):
        predicted_flow(PredictedFlow("flows", day, reading), flows)


def test_a_run_of_another_kind_predicts_no_flow(given):
    with pytest.raises(Untestable, match="predicts no flows"):
        predicted_flow(PredictedFlow("bvar", "2026-02-04", "same day"), given())
