"""Evidence for accounts of net creations in; a verdict on each, and on whether any could win."""

from __future__ import annotations

from attribution.estimate.flow_rivals import BAR, FlowEvidence, Rival
from attribution.finding import Finding

SURE = 2.0
"""Standard errors, of Monte Carlo or over rows, beyond which a comparison is not a draw."""
BASELINES = {
    "held": "the event's rows read by the convention before it",
    "free": "the date of every row left open",
}


def evidence_findings(evidence: FlowEvidence) -> tuple[Finding, ...]:
    """Return one finding for each account under each baseline, after one on what was possible."""
    found = [_possible(evidence)]
    for rivals in evidence.rivals.values():
        found += [_account(evidence, rival) for rival in rivals[1:]]
    return tuple(found)


def _possible(evidence: FlowEvidence) -> Finding:
    """Whether a shift of the mean could have reached the bar."""
    parts, reach = [], False
    for panel in evidence.rivals:
        top = evidence.ceiling(panel, evidence.whole)
        reach = reach or top.value - evidence.penalty > BAR
        parts.append(f"{top.value:.2f} with {BASELINES[panel]}")
    return Finding(
        name="event evidence within reach",
        question="Could the held-out rows establish any account of why shares were created?",
        evidence=(
            f"The most that any shift of the mean could gain is {' and '.join(parts)}, in units of"
            f" log density; {BAR + evidence.penalty:.2f} is asked, {evidence.penalty:.2f} of it for"
            f" {evidence.tried} accounts tried after the day was seen."
        ),
        verdict="holds" if reach else "fails",
    )


def _account(evidence: FlowEvidence, rival: Rival) -> Finding:
    gain = evidence.gain(rival, evidence.whole)
    ahead = evidence.foresight(rival)
    added = limit = ""
    if rival.contribution is not None:  # a new date moves the scale too, and knows no such limit
        limit = f" of at most {evidence.ceiling(rival.panel, evidence.whole).value:.2f}"
        added = " It adds " + " and ".join(
            f"USD {draws.mean():+.0f} million to the row of {day}"
            for day, draws in zip(evidence.days, rival.contribution.T, strict=True)
        )
        added += "."
    return Finding(
        name=f"{rival.mechanism.name}, dating {rival.panel}",
        question=f"Does '{rival.mechanism.title}' account for the event's net creations?",
        evidence=(
            f"With {BASELINES[rival.panel]} the rows' log density changes by {gain.value:+.2f}"
            f" (Monte Carlo error {gain.error:.2f}){limit}; less {evidence.penalty:.2f} for"
            f" {evidence.tried} accounts it must exceed {BAR:g}. Over"
            f" {len(rival.foreseen.rows)} other rows its one-step log score changes by"
            f" {ahead.value:+.1f} (standard error {ahead.error:.1f}).{added}"
        ),
        verdict=_verdict(evidence, rival),
    )


def _verdict(evidence: FlowEvidence, rival: Rival) -> str:
    """Say ``fails`` only where rows speak against an account; silence is ``undecided``."""
    gain, ahead = evidence.gain(rival, evidence.whole), evidence.foresight(rival)
    net = gain.value - evidence.penalty - BAR
    if ahead.value < -SURE * ahead.error or gain.value < -BAR - SURE * gain.error:
        return "fails"
    return "holds" if evidence.counts(rival) and net > SURE * gain.error else "undecided"
