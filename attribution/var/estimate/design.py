"""A model and its panel in; estimation rows of the headline model, standardised, out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from attribution.errors import DataError, EventError, SpecError, nearest
from attribution.model.spec import ModelSpec
from attribution.var.estimate.structural_prior import ImpactPrior, impact_prior

EVENT_IN = ("out", "scale", "in")


@dataclass(frozen=True)
class Rows:
    """Days of the system, in units of each variable's standard deviation before the hold-out.

    Attributes
    ----------
    time : the days.
    response : (time, variable), NaN where not observed.
    regressors : (time, regressor); the constant, then the nearest lag first.
    exposure : (time, shock) zero or one.
    scale : (time, column), standardised; what moves all variances of a day.
    """

    time: pd.DatetimeIndex
    response: np.ndarray
    regressors: np.ndarray
    exposure: np.ndarray
    scale: np.ndarray


@dataclass(frozen=True)
class Design:
    """Estimation rows, the event's rows, and what is needed to go back to units.

    Attributes
    ----------
    prior : of the impact matrix, standardised.
    center, sd : (variable,); of the days before the hold-out.
    rows : estimation days.
    event : the days of the event, whether or not they are among ``rows``.
    own_scale : (time,) int; index of an estimation day's own scale, −1 where it has none.
    reference : number of leading rows that precede the hold-out.
    """

    prior: ImpactPrior
    center: np.ndarray
    sd: np.ndarray
    rows: Rows
    event: Rows
    own_scale: np.ndarray
    reference: int


def design(spec: ModelSpec, values: pd.DataFrame, event_in: str) -> Design:
    """Choose the estimation rows, standardise them and build regressors.

    ``out`` keeps the days before the hold-out; ``scale`` and ``in`` keep those of the hold-out
    too, ``scale`` with a scale of their own for each.  No later day is used.

    Raises
    ------
    SpecError
        If ``event_in`` is unknown.
    EventError
        If the hold-out leaves fewer than ten rows a variable, or an event day lacks a value.
    """
    if event_in not in EVENT_IN:
        raise SpecError(
            f"--event-in '{event_in}': unknown{nearest(event_in, EVENT_IN)}; choose one of"
            f" {', '.join(EVENT_IN)}"
        )
    first, last = (pd.Timestamp(day) for day in spec.event.hold_out)
    core, variables = spec.system.variables, (*spec.system.variables, *spec.system.auxiliary)
    before = values.loc[values.index < first]
    need = 10 * len(core) + spec.system.lags
    if len(before) < need:
        raise EventError(
            f"{spec.name}: {len(before)} days precede the hold-out of {first:%Y-%m-%d}, {need} are"
            " needed; start the sample earlier or drop variables"
        )
    center = before[list(variables)].mean().to_numpy()
    sd = before[list(variables)].std().to_numpy()
    standard = pd.DataFrame((values[list(variables)] - center) / sd)
    prior = impact_prior(spec, dict(zip(variables, sd, strict=True)))
    used = values.index[spec.system.lags :]
    used = used[used < first] if event_in == "out" else used[used <= last]
    struck = values.index[
        (values.index >= pd.Timestamp(spec.event.start))
        & (values.index <= pd.Timestamp(spec.event.end))
    ]
    if struck.empty:
        raise EventError(
            f"{spec.name}: no day of the event ({spec.event.start} to {spec.event.end}) is in the"
            " data; choose days on which the series trade"
        )
    held = np.asarray(used >= first)
    own_scale = np.full(len(used), -1)
    if event_in == "scale":
        own_scale[held] = np.arange(held.sum())
    return Design(
        prior=prior,
        center=center,
        sd=sd,
        rows=_rows(spec, prior, values, standard, used, before),
        event=_rows(spec, prior, values, standard, struck, before),
        own_scale=own_scale,
        reference=int((~held).sum()),
    )


def _rows(
    spec: ModelSpec,
    prior: ImpactPrior,
    values: pd.DataFrame,
    standard: pd.DataFrame,
    days: pd.Index,
    before: pd.DataFrame,
) -> Rows:
    core, lags = list(spec.system.variables), spec.system.lags
    at = values.index.get_indexer(days)
    array = standard[core].to_numpy()
    lagged = [array[at - lag] for lag in range(1, lags + 1)]
    rows = values.iloc[at]
    exposure = np.zeros((len(at), len(prior.shocks)))
    for item in spec.exposures:
        high = _upper_half(rows[item.column].to_numpy(), before[item.column], spec.name)
        exposure[:, prior.shocks.index(item.channel)] = high
    scale = [
        (rows[column].to_numpy() - before[column].mean()) / before[column].std()
        for column in spec.structural.scale_columns
    ]
    out = Rows(
        time=pd.DatetimeIndex(days),
        response=standard.to_numpy()[at],
        regressors=np.concatenate([np.ones((len(at), 1)), *lagged], axis=1),
        exposure=exposure,
        scale=np.stack(scale, axis=1) if scale else np.zeros((len(at), 0)),
    )
    gap = ~np.isfinite(np.concatenate([out.response[:, : len(core)], out.regressors], axis=1))
    if gap.any():
        day = out.time[int(gap.any(1).argmax())]
        raise EventError(
            f"{spec.name}: a variable of the system has no value on {day:%Y-%m-%d} or on one of the"
            f" {lags} days before it; supply it or use a model without it"
        )
    return out


def _upper_half(column: np.ndarray, before: pd.Series, model: str) -> np.ndarray:
    """Mark the upper half: above the median, or at it where the median is the largest value.

    Raises
    ------
    DataError
        If the column never varies before the event, so that it marks no day off.
    """
    known = before.dropna()
    if known.nunique() < 2:
        raise DataError(
            f"{model}: [[exposures]] column '{before.name}' never varies before the event; drop the"
            " exposure, or use a column that does"
        )
    middle = known.median()
    high: np.ndarray = column > middle if known.max() > middle else column >= middle
    return high
