"""Parts of a fit in; a run, its groups and its manifest, out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from attribution import runs
from attribution.decompose import decompose
from attribution.errors import DataError, SpecError
from attribution.finding import Finding
from attribution.fit.judge import repairs_finding
from attribution.fit.settings import Settings
from attribution.model.claimed import cells_beside
from attribution.model.kinds import KINDS, named
from attribution.model.spec import NEVER, ModelSpec, Window
from attribution.panel import Panel
from attribution.posterior import Decomposition, StructuralPosterior
from attribution.report.run import Run
from attribution.runs.run import digest_of, versions
from attribution.sampling import judge
from attribution.var.check.companion import unasked
from attribution.var.check.ledger import neutral
from attribution.var.check.separation import Separation
from attribution.var.estimate.design import EVENT_IN
from attribution.var.kinds import REWEIGHTED, Estimate

# A model and its panel in; a window over the whole sample, and the shocks of every day, out.

MOST = 250_000_000
"""Numbers that a group of a run may hold: two gigabytes."""


def whole_sample(spec: ModelSpec, panel: Panel, draws: int) -> ModelSpec:
    """Give the window over the whole sample its days; any other model is handed back.

    Raises
    ------
    DataError
        If the sample has no complete rows.
    SpecError
        If contributions to every variable on every day are too many numbers.
    """
    if not spec.event.whole:
        return spec
    days, n = _days(spec, panel), len(spec.system.variables)
    _refuse_many(f"window '{spec.event.whole}'", draws, len(days), n * (len(spec.channels) + 1))
    window = Window(spec.event.whole, days[0].date(), days[-1].date())
    return replace(spec, event=replace(spec.event, windows=(window,)))


def refuse_shocks(spec: ModelSpec, panel: Panel, draws: int) -> None:
    """Refuse the shocks of every day where they are not determined, or too many.

    Raises
    ------
    SpecError
        In either case.
    """
    if not KINDS[spec.kind].determined:
        raise SpecError(
            f"--shocks: kind '{spec.kind}' has more shocks than variables, and draws those of the"
            f" event's days alone; use kind {', '.join(named('determined'))}, or leave it out"
        )
    _refuse_many("--shocks", draws, len(_days(spec, panel)), len(spec.system.variables))


def every_shock(
    spec: ModelSpec, panel: Panel, structural: StructuralPosterior
) -> dict[str, xr.Dataset]:
    """Make group ``/every_shock``: of all days of the sample (chain, draw, day, shock)."""
    days = _days(spec, panel)
    values = panel.values[list(spec.system.variables)]
    return runs.every_shock(structural, values, Window("sample", days[0].date(), days[-1].date()))


def _days(spec: ModelSpec, panel: Panel) -> pd.DatetimeIndex:
    """Days of the sample that have all their lags in it."""
    start, end = (pd.Timestamp(day) for day in (spec.sample.start, spec.sample.end))
    frame = panel.values.loc[start:end, list(spec.system.variables)]
    complete = np.flatnonzero(frame.notna().all(axis=1))
    if len(complete) <= spec.system.lags:
        raise DataError(
            f"model '{spec.name}': {len(complete)} complete rows in its sample, and the first with"
            f" {spec.system.lags} lags is asked for; extend the sample"
        )
    return pd.DatetimeIndex(frame.index[complete[0] + spec.system.lags : complete[-1] + 1])


def _refuse_many(place: str, draws: int, days: int, each: int) -> None:
    if draws * days * each > MOST:
        raise SpecError(
            f"{place}: {draws:,} draws of {days:,} days are {draws * days * each:,} numbers, more"
            f" than {MOST:,}; ask for at most {MOST // (days * each) // 4 * 4:,} --draws"
        )


@dataclass(frozen=True)
class JudgedFit:
    """An estimate with its decompositions, if any, judged; what it says of its draws' weights.

    ``failed`` says which diagnostics its draws failed, and is empty where they passed.
    """

    estimate: Estimate
    splits: list[Decomposition]
    groups: dict[str, xr.Dataset]
    judged: judge.Sampling
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
        return runs.contributions(splits, spec.event.outcome)
    return runs.structure(posterior, units, spec.system.horizons, spec.system.cumulated)


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
    groups |= runs.observed(panel.values, panel.units)
    findings = [judge.finding(first.judged, found.posterior.weight.size), *first.weighed]
    repaired = repairs_finding(panel.repairs)
    findings += [] if repaired is None else [repaired]
    findings += [] if separation is None else [_told_apart(separation)]
    if spec.event.asked:
        groups |= runs.structure(
            found.posterior, panel.units, spec.system.horizons, spec.system.cumulated
        )
        groups |= _event(spec, panel, first, findings)
    elif found.parameters:
        groups["/parameters"] = xr.Dataset(dict(found.parameters))
    groups |= found.extra
    if spec.event.asked and "/point" in groups:
        values = panel.values[list(spec.system.variables)]
        groups["/point"] = runs.point_contributions(groups["/point"], values, spec)
    if settings.shocks:
        groups |= every_shock(spec, panel, found.posterior)
    findings += [*found.findings, *unasked(spec)]
    if len(fits) > 1:
        groups["/event_in"] = runs.every_way(
            EVENT_IN, [part.groups["/posterior"]["contribution"] for part in fits]
        )
        findings = [finding for finding in findings if finding.name != REWEIGHTED]
    tree = runs.tree_of(groups, spec, panel.units[spec.event.outcome])
    notes = {**found.notes, **_left_out(spec), **_margin(groups)}
    return Run(tree, _manifest(spec, panel, settings, first, findings, notes))


def _event(
    spec: ModelSpec, panel: Panel, part: JudgedFit, findings: list[Finding]
) -> dict[str, xr.Dataset]:
    """Make the groups that only a run about an event has."""
    found, outcome = part.estimate, spec.event.outcome
    values = panel.values[list(spec.system.variables)]
    contribution = part.groups["/posterior"]["contribution"]
    groups = runs.event_shocks(found.posterior, values, spec)
    groups |= runs.coherent(part.splits, outcome)
    groups["/posterior"] = part.groups["/posterior"].assign(found.parameters)
    if found.prior is not None:
        before = [
            decompose(found.prior, values, w, outcome, levels=spec.system.levels)
            for w in spec.event.windows
        ]
        groups |= runs.prior_contributions(before, outcome)
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
