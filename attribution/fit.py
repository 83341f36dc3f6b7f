"""The one path: the name of a model in, a run out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import xarray as xr

from attribution import record
from attribution.check import sampling
from attribution.check.prior import neutral
from attribution.check.separation import Separation, refuse_inseparable, separate
from attribution.compat import SAMPLERS
from attribution.decompose import decompose
from attribution.errors import EventError, SpecError, nearest
from attribution.estimate.design import EVENT_IN
from attribution.estimation import REWEIGHTED, Estimate, estimate
from attribution.finding import Finding
from attribution.model import read_model
from attribution.model.spec import Event, ModelSpec, Window
from attribution.panel import Panel, read_panel
from attribution.posterior import Decomposition
from attribution.run import Run, digest_of, versions

DRAWS = {"bvar": 6000, "bvar_signs": 4000, "var": 4000}
"""Kept draws by kind of model; the sampled one needs more for the same Monte Carlo error."""
SEED = 5
ALL = "all"


@dataclass(frozen=True)
class Settings:
    """What belongs to a run and not to a model.

    Attributes
    ----------
    draws : kept draws, over all chains; by the kind of the model if None.
    seed : one integer; the same seed gives the same run.
    event_in : whether the event's days are left out of the estimation (``out``), on a scale of
        their own (``scale``), or in (``in``); ``all`` fits each and leads with ``out``.
    sampler : ``pymc`` or ``nutpie``; for models that are sampled.
    progress : whether to show a live progress bar.
    """

    draws: int | None = None
    seed: int = SEED
    event_in: str = "out"
    sampler: str = "pymc"
    progress: bool = False


def fit(
    model: str,
    *,
    data: Path | None = None,
    event: tuple[date, date] | None = None,
    settings: Settings | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> Run:
    """Estimate a model, decompose its event, and check the answer.

    Parameters
    ----------
    model : name of a shipped model, or the path of a model file.
    data : folder or file of a data set with its card; the shipped data if not given.
    event : first and last day of another event; the windows of the model file if not given.
    say : called with each stage, for a user who waits.

    Raises
    ------
    SpecError, DataError, EventError, IdentificationError, DiagnosticsError
        Each names the place, what was found and what to do.
    """
    chosen = settings or Settings()
    spec = read_model(model) if event is None else with_event(read_model(model), *event)
    ways = _ways(spec, chosen.event_in)
    if chosen.sampler not in SAMPLERS:
        near = nearest(chosen.sampler, SAMPLERS)
        raise SpecError(f"--sampler '{chosen.sampler}': unknown{near}; correct it")
    say(f"reading {spec.sample.panel}")
    separation = _separation(spec)
    panel = read_panel(spec, data)
    draws = chosen.draws or DRAWS[spec.kind]
    fits = []
    for way in ways:
        say(f"estimating {spec.name}" + (f", event {way}" if len(ways) > 1 else ""))
        found = estimate(
            spec, panel, draws, chosen.seed, way, chosen.sampler, progress=chosen.progress
        )
        fits.append(_part(spec, panel, found))
    say("decomposing")
    return _run(spec, panel, fits, separation, replace(chosen, draws=draws))


def _ways(spec: ModelSpec, event_in: str) -> tuple[str, ...]:
    """Fits that a choice asks for, the headline's first."""
    if event_in == ALL:
        if spec.kind != "bvar":
            raise SpecError(f"--event-in all: kind '{spec.kind}' has no 'scale'; use out or in")
        return EVENT_IN
    if event_in not in EVENT_IN:
        known = (*EVENT_IN, ALL)
        raise SpecError(
            f"--event-in '{event_in}': unknown{nearest(event_in, known)}; choose one of"
            f" {', '.join(known)}"
        )
    return (event_in,)


@dataclass(frozen=True)
class _Part:
    """An estimate with its decompositions, judged."""

    estimate: Estimate
    splits: list[Decomposition]
    groups: dict[str, xr.Dataset]
    judged: sampling.Sampling


