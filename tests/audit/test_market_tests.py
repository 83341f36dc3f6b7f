"""Tests that price or smooth: a basis read on two clocks, notes, options."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from attribution.audit.catalogue import BasisJump, BasisMove, basis_jump, basis_move
from attribution.audit.hedges import (
    DeltaAbove,
    FirstBelow,
    LongOptionHedge,
    NoteHedge,
    NoteSize,
    delta_above,
    first_below,
    long_option_hedge,
    note_hedge,
    note_size,
)
from attribution.audit.tested import Untestable
from attribution.errors import DataError
from attribution.mechanics.digital import at_maturity
from attribution.panel.note_terms import YEAR

DAYS = pd.bdate_range("2025-01-01", periods=400)
DAY, NEXT = DAYS[-2].date(), DAYS[-1].date()
MINUTE = 40.0 * 365 / 25 / np.sqrt(525_600)
"""Error of an annualised basis, points, at 40 % volatility, 25 days, clocks a minute apart."""


def basis(jump, *, back=0.0, minutes=1.0):
    rng = np.random.default_rng(6)
    level = 5.0 + np.cumsum(0.2 * rng.standard_normal(400))
    level[-2:] += jump
    level[-1] += back
    seen = level + np.sqrt(minutes) * MINUTE * rng.standard_normal(400)
    return {"basis": seen, "left": np.full(400, 25.0), "vol": np.full(400, 40.0)}


@pytest.mark.parametrize(("jump", "verdict"), [(12.0, "holds"), (-12.0, "fails")])
def test_a_large_jump_that_stays_is_among_the_largest(sources, jump, verdict):
    ask = BasisJump("basis", "left", "vol", DAY, minutes=1.0)
    assert basis_jump(ask, sources(basis(jump))).verdict == verdict


def test_a_jump_of_the_size_of_the_clocks_error_is_not_called_one(sources):
    """Observed at rank one, and yet no clear verdict: the next day takes it back."""
    ask = BasisJump("basis", "left", "vol", DAY, minutes=4.0)
    found = basis_jump(ask, sources(basis(9.0, back=-9.0, minutes=4.0)))
    assert "observed rank 1 of" in found.evidence
    assert found.verdict != "holds"


@pytest.mark.parametrize(
    ("jump", "sign", "verdict"),
    [(6.0, "+", "holds"), (6.0, "-", "fails"), (-6.0, "-", "holds"), (0.0, "+", "undecided")],
)
def test_the_sign_of_a_move_is_found_where_it_can_be(sources, jump, sign, verdict):
    ask = BasisMove("basis", "left", "vol", DAY, sign, minutes=1.0)
    assert basis_move(ask, sources(basis(jump))).verdict == verdict


def test_a_change_across_a_roll_is_untestable(sources):
    columns = basis(1.0)
    columns["left"][-2:] = 30.0
    with pytest.raises(Untestable, match="stays in one contract"):
        basis_jump(BasisJump("basis", "left", "vol", DAY), sources(columns))


# ---- notes --------------------------------------------------------------------------------------


@pytest.fixture
def notes():
    rows = {
        "crossed": (5e6, 52.0, 38.0, "73.0769", "70% trigger", "2027-01-15"),
        "above": (5e6, 62.0, 45.0, "72.5806", "barrier", "2027-01-15"),
        "buffer": (9e9, 52.0, 38.0, "73.0769", "30% buffer", "2027-01-15"),
        "unknown": (9e9, 52.0, np.nan, "", "barrier", "2027-01-15"),
    }
    names = ("notional_usd", "ibit_initial", "barrier_level", "barrier_pct_of_initial",
             "barrier_kind", "maturity")  # fmt: skip
    words = {"product": "Notes", "doc_date": "", "pricing_date": "2025-06-02"}
    found = pd.DataFrame.from_dict(rows, orient="index", columns=names)
    return found.assign(**words, autocall_or_cap="")


@pytest.fixture
def fall(sources, notes):
    price = np.r_[np.full(398, 50.0), 36.0, 40.0]
    price[-3] = 42.0
    columns = {"price": price, "volume": np.full(400, 1e6), "vol": np.full(400, 50.0)}
    return sources(columns, notes=notes)


def size(**changes):
    terms = {"total": "total", "delta": 1.0, "material": 0.1, **changes}
    return NoteSize("price", "volume", DAY, **terms)


def test_only_knock_ins_between_the_two_prices_count(fall):
    found = note_size(size(), fall)
    assert "1 of 2 knock-ins" in found.evidence
    assert "face 5.0 USD million" in found.evidence


@pytest.mark.parametrize(
    ("material", "verdict"), [(0.1, "holds"), (0.2, "undecided"), (20.0, "fails")]
)
def test_size_is_bounded_by_the_known_notes_below_and_all_published_ones_above(
    fall, material, verdict
):
    """Volume 36 million: 5 million of known face is 14 % of it, 530 million are 15 times it."""
    assert note_size(size(material=material), fall).verdict == verdict


@pytest.mark.parametrize(("day", "verdict"), [(DAY, "holds"), (NEXT, "fails")])
def test_the_day_on_which_a_level_broke_is_found(fall, day, verdict):
    ask = FirstBelow("price", "range", day, date(2026, 1, 1))
    assert first_below(ask, fall).verdict == verdict


def hedge(**changes):
    terms = {"vol_low": 50.0, "vol_high": 60.0, "rise_low": 0.0, "rise_high": 0.001}
    return NoteHedge("price", DAY, **{**terms, "watched_late": 1.0, **changes})


def test_a_dealer_who_is_long_the_puts_buys_the_fall_at_unchanged_volatility(fall):
    """Long gamma away from the barrier; the sign is that of the price and not assumed."""
    assert note_hedge(hedge(), fall).verdict == "fails"


def test_the_flow_is_that_of_the_formula_of_a_barrier_seen_at_maturity(fall, notes):
    """One note, one volatility: its delta on the eve less that at the close, a million of face."""
    notes.loc["above", "maturity"] = ""
    found = note_hedge(hedge(vol_low=55.0, vol_high=55.0 + 1e-9), fall).evidence
    left = [(pd.Timestamp("2027-01-15") - when).days / YEAR for when in DAYS[-3:-1]]
    terms = (np.array([42.0, 36.0]), 52.0, 0.730769 * 52.0, np.array(left), 0.55, 0.04, 0.04)
    delta = at_maturity("down_in_put", *terms).delta
    expected = 1000.0 * (delta[0] - delta[1]) / 52.0 * 36.0
    assert f"of face: {expected:+.0f} (" in found


def test_notes_that_have_matured_are_left_out(fall, notes):
    notes["maturity"] = f"{DAY:%Y-%m-%d}"
    with pytest.raises(Untestable, match="no knock-in has"):
        note_hedge(hedge(), fall)


def test_a_large_rise_of_volatility_turns_the_hedge_into_a_sale(fall):
    assert note_hedge(hedge(rise_low=60.0, rise_high=90.0), fall).verdict == "holds"


def test_a_long_way_from_maturity_no_hedge_exceeds_its_face(fall, notes):
    notes["maturity"] = "2029-12-13"
    ask = DeltaAbove("price", DAY, 1.0, 50.0, 60.0, 0.5)
    assert delta_above(ask, fall).verdict == "fails"


def test_near_maturity_at_the_barrier_a_hedge_exceeds_its_face(fall, notes):
    notes["maturity"] = f"{DAY + pd.Timedelta(days=9):%Y-%m-%d}"
    ask = DeltaAbove("price", DAY, 1.0, 50.0, 60.0, 1.0)
    assert delta_above(ask, fall).verdict == "holds"


def test_notes_without_terms_are_untestable(fall, notes):
    notes["maturity"] = "about 2027"
    with pytest.raises(Untestable, match="no knock-in has"):
        note_hedge(hedge(), fall)


def test_a_ledger_that_lacks_a_column_is_refused(sources):
    given = sources({"price": np.ones(400), "volume": np.ones(400)}, notes=pd.DataFrame({"a": [1]}))
    ask = NoteSize("price", "volume", DAY, "total", 1.0, 0.1)
    with pytest.raises(DataError, match="no column 'barrier_level'"):
        note_size(ask, given)


# ---- options ------------------------------------------------------------------------------------


@pytest.mark.parametrize("option", ["put", "call"])
@pytest.mark.parametrize("close", [36.0, 48.0])
def test_who_is_long_options_trades_against_the_move(sources, option, close):
    """Positive gamma: hedges buy falls and sell rises."""
    columns = {"price": np.r_[np.full(399, 42.0), close], "vol": np.full(400, 50.0)}
    found = long_option_hedge(LongOptionHedge("price", "vol", NEXT, option), sources(columns))
    assert found.verdict == ("holds" if close < 42.0 else "fails")
