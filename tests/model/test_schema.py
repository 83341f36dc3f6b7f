"""What a schema says of a kind of file is what its readers ask for, no more and no less."""

import tomllib
from datetime import date
from pathlib import Path

import jsonschema
import pytest

from attribution.content import content
from attribution.errors import SpecError
from attribution.model import read_model
from attribution.model.asked import ANY, WRITTEN, asked_of
from attribution.model.kinds import KINDS, STUDIES, VARS, loaded
from attribution.model.read import SCHEME_KEYS, TOP
from attribution.model.schema import json_schema, meanings, rows
from attribution.model.study import ALWAYS
from attribution.model.table import KIND as CLAIMS
from attribution.model.table import TABLE_KEYS

HERE = Path(__file__).parent
SHIPPED = sorted(content("models").glob("*.toml"))
TABLES = sorted((content("models") / "tables").rglob("*.toml"))
VALID = [HERE / "valid.toml", HERE / "valid_svar.toml"]
BROKEN = sorted((HERE / "broken").glob("*.toml"))


def plain(value):
    """As editors hand TOML over: dates are texts."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value


def document(path):
    return plain(tomllib.loads(path.read_text(encoding="utf-8-sig")))


def faults(values):
    checker = jsonschema.Draft202012Validator(json_schema(values["kind"]))
    return [fault.message for fault in checker.iter_errors(values)]


@pytest.mark.parametrize("kind", WRITTEN)
def test_a_schema_is_one_of_draft_2020_12(kind):
    jsonschema.Draft202012Validator.check_schema(json_schema(kind))


@pytest.mark.parametrize("kind", WRITTEN)
def test_every_key_that_a_reader_knows_is_in_the_schema_and_no_other(kind):
    nodes = asked_of(kind)
    assert nodes
    for place, node in nodes.items():
        if ANY not in node.keys:
            assert node.known, f"{place} takes any key"
            assert set(node.keys) == frozenset.union(*node.known), place
        assert all(key.forms for key in node.keys.values()), place


@pytest.mark.parametrize("kind", WRITTEN)
def test_every_key_has_a_meaning_and_every_meaning_a_key(kind):
    keys = {".".join((*place, n)) for place, node in asked_of(kind).items() for n in node.keys}
    said = meanings(kind)
    assert sorted(keys - set(said)) == []
    assert sorted(set(said) - keys) == []
    assert all(said.values())


@pytest.mark.parametrize("kind", STUDIES)
def test_the_sections_of_a_study_are_those_it_declares(kind):
    sections = {*ALWAYS, *loaded(KINDS[kind].question).SECTIONS}
    assert set(json_schema(kind)["properties"]) == sections


@pytest.mark.parametrize("kind", VARS)
def test_the_sections_of_a_var_are_those_it_declares(kind):
    found = json_schema(kind)["properties"]
    assert set(found) == set(TOP)
    assert set(found["identification"]["properties"]) == {"table", *SCHEME_KEYS, *TABLE_KEYS}


@pytest.mark.parametrize("path", [*SHIPPED, *TABLES, *VALID], ids=lambda path: path.stem)
def test_a_file_that_is_read_fits_its_schema(path):
    assert faults(document(path)) == []


def variants():
    """Valid files and single edits, with what a reader says of each: true if it is read."""
    text = (HERE / "valid_svar.toml").read_text(encoding="utf-8")
    yield text, True
    yield text.replace("lags =", "lagz ="), False
    yield text.replace("lags =", "lags = 0 #"), False
    yield text.replace('kind = "svar"', 'kind = "svaar"'), False
    yield text.replace("[system]", "[systems]"), False


def test_a_reader_and_its_schema_agree_on_what_an_edit_breaks(tmp_path):
    file = tmp_path / "edited.toml"
    for text, whole in variants():
        file.write_text(text, encoding="utf-8")
        values = document(file)
        kind = values["kind"] if values["kind"] in KINDS else "svar"
        fits = jsonschema.Draft202012Validator(json_schema(kind)).is_valid(values)
        assert fits == whole, text[:200]
        if whole:
            read_model(file)
        else:
            with pytest.raises(SpecError):
                read_model(file)


WORDS = ("unknown key", "is missing", "is not a non-empty text", "is not a number", "not a table")


def seen_by_types():
    for path in BROKEN:
        first = path.read_text(encoding="utf-8").split("\n", 1)[0]
        if any(word in first for word in WORDS):
            yield path


BY_CONTEXT = {
    "barrier_belief_of_two_laws",  # either law is fine alone
    "bound_that_says_nothing",
    "cell_without_a_reason",  # the whole table may give it
    "cell_without_a_source",
    "claims_without_a_common_reason",
    "counterfactual_fixed_betas_that_step",
    "instrument_without_a_reason",
    "narrative_without_a_series",  # by its claim
    "table_and_cells",
    "table_without_channels",
    "tightness_not_a_number",  # infinity and what is no number are numbers of TOML
    "tightness_without_end",
}
"""Broken files whose fault lies in what stands elsewhere in the file, which no schema weighs."""


def test_a_fault_of_key_or_type_is_seen_by_an_editor_unless_it_is_one_of_context():
    read = {path.stem: document(path) for path in seen_by_types()}
    put = {name: values for name, values in read.items() if values.get("kind") in KINDS}
    assert len(put) > 2 * len(BY_CONTEXT)
    assert {name for name, values in put.items() if not faults(values)} == BY_CONTEXT


def test_a_default_of_the_schema_is_the_reader_s():
    found = json_schema("svar")["properties"]
    spec = read_model(HERE / "valid_svar.toml")
    assert found["prior"]["properties"]["tightness"]["default"] == type(spec.prior)().tightness
    assert found["errors"]["properties"]["law"]["default"] == "gaussian"
    assert found["system"]["properties"]["lags"] == {
        "description": "of the autoregression",
        "type": "integer",
        "minimum": 1,
        "maximum": 100,
    }
    assert found["system"]["required"] == ["variables", "lags"]
    assert found["event"]["properties"]["windows"]["items"]["required"] == ["name"]


def test_an_unknown_kind_is_refused_with_the_nearest():
    with pytest.raises(SpecError, match=r"kind 'bvr': unknown \(nearest: 'bvar'\); choose"):
        json_schema("bvr")


def test_the_same_schema_comes_out_every_time():
    first = json_schema(CLAIMS)
    asked_of.cache_clear()
    assert json_schema(CLAIMS) == first


def test_a_table_of_keys_names_places_below_its_section():
    found = {key: (shape, default) for key, shape, default, _ in rows("svar", "system")}
    assert found["lags"] == ("whole number from 1", "needed")
    assert found["constant"] == ("true or false", "true")
    law = {key: shape for key, shape, _, _ in rows("barrier")}
    assert law["notes.face"] == "law in `median`, `sd`, `source`"