def _part(spec: ModelSpec, panel: Panel, found: Estimate) -> _Part:
    """Decompose every window and refuse draws that did not converge."""
    outcome = spec.event.outcome
    values = panel.values[list(spec.system.variables)]
    splits = [decompose(found.posterior, values, window) for window in spec.event.windows]
    groups = record.contributions(splits, outcome)
    contribution = groups["/posterior"]["contribution"]
    judged = sampling.diagnose(contribution, found.stats)
    sampling.refuse(judged, contribution)
    return _Part(found, splits, groups, judged)


def with_event(spec: ModelSpec, start: date, end: date) -> ModelSpec:
    """Ask a model about another event: one window, held out of the estimation."""
    if end < start:
        raise SpecError(f"--event {start}:{end}: it ends before it starts; swap the two dates")
    if not spec.sample.start < start:
        raise EventError(
            f"--event {start}:{end}: the sample of '{spec.name}' starts on {spec.sample.start};"
            " choose a later event or an earlier sample"
        )
    window = Window("event", start, end)
    event = Event(
        f"{spec.event.outcome}, {start} to {end}", spec.event.outcome, (window,), (start, end)
    )
    sample = replace(spec.sample, end=max(spec.sample.end, end))
    return replace(spec, title=f"{spec.name}: {event.name}", event=event, sample=sample)


def _separation(spec: ModelSpec) -> Separation | None:
    """Put the table through its linear programmes before any number is sampled."""
    if spec.identification is None:
        return None
    found = separate(
        spec.identification,
        core=spec.system.variables,
        variables=(*spec.system.variables, *spec.system.auxiliary),
    )
    refuse_inseparable(found)
    return found


def _run(
    spec: ModelSpec,
    panel: Panel,
    fits: list[_Part],
    separation: Separation | None,
    settings: Settings,
) -> Run:
    first = fits[0]
    found, judged = first.estimate, first.judged
    outcome, unit = spec.event.outcome, panel.units[spec.event.outcome]
    values = panel.values[list(spec.system.variables)]
    contribution = first.groups["/posterior"]["contribution"]
    groups = dict(first.groups)
    groups |= record.structure(found.posterior, panel.units)
    groups |= record.event_shocks(found.posterior, values, spec)
    groups |= record.observed(panel.values, panel.units)
    groups["/posterior"] = groups["/posterior"].assign(found.parameters)
    if found.prior is not None:
        before = [decompose(found.prior, values, window) for window in spec.event.windows]
        groups |= record.prior_contributions(before, outcome)
    groups |= found.groups(contribution)
    findings = [sampling.finding(judged, contribution.sizes["chain"] * contribution.sizes["draw"])]
    findings += [] if separation is None else [_told_apart(separation)]
    if found.prior is not None:
        _, _, move = first.splits[0].cumulated(outcome)
        findings.append(neutral(groups["/prior"]["contribution"].isel(window=0), move))
    findings += found.findings
    if len(fits) > 1:
        groups["/event_in"] = record.every_way(
            EVENT_IN, [part.groups["/posterior"]["contribution"] for part in fits]
        )
        findings = [finding for finding in findings if finding.name != REWEIGHTED]
    tree = record.tree_of(groups, spec, unit)
    return Run(tree, _manifest(spec, panel, settings, judged, findings, found.notes))


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


def _manifest(
    spec: ModelSpec,
    panel: Panel,
    settings: Settings,
    judged: sampling.Sampling,
    findings: list[Finding],
    notes: Mapping[str, Any],
) -> dict[str, Any]:
    return {
        "model": spec.name,
        "title": spec.title,
        "event": spec.event.name,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "seed": settings.seed,
        "settings": {
            "draws": settings.draws,
            "event_in": settings.event_in,
            "sampler": settings.sampler,
            "windows": {w.name: f"{w.start} to {w.end}" for w in spec.event.windows},
            "hold_out": " to ".join(str(day) for day in spec.event.hold_out),
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
        "notes": dict(notes),
        "findings": [finding.record() for finding in findings],
    }
