"""A card that cannot mean what it says is refused with its place and a remedy."""

import pytest

from attribution.errors import DataError
from attribution.panel import read_card

RETURN = 'transform = "log_change"\nof = "price"\nscale = 100'
LEVEL = '[columns.flow]\ntransform = "level"\nof = "flow"'


@pytest.fixture
def refusal(tmp_path, card):
    def read(*pairs):
        path = tmp_path / "toy.toml"
        path.write_text(card(*pairs), encoding="utf-8")
        with pytest.raises(DataError) as refused:
            read_card(path)
        return str(refused.value)

    return read


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("schema = 1", "schema = 2", "toy.toml: schema 2 is unknown; use schema = 1"),
        (
            'layout = "series"',
            'layout = "record"',
            "toy.toml: layout 'record' is unknown (nearest: 'records'); correct it",
        ),
        (
            'calendar = "XNYS"',
            'calendar = "NYSE"',
            "toy.toml: calendar 'NYSE' is unknown (nearest: 'XNYS'); correct it",
        ),
        (
            'clock = "16:00 America/New_York"',
            'clock = "16:00 New York"',
            "toy.toml: clock '16:00 New York' is not a time and a zone such as '16:00"
            " America/New_York', a zone alone, or 'none'; correct it",
        ),
        (
            'clock = "16:00 America/New_York"',
            'clock = "Gotham"',
            "toy.toml: clock 'Gotham' is not a time and a zone such as '16:00 America/New_York', a"
            " zone alone, or 'none'; correct it",
        ),
        (
            'clock = "16:00 America/New_York"',
            'clock = "25:00 America/New_York"',
            "toy.toml: clock '25:00 America/New_York' is not a time and a zone such as '16:00"
            " America/New_York', a zone alone, or 'none'; correct it",
        ),
        (
            'calendar = "XNYS"',
            'calendar = "XNYS"\nclosed = ["2025-01-09"]',
            "toy.toml: closed = ['2025-01-09'] is not a list of dates; correct it",
        ),
        (
            'title = "Toy"',
            'titel = "Toy"',
            "toy.toml: unknown key 'titel' (nearest: 'title'); correct or remove it",
        ),
        (
            'unit = "USD million"\nrepeats',
            "repeats",
            "toy.toml: [series]: [flow]: key 'unit' is missing; add it",
        ),
        (
            "magnitude = [1, 1000]",
            "magnitude = [1000, 1]",
            "toy.toml: [series]: [price]: magnitude = [1000, 1] is not two rising numbers that"
            " bound the median of the absolute values; correct it",
        ),
        (
            RETURN,
            RETURN.replace("log_change", "log_chang"),
            "toy.toml: [columns]: [price_return]: transform 'log_chang' is unknown (nearest:"
            " 'log_change'); correct it",
        ),
        (
            RETURN,
            RETURN.replace('"price"', '"prise"'),
            "toy.toml: [columns]: [price_return]: 'prise' is not described under [series] (nearest:"
            " 'price'); describe it or correct the name",
        ),
        (
            RETURN,
            RETURN.replace("100", "1"),
            "toy.toml: [columns]: [price_return]: the unit 'log points' of a logarithm needs scale"
            " = 100, found 1; correct the scale or the unit",
        ),
        (
            LEVEL,
            LEVEL + "\nlag = 1\nlead = 1",
            "toy.toml: [columns]: [flow]: both lag and lead are given; keep one of them",
        ),
        (
            LEVEL,
            LEVEL + "\nannualised = true",
            "toy.toml: [columns]: [flow]: annualised and min_days need the days to expiry; name"
            " their series with expiry",
        ),
        (
            LEVEL,
            LEVEL + "\nwindow = 20",
            "toy.toml: [columns]: [flow]: unknown key 'window' (known: annualised, expiry, lag,"
            " lead, min_days, note, of, over, scale, times, transform, unit); correct or remove it",
        ),
        (
            'unit = "USD million"\nrepeats = true',
            'type = "text"',
            "toy.toml: [columns]: [flow]: 'flow' is a text; derive columns from numbers only",
        ),
    ],
)
def test_a_card_that_makes_no_sense_is_refused(refusal, old, new, sentence):
    assert refusal((old, new)) == sentence


def test_columns_are_derived_where_rows_are_days(refusal):
    pair = ('layout = "series"', 'layout = "records"')
    assert refusal(pair) == ('toy.toml: [columns] needs layout = "series" or "long"; remove one')


def test_a_key_that_is_missing_is_named(refusal):
    assert refusal(('index = "date"', "")).startswith("toy.toml: key 'index' is missing")


def test_a_card_that_is_no_toml_is_refused(tmp_path):
    (tmp_path / "toy.toml").write_text("schema = ")
    with pytest.raises(DataError, match=r"^toy\.toml: not valid TOML \(.*\); correct that line$"):
        read_card(tmp_path / "toy.toml")


def test_a_series_inherits_what_the_card_says_of_all(tmp_path, card):
    text = card(('unit = "percent a year"', 'unit = "percent a year"\nsource = "own"'))
    (tmp_path / "toy.toml").write_text(text)
    series = read_card(tmp_path / "toy.toml").series
    assert (series["price"].source, series["basis"].source) == ("made up", "own")
    assert series["price"].clock == "16:00 America/New_York"
    assert series["basis"].magnitude == (0.5, 500.0)  # the unit's own range
