"""The audit of the essay: every claim is there, evaluates, and no verdict is typed by hand."""

from dataclasses import fields, replace
from itertools import product

import pytest

from attribution.audit.catalogue import TESTS
from attribution.audit.run import audit, combined
from attribution.audit.sources import Library, Sources
from attribution.errors import SpecError
from attribution.finding import VERDICTS
from attribution.model.audit import Audit, AuditedClaim, Part, Variant

CLAIMS = (*(f"C{number}" for number in range(1, 22)), "R1")
FIGURES = {"figure", "figures", "total", "before", "after"}


@pytest.fixture(scope="module")
def by_id(result):
    return {claim.id: claim for claim in result.claims}


# ---- the shipped table --------------------------------------------------------------------------


def test_every_claim_and_the_rival_account_are_audited(essay, result):
    assert tuple(claim.id for claim in essay.claims) == CLAIMS
    assert tuple(claim.id for claim in result.claims) == CLAIMS
    for claim in result.claims:
        assert claim.verdict in VERDICTS
        for part in claim.parts:
            assert len(part.tested.evidence) > 20, (claim.id, part.name)
            assert any(sign.isdigit() for sign in part.tested.evidence) or part.tested.missing


def test_every_figure_that_a_claim_names_is_in_the_facts(essay):
    known = set(Library()["facts"].index)
    named = set()
    for claim in essay.claims:
        for part in claim.parts:
            for given in (part.parameters, *(v.changes for v in part.variants)):
                keys = FIGURES | ({"first", "second"} if part.test == "figures_agree" else set())
                for key in keys & set(given):
                    named |= {given[key]} if isinstance(given[key], str) else set(given[key])
    assert len(named) > 20
    assert named <= known


def test_every_variant_asks_something_else(essay):
    for claim in essay.claims:
        for part in claim.parts:
            for variant in part.variants:
                assert {**part.parameters, **variant.changes} != part.parameters, variant.say


def test_without_runs_only_what_needs_none_is_tested(by_id):
    for claim in by_id.values():
        for part in claim.parts:
            if part.tested.missing:
                assert part.tested.verdict == "untestable"
    assert by_id["C5"].verdict == by_id["C8"].verdict == "untestable"
    assert "bvar" in by_id["C5"].missing


@pytest.mark.parametrize("name", ["C1", "C15", "C21"])
def test_claims_about_mechanisms_wait_for_a_run_that_has_them(by_id, name):
    last = by_id[name].parts[-1].tested
    assert (last.verdict, last.missing) == ("untestable", "event")
    assert "fit --model event" in last.evidence


@pytest.mark.parametrize(
    ("name", "part", "verdict", "said"),
    [
        ("C2", "a record", "holds", "1.69 times"),
        ("C2", "twice the earlier high", "fails", "1.69 times"),
        ("C4", "ten times rarer than three", "fails", "5.8 times rarer"),
        ("C7", "more than 230 million into IBIT", "undecided", "-175.3"),
        ("C12", "the barrier of 43.6 broke on the 5th", "fails", "2026-02-03"),
        ("C13", "near 90 %", "holds", "87.77"),
        ("C14", "by short selling itself", "fails", "adds 0 million"),
        ("C16", "CME grew more on the 6th", "untestable", "no column cme_open_interest_btc"),
        ("C18", "new sales by the holders wounded then did not matter", "untestable", "offshore"),
        ("C19", "a closing of yen-financed positions did not matter", "untestable", "usdjpy"),
    ],
)
def test_what_the_compiled_data_show_is_what_the_audit_says(by_id, name, part, verdict, said):
    found = next(one.tested for one in by_id[name].parts if one.name == part)
    assert found.verdict == verdict
    assert said in found.evidence


def test_the_dating_of_the_rows_turns_the_puzzle(by_id):
    part = by_id["C7"].parts[0]
    own, late = (part.variants[f"rows stand {when}"] for when in ("on their own day", "a day late"))
    assert (own.verdict, late.verdict) == ("fails", "holds")


