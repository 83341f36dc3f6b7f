"""Tests about flows and published figures: each against a known truth, in both directions."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from attribution.audit.arithmetic import (
    FigureAtLeast,
    FiguresAgree,
    PublishedOnly,
    figure_at_least,
    figures_agree,
    published_only,
)
from attribution.audit.correlation import (
    FollowThrough,
    GrowthCompare,
    follow_through,
    growth_compare,
)
from attribution.audit.rows import DatedRow, FlowShare, NearZero, dated_row, flow_share, near_zero
from attribution.audit.tested import Untestable
from attribution.errors import DataError

DAYS = pd.bdate_range("2025-01-01", periods=400)
DAY = DAYS[-1].date()
EVE = DAYS[-2].date()


# ---- rows of a table of flows -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("own", "after", "verdict"),
    [(240.0, 231.0, "holds"), (-175.0, 0.0, "fails"), (-175.0, 231.6, "undecided")],
)
def test_a_row_decides_only_if_every_reading_of_its_date_agrees(sources, own, after, verdict):
    flow = np.r_[np.zeros(398), own, after]
    ask = DatedRow(("flow",), EVE, (0, 1), figure="flow")
    assert dated_row(ask, sources({"flow": flow})).verdict == verdict


def test_only_the_rows_that_may_be_late_are_moved(sources):
    flow, other = np.zeros((2, 400))
    flow[-1], other[-2], other[-1] = 200.0, 100.0, -900.0
    given = sources({"flow": flow, "other": other})
    ask = DatedRow(("flow",), EVE, (1,), level=300.0, steady=("other",))
    assert dated_row(ask, given).verdict == "holds"
    assert dated_row(replace(ask, columns=("flow", "other"), steady=()), given).verdict == "fails"


@pytest.mark.parametrize(("last", "verdict"), [(0.2, "holds"), (3.0, "fails")])
def test_a_sum_of_flows_is_near_zero_by_the_size_of_such_sums(sources, last, verdict):
    flow = np.random.default_rng(3).standard_normal(400)
    flow[-2:] = [last, 0.0]
    ask = NearZero(("flow",), EVE, 2, (0,))
    assert near_zero(ask, sources({"flow": flow})).verdict == verdict
    assert near_zero(ask, sources({"flow": 1e3 * flow})).verdict == verdict


def test_the_share_of_assets_that_left_depends_on_the_dating(sources):
    flow = np.r_[np.zeros(396), -20.0, 0.0, 0.0, -30.0]
    ask = FlowShare("flow", DAYS[-5].date(), EVE, (0, 1), 10_000.0, 0.2, 0.05)
    assert flow_share(ask, sources({"flow": flow})).verdict == "undecided"
    flow[-1] = 0.0
    flow[-4:] = [0.0, -20.0, 0.0, 0.0]
    assert flow_share(ask, sources({"flow": flow})).verdict == "holds"
    assert flow_share(ask, sources({"flow": -flow})).verdict == "fails"


def test_a_row_beyond_the_end_of_the_data_is_untestable(sources):
    ask = DatedRow(("flow",), DAY, (0, 1), level=0.0)
    with pytest.raises(Untestable, match="under every reading"):
        dated_row(ask, sources({"flow": np.ones(400)}))


# ---- published figures --------------------------------------------------------------------------


def test_published_figures_alone_never_decide(sources):
    given = sources({})
    with pytest.raises(Untestable, match="differ by up to 44 %"):
        figures_agree(FiguresAgree("near", "far"), given)
    assert figures_agree(FiguresAgree("near", "far", 0.5), given).verdict == "undecided"
    with pytest.raises(Untestable, match=r"worst day since April.*daily returns"):
        published_only(PublishedOnly(("words",), "daily returns"), given)
    with pytest.raises(Untestable, match="published in words"):
        figures_agree(FiguresAgree("words", "near"), given)


@pytest.mark.parametrize(("tolerance", "agree"), [(0.443, True), (0.442, False)])
def test_figures_agree_up_to_a_share_of_the_smaller(sources, tolerance, agree):
    ask = FiguresAgree("near", "far", tolerance)  # 104 and 150: 44.23 % of 104 apart
    for given in (ask, replace(ask, first="far", second="near")):
        if agree:
            assert figures_agree(given, sources({})).verdict == "undecided"
        else:
            with pytest.raises(Untestable, match="differ by up to 44 %"):
                figures_agree(given, sources({}))


def test_figures_of_different_units_are_not_compared(sources):
    with pytest.raises(Untestable, match="different units"):
        figures_agree(FiguresAgree("near", "shares", 100.0), sources({}))
    with pytest.raises(Untestable, match="differ by up to inf %"):
        figures_agree(FiguresAgree("none", "near", 1e9), sources({}))
    assert figures_agree(FiguresAgree("none", "none", 0.0), sources({})).verdict == "undecided"


def test_a_range_is_the_same_read_from_either_end(sources):
    assert sources({}).figure("turned").low == 64_000
    assert sources({}).figure("range").value == 38.5


@pytest.mark.parametrize(("level", "verdict"), [(10.0, "holds"), (10.1, "fails")])
def test_a_bound_is_met_at_its_end(sources, level, verdict):
    assert figure_at_least(FigureAtLeast("bound", level), sources({})).verdict == verdict


def test_an_unknown_figure_is_refused_with_the_nearest(sources):
    with pytest.raises(DataError, match=r"no row 'boundd' .*'bound'"):
        figure_at_least(FigureAtLeast("boundd", 1.0), sources({}))


@pytest.mark.parametrize(("grown", "verdict"), [(1.2, "holds"), (1.05, "fails")])
def test_the_faster_growing_of_two_stocks_is_found(sources, grown, verdict):
    columns = {"here": np.r_[np.ones(399), grown], "there": np.r_[np.ones(399), 1.1]}
    ask = GrowthCompare("here", "there", EVE, DAY)
    assert growth_compare(ask, sources(columns)).verdict == verdict


def test_growth_of_a_stock_that_nobody_observed_is_untestable(sources):
    ask = GrowthCompare("here", "there", EVE, DAY, figures=("near",))
    with pytest.raises(Untestable, match=r"no column there.*near: 104 USD"):
        growth_compare(ask, sources({"here": np.ones(400)}))


# ---- what follows inflows -----------------------------------------------------------------------


@pytest.mark.parametrize(("effect", "verdict"), [(2.0, "holds"), (-2.0, "fails")])
def test_returns_after_a_signal_are_compared_with_those_after_other_days(sources, effect, verdict):
    rng = np.random.default_rng(8)
    flow, basis = rng.standard_normal((2, 400)).cumsum(1)
    given = {"flow": np.gradient(flow), "basis": basis}
    frame = pd.DataFrame(given)
    signal = (frame["flow"].rolling(5).sum() > 0) & (frame["basis"].diff(5) <= 0)
    given["move"] = 0.3 * rng.standard_normal(400)
    given["move"][1:] += effect * signal.to_numpy()[:-1]
    ask = FollowThrough(("flow",), "basis", "move")
    assert follow_through(ask, sources(given)).verdict == verdict


def test_the_band_of_a_difference_holds_nine_tenths_of_its_draws(sources):
    """Blocks of ten days have exponential weights (Rubin 1981); the sentence quotes the draws."""
    flow, basis, move = np.random.default_rng(3).standard_normal((3, 400))
    given = {"flow": flow, "basis": basis.cumsum(), "move": move}
    ask = FollowThrough(("flow",), "basis", "move", draws=3000)
    frame = pd.DataFrame(given)
    later = frame["move"].rolling(5).sum().shift(-5)
    signal = (frame["flow"].rolling(5).sum() > 0) & (frame["basis"].diff(5) <= 0)
    known = later.notna() & frame["basis"].diff(5).notna()
    later, signal = later[known].to_numpy(), signal[known].to_numpy()
    weight = sources(given).rng().standard_exponential((3000, 39))[:, np.arange(390) // 10]
    means = [(weight * s) @ later / (weight * s).sum(1) for s in (signal, ~signal)]
    low, high = np.quantile(means[0] - means[1], [0.05, 0.95])
    found = follow_through(ask, sources(given))
    assert f"(90 % {low:+.1f} to {high:+.1f})" in found.evidence
    assert found.probability == pytest.approx(np.mean(means[0] > means[1]))
    assert f"{int(signal.sum())} days of inflows" in found.evidence


def test_unrelated_returns_are_seldom_called_a_consequence(sources):
    """Overlapping windows must not make it sure: about one in ten on either side."""
    sure = 0
    for seed in range(60):
        flow, basis, move = np.random.default_rng(seed).standard_normal((3, 400))
        given = {"flow": flow, "basis": basis.cumsum(), "move": move}
        ask = FollowThrough(("flow",), "basis", "move", draws=400)
        sure += follow_through(ask, sources(given)).verdict != "undecided"
    assert sure <= 60 * 0.2 + 3 * np.sqrt(60 * 0.2 * 0.8)


def test_too_few_signals_are_untestable(sources):
    given = {"flow": -np.ones(400), "basis": np.arange(400.0), "move": np.ones(400)}
    with pytest.raises(Untestable, match="0 of 390 days"):
        follow_through(FollowThrough(("flow",), "basis", "move"), sources(given))
