"""Accounts of net creations: what a model file may say of them, and what it may not."""

from datetime import date

import pytest

from attribution.errors import SpecError
from attribution.model import read_model
from attribution.model.grammar import Table
from attribution.studies.flows.question import Mechanism, Term, _dating_of, mechanisms_of

JULY = date(2025, 7, 29)
BASE = {"name": "none", "title": "Nothing"}
DIP = {
    "name": "dip",
    "title": "Buying falls",
    "scale": 200,
    "reason": "they said so",
    "terms": [{"column": "r", "form": "below", "threshold": -5, "sign": "+"}],
}


def read(*rows):
    return mechanisms_of(Table("toy.toml", {"mechanisms": list(rows)}))


def test_a_mechanism_is_read_as_it_is_written():
    base, dip = read(BASE, DIP)
    assert base.baseline
    assert not dip.baseline
    assert dip == Mechanism(
        "dip",
        "Buying falls",
        (Term("r", "below", -5.0, sign=1),),
        scale=200.0,
        reason="they said so",
    )


def test_a_mechanism_knows_the_columns_that_it_reads_once_each():
    terms = [{"column": "r"}, {"column": "r", "form": "falls", "times": "listed"}]
    assert read(BASE, DIP | {"terms": terms})[1].columns == ("r", "listed")


def test_a_file_may_have_no_mechanisms():
    assert read() == ()


@pytest.mark.parametrize(
    ("term", "label"),
    [
        ({"column": "r"}, "r"),
        ({"column": "r", "lag": 1}, "r, 1 day before"),
        ({"column": "x", "form": "falls", "since": JULY}, "falls of x since 2025-07-29"),
        ({"form": "constant", "since": JULY}, "one since 2025-07-29"),
        ({"column": "r", "form": "below", "threshold": -5}, "r below -5"),
        (
            {"column": "r", "form": "signed", "times": "v", "days": 6},
            "signed of r x v, sum over 6 days",
        ),
    ],
)  # fmt: skip
def test_a_term_has_a_label_that_says_how_it_enters(term, label):
    assert read(BASE, DIP | {"terms": [term]})[1].terms[0].label == label


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"trem": 1}, "unknown key 'trem' (nearest: 'terms')"),
        ({"dating": "helt"}, "dating 'helt' is unknown (nearest: 'held')"),
        ({"time": "day"}, "time 'day' is unknown"),
        ({"scale": 0}, "scale = 0 is not a number above 0"),
        ({"name": "none"}, "two [[mechanisms]] are named 'none'"),
        ({"name": "a/b"}, "holds a slash"),
        ({"reason": ""}, "reason = '' is not a non-empty text"),
        ({"terms": [{"column": "r", "form": "fall"}]}, "form 'fall' is unknown (nearest: 'falls')"),
        ({"terms": [{"column": "r", "sign": "plus"}]}, "sign 'plus' is unknown"),
        ({"terms": [{"column": "r", "threshold": 1}]}, "form 'level' has no threshold"),
        ({"terms": [{"column": "r", "form": "below"}]}, "key 'threshold' is missing"),
        ({"terms": [{"form": "level"}]}, "form 'level' needs a column"),
        ({"terms": [{"form": "constant", "column": "r"}]}, "form 'constant' reads no column"),
        ({"terms": [{"form": "constant"}]}, "a constant is in the model already"),
        ({"terms": [{"column": "r", "form": "signed"}]}, "form 'signed' needs the volume"),
        ({"terms": [{"column": "r", "days": 0}]}, "days = 0 is not a whole number"),
    ],
)
def test_a_faulty_mechanism_is_refused_with_its_sentence(change, sentence):
    with pytest.raises(SpecError) as refusal:
        read(BASE, DIP | change)
    assert sentence in str(refusal.value)
    assert ";" in str(refusal.value)


def test_a_scale_without_terms_is_refused():
    with pytest.raises(SpecError, match="scale belongs to terms"):
        read(BASE | {"scale": 1})


@pytest.mark.parametrize("rows", [(DIP,), (BASE, BASE | {"name": "other"})])
def test_there_is_exactly_one_baseline(rows):
    with pytest.raises(SpecError, match="exactly one such baseline"):
        read(*rows)


def test_the_shipped_accounts_say_how_their_stand_ins_may_fail():
    found = read_model("flows").question.mechanisms
    assert [m.name for m in found if m.baseline] == ["baseline"]
    assert any(m.dating == "free" and not m.terms for m in found)
    for mechanism in found:
        if not mechanism.baseline:
            assert len(mechanism.reason.split()) > 20, mechanism.name
            assert mechanism.source, mechanism.name


@pytest.mark.parametrize(("keys", "share"), [({}, 0.5), ({"gradual": 0}, 0.0), ({"gradual": 1}, 1)])
def test_half_of_the_switches_are_gradual_unless_the_file_says_otherwise(keys, share):
    assert _dating_of(Table("toy.toml", {"same_day": 1} | keys)).gradual == share
    assert read_model("flows").question.dating.gradual == 0.5