def test_one_seed_reproduces_every_number(essay, result):
    first = {"C3", "C10", "C12"}
    some = replace(
        essay,
        claims=tuple(
            replace(claim, parts=tuple(replace(part, variants=()) for part in claim.parts))
            for claim in essay.claims
            if claim.id in first
        ),
    )

    def told(found):
        return {(c.id, p.name): p.tested for c in found.claims if c.id in first for p in c.parts}

    library = Library()
    assert told(audit(some, Sources(library))) == told(result)
    assert told(audit(some, Sources(library, seed=2))) != told(result)


# ---- how parts and variants are joined ----------------------------------------------------------


@pytest.mark.parametrize(("one", "other"), list(product(VERDICTS, VERDICTS)))
def test_verdicts_combine_as_truth_values_do(one, other):
    """``all`` and ``any`` are dual, do not depend on order, and keep a verdict that is repeated."""
    dual = {"holds": "fails", "fails": "holds"}
    turned = [dual.get(verdict, verdict) for verdict in (one, other)]
    both = combined([one, other], "all")
    assert both == combined([other, one], "all")
    assert combined([one, one], "all") == combined([one, one], "any") == one
    assert combined(turned, "any") == dual.get(both, both)
    assert (both == "holds") == (one == other == "holds")
    assert (both == "fails") == ("fails" in (one, other))


def made(*parts, combine="all"):
    return Audit("mine", "Mine", "", (AuditedClaim("M1", "said", "number", combine, "", parts),))


def tail(name, times, **variants):
    given = {"figure": "A04", "against": 3.0, "times": times}
    asked = tuple(Variant(say, say, {"times": other}) for say, other in variants.items())
    return Part("mine.toml", name, "tail_ratio", given, asked)


def asked(table, **changes):
    return audit(table, Sources(Library(), **changes)).claims[0]


def test_sensitivity_names_the_variants_that_change_the_claim():
    claim = asked(made(tail("ratio", 10.0, five=5.0, nine=9.0)))
    assert claim.verdict == "fails"
    assert claim.sensitivity == "fails under 1 of 2 variants; holds: five"


def test_a_variant_of_a_part_that_does_not_decide_changes_nothing():
    claim = asked(made(tail("ratio", 10.0, five=5.0), tail("other", 20.0)))
    assert claim.sensitivity == "fails under 1 of 1 variants"
    either = asked(made(tail("ratio", 10.0, five=5.0), tail("other", 20.0), combine="any"))
    assert either.sensitivity == "fails under 0 of 1 variants; holds: five"


def test_variants_without_their_run_are_counted_apart():
    part = Part(
        "mine.toml",
        "largest",
        "largest",
        {"run": "bvar", "window": "crash", "channel": "basis_unwind"},
        (Variant("v", "other", {"run": "bvar_signs"}),),
    )
    claim = asked(made(part))
    assert claim.missing == ("bvar", "bvar_signs")
    assert claim.sensitivity == "1 variants need runs that are not here"


@pytest.mark.parametrize(
    ("test", "given", "message"),
    [
        ("tail_ratios", {}, "test 'tail_ratios' is unknown .*'tail_ratio'"),
        ("tail_ratio", {"figure": "A04", "against": 3.0}, "key 'times' is missing"),
        ("tail_ratio", {"figur": "A04"}, "unknown key 'figur' .*'figure'"),
        ("record_of", {"column": "dvol", "day": "today"}, "day = 'today' is not a date"),
        ("dated_row", {"columns": ["x"], "lags": [0.5], "day": "2026-02"}, "whole numbers"),
    ],
)
def test_an_unknown_test_or_parameter_is_refused_before_anything_is_run(test, given, message):
    broken = Part("mine.toml: [[claims]] number 2", "broken", test, given)
    with pytest.raises(SpecError, match=message):
        audit(made(tail("ratio", 10.0), broken), Sources({}))


def test_every_parameter_of_every_test_can_be_read():
    from attribution.audit.tested import READERS

    for kind, _ in TESTS.values():
        assert {str(field.type) for field in fields(kind)} <= set(READERS), kind
