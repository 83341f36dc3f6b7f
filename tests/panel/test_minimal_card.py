"""A card of three lines reads a file of months, quarters or years."""

import numpy as np
import pandas as pd
import pytest

from attribution.errors import DataError, EventError
from attribution.model import model_from
from attribution.panel import data_sets, read_card, read_panel

MODEL = """
schema = 1
kind = "svar"
title = "Toy"

[sample]
panel = "macro"
start = "1990-01"
end = "1999-10"

[system]
variables = ["output", "prices"]
lags = 1

[identification]
scheme = "recursive"
"""
CARD = 'schema = 1\nindex = "when"\nunit = "percent"\n'
QUARTERS = pd.period_range("1990Q1", "1999Q4", freq="Q")


@pytest.fixture
def read(tmp_path):
    """Write labels and a card, and read the toy model's panel from the folder."""

    def panel(labels, card=CARD, text=MODEL, **columns):
        rng = np.random.default_rng(2)
        values = {name: rng.standard_normal(len(labels)).round(6) for name in ("output", "prices")}
        frame = pd.DataFrame({"when": labels, **values, **columns})
        frame.to_csv(tmp_path / "macro.csv", index=False)
        (tmp_path / "macro.toml").write_text(card, encoding="utf-8")
        return read_panel(model_from(text, "toy_model"), tmp_path)

    return panel


@pytest.mark.parametrize("form", ["{0.year}Q{0.quarter}", "{0.year}q{0.quarter}"])
def test_quarters_stand_on_their_first_day(read, form):
    panel = read([form.format(quarter) for quarter in QUARTERS])
    assert panel.values.index.equals(QUARTERS.to_timestamp().as_unit("us"))
    assert panel.units == {"output": "percent", "prices": "percent"}
    assert panel.card.title == "macro" and panel.clock == "none"


def test_columns_are_derived_with_what_the_card_leaves_out(read):
    card = CARD + '\n[columns]\noutput = { of = "gdp", transform = "log_change", scale = 100 }\n'
    gdp = np.exp(np.linspace(1, 2, 40)).round(6)
    text = MODEL.replace('"1990-01"', '"1990-04"')
    panel = read([f"{q.year}Q{q.quarter}" for q in QUARTERS], card, text, gdp=gdp)
    assert panel.units == {"output": "log points", "prices": "percent"}
    assert panel.values["output"].to_numpy() == pytest.approx(100 / 39, abs=1e-4)


def test_a_model_file_in_the_place_of_a_card_is_told(read):
    with pytest.raises(DataError) as refused:
        read(["1990Q1"], card=MODEL)
    assert str(refused.value) == (
        "macro.toml: a model file, where the card of a data set should stand; give the two"
        " different names"
    )


def test_a_gap_is_seen_by_the_spacing_of_the_rows(read):
    labels = [f"{month}" for month in pd.period_range("1990-01", "1999-12", freq="M")]
    assert len(read(labels).values) == 118
    del labels[30]
    with pytest.raises(DataError) as refused:
        read(labels)
    assert str(refused.value) == (
        "macro.csv: the monthly calendar expects 1992-07 after 1992-06-01, found 1992-08-01; give"
        " each period one row"
    )


def test_labels_of_two_kinds_are_refused(read):
    with pytest.raises(DataError) as refused:
        read(["1990Q1", "1990Q2", "1990-07"])
    assert str(refused.value) == (
        "macro.csv: 'when' holds '1990-07' on row 3, which is no quarterly label such as '1990Q1';"
        " write every row the same way"
    )


def test_rates_may_stand_still_where_no_clock_says_that_they_are_quotes(read):
    rate = np.repeat(np.arange(8.0), 5)
    text = MODEL.replace('"prices"', '"rate"')
    labels = [f"{q.year}Q{q.quarter}" for q in QUARTERS]
    assert len(read(labels, text=text, rate=rate).values) == 40


def test_a_window_between_two_quarters_names_the_nearest_row(read):
    event = '\n[event]\nname = "e"\noutcome = "prices"\n[[event.windows]]\nname = "w"\n'
    text = MODEL + event + "start = 1995-05-15\nend = 1995-05-15\n"
    with pytest.raises(EventError, match=r"rows are quarterly, the nearest is 1995-04-01$"):
        read([f"{q.year}Q{q.quarter}" for q in QUARTERS], text=text)


def test_a_card_without_a_default_still_describes_every_column(read):
    card = 'schema = 1\nindex = "when"\n[series]\n'
    card += "".join(f'{name} = {{ unit = "percent" }}\n' for name in ("output", "prices"))
    with pytest.raises(DataError, match=r"column 'spare' is not described in macro\.toml"):
        read(["1990Q1", "1990Q2"], card, spare=1.0)


def test_without_columns_every_series_is_one_as_it_stands(read):
    card = 'schema = 1\nindex = "when"\n[series]\n'
    card += "".join(f'{name} = {{ unit = "{name}s" }}\n' for name in ("output", "prices"))
    panel = read([f"{q.year}Q{q.quarter}" for q in QUARTERS], card)
    assert panel.units == {"output": "outputs", "prices": "pricess"}


@pytest.mark.parametrize(
    ("column", "unit"),
    [
        ('{ of = "a" }', "kilograms"),
        ('{ of = "a", transform = "change" }', "kilograms"),
        ('{ of = "a", transform = "log_change", scale = 100 }', "log points"),
        ('{ of = "a", scale = 1000 }', None),
        ('{ of = "a", over = "b" }', None),
        ('{ of = "a", transform = "log_level" }', None),
    ],
)
def test_a_unit_is_left_out_only_where_it_is_known(tmp_path, column, unit):
    text = 'schema = 1\nindex = "when"\n[series]\na = { unit = "kilograms" }\nb = { unit = "s" }\n'
    (tmp_path / "card.toml").write_text(f"{text}[columns]\nx = {column}\n", encoding="utf-8")
    if unit is None:
        with pytest.raises(DataError, match=r"\[x\]: key 'unit' is missing; add it$"):
            read_card(tmp_path / "card.toml")
    else:
        assert read_card(tmp_path / "card.toml").columns["x"].unit == unit


def test_a_model_without_a_panel_needs_a_file(tmp_path, read):
    text = MODEL.replace('panel = "macro"\n', "")
    with pytest.raises(DataError) as refused:
        read([f"{q.year}Q{q.quarter}" for q in QUARTERS], text=text)
    assert str(refused.value) == (
        "toy_model: [sample] names no panel; add panel = the stem of a card, or hand over a data"
        " file or a data frame"
    )
    panel = read_panel(model_from(text), tmp_path / "macro.csv")
    assert panel.name == "macro" and len(panel.values) == 40


def test_a_data_set_without_descriptions_is_described_by_its_defaults(read, tmp_path):
    read([f"{q.year}Q{q.quarter}" for q in QUARTERS])
    (found,) = data_sets(tmp_path)
    assert [(column.name, column.unit) for column in found.columns] == [
        ("output", "percent"),
        ("prices", "percent"),
    ]
