"""Transforms against numbers worked out by hand."""

import math
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from attribution.errors import DataError
from attribution.panel.card import Card, Column
from attribution.panel.read import derive, refuse_leaps, refuse_undefined

NAN = math.nan
DAYS = pd.DatetimeIndex(
    ["2026-02-02", "2026-02-03", "2026-02-04", "2026-02-05", "2026-02-06", "2026-02-09"]
)
RAW = pd.DataFrame(
    {
        "price": [100.0, 110.0, 99.0, NAN, 99.0, 198.0],
        "other": [50.0, 50.0, 55.0, 55.0, 55.0, 55.0],
        "future": [101.0, 110.0, 100.0, 100.0, 100.0, 200.0],
        "days": [7.0, 6.0, 5.0, 4.0, 31.0, 28.0],
    },
    index=DAYS,
)
CARD = Card(
    *("toy", Path("toy.toml"), "Toy", "toy.csv", "series", "date", "", "none", "none", ()),
    *("", "", "", "", "", {}, {}),
)


def made(transform, of="price", **keys):
    return derive(Column("made", transform, "unit", of=of, **keys), RAW).to_list()


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (made("level", scale=100), [10000, 11000, 9900, NAN, 9900, 19800]),
        (made("level", times="other"), [5000, 5500, 5445, NAN, 5445, 10890]),
        (made("level", over="other"), [2, 2.2, 1.8, NAN, 1.8, 3.6]),
        (made("change"), [NAN, 10, -11, NAN, NAN, 99]),
        (made("change", of="other", scale=2), [NAN, 0, 10, 0, 0, 0]),
        (made("log_level", of="other"), [math.log(x) for x in (50, 50, 55, 55, 55, 55)]),
        (made("log_change", scale=100), [NAN, 9.531018, -10.536052, NAN, NAN, 69.314718]),
        (made("level", lag=1), [NAN, 100, 110, 99, NAN, 99]),
        (made("level", lead=1), [110, 99, NAN, 99, 198, NAN]),
        (made("at_most", of="days", threshold=5), [0, 0, 1, 1, 0, 0]),
        (made("at_most", threshold=100, lag=1), [NAN, 1, 0, 1, NAN, 1]),
        (made("since", of="", start=date(2026, 2, 5)), [0, 0, 0, 1, 1, 1]),
    ],
)
def test_a_transform_gives_the_number_worked_out_by_hand(found, expected):
    assert found == pytest.approx(expected, nan_ok=True, abs=1e-6)


def test_an_excess_is_over_the_median_of_the_rows_before_its_own():
    found = made("log_excess", of="other", window=3)
    medians = [50, 55, 55]  # of rows 1-3, 2-4, 3-5: the day itself does not enter
    expected = [NAN] * 3 + [math.log(55 / m) for m in medians]
    assert found == pytest.approx(expected, nan_ok=True)


def test_an_excess_is_missing_until_its_window_is_full():
    assert np.isnan(made("log_excess", window=2)[:2]).all()
    assert np.isnan(made("log_excess", window=2)[4])  # the gap of the fourth day is in its window


def test_a_basis_is_annualised_over_its_days_and_empty_near_expiry_and_at_a_roll():
    found = made(
        "log_level",
        of="future",
        over="other",
        scale=100,
        expiry="days",
        min_days=5,
        annualised=True,
    )
    expected = [
        100 * math.log(101 / 50) * 365 / 7,
        100 * math.log(110 / 50) * 365 / 6,
        100 * math.log(100 / 55) * 365 / 5,
        NAN,  # four days left
        NAN,  # a roll: the price may be the old contract's
        100 * math.log(200 / 55) * 365 / 28,
    ]
    assert found == pytest.approx(expected, nan_ok=True)


def test_a_change_of_basis_touches_neither_a_day_near_expiry_nor_a_roll():
    found = made("log_change", of="future", over="other", scale=1e4, expiry="days", min_days=5)
    second, third = 1e4 * math.log(110 / 101), 1e4 * math.log((100 / 55) / (110 / 50))
    assert found == pytest.approx([NAN, second, third, NAN, NAN, NAN], nan_ok=True)


