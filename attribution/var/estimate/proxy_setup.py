"""A question about instruments and the observed series in; what the sampler needs, or a refusal."""

from __future__ import annotations

import numpy as np
import pandas as pd

from attribution.core import niw
from attribution.core.instruments.model import ProxyPrior
from attribution.core.niw import unit_root_dummies
from attribution.errors import DataError, SpecError, nearest
from attribution.model.restriction import SHOCK, Cell
from attribution.model.spec import ModelSpec
from attribution.var.estimate.conjugate import estimation_sample
from attribution.var.estimate.proxy_strength import Instrumented


def refuse_law(spec: ModelSpec) -> None:
    """Refuse what this sampler does not do, rather than leave it out.

    Raises
    ------
    SpecError
        If errors are not Gaussian, days are set aside by a scale, or hyperparameters are unknown.
    """
    place = f"model '{spec.name}'"
    if spec.errors.law != "gaussian" or spec.errors.outliers:
        found = "outliers" if spec.errors.law == "gaussian" else f"law '{spec.errors.law}'"
        raise SpecError(
            f"{place}: a proxy VAR has Gaussian errors of one scale, not {found};"
            " remove it, or use scheme 'restrictions'"
        )
    if spec.prior.hierarchical:
        raise SpecError(
            f"{place}: a proxy VAR takes the tightness as given; set hierarchical = false"
        )
    if not spec.scheme.instruments:
        raise SpecError(f"{place}: no instrument; add [[identification.instruments]]")


def unit_of(spec: ModelSpec, unit: str | None) -> str:
    """Return the variable of the first stage: the outcome unless another is named."""
    chosen = spec.event.outcome if unit is None else unit
    if chosen not in spec.system.variables:
        raise SpecError(
            f"model '{spec.name}': unit '{chosen}' is not a variable of the model"
            f"{nearest(chosen, spec.system.variables)}"
        )
    return chosen


def instrumented(spec: ModelSpec) -> tuple[str, ...]:
    """Return channels with an instrument, in the order of the model file."""
    return tuple(dict.fromkeys(instrument.channel for instrument in spec.scheme.instruments))


def channels(spec: ModelSpec) -> tuple[str, ...]:
    """Return all channels: those of the table if there is one, else those with an instrument.

    Raises
    ------
    SpecError
        If they outnumber the variables, or an instrument's channel is not in the table.
    """
    with_one = instrumented(spec)
    names = with_one if spec.identification is None else spec.identification.names
    for name in with_one:
        if name not in names:
            raise SpecError(
                f"model '{spec.name}': instrument of '{name}', which is no channel of the table"
                f"{nearest(name, names)}"
            )
    if len(names) > len(spec.system.variables):
        raise SpecError(
            f"model '{spec.name}': {len(names)} channels for {len(spec.system.variables)}"
            " variables; remove channels or add variables"
        )
    return names


def sign_of(spec: ModelSpec, channel: str) -> tuple[str, int] | None:
    """Return the variable and the sign that fix a channel's direction; None if no claim does."""
    table = spec.identification
    if table is None:
        return None
    if table.direction:
        return table.outcome, table.direction
    cell = _fixing(spec, channel)
    return None if cell is None else (cell.variable, 1 if cell.low >= 0 else -1)


def says_more(spec: ModelSpec) -> bool:
    """Whether the table claims more than the signs of channels that have an instrument."""
    return _further_claims(spec) > 0


def refuse_claims(spec: ModelSpec) -> None:
    """Refuse a table that says more than the signs of channels that have an instrument.

    Raises
    ------
    SpecError
        If there is such a claim and no one to check it.
    """
    table, rest = spec.identification, _further_claims(spec)
    if table is not None and rest:
        raise SpecError(
            f"model '{spec.name}': the table '{table.name}' makes {rest} claims beyond the sign of"
            " an instrument's channel and nothing checks them; pass keep, or remove them"
        )


