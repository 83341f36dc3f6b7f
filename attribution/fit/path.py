"""Read, estimate, decompose, judge: the stages of a fit, in their order."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import numpy as np
import xarray as xr

from attribution import runs
from attribution.content import content
from attribution.core.weighted_draws import copies, taken
from attribution.decompose import decompose
from attribution.errors import EventError, SpecError, nearest
from attribution.fit.assemble import JudgedFit, refuse_shocks, reported_groups, run_of, whole_sample
from attribution.fit.judge import failure, judged, refuse_unconverged, system_draws, weights_finding
from attribution.fit.settings import (
    Keywords,
    Settings,
    event_of,
    model_of,
    refuse_data,
    refuse_masses,
    refuse_say,
    sampler_of,
    settings_of,
    ways,
)
from attribution.fit.studied import fit_study
from attribution.model.accept import check_model
from attribution.model.claimed import cells_beside
from attribution.model.kinds import KINDS
from attribution.model.spec import Event, ModelSpec, Window
from attribution.model.study import StudySpec
from attribution.model.table import read_table
from attribution.panel import Panel, read_panel
from attribution.panel.measures import with_levels
from attribution.posterior import Decomposition, StructuralPosterior
from attribution.report.run import Run
from attribution.runs.labels import DRAW
from attribution.sampling.diagnostics import weight_size
from attribution.sampling.engine import at_most, one_thread
from attribution.var.check.separation import Separation, refuse_inseparable, separate
from attribution.var.kinds import Estimate, Sampling, estimate

if TYPE_CHECKING:
    import pandas as pd


# An estimate whose draws weigh differently in; the same with draws that weigh alike out.

STREAM = 2
"""Number of the random stream that resampling has for itself, beside the run's seed."""


def kept_copies(weight: np.ndarray, seed: int) -> np.ndarray:
    """Return how often each draw (chain, draw) is kept; once each where all weigh the same."""
    if np.ptp(weight) == 0:
        return np.ones(weight.shape, dtype=np.int64)
    return copies(weight, float(np.random.default_rng([seed, STREAM]).random()))


def equal_part(
    spec: ModelSpec, units: Mapping[str, str], part: JudgedFit, kept: np.ndarray
) -> JudgedFit:
    """Lay each draw out as often as it is kept, chain after chain; keep the originals beside.

    Findings, the prior and the statistics of the sampler are of the draws as they came.
    """
    found = part.estimate
    weight = found.posterior.weight
    if np.ptp(weight) == 0:
        return part
    reported = part.groups.get("/posterior", xr.Dataset()).assign(found.parameters)
    before = runs.weighted(found.posterior, kept, reported, found.extra, units)
    posterior = _posterior(found.posterior, kept)
    splits = [_split(split, kept) for split in part.splits]
    extra = {path: _dataset(data, kept) for path, data in found.extra.items()}
    parameters = {name: _array(array, kept) for name, array in found.parameters.items()}
    groups = reported_groups(spec, units, posterior, splits)
    size = {"effective_size": weight_size(kept), "resampled_from": f"/{runs.WEIGHTED}"}
    groups["/posterior" if splits else "/structural"].attrs |= size
    return JudgedFit(
        replace(found, posterior=posterior, parameters=parameters, extra={**extra, **before}),
        splits,
        groups,
        part.judged,
        (weights_finding(weight, kept),),
    )


def _split(split: Decomposition, kept: np.ndarray) -> Decomposition:
    return replace(
        split,
        baseline=taken(split.baseline, kept),
        contribution=taken(split.contribution, kept),
        weight=np.ones(kept.shape),
    )


def _posterior(of: StructuralPosterior, kept: np.ndarray) -> StructuralPosterior:
    return replace(
        of,
        impact=taken(of.impact, kept),
        lag_coefficients=taken(of.lag_coefficients, kept),
        intercept=taken(of.intercept, kept),
        weight=np.ones(kept.shape),
        struck=None if of.struck is None else taken(of.struck, kept),
    )


