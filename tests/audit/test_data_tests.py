"""Tests that need data alone: each against a known truth, in both directions."""

import numpy as np
import pandas as pd
import pytest

from attribution.audit.arithmetic import (
    ShortingCreates,
    TailProbability,
    TailRatio,
    rarity,
    shorting_creates,
    tail_probability,
    tail_ratio,
)
from attribution.audit.catalogue import OnDay, RankOfDay, RecordOf, on_day, rank_of_day, record_of
from attribution.audit.correlation import (
    Correlation,
    CorrelationCompare,
    GrowthCompare,
    bootstrap,
    correlation,
    correlation_compare,
    growth_compare,
)
from attribution.audit.rows import DatedRow, NearZero, dated_row, near_zero
from attribution.audit.tested import Untestable
from attribution.errors import DataError, SpecError

DAYS = pd.bdate_range("2025-01-01", periods=400)
DAY = DAYS[-1].date()
EVE = DAYS[-2].date()


# ---- records ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("last", "multiple", "verdict"),
    [(21.0, 1.0, "holds"), (19.9, 1.0, "fails"), (40.0, 2.0, "holds"), (39.9, 2.0, "fails")],
)
def test_a_record_is_one_over_the_highest_day_before(sources, last, multiple, verdict):
    volume = np.r_[np.full(398, 10.0), 20.0, last]
    found = record_of(RecordOf("volume", DAY, multiple=multiple), sources({"volume": volume}))
    assert found.verdict == verdict
    assert f"{last / 20:.2f} times" in found.evidence
    assert f"{EVE}" in found.evidence


def test_a_later_higher_day_does_not_undo_a_record(sources):
    volume = np.r_[np.full(398, 10.0), 20.0, 99.0]
    assert record_of(RecordOf("volume", EVE), sources({"volume": volume})).verdict == "holds"


def test_a_record_in_shares_need_not_be_one_in_dollars(sources):
    columns = {"volume": np.r_[np.full(399, 10.0), 11.0], "price": np.r_[np.full(399, 50.0), 40.0]}
    given = sources(columns)
    assert record_of(RecordOf("volume", DAY), given).verdict == "holds"
    assert record_of(RecordOf("volume", DAY, times="price"), given).verdict == "fails"


@pytest.mark.parametrize(
    ("side", "value", "verdict"),
    [
        ("near", 108.0, "holds"),
        ("near", 110.0, "fails"),
        ("at least", 104.0, "holds"),
        ("at least", 103.9, "fails"),
        ("at most", 104.0, "holds"),
        ("at most", 104.1, "fails"),
    ],
)
def test_a_day_is_compared_with_a_published_figure(sources, side, value, verdict):
    given = sources({"level": np.r_[np.zeros(399), value]})
    found = on_day(OnDay("level", DAY, figure="near", side=side), given)
    assert found.verdict == verdict
    assert "near: 104 USD" in found.evidence


def test_what_was_not_observed_is_untestable_and_says_when_it_was(sources):
    given = sources({"level": np.r_[np.zeros(399), np.nan]})
    with pytest.raises(Untestable, match=f"not observed on {DAY} .*{DAYS[0]:%Y-%m-%d} to {EVE}"):
        on_day(OnDay("level", DAY, level=1.0), given)


def test_a_column_that_is_not_there_is_refused_with_the_nearest(sources):
    with pytest.raises(DataError, match=r"no column 'volum' .*'volume'"):
        record_of(RecordOf("volum", DAY), sources({"volume": np.ones(400)}))


def test_a_rank_counts_days_to_then_and_turns_with_the_sign(sources):
    values = np.r_[np.arange(398.0), -1.0, -2.0]
    ask = RankOfDay("x", EVE, top=1)
    assert rank_of_day(ask, sources({"x": values})).verdict == "holds"
    mirrored = RankOfDay("x", EVE, top=1, high=True)
    assert rank_of_day(mirrored, sources({"x": -values})).verdict == "holds"
    assert rank_of_day(RankOfDay("x", DAYS[3].date(), top=3), sources({"x": values})).verdict == (
        "fails"
    )


# ---- correlations -------------------------------------------------------------------------------


@pytest.fixture
def pairs():
    rng = np.random.default_rng(2)
    x, a, b = rng.standard_normal((3, 400))
    return {"x": x, "close": 0.8 * x + 0.6 * a, "far": 0.1 * x + b, "opposite": -0.8 * x + 0.6 * a}


@pytest.mark.parametrize(
    ("second", "verdict"), [("close", "holds"), ("opposite", "fails"), ("far", "undecided")]
)
def test_a_correlation_is_found_or_denied_or_left_open(sources, pairs, second, verdict):
    pairs["far"] = pairs["far"] - np.polyval(np.polyfit(pairs["x"], pairs["far"], 1), pairs["x"])
    found = correlation(Correlation("x", second, DAY, 400), sources(pairs))
    assert found.verdict == verdict


@pytest.mark.parametrize(
    ("more", "than", "verdict"), [("close", "far", "holds"), ("far", "close", "fails")]
)
def test_the_closer_of_two_columns_is_named(sources, pairs, more, than, verdict):
    found = correlation_compare(CorrelationCompare("x", more, than, DAY, 200), sources(pairs))
    assert found.verdict == verdict


