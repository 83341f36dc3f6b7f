"""A model and its panel in; a window over the whole sample, and the shocks of every day, out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import xarray as xr

from attribution import record
from attribution.errors import DataError, SpecError
from attribution.model.kinds import KINDS, named
from attribution.model.spec import ModelSpec, Window
from attribution.panel import Panel
from attribution.posterior import StructuralPosterior

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
    return record.every_shock(structural, values, Window("sample", days[0].date(), days[-1].date()))


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
