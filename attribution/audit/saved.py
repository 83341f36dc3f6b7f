"""Claims that a model has already put to itself: its own findings, and rival accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from attribution.audit.sources import Sources
from attribution.audit.tested import Tested, Untestable, by_chance
from attribution.check.rivals import refuse_rival, with_rival
from attribution.errors import IdentificationError, nearest
from attribution.model.read import read_var
from attribution.run import Run

OPPOSITE = {"holds": "fails", "fails": "holds"}


@dataclass(frozen=True)
class FindingOf:
    """What a saved run found under a name; with ``denied``, the claim is the opposite."""

    run: str
    finding: str
    denied: bool = False


@dataclass(frozen=True)
class Rival:
    """A rival account is refuted (or, without ``denied``, confirmed) by a model that holds it.

    Where the series of the model cannot tell the rival from a channel, that is the answer.
    """

    model: str
    rival: str
    denied: bool = True


def finding_of(ask: FindingOf, sources: Sources) -> Tested:
    """Take a finding of a saved run as evidence."""
    return answer(findings(sources.run(ask.run)), ask.finding, ask.run, ask.denied)


def rival(ask: Rival, sources: Sources) -> Tested:
    """Ask the linear programmes whether a rival can be told apart, then a run that holds it."""
    spec = with_rival(read_var(ask.model), ask.rival)
    try:
        refuse_rival(spec)
    except IdentificationError as error:
        raise Untestable(str(error)) from None
    name = f"{ask.model}+{ask.rival}"
    found = sources.run(name).manifest["findings"]
    return answer(found, f"rival {ask.rival}", name, ask.denied)


def findings(run: Run) -> list[Mapping[str, Any]]:
    """Return findings that a run was saved with, and those that its draws still answer."""
    found = list(run.manifest["findings"])
    if run.tree.attrs.get("study") == "flows":
        from attribution.check.net_creation import findings_of

        known = {finding["name"] for finding in found}
        more = (finding.record() for finding in findings_of(run.tree)[0])
        found += [finding for finding in more if finding["name"] not in known]
    return found


def answer(found: Sequence[Mapping[str, Any]], name: str, run: str, denied: bool) -> Tested:
    """Return one finding of a run as what a test found.

    Raises
    ------
    Untestable
        If the run has no such finding.
    """
    for finding in found:
        if finding["name"] == name:
            break
    else:
        close = nearest(name, (str(one["name"]) for one in found))
        hint = close if close.startswith(" (nearest") else ""  # all names would fill the screen
        raise Untestable(f"the run of '{run}' has no finding '{name}'{hint}")
    said = f"{run}, {name}: {finding['evidence']}"
    chance = finding.get("probability")
    if chance is not None:
        error = float(finding.get("error") or 0.0)
        return by_chance(said, 1.0 - float(chance) if denied else float(chance), error)
    verdict = str(finding["verdict"])
    return Tested(said, OPPOSITE.get(verdict, verdict) if denied else verdict)