def _array(array: xr.DataArray, kept: np.ndarray) -> xr.DataArray:
    laid = array.transpose(*DRAW, ...)
    return laid.copy(data=taken(laid.to_numpy(), kept))


def _dataset(data: xr.Dataset, kept: np.ndarray) -> xr.Dataset:
    drawn = [name for name, array in data.data_vars.items() if set(DRAW) <= set(array.dims)]
    return data.assign({name: _array(data[name], kept) for name in drawn})


# A model and the columns at hand in; nothing out, or the claim whose series nobody knows.


def refuse_unknown_series(spec: ModelSpec, columns: Collection[str]) -> None:
    """Refuse a shared table whose cells name a series that nothing else knows: it is misspelt.

    Cells on a series that the system lacks do not count, if the data have it or a shipped table
    speaks of it.

    Parameters
    ----------
    columns : every column of the data, whether the model reads it or not.

    Raises
    ------
    SpecError
        Naming the table, the series and the nearest name.
    """
    table, variables = spec.identification, spec.system.variables
    odd = [name for name in cells_beside(spec) if name not in columns]
    odd = [name for name in odd if name not in _shipped()] if odd else []
    if table is not None and odd:
        raise SpecError(
            f"{spec.name}: table '{table.name}' restricts '{odd[0]}', which is neither a variable"
            f" nor a column of the data{nearest(odd[0], (*variables, *columns))}; correct it, or"
            " remove its cells"
        )


@cache
def _shipped() -> frozenset[str]:
    """Series that the shipped tables and rivals speak of."""
    paths = sorted((content("models") / "tables").rglob("*.toml"))
    return frozenset(cell.variable for path in paths for cell in read_table(str(path)).cells)


def fit(
    model: str | Path | ModelSpec | StudySpec,
    *,
    data: Path | str | pd.DataFrame | Panel | None = None,
    event: tuple[date | str, date | str] | None = None,
    settings: Settings | None = None,
    say: Callable[[str], None] = lambda text: None,
    **keywords: Unpack[Keywords],
) -> Run:
    """Estimate a model, decompose its event, and check the answer.

    Parameters
    ----------
    model : name of a shipped model, path of a model file, or a model made in memory.
    data : folder or file of a data set with its card, or a frame with dates as its index and the
        model's columns, or a panel; the shipped data if not given.
    event : first and last day of another event, as dates, texts or timestamps; the windows of the
        model file if not given.
    settings : what belongs to the run and not to the model.
    say : called with each stage, for a user who waits.
    keywords : fields of ``Settings`` by name, such as ``draws=2000, seed=1, cores=2``.

    Returns
    -------
    A run.  Without an event it holds responses and variance shares and no contributions.

    Raises
    ------
    SpecError, DataError, EventError, IdentificationError, DiagnosticsError
        Each names the place, what was found and what to do.
    """
    refuse_data(data)
    refuse_say(say)
    chosen = settings_of(settings, keywords)
    with one_thread(), at_most(chosen.cores):
        return _fit(model_of(model), data, event_of(event), chosen, say)


