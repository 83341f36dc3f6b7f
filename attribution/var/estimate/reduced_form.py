"""A question and observed series in; the reduced form that every rotation stands on out.

===================  =============================  =========================================
law                  prior                          draws
===================  =============================  =========================================
gaussian             given                          independent, closed form
gaussian             hierarchical                   independent, weighted
gaussian, outliers   given                          chains
gaussian, outliers   hierarchical                   independent, weighted
student_t            given                          chains
common_volatility    given                          chains
===================  =============================  =========================================
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from attribution.errors import DataError, SpecError, nearest
from attribution.model.scheme import ROTATION_INVARIANT
from attribution.model.spec import ModelSpec
from attribution.var.estimate.conjugate import CHAINS, conjugate_form, estimation_sample
from attribution.var.estimate.hierarchical import hierarchical_form
from attribution.var.estimate.scaled_form import scaled_form
from attribution.var.reduced import ReducedForm

EVENT_IN = ("out", "in", "scale")


def reduced_form(
    spec: ModelSpec,
    values: pd.DataFrame,
    *,
    seed: int | np.random.SeedSequence,
    event_in: str = "out",
    spread: np.ndarray | None = None,
) -> ReducedForm:
    """Build the posterior of a reduced-form VAR under a law that no rotation of shocks changes.

    Parameters
    ----------
    spec : names variables, lags, prior, law, outliers and event.
    values : (time, variable); unit of the variable, complete but for leading days.
    event_in : ``out`` ends the sample before ``event.hold_out``; ``in`` takes those days like any
        other; ``scale`` takes each with a scale of its own.
    spread : (variable,); residual scales of the prior (centre of their bounds where they are
        inferred), where they are not to be estimated from the sample; unit of the variable.

    Raises
    ------
    SpecError
        If a setting is unknown or two exclude each other.
    DataError
        If the sample is incomplete, degenerate or too short, or an outlier is not a day of it.
    DiagnosticsError
        If the hyperparameters of a hierarchical prior cannot be sampled.

    References
    ----------
    giannone2015; kadiyala1997; lenza2022
    """
    _refuse_settings(spec, event_in)
    frame = estimation_sample(
        spec, values, "out" if event_in == "out" else "in", last=spec.sample.end
    )
    listed = _listed_days(spec, pd.DatetimeIndex(frame.index[spec.system.lags :]), event_in)
    rng = np.random.default_rng(seed)
    if spread is None and spec.prior.residual_scales:
        given = dict(spec.prior.residual_scales)
        spread = np.array([given[name] for name in spec.system.variables])
    if spec.prior.hierarchical:
        return hierarchical_form(spec, frame, rng, chains=CHAINS, listed=listed, spread=spread)
    if spec.errors.law == "gaussian" and not len(listed):
        return conjugate_form(spec, frame, rng, chains=CHAINS, spread=spread)
    return scaled_form(spec, frame, rng, chains=CHAINS, listed=listed, spread=spread)


def _refuse_settings(spec: ModelSpec, event_in: str) -> None:
    place, law, prior = f"model '{spec.name}'", spec.errors.law, spec.prior
    if event_in not in EVENT_IN:
        raise SpecError(
            f"{place}: event-in is '{event_in}'; use out, in or scale{nearest(event_in, EVENT_IN)}"
        )
    if event_in == "scale" and not spec.event.asked:
        raise SpecError(f"{place}: event-in is scale, but there is no [event]; add one or use out")
    if law not in ROTATION_INVARIANT:
        raise SpecError(
            f"{place}: law '{law}' has no reduced form of its own, for a rotation of the shocks"
            f" changes it; use one of {', '.join(ROTATION_INVARIANT)}"
        )
    if prior.hierarchical and prior.flat:
        raise SpecError(f"{place}: the prior is both flat and hierarchical; drop one of the two")
    if prior.hierarchical and law != "gaussian":
        raise SpecError(
            f"{place}: a hierarchical prior goes with law gaussian, found '{law}'; set hierarchical"
            " = false, or use law gaussian with the days of large errors as outliers"
        )
    if spec.errors.dof is not None and spec.errors.dof <= 2:
        raise SpecError(
            f"{place}: dof is {spec.errors.dof:g}, for which errors have no variance; give more"
            " than 2, or leave it out to have it inferred"
        )


def _listed_days(spec: ModelSpec, days: pd.DatetimeIndex, event_in: str) -> np.ndarray:
    """Positions of the days with a scale of their own, in order, each once."""
    known = {day.date(): position for position, day in enumerate(days)}
    wanted: list[date] = list(spec.errors.outliers)
    for day in wanted:
        if day not in known:
            close = min(known, key=lambda other: abs((other - day).days))
            raise DataError(
                f"errors.outliers: {day} is not an estimation day of model '{spec.name}'"
                f" (nearest: {close}); correct it, or move the sample"
            )
    positions = {known[day] for day in wanted}
    if event_in == "scale":
        first, last = (pd.Timestamp(day) for day in spec.event.hold_out)
        held = (days >= first) & (days <= last)
        positions |= set(np.flatnonzero(held).tolist())
    return np.array(sorted(positions), dtype=np.int64)
