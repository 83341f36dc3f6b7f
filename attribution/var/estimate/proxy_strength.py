"""An instrument and a VAR's errors in; how relevant it is, and what it says if it is weak, out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from attribution.core import niw
from attribution.core.instruments.event import EventEstimate, contribution
from attribution.core.instruments.first_stage import WEAK_F, FirstStage, first_stage
from attribution.core.instruments.instrument import (
    ProxyVar,
    one_sd,
    proxy_var,
    relevance_wald,
    responses,
)
from attribution.core.standard import Standard
from attribution.core.weighted_draws import quantile
from attribution.errors import EventError
from attribution.finding import Finding
from attribution.model.spec import ModelSpec, Window

LEVEL, LEVELS = 0.9, (0.68, 0.9, 0.95)
"""Of the sets of contributions, and of those of responses."""
UNRELIABLE = 0.05
"""Squared correlation with the shock below which an instrument is next to noise."""
RELIABILITY_DOUBT = 0.1
"""Posterior probability of being next to noise from which an instrument is called weak."""


@dataclass(frozen=True)
class Strength:
    """One instrument's relevance, and what it says by itself.

    Attributes
    ----------
    channel, column, unit : the shock, the instrument, and the variable of the first stage, which
        the shock moves by one unit in ``responses``.
    first_stage : of this instrument alone, on the days on which it is observed.
    joint : of all instruments of the channel, on the days on which all are observed; the same
        where there is one.
    wald : of no relevance for ``unit``, with the noise of the VAR's coefficients.
    reliability : (chain, draw); squared correlation of the instrument with the shock.
    weight : (chain, draw); of the draws.
    responses : one row a level, horizon and variable; unit of the variable per unit of ``unit``.
    impact : (variable, scale); the response on impact ``per_unit`` of ``unit``, and to one sd of
        the shock, with the error covariance of the whole sample (``one_sd``) or of the days on
        which the instrument is observed (``one_sd_observed``), both divided by T - k.
    contributions : what the shock added to the outcome, by window of the event.
    """

    channel: str
    column: str
    unit: str
    first_stage: FirstStage
    joint: FirstStage
    wald: float
    reliability: np.ndarray
    weight: np.ndarray
    responses: pd.DataFrame
    impact: pd.DataFrame
    contributions: dict[str, EventEstimate]

    @property
    def doubt(self) -> float:
        """Posterior probability that the instrument is next to noise."""
        return float(np.average(self.reliability < UNRELIABLE, weights=self.weight))

    @property
    def weak(self) -> bool:
        """Whether F is below ten or the posterior gives a tenth to next to noise."""
        return self.joint.f < WEAK_F or self.doubt > RELIABILITY_DOUBT

    @property
    def verdict(self) -> str:
        """``fails`` if weak, ``undecided`` if only the effective F is below its critical value."""
        if self.weak:
            return "fails"
        return "undecided" if self.joint.f_effective < self.joint.f_critical else "holds"

    def finding(self) -> Finding:
        """Return the question of relevance with its numbers, and what to do if it fails."""
        stage, joint = self.first_stage, self.joint
        levels = np.array([0.05, 0.5, 0.95])
        low, middle, high = quantile(self.reliability.ravel(), self.weight.ravel(), levels)
        evidence = (
            f"first stage on {self.unit} over {stage.observations} periods: F {stage.f:.1f}"
            f" (robust {stage.f_hc1:.1f}; {WEAK_F:g} is the rule of thumb), effective F"
            f" {joint.f_effective:.1f} against {joint.f_critical:.1f}; squared correlation with the"
            f" shock {middle:.2f} (90 %: {low:.2f} to {high:.2f})"
        )
        if self.verdict != "holds":
            evidence += (
                f"; {'weak' if self.weak else 'not surely strong'}: read the Anderson-Rubin sets"
                " instead of the delta intervals, and find a stronger instrument, a longer span of"
                " it, or add restrictions on the channel"
            )
        return Finding(
            name=f"relevance of {self.column}",
            question=f"Is {self.column} a strong instrument for {self.channel}?",
            evidence=evidence,
            verdict=self.verdict,
        )


@dataclass(frozen=True)
class Instrumented:
    """A sample with its instruments.

    Attributes
    ----------
    frame : (lag + time, variable); the estimation sample, lags included.
    instruments : (time, instrument); NaN where not observed.
    """

    frame: pd.DataFrame
    instruments: pd.DataFrame

    def standard(self, spec: ModelSpec) -> Standard:
        """Return the coordinates in which estimation is done."""
        series, system = self.frame.to_numpy(float), spec.system
        return Standard.of(series, lags=system.lags, constant=system.constant)

    def least_squares(self, spec: ModelSpec, column: str, hac_lags: int) -> ProxyVar:
        """Estimate the VAR and its covariance with one instrument."""
        response, regressors = niw.design(
            self.frame.to_numpy(float), lags=spec.system.lags, constant=spec.system.constant
        )
        return proxy_var(
            response,
            regressors,
            self.instruments[column].to_numpy(float),
            constant=spec.system.constant,
            hac_lags=hac_lags,
        )


def strength(
    spec: ModelSpec,
    values: pd.DataFrame,
    sample: Instrumented,
    column: str,
    *,
    channel: str,
    partners: Sequence[str],
    unit: str,
    reliability: np.ndarray,
    weight: np.ndarray,
    hac_lags: int,
) -> Strength:
    """Measure one instrument.

    Parameters
    ----------
    partners : all instruments of the channel.
    reliability, weight : (chain, draw); from the posterior.
    hac_lags : Newey-West lags of every robust covariance but the first stage's.
    """
    standard, own = sample.standard(spec), sample.instruments.std()
    sample = Instrumented(
        pd.DataFrame(
            standard.inward(sample.frame.to_numpy(float)), sample.frame.index, sample.frame.columns
        ),
        (sample.instruments - sample.instruments.mean()) / own,
    )
    var = sample.least_squares(spec, column, hac_lags)
    at = spec.system.variables.index(unit)
    size = standard.unit[at]
    return Strength(
        channel=channel,
        column=column,
        unit=unit,
        first_stage=_stage(var, at, sample.instruments[[column]], size / own[[column]]),
        joint=_stage(var, at, sample.instruments[list(partners)], size / own[list(partners)]),
        wald=relevance_wald(var, at),
        reliability=reliability,
        weight=weight,
        responses=pd.concat([_responses(spec, var, at, level, standard.unit) for level in LEVELS]),
        impact=_impact(spec, var, at, sample.instruments[column].notna().to_numpy(), standard.unit),
        contributions={
            window.name: _contribution(spec, values, var, window, standard)
            for window in spec.event.windows
        },
    )


def _stage(var: ProxyVar, at: int, instruments: pd.DataFrame, unit: pd.Series) -> FirstStage:
    """Return the first stage, its slopes in a unit each."""
    series = instruments.to_numpy(float)
    seen = np.isfinite(series).all(1)
    found = first_stage(var.errors[seen, at], series[seen])
    return replace(found, slope=found.slope * unit.to_numpy())


def _impact(
    spec: ModelSpec, var: ProxyVar, at: int, seen: np.ndarray, unit: np.ndarray
) -> pd.DataFrame:
    used = var.regressors.shape[1]
    errors = var.errors[seen] - var.errors[seen].mean(0)
    whole = var.errors.T @ var.errors / (len(var.errors) - used)
    columns = {"per_unit": var.gamma / var.gamma[at], "one_sd": one_sd(var.gamma, whole)}
    if len(errors) > used + len(var.gamma):
        observed = errors.T @ errors / (len(errors) - used)
        columns["one_sd_observed"] = one_sd(var.gamma, observed)
    side = np.sign(var.gamma[at])
    table = pd.DataFrame(columns, index=list(spec.system.variables))
    table[table.columns[1:]] *= side
    table = table.mul(unit, axis=0)
    table["per_unit"] /= unit[at]
    return table


def _responses(
    spec: ModelSpec, var: ProxyVar, at: int, level: float, unit: np.ndarray
) -> pd.DataFrame:
    rows = responses(var, unit=at, horizons=spec.system.horizons, level=level)
    records = [
        {
            "level": level,
            "horizon": horizon,
            "variable": variable,
            "response": estimate.value,
            "se": estimate.se,
            "delta_low": estimate.delta.low,
            "delta_high": estimate.delta.high,
            "robust_low": estimate.robust.low,
            "robust_high": estimate.robust.high,
            "robust_shape": estimate.robust.shape,
            "robust": str(estimate.robust),
        }
        for horizon, row in enumerate(rows)
        for variable, estimate in zip(
            spec.system.variables,
            (own.scaled(size / unit[at]) for own, size in zip(row, unit, strict=True)),
            strict=True,
        )
    ]
    return pd.DataFrame(records)


def _contribution(
    spec: ModelSpec, values: pd.DataFrame, var: ProxyVar, window: Window, standard: Standard
) -> EventEstimate:
    names, lags = list(spec.system.variables), spec.system.lags
    first = int(values.index.searchsorted(pd.Timestamp(window.start)))
    last = int(values.index.searchsorted(pd.Timestamp(window.end), side="right"))
    rows = values[names].iloc[max(first - lags, 0) : last]
    if first < lags or last <= first or rows.isna().to_numpy().any():
        raise EventError(
            f"window '{window.name}': the data do not cover {window.start} to {window.end} and the"
            f" {lags} days before; supply them or move the window"
        )
    response, regressors = niw.design(
        standard.inward(rows.to_numpy(float)), lags=lags, constant=spec.system.constant
    )
    at = names.index(spec.event.outcome)
    found = contribution(var, response, regressors, variable=at, level=LEVEL)
    return found.scaled(float(standard.unit[at]))
