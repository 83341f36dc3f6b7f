"""Strict reading: a value is taken by name and type, or refused with its place."""

from datetime import date

import pytest

from attribution.errors import SpecError
from attribution.model.grammar import Table, read_toml
from attribution.model.uncertain import LAWS, uncertain


def refusal(call, *args, **settings):
    with pytest.raises(SpecError) as caught:
        call(*args, **settings)
    return str(caught.value)


def test_a_file_that_cannot_be_read_is_refused_with_the_cause(tmp_path):
    folder = tmp_path / "folder.toml"
    folder.mkdir()
    assert "folder.toml: cannot be read (Is a directory); check the path" in refusal(
        read_toml, folder
    )


def test_a_file_that_is_no_text_is_refused(tmp_path):
    path = tmp_path / "bytes.toml"
    path.write_bytes(b"\xff\xfe\x00")
    assert refusal(read_toml, path) == "bytes.toml: not a text file; give a TOML file in UTF-8"


def test_a_missing_key_is_missed_at_its_place():
    table = Table("m.toml: [event]", {"titel": "x"})
    assert refusal(table.text, "title") == "m.toml: [event]: key 'title' is missing; add it"


def test_an_unknown_key_names_the_nearest_one():
    assert refusal(Table("m.toml", {"titel": "x"}).known, ("title", "kind")) == (
        "m.toml: unknown key 'titel' (nearest: 'title'); correct or remove it"
    )


def test_the_place_is_the_path_to_the_value():
    table = Table("m.toml", {"event": {"windows": [{}, {"name": 3}]}})
    second = table.sub("event").many("windows")[1]
    assert refusal(second.text, "name").startswith(
        "m.toml: [event]: [[windows]] number 2: name = 3"
    )


@pytest.mark.parametrize(
    ("value", "accepted"),
    [(1, True), (0, False), (-1, False), (1.0, False), (True, False), ("1", False), (None, False)],
)
def test_a_whole_number_is_not_a_truth_value_nor_a_fraction(value, accepted):
    table = Table("m", {"lags": value})
    if accepted:
        assert table.integer("lags", at_least=1) == value
    else:
        assert "is not a whole number of at least 1" in refusal(table.integer, "lags", at_least=1)


@pytest.mark.parametrize("value", [float("nan"), True, "0.2", None, [0.2]])
def test_a_number_is_a_number(value):
    assert "is not a number" in refusal(Table("m", {"x": value}).number, "x")


def test_a_bound_is_open():
    assert "is not a number above 0" in refusal(Table("m", {"x": 0}).number, "x", above=0)
    assert Table("m", {"x": 1}).number("x", above=0) == 1.0


@pytest.mark.parametrize("value", ["2026-02-05", 20260205, None])
def test_a_date_is_a_date(value):
    assert "is not a date such as 2026-02-05, without quotes" in refusal(
        Table("m", {"day": value}).day, "day"
    )
    assert Table("m", {"day": date(2026, 2, 5)}).day("day") == date(2026, 2, 5)


def test_a_default_is_used_only_where_the_key_is_absent():
    assert Table("m", {}).texts("names", ()) == ()
    assert Table("m", {}).flag("constant", True) is True
    assert "is not a list of texts" in refusal(Table("m", {"names": [1]}).texts, "names", ())
    assert "is not true or false" in refusal(Table("m", {"constant": 1}).flag, "constant", True)


def test_an_absent_section_is_empty_and_a_required_one_is_missed():
    assert dict(Table("m", {}).sub("prior").values) == {}
    assert "key 'sample' is missing" in refusal(Table("m", {}).sub, "sample", required=True)


def test_an_array_of_tables_is_not_a_table():
    assert "is not an array of tables [[rows]]" in refusal(Table("m", {"rows": {}}).many, "rows")
    assert "is not an array of tables [[rows]]" in refusal(Table("m", {"rows": [1]}).many, "rows")
    assert Table("m", {}).many("rows") == []


@pytest.mark.parametrize("law", list(LAWS))
def test_a_law_in_braces_is_its_two_numbers_and_where_it_comes_from(law):
    first, second = LAWS[law]
    bare, said = {first: 0.5, second: 2}, {"source": "a paper"}
    table = Table("m.toml: [x]", {"bare": bare, "whole": bare | said})
    whole = uncertain(table, "whole", (law,))
    assert (whole.law, whole.first, whole.second, whole.source) == (law, 0.5, 2.0, "a paper")
    assert uncertain(table, "bare", (law,), sourced=False).source == ""
    assert "'source'" in refusal(uncertain, table, "bare", (law,))
    assert "unknown key" in refusal(
        uncertain, Table("m.toml", {"x": bare | {"centre": 1}}), "x", (law,)
    )