def test_swapping_the_two_columns_swaps_the_probability(sources, pairs):
    given = sources(pairs)
    one, other = (
        correlation_compare(CorrelationCompare("x", *names, DAY, 40), given).probability
        for names in (("close", "far"), ("far", "close"))
    )
    assert one + other == pytest.approx(1.0, abs=4 * np.sqrt(0.25 / 4000) * np.sqrt(2))


def test_scale_and_origin_do_not_matter_to_a_correlation(sources, pairs):
    ask = CorrelationCompare("x", "close", "far", DAY, 60)
    moved = {name: 1e4 + 1e-3 * x for name, x in pairs.items()}
    one, other = (correlation_compare(ask, sources(columns)) for columns in (pairs, moved))
    assert one.probability == pytest.approx(other.probability, abs=1e-3)


def test_the_bootstrap_of_a_correlation_has_fishers_spread():
    """For normal data the standard deviation of atanh r is near 1/sqrt(n - 3)."""
    rng = np.random.default_rng(4)
    x = rng.standard_normal((500, 2))
    x[:, 1] += 0.5 * x[:, 0]
    r = bootstrap(pd.DataFrame(x), 8000, rng)[:, 0, 1]
    assert np.arctanh(r).std() == pytest.approx(1 / np.sqrt(497), rel=0.1)
    assert r.mean() == pytest.approx(np.corrcoef(x.T)[0, 1], abs=0.005)


def test_levels_of_unrelated_walks_correlate_where_their_returns_do_not(sources):
    """The trap that the variants of the essay's table show: over 60 days, in most of 40 pairs."""
    rng = np.random.default_rng(1)
    found = {"levels": 0, "returns": 0}
    for _ in range(40):
        steps = rng.standard_normal((2, 400))
        for name, pair in (("levels", steps.cumsum(1)), ("returns", steps)):
            ask = Correlation("a", "b", DAY, 60, draws=400)
            chance = correlation(ask, sources(dict(zip("ab", pair, strict=True)))).probability
            found[name] += not 0.1 < chance < 0.9
    assert found["levels"] >= 30 > 15 >= found["returns"]


def test_too_few_days_are_untestable(sources, pairs):
    with pytest.raises(Untestable, match="400 complete days"):
        correlation(Correlation("x", "far", DAY, 401), sources(pairs))


# ---- arithmetic ---------------------------------------------------------------------------------


def test_rarity_agrees_with_the_published_tables_of_the_normal_law():
    assert rarity(1.959964, "normal", 4, 2) == pytest.approx(0.05, rel=1e-5)
    assert rarity(3.0, "normal", 4, 1) == pytest.approx(0.0013499, rel=1e-4)


def test_a_heavy_tailed_law_of_many_degrees_is_the_normal_one():
    assert rarity(3.0, "student", 1e7, 2) == pytest.approx(rarity(3.0, "normal", 4, 2), rel=1e-4)
    assert rarity(3.5, "student", 4, 2) > 10 * rarity(3.5, "normal", 4, 2)


@pytest.mark.parametrize(("times", "verdict"), [(5.8, "holds"), (10.0, "fails")])
def test_three_and_a_half_sigma_is_not_quite_six_times_rarer_than_three(sources, times, verdict):
    found = tail_ratio(TailRatio("z", 3.0, times), sources({}))
    assert found.verdict == verdict
    assert "5.8 times rarer" in found.evidence


@pytest.mark.parametrize(("stated", "verdict"), [(0.0005, "holds"), (0.005, "fails")])
def test_a_stated_tail_probability_is_checked(sources, stated, verdict):
    assert tail_probability(TailProbability("z", stated), sources({})).verdict == verdict


@pytest.mark.parametrize(
    ("shorted", "lent", "verdict"),
    [(6.0, 0.0, "fails"), (1e6, 0.0, "fails"), (6.0, 1.0, "holds"), (6.0, 0.5, "fails")],
)
def test_no_short_sale_creates_shares_unless_they_are_created_to_be_lent(
    sources, shorted, lent, verdict
):
    ask = ShortingCreates("shares", shorted, lent)
    assert shorting_creates(ask, sources({})).verdict == verdict


# ---- refusals ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("test", "ask"),
    [
        (on_day, OnDay("x", DAY, level=1.0, side="over")),
        (dated_row, DatedRow(("x",), DAY, (0,), side="over")),
        (tail_ratio, TailRatio("z", 3.0, 10.0, law="cauchy")),
        (tail_ratio, TailRatio("z", 3.0, 10.0, law="student", dof=2.0)),
    ],
)
def test_a_word_or_number_that_means_nothing_is_refused(sources, test, ask):
    with pytest.raises(SpecError):
        test(ask, sources({"x": np.ones(400)}))


@pytest.mark.parametrize(
    ("test", "ask"),
    [
        (record_of, RecordOf("zero", DAY)),
        (record_of, RecordOf("x", DAYS[0].date())),
        (rank_of_day, RankOfDay("x", EVE, 1, since=DAY)),
        (correlation, Correlation("x", "zero", DAY, 60)),
        (correlation, Correlation("x", "x", DAY, 60)),
        (growth_compare, GrowthCompare("x", "zero", EVE, DAY)),
        (near_zero, NearZero(("zero",), EVE, 1, (0,))),
    ],
)
def test_data_that_decide_nothing_are_untestable_and_no_traceback(sources, test, ask):
    given = sources({"x": np.arange(1.0, 401.0), "zero": np.zeros(400)})
    with pytest.raises(Untestable):
        test(ask, given)
