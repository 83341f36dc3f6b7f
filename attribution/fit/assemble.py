"""Parts of a fit in; a run, its groups and its manifest, out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import xarray as xr

from attribution import record
from attribution.check import sampling
from attribution.check.prior import neutral
from attribution.check.separation import Separation
from attribution.decompose import decompose
from attribution.estimate.design import EVENT_IN
from attribution.estimation import REWEIGHTED, Estimate
from attribution.estimation.expected import unasked
from attribution.finding import Finding
from attribution.fit.every_day import every_shock
from attribution.fit.judge import repairs_finding
from attribution.fit.settings import Settings
from attribution.model.claimed import cells_beside
from attribution.model.spec import NEVER, ModelSpec
from attribution.panel import Panel
from attribution.posterior import Decomposition, StructuralPosterior
from attribution.run import Run, digest_of, versions


@dataclass(frozen=True)
class JudgedFit:
    """An estimate with its decompositions, if any, judged; what it says of its draws' weights.

    ``failed`` says which diagnostics its draws failed, and is empty where they passed.
    """

    estimate: Estimate
    splits: list[Decomposition]
    groups: dict[str, xr.Dataset]
    judged: sampling.Sampling
    weighed: tuple[Finding, ...] = ()
    failed: str = ""


def reported_groups(
    spec: ModelSpec,
    units: Mapping[str, str],
    posterior: StructuralPosterior,
    splits: list[Decomposition],
) -> dict[str, xr.Dataset]:
    """Make the groups of what a run reports: of its event, or of the system where it has none."""
    if splits:
        return record.contributions(splits, spec.event.outcome)
    return record.structure(posterior, units, spec.system.horizons, spec.system.cumulated)


def run_of(
    spec: ModelSpec,
    panel: Panel,
    fits: list[JudgedFit],
    separation: Separation | None,
    settings: Settings,
) -> Run:
    """Join the fits of a model, the headline's first, into a run."""
    first = fits[0]
    found = first.estimate
    groups = dict(first.groups)
    groups |= record.observed(panel.values, panel.units)
    findings = [sampling.finding(first.judged, found.posterior.weight.size), *first.weighed]
    repaired = repairs_finding(panel.repairs)
    findings += [] if repaired is None else [repaired]
    findings += [] if separation is None else [_told_apart(separation)]
    if spec.event.asked:
        groups |= record.structure(
            found.posterior, panel.units, spec.system.horizons, spec.system.cumulated
        )
        groups |= _event(spec, panel, first, findings)
    elif found.parameters:
        groups["/parameters"] = xr.Dataset(dict(found.parameters))
    groups |= found.extra
    if spec.event.asked and "/point" in groups:
        values = panel.values[list(spec.system.variables)]
        groups["/point"] = record.point_contributions(groups["/point"], values, spec)
    if settings.shocks:
        groups |= every_shock(spec, panel, found.posterior)
    findings += [*found.findings, *unasked(spec)]
    if len(fits) > 1:
        groups["/event_in"] = record.every_way(
            EVENT_IN, [part.groups["/posterior"]["contribution"] for part in fits]
        )
        findings = [finding for finding in findings if finding.name != REWEIGHTED]
    tree = record.tree_of(groups, spec, panel.units[spec.event.outcome])
    notes = {**found.notes, **_left_out(spec), **_margin(groups)}
    return Run(tree, _manifest(spec, panel, settings, first, findings, notes))


def _event(
    spec: ModelSpec, panel: Panel, part: JudgedFit, findings: list[Finding]
) -> dict[str, xr.Dataset]:
    """Make the groups that only a run about an event has."""
    found, outcome = part.estimate, spec.event.outcome
    values = panel.values[list(spec.system.variables)]
    contribution = part.groups["/posterior"]["contribution"]
    groups = record.event_shocks(found.posterior, values, spec)
    groups |= record.coherent(part.splits, outcome)
    groups["/posterior"] = part.groups["/posterior"].assign(found.parameters)
    if found.prior is not None:
        before = [
            decompose(found.prior, values, w, outcome, levels=spec.system.levels)
            for w in spec.event.windows
        ]
        groups |= record.prior_contributions(before, outcome)
        _, _, move = part.splits[0].cumulated(outcome)
        findings.append(neutral(groups["/prior"]["contribution"].isel(window=0), move))
    return groups | found.groups(contribution, found.posterior)


def _told_apart(separation: Separation) -> Finding:
    """Say what the table separates; pairs that hang on series unseen at the event are named."""
    hang = [
        f"{pair.first} and {pair.second}"
        for pair in separation.pairs
        if pair.touching or pair in separation.inseparable_by_core
    ]
    masked = [name for name, room in separation.masquerade.items() if room > 1e-9]
    return Finding(
        name="separation",
        question="Does the table keep every two channels apart?",
        evidence=(
            f"all {len(separation.pairs)} pairs are separated"
            + (f"; only at the edge of a bound: {', '.join(hang)}" if hang else "")
            + (f"; a sum of other shocks can pass for {', '.join(masked)}" if masked else "")
        ),
        verdict="undecided" if hang or masked else "holds",
    )


def _left_out(spec: ModelSpec) -> dict[str, list[str]]:
    """Series of a shared table that the system lacks, so that their cells say nothing here."""
    beside = cells_beside(spec)
    return {"cells_that_do_not_count": list(beside)} if beside else {}


def _margin(groups: Mapping[str, xr.Dataset]) -> dict[str, dict[str, float]]:
    """How far from zero, in the outcome's unit, a range must stay for its sign to be robust."""
    if "/robust" not in groups:
        return {}
    margin = groups["/robust"]["margin"]
    names = map(str, margin["window"].to_numpy())
    return {"robust_margin": dict(zip(names, map(float, margin.to_numpy()), strict=True))}


def _manifest(
    spec: ModelSpec,
    panel: Panel,
    settings: Settings,
    part: JudgedFit,
    findings: list[Finding],
    notes: dict[str, Any],
) -> dict[str, Any]:
    judged = part.judged
    return {
        "model": spec.name,
        "title": spec.title,
        "event": spec.event.name if spec.event.asked else "",
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "seed": settings.seed,
        "settings": {
            "draws": settings.draws,
            "event_in": settings.event_in,
            "sampler": settings.sampler,
            "windows": {w.name: f"{w.start} to {w.end}" for w in spec.event.windows},
            "hold_out": ""
            if NEVER in spec.event.hold_out
            else " to ".join(map(str, spec.event.hold_out)),
        },
        "digests": {"model": digest_of(spec), "data": panel.digest},
        "versions": versions(),
        "checks": {
            "additivity": True,  # a decomposition that does not add up cannot be built
            "converged": not judged.failures,
            "one_mode": len(judged.modes) == 1,
        },
        "diagnostics": {
            "max_rhat": judged.r_hat,
            "min_ess_bulk": judged.ess_bulk,
            "min_ess_tail": judged.ess_tail,
            "max_mcse": judged.mcse,
            "divergences": judged.divergences,
        },
        "repairs": list(panel.repairs),
        "notes": notes,
        "findings": [finding.record() for finding in findings],
    }
