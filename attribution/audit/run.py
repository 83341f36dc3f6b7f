"""An audit table, runs and data in; for every claim its evidence, verdict and sensitivity out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from attribution.audit.catalogue import TESTS, Test
from attribution.audit.sources import Sources
from attribution.audit.tested import Tested, Untestable, typed, untestable
from attribution.errors import SpecError, nearest
from attribution.model.audit import Audit, AuditedClaim, Part
from attribution.model.grammar import Table


@dataclass(frozen=True)
class PartResult:
    """What one test of a claim found, and what it finds under each variant."""

    name: str
    test: str
    tested: Tested
    variants: Mapping[str, Tested]


@dataclass(frozen=True)
class ClaimResult:
    """One claim, audited.

    Attributes
    ----------
    id, claim, quantity, reason, combine : of the table.
    parts : its tests.
    verdict : of the parts together.
    probability : that the claim holds, where one part decides it and has one.
    sensitivity : how the verdict fares when one part at a time is asked in another way.
    """

    id: str
    claim: str
    quantity: str
    reason: str
    combine: str
    parts: tuple[PartResult, ...]

    @property
    def verdict(self) -> str:
        """The parts' verdicts, combined."""
        return combined([part.tested.verdict for part in self.parts], self.combine)

    @property
    def probability(self) -> float | None:
        """That of the one part there is; several parts have none in common."""
        return self.parts[0].tested.probability if len(self.parts) == 1 else None

    @property
    def evidence(self) -> str:
        """What each part found."""
        if len(self.parts) == 1:
            return self.parts[0].tested.evidence
        return "; ".join(f"{p.name}: {p.tested.verdict} ({p.tested.evidence})" for p in self.parts)

    @property
    def missing(self) -> tuple[str, ...]:
        """Runs that would make more of it testable."""
        asked = [t for p in self.parts for t in (p.tested, *p.variants.values())]
        return tuple(dict.fromkeys(tested.missing for tested in asked if tested.missing))

    @property
    def sensitivity(self) -> str:
        """Say under how many variants the verdict stays, and which change it to what."""
        changed: dict[str, list[str]] = {}
        asked = skipped = 0
        for place, part in enumerate(self.parts):
            for say, tested in part.variants.items():
                if tested.missing:
                    skipped += 1
                    continue
                asked += 1
                verdicts = [p.tested.verdict for p in self.parts]
                verdicts[place] = tested.verdict
                other = combined(verdicts, self.combine)
                if other != self.verdict:
                    changed.setdefault(other, []).append(say)
        return _sentence(self.verdict, changed, asked, skipped)


@dataclass(frozen=True)
class AuditResult:
    """A whole table, audited: the claims in their order, and what they were held against.

    ``left_out`` says of each run that is no evidence why, and what to do.
    """

    name: str
    title: str
    about: str
    claims: tuple[ClaimResult, ...]
    seed: int
    runs: Mapping[str, Mapping[str, Any]]
    data: Mapping[str, str]
    left_out: tuple[str, ...] = ()

    def counts(self) -> dict[str, int]:
        """How many claims have each verdict."""
        verdicts = [claim.verdict for claim in self.claims]
        return {verdict: verdicts.count(verdict) for verdict in dict.fromkeys(verdicts)}


def audit(table: Audit, sources: Sources) -> AuditResult:
    """Put every claim of a table to its tests.

    Parameters
    ----------
    sources : columns, figures and saved runs; a claim whose run is missing is untestable, and says
        which command would make it testable.

    Raises
    ------
    SpecError
        If a test or one of its parameters is unknown; before any test is run.
    DataError
        If a data set or a column that a claim names is missing.
    """
    asked = [[_asked(part) for part in claim.parts] for claim in table.claims]
    claims = tuple(
        _claim(claim, parts, sources) for claim, parts in zip(table.claims, asked, strict=True)
    )
    runs = {name: _made(run.manifest) for name, run in sources.runs.items()}
    digests = {
        name: str(frame.attrs["digest"])
        for name, frame in sources.frames.items()
        if "digest" in frame.attrs
    }
    left_out = tuple(sources.left_out.values())
    about = (table.name, table.title, table.about)
    return AuditResult(*about, claims, sources.seed, runs, digests, left_out)


def combined(verdicts: Sequence[str], combine: str) -> str:
    """Combine verdicts: ``all`` fails with one that fails, ``any`` holds with one that holds.

    Short of that, one part that cannot be tested leaves the whole untestable.
    """
    decisive, other = ("fails", "holds") if combine == "all" else ("holds", "fails")
    if decisive in verdicts:
        return decisive
    if all(verdict == other for verdict in verdicts):
        return other
    return "untestable" if "untestable" in verdicts else "undecided"


Asked = tuple[Test, Any, Mapping[str, Any]]


def _asked(part: Part) -> Asked:
    """Type a part's parameters and those of its variants."""
    if part.test not in TESTS:
        raise SpecError(
            f"{part.place}: test '{part.test}' is unknown{nearest(part.test, TESTS)}; correct it"
        )
    kind, test = TESTS[part.test]
    base: Any = typed(kind, Table(f"{part.place}: [with]", part.parameters))
    variants: dict[str, Any] = {
        variant.say: typed(kind, Table(variant.place, {**part.parameters, **variant.changes}))
        for variant in part.variants
    }
    return test, base, variants


def _claim(claim: AuditedClaim, asked: Sequence[Asked], sources: Sources) -> ClaimResult:
    parts = tuple(
        PartResult(
            name=part.name,
            test=part.test,
            tested=_put(test, base, sources),
            variants={say: _put(test, other, sources) for say, other in variants.items()},
        )
        for part, (test, base, variants) in zip(claim.parts, asked, strict=True)
    )
    return ClaimResult(claim.id, claim.claim, claim.quantity, claim.reason, claim.combine, parts)


def _put(test: Test, ask: Any, sources: Sources) -> Tested:
    try:
        return test(ask, sources)
    except Untestable as reason:
        return untestable(reason)


def _made(manifest: Mapping[str, Any]) -> dict[str, Any]:
    return {key: manifest[key] for key in ("model", "seed", "digests") if key in manifest}


def _sentence(verdict: str, changed: Mapping[str, Sequence[str]], asked: int, skipped: int) -> str:
    if not asked:
        return f"{skipped} variants need runs that are not here" if skipped else "no variants"
    kept = asked - sum(map(len, changed.values()))
    turned = "; ".join(f"{other}: {', '.join(says)}" for other, says in changed.items())
    rest = f"; {skipped} need runs that are not here" if skipped else ""
    whole = f"{verdict} under {kept} of {asked} variants"
    return whole + (f"; {turned}" if turned else "") + rest
