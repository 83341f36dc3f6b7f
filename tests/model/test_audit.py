"""Audit tables: what they must say, and that none may state a verdict."""

import tomllib

import pytest

from attribution.errors import SpecError
from attribution.model.audit import audit_names, parse_audit, read_audit
from attribution.model.grammar import Table

WHOLE = """
schema = 1
kind = "audit"
title = "A table"

[[claims]]
id = "C1"
claim = "The volume was a record."
quantity = "volume"

[[claims.parts]]
name = "a record"
test = "record_of"
with.column = "volume"
with.day = 2026-02-05
variants = [{ say = "twice", multiple = 2.0 }]
"""


def parsed(text):
    return parse_audit(Table("mine.toml", tomllib.loads(text)), "mine")


def test_a_table_is_read_with_its_parameters_and_variants():
    (claim,) = parsed(WHOLE).claims
    (part,) = claim.parts
    assert (claim.id, claim.combine, part.test) == ("C1", "all", "record_of")
    assert part.parameters["column"] == "volume"
    assert part.variants[0].changes == {"multiple": 2.0}


@pytest.mark.parametrize("key", ["verdict", "probability", "evidence", "sensitivity"])
@pytest.mark.parametrize(
    "after", ['quantity = "volume"', 'test = "record_of"', 'with.column = "volume"']
)
def test_no_verdict_can_be_typed_into_a_table(key, after):
    key_there = f'with.{key} = "holds"' if after.startswith("with") else f'{key} = "holds"'
    with pytest.raises(SpecError, match=f"'C1'.*key '{key}' is what the audit finds"):
        parsed(WHOLE.replace(after, f"{after}\n{key_there}"))


def test_no_verdict_can_be_typed_into_a_variant():
    text = WHOLE.replace("multiple = 2.0 }", 'multiple = 2.0, verdict = "holds" }')
    with pytest.raises(SpecError, match="no table may state it"):
        parsed(text)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('kind = "audit"', 'kind = "bvar"', "no audit table"),
        ('title = "A table"', 'titel = "A table"', "nearest: 'title'"),
        ('id = "C1"', "", "key 'id' is missing"),
        ('id = "C1"', 'id = "C1"\ncombine = "most"', "combine 'most' is unknown"),
        ('test = "record_of"', "", "'C1'.*key 'test' is missing"),
        (", multiple = 2.0 }", " }", "it changes nothing"),
        ('say = "twice", ', "", "key 'say' is missing"),
        (WHOLE[WHOLE.index("[[claims]]") :], "", "it has no claim"),
        (WHOLE[WHOLE.index("[[claims.parts]]") :], "", "it has no test"),
    ],
)
def test_a_faulty_table_is_refused_where_it_is_faulty(old, new, message):
    assert old in WHOLE
    with pytest.raises(SpecError, match=message):
        parsed(WHOLE.replace(old, new))


def test_claims_and_parts_bear_each_name_once():
    claim = WHOLE[WHOLE.index("[[claims]]") :]
    with pytest.raises(SpecError, match="claim 'C1' stands twice"):
        parsed(WHOLE + claim)
    part = WHOLE[WHOLE.index("[[claims.parts]]") :]
    with pytest.raises(SpecError, match="part 'a record' stands twice"):
        parsed(WHOLE + part)


def test_an_unknown_table_is_refused_with_the_nearest_name():
    assert "essay" in audit_names()
    with pytest.raises(SpecError, match="nearest: 'essay'"):
        read_audit("esay")
    with pytest.raises(SpecError, match="cannot be read"):
        read_audit("nowhere.toml")


def test_audit_tables_are_not_listed_as_models():
    from attribution.model import model_names

    assert not set(audit_names()) & set(model_names())