def _fit(
    spec: ModelSpec | StudySpec,
    data: Path | str | pd.DataFrame | Panel | None,
    event: tuple[date, date] | None,
    chosen: Settings,
    say: Callable[[str], None],
) -> Run:
    if isinstance(spec, StudySpec):
        return _study(spec, data, event, chosen, say)
    spec = spec if event is None else with_event(spec, *event)
    check_model(spec)
    asked, sampler = ways(spec, chosen), sampler_of(spec, chosen)
    say(f"reading {spec.sample.panel}")
    panel = _panel(spec, data, left_out="out" in asked)
    refuse_unknown_series(spec, _columns(panel, data))  # a misspelt cell keeps no channels apart
    separation = _separation(spec)
    spec = with_levels(spec, panel)
    draws = chosen.draws or KINDS[spec.kind].draws
    refuse_masses(spec, panel.values.index, draws, len(asked))
    full = whole_sample(spec, panel, draws)
    if chosen.shocks:
        refuse_shocks(spec, panel, draws)
    how = Sampling(draws, chosen.seed, sampler=sampler, progress=chosen.progress)
    fits = []
    for way in asked:
        say(f"estimating {spec.name}" + (f", event {way}" if len(asked) > 1 else ""))
        found = estimate(spec, panel, replace(how, event_in=way))
        fits.append(_part(full, panel, found, chosen.seed))
        if fits[-1].failed:
            break
    if full.event.asked:
        say("decomposing")
    settings = replace(chosen, draws=draws, sampler=sampler)
    refuse_unconverged(fits[-1], lambda: run_of(full, panel, fits[-1:], separation, settings))
    return run_of(full, panel, fits, separation, settings)


def _study(
    spec: StudySpec,
    data: Path | str | pd.DataFrame | Panel | None,
    event: tuple[date, date] | None,
    settings: Settings,
    say: Callable[[str], None],
) -> Run:
    if event is not None:
        raise SpecError(f"--event: kind '{spec.kind}' names its days in its file; edit it there")
    if isinstance(data, Panel):
        raise SpecError(f"{spec.name}: kind '{spec.kind}' reads files or a frame; hand over those")
    return fit_study(spec, data=data, settings=settings, say=say)


def with_event(spec: ModelSpec, start: date, end: date) -> ModelSpec:
    """Ask a model about another event: one window, held out of the estimation.

    Raises
    ------
    SpecError, EventError
        As for a model file that asks so: a narrative inside the window is refused.
    """
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
    asked = replace(spec, title=f"{spec.name}: {event.name}", event=event, sample=sample)
    check_model(asked)
    return asked


def _panel(
    spec: ModelSpec, data: Path | str | pd.DataFrame | Panel | None, *, left_out: bool
) -> Panel:
    if data is None or isinstance(data, Path | str):
        return read_panel(spec, data, left_out=left_out)
    if isinstance(data, Panel):
        return data
    from attribution.panel import panel_of

    return panel_of(data, spec, left_out=left_out)


def _columns(panel: Panel, data: Path | str | pd.DataFrame | Panel | None) -> set[str]:
    """Every column at hand, whether the model reads it or not."""
    given = () if data is None or isinstance(data, Path | str | Panel) else data.columns
    return {*panel.card.columns, *panel.values.columns, *map(str, given)}


def _part(spec: ModelSpec, panel: Panel, found: Estimate, seed: int) -> JudgedFit:
    """Decompose every window, judge the draws, and make all weigh the same."""
    outcome = spec.event.outcome
    kept, unit = kept_copies(found.posterior.weight, seed), panel.units[outcome]
    splits: list[Decomposition] = []
    if spec.event.asked:
        values = panel.values[list(spec.system.variables)]
        splits = [
            decompose(found.posterior, values, window, outcome, levels=spec.system.levels)
            for window in spec.event.windows
        ]
    groups = reported_groups(spec, panel.units, found.posterior, splits)
    if splits:
        reported = groups["/posterior"]["contribution"]
    else:
        reported, unit = system_draws(groups, outcome), ""
    seen = judged(reported, kept, unit, found.stats)
    weight = found.posterior.weight
    failed = failure(seen, reported, weight=weight, replicates=KINDS[spec.kind].replicates)
    part = equal_part(spec, panel.units, JudgedFit(found, splits, groups, seen), kept)
    return replace(part, failed=failed)


def _separation(spec: ModelSpec) -> Separation | None:
    """Put a table of elasticities through its linear programmes before any number is sampled."""
    table = spec.identification
    if table is None or len(table.names) < 2 or not (table.elastic and table.direction):
        return None
    found = separate(
        table,
        core=spec.system.variables,
        variables=(*spec.system.variables, *spec.system.auxiliary),
    )
    refuse_inseparable(found)
    return found
