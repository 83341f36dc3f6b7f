"""Labels of periods stand for their first day; whatever else looks like one does not."""

from datetime import date

import pytest

from attribution.model.names import period_of


@pytest.mark.parametrize(
    ("label", "day", "calendar"),
    [
        ("1965", date(1965, 1, 1), "yearly"),
        ("1965-07", date(1965, 7, 1), "monthly"),
        ("1965m7", date(1965, 7, 1), "monthly"),
        ("1965M07", date(1965, 7, 1), "monthly"),
        ("1965-M12", date(1965, 12, 1), "monthly"),
        ("1965Q1", date(1965, 1, 1), "quarterly"),
        ("1965q4", date(1965, 10, 1), "quarterly"),
        ("1965-Q3", date(1965, 7, 1), "quarterly"),
    ],
)
def test_a_label_is_its_first_day_and_its_calendar(label, day, calendar):
    assert period_of(label) == (day, calendar)


@pytest.mark.parametrize(
    "text",
    [
        "1965-13",
        "1965m0",
        "1965Q5",
        "1965-07-01",
        "196507",
        "65-07",
        "0000",
        "07/1965",
        "",
        "1965-",
    ],
)
def test_what_is_no_label_is_none(text):
    assert period_of(text) is None