def test_a_price_that_is_not_positive_is_refused_under_a_logarithm():
    rows = RAW.assign(price=[100.0, 0.0, 99.0, NAN, 99.0, 198.0])
    column = Column("made", "log_change", "log points", of="price", scale=100)
    with pytest.raises(DataError) as refused:
        refuse_undefined(column, rows, "toy.csv")
    assert str(refused.value) == (
        "toy.csv: 'price' is 0 on 2026-02-03, and 'made' takes its logarithm; correct the value or"
        " empty the cell"
    )
    refuse_undefined(Column("made", "level", "USD", of="price"), rows, "toy.csv")


def test_a_division_by_zero_is_refused():
    rows = RAW.assign(price=[100.0, 0.0, 99.0, NAN, 99.0, 198.0])
    with pytest.raises(DataError) as refused:
        refuse_undefined(
            Column("made", "level", "ratio", of="other", over="price"), rows, "toy.csv"
        )
    assert str(refused.value) == (
        "toy.csv: 'price' is 0 on 2026-02-03, and 'made' divides by it; correct the value or empty"
        " the cell"
    )


def test_a_move_above_half_is_refused_until_the_card_confirms_it():
    column = Column("made", "log_change", "log points", of="price", scale=100)
    values = derive(column, RAW)
    with pytest.raises(DataError) as refused:
        refuse_leaps(column, values, CARD, "toy.csv")
    assert str(refused.value) == (
        "toy.csv: 'made' moves by +100 % on 2026-02-09; correct a split or a misprint, or list the"
        " date under confirmed in toy.toml"
    )
    confirmed = Column(
        "made", "log_change", "log points", of="price", scale=100, confirmed=(date(2026, 2, 9),)
    )
    refuse_leaps(confirmed, values, CARD, "toy.csv")


@pytest.mark.parametrize(
    ("keys", "known"),
    [
        ({"transform": "level", "lag": 1}, True),
        ({"transform": "level"}, False),
        ({"transform": "level", "lead": 1}, False),
        ({"transform": "log_excess", "window": 20}, False),
    ],
)
def test_only_what_is_shifted_back_is_known_before_its_day(keys, known, card, write, rows):
    from attribution.panel import read_card

    read = read_card(write(rows, card=card()) / "toy.toml")
    assert read.known_before(Column("made", unit="unit", of="price", **keys)) is known
    assert read.known_before(Column("made", "at_most", "0 or 1", of="days", threshold=7))
    assert read.known_before(Column("made", "since", "0 or 1", start=date(2026, 2, 5)))


@pytest.mark.parametrize(
    ("moves", "refused"),
    [([1.0, 1.499], False), ([1.0, 1.501], True), ([1.0, 0.501], False), ([1.0, 0.499], True)],
)
@pytest.mark.parametrize("scale", [1.0, 100.0])
def test_a_leap_begins_at_one_half_either_way_whatever_the_scale(moves, refused, scale):
    rows = pd.DataFrame({"price": moves}, index=DAYS[:2])
    column = Column("made", "log_change", "log points", of="price", scale=scale)
    values = derive(column, rows)
    if refused:
        with pytest.raises(DataError, match="correct a split"):
            refuse_leaps(column, values, CARD, "toy.csv")
    else:
        refuse_leaps(column, values, CARD, "toy.csv")
    level = Column("made", "level", "USD", of="price")
    refuse_leaps(level, derive(level, 100 * rows), CARD, "toy.csv")


@pytest.mark.parametrize(("least", "refused"), [(1e-300, False), (0.0, True), (-1e-300, True)])
def test_a_logarithm_ends_at_zero(least, refused):
    rows = RAW.assign(price=[100.0, least, 99.0, NAN, 99.0, 198.0])
    column = Column("made", "log_level", "log points", of="price")
    if refused:
        with pytest.raises(DataError, match="takes its logarithm"):
            refuse_undefined(column, rows, "toy.csv")
    else:
        refuse_undefined(column, rows, "toy.csv")