def _further_claims(spec: ModelSpec) -> int:
    table = spec.identification
    if table is None:
        return 0
    spare = [_fixing(spec, channel) for channel in instrumented(spec) if not table.direction]
    claims = [cell for cell in table.cells if cell not in spare]
    return len(claims) + len(table.rankings) + len(table.shares) + len(table.narratives)


def _fixing(spec: ModelSpec, channel: str) -> Cell | None:
    """First cell that fixes a channel's sign by itself: on impact, per shock, open at one end."""
    assert spec.identification is not None
    for cell in spec.identification.cells_of(channel):
        if cell.on_impact and cell.per == SHOCK and cell.claim in ("+", "-"):
            return cell
    return None


def instrumented_sample(spec: ModelSpec, values: pd.DataFrame, event_in: str) -> Instrumented:
    """Return the estimation sample and the instruments on its days.

    Raises
    ------
    DataError
        If an instrument is missing, constant, seen on too few days, or collinear with another.
    """
    frame = estimation_sample(spec, values, event_in, last=spec.sample.end)
    columns = [instrument.column for instrument in spec.scheme.instruments]
    for column in columns:
        if column not in values:
            raise DataError(f"column '{column}': the data lack it{nearest(column, values.columns)}")
    days = frame.index[spec.system.lags :]
    instruments = values.loc[days, columns].astype(float)
    for instrument in spec.scheme.instruments:
        if instrument.start is not None:
            early = instruments.index < pd.Timestamp(instrument.start)
            instruments.loc[early, instrument.column] = np.nan
    least = len(spec.system.variables) + len(columns) + 2
    for column in columns:
        seen = instruments[column].dropna()
        if len(seen) < least:
            raise DataError(
                f"column '{column}': the instrument has {len(seen)} values in the estimation"
                f" sample and needs {least}; lengthen it or use another"
            )
        if np.ptp(seen.to_numpy()) == 0:
            raise DataError(f"column '{column}': the instrument is constant; use another")
    _refuse_collinear(instruments)
    return Instrumented(frame, instruments)


def _refuse_collinear(instruments: pd.DataFrame) -> None:
    series = instruments.dropna().to_numpy()
    if len(series) <= series.shape[1]:
        raise DataError(
            f"columns {', '.join(map(str, instruments))}: the instruments share"
            f" {len(series)} days; lengthen them or use one"
        )
    spread = series.std(0)
    if (spread == 0).any() or np.linalg.matrix_rank(
        (series - series.mean(0)) / spread
    ) < series.shape[1]:
        raise DataError(
            f"columns {', '.join(map(str, instruments))}: the instruments are collinear on the"
            " days they share; drop one of them"
        )


def proxy_prior(spec: ModelSpec, series: np.ndarray) -> ProxyPrior:
    """Return the prior: Minnesota with its dummies or flat, instruments in units of their spread.

    Parameters
    ----------
    series : as in ``conjugate_prior``.
    """
    prior, system = spec.prior, spec.system
    n, k = series.shape[1], series.shape[1] * system.lags + system.constant
    reduced = niw.flat(n, k)
    if not prior.flat:
        reduced = niw.minnesota(
            niw.autoregressive_spread(series),
            lags=system.lags,
            constant=system.constant,
            own_lag=np.array([prior.mean_of(name) for name in system.variables]),
            tightness=prior.tightness,
            decay=prior.decay,
            intercept_scale=prior.intercept_scale,
        )
        response, regressors = unit_root_dummies(
            series[: system.lags].mean(0),
            lags=system.lags,
            constant=system.constant,
            sum_of_coefficients=prior.sum_of_coefficients,
            single_unit_root=prior.single_unit_root,
        )
        reduced = niw.posterior(reduced, response, regressors)
    order = instrumented(spec)
    return ProxyPrior(
        reduced=reduced,
        channel_of=np.array([order.index(one.channel) for one in spec.scheme.instruments]),
        spread=np.ones(len(spec.scheme.instruments)),
    )
