"""Records of notes read by rule: the shipped table, and words that no rule reads."""

from datetime import date

import pandas as pd
import pytest

from attribution.errors import DataError
from attribution.panel.catalogue import read_frame
from attribution.panel.note_terms import note_terms

DAY = date(2026, 2, 5)


@pytest.fixture(scope="module")
def closes():
    return read_frame("daily")["ibit"]


@pytest.fixture(scope="module")
def records():
    return read_frame("notes")


@pytest.fixture(scope="module")
def terms(records, closes):
    return {one.name: one for one in note_terms(records, closes, DAY)}


def test_every_shipped_record_is_read(terms, records):
    assert list(terms) == list(records.index)
    stated = {name: one.face for name, one in terms.items() if one.face is not None}
    assert stated == pytest.approx(
        {"N02": 1.704, "N04": 0.458, "N05": 0.2, "N06": 0.01, "N09": 104.0, "N13": 5.574}
    )


def test_levels_stated_in_the_table_are_among_those_read(terms, records):
    for name, row in records.iterrows():
        if not pd.isna(row["barrier_level"]):
            levels = [
                f * fixing for fixing, _ in terms[name].fixings for f in terms[name].fractions
            ]
            assert min(abs(level - row["barrier_level"]) for level in levels) < 0.011, name


def test_every_fixing_has_its_day(terms, closes):
    for one in terms.values():
        assert len(one.fixed) == len(one.fixings), one.name
        assert all(when < DAY for when in one.fixed)
    assert terms["N04"].fixed == (date(2025, 10, 30), date(2025, 10, 31))
    found = [closes[pd.Timestamp(when)] for when in terms["N04"].fixed]
    assert found == [initial for initial, _ in terms["N04"].fixings]


def test_a_buffer_is_told_from_a_contingent_one(terms):
    kinds = {name: one.kind for name, one in terms.items() if one.kind != "knock_in_put"}
    assert kinds == {"N01": "buffer", "N02": "buffer", "N09": "dual_directional"}


def test_what_is_open_has_several_values(terms):
    assert len(terms["N04"].fixings) == 2
    assert terms["N07"].fractions == (0.7, 0.6)
    assert len(terms["N11"].fractions) > 2
    assert terms["N13"].maturity[0] == terms["N13"].maturity[1] == pytest.approx(3.85, abs=0.01)
    assert terms["N09"].maturity == pytest.approx((1.74, 1.82), abs=0.02)
    assert terms["N05"].maturity[1] - terms["N05"].maturity[0] == pytest.approx(3.0, abs=0.01)


def test_a_capped_rise_is_read_from_its_greatest_payment(terms):
    assert (terms["N01"].participation, terms["N01"].cap) == (2.0, pytest.approx(1.45))
    assert terms["N02"].participation == 0.0


def test_lows_end_on_the_eve(terms, closes):
    eve = closes[closes.index < pd.Timestamp(DAY)].iloc[-1]
    assert all(low == eve for one in terms.values() for _, low in one.fixings)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("maturity", "soon", "note 'N01': maturity 'soon' is no day, no year and no term"),
        ("barrier_pct_of_initial", "low", "note 'N01': barrier 'low' has no number"),
        ("pricing_date", "2031-01-02", "note 'N01': there is no close on its days of fixing"),
    ],
)
def test_words_that_no_rule_reads_are_refused(records, closes, column, value, message):
    wrong = records.copy()
    wrong[column] = wrong[column].astype(object)
    wrong.loc["N01", column] = value
    with pytest.raises(DataError, match=message):
        note_terms(wrong, closes, DAY)


def test_prices_that_begin_too_late_are_refused(records, closes):
    with pytest.raises(DataError, match="no close on its days of fixing"):
        note_terms(records, closes[closes.index >= pd.Timestamp("2025-12-01")], DAY)


@pytest.mark.parametrize("column", ["maturity", "notional_usd", "autocall_or_cap"])
def test_records_that_lack_a_column_are_refused(records, closes, column):
    with pytest.raises(DataError, match=f"no column '{column}'"):
        note_terms(records.drop(columns=column), closes, DAY)


def test_faces_in_words_are_refused(records, closes):
    wordy = records.assign(notional_usd=records["notional_usd"].astype(str))
    with pytest.raises(DataError, match="'notional_usd' holds no numbers"):
        note_terms(wordy, closes, DAY)
