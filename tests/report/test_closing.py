"""What a user sees when a fit ends: the headline, the table, and the findings that matter."""

import io

from rich.console import Console

from attribution.report.terminal import FEW, _findings, mattering


def found(*verdicts):
    return [
        {"name": f"finding {n}", "verdict": verdict, "evidence": f"evidence {n}"}
        for n, verdict in enumerate(verdicts)
    ]


def printed(findings, *, every):
    console = Console(file=io.StringIO(), width=80)
    console.print(*_findings(findings, every=every), sep="\n")
    return console.file.getvalue()


MANY = found("holds", "undecided", "untestable", "holds", "fails", "undecided", "fails", "holds")


def test_failures_come_first_then_what_is_open_and_what_holds_last():
    shown = [finding["name"] for finding in mattering(MANY)]
    assert shown[:FEW] == [f"finding {n}" for n in (4, 6, 1, 5, 2)]
    assert FEW == 5


def test_what_is_left_out_is_counted_by_verdict():
    said = " ".join(printed(MANY, every=False).split())
    assert "and 3 findings more (3 holds): --findings, or the report" in said
    assert "evidence 7" not in said and "evidence 4" in said


def test_every_finding_is_there_in_the_order_of_the_run_if_asked():
    said = printed(MANY, every=True)
    places = [said.index(f"evidence {n}") for n in range(len(MANY))]
    assert places == sorted(places) and "more" not in said


def test_few_findings_leave_nothing_to_count():
    assert "more" not in printed(found("holds", "fails"), every=False)


def test_two_findings_that_say_the_same_are_both_counted():
    same = [dict(found("holds")[0]) for _ in range(7)]
    assert "and 2 findings more (2 holds)" in printed(same, every=False)
