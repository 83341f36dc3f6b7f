"""The rows of a study of net creations in; the arrays that its likelihood takes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from attribution.errors import DataError, EventError, nearest
from attribution.panel import Evidence
from attribution.studies.flows.dated_flow import NONE, SOME, UNUSED
from attribution.studies.flows.question import FlowsQuestion

# Net creations, returns and covariates in; the arrays that flow models share out.


@dataclass(frozen=True)
class FlowData:
    """What flow models are fitted to: one row a published day, one column a fund.

    Attributes
    ----------
    days : (time,), increasing.
    funds : names, in the order of every ``fund`` axis.
    focus : position of the fund that the question is about.
    flow : (time, fund), published net creation, USD million; NaN where a fund has no row.
    returns : (time, fund), the fund's own return, log points; NaN where it has none.
    covariates : name -> (time,), known per day and common to all funds; unit of the column, NaN
        where it was not observed.
    held_out : (time,), whether the rows of a day are kept from the estimation.
    """

    days: pd.DatetimeIndex
    funds: tuple[str, ...]
    focus: int
    flow: np.ndarray
    returns: np.ndarray
    covariates: Mapping[str, np.ndarray]
    held_out: np.ndarray

    def __post_init__(self) -> None:
        shape = (len(self.days), len(self.funds))
        if self.flow.shape != shape or self.returns.shape != shape:
            raise ValueError(f"flow {self.flow.shape} and returns are not {shape}")
        if any(values.shape != shape[:1] for values in self.covariates.values()):
            raise ValueError("a covariate does not lie on the days")
        if self.held_out.shape != shape[:1] or self.held_out.dtype != bool:
            raise ValueError("held_out does not mark the days")

    @property
    def size(self) -> np.ndarray:
        """Median absolute flow of a fund over its days with one, held-out days aside; (fund,).

        Raises
        ------
        DataError
            If a fund never has a flow.
        """
        inside = self.flow[~self.held_out]
        active = np.where(inside == 0.0, np.nan, np.abs(inside))
        idle = np.isnan(active).all(axis=0)
        if idle.any():
            name = self.funds[int(np.argmax(idle))]
            raise DataError(f"fund '{name}': it has no flow in the sample; leave it out")
        found: np.ndarray = np.nanmedian(active, axis=0)
        return found


@dataclass(frozen=True)
class FlowRows:
    """What the joint model of net creations is fitted to; a fund's flows are over its size.

    Attributes
    ----------
    flow : (fund, time), published flow over ``size``.
    published : (fund, time), status of each row: unused if it, the row before or a return that it
        needs is missing.
    status : (fund, time), the same for the estimation: a held-out row is unused too, and so is
        the row after one, which would tell of it.
    previous : (fund, time), the row before, over ``size``.
    design : (fund, day, covariate), standardised covariates of a day's orders.
    covariates : their names; ``per_unit`` (covariate,), one unit of each in standardised terms.
    activity : (day, column), standardised columns that move the scale of flows.
    magnitude : (fund, day), absolute return over its sample sd; moves the odds of no flow.
    size : (fund,), USD million.
    shared : whether there is demand that all funds share.
    """

    data: FlowData
    flow: np.ndarray
    published: np.ndarray
    status: np.ndarray
    previous: np.ndarray
    design: np.ndarray
    covariates: tuple[str, ...]
    per_unit: np.ndarray
    activity: np.ndarray
    magnitude: np.ndarray
    size: np.ndarray
    shared: bool


def flow_data(question: FlowsQuestion, evidence: Evidence) -> FlowData:
    """Lay the evidence on days and funds.

    Raises
    ------
    DataError
        If rows are not by fund and day, the focus is no fund, or a common column is not common.
    EventError
        If a day of the event has no row of the focus.
    """
    if not evidence.entity or not evidence.dated:
        raise DataError(
            f"{evidence.name}: its rows are not one a fund and day; use a card with layout 'long',"
            " or a data frame indexed by fund and day"
        )
    flow = evidence.wide(question.net_creation)
    funds = tuple(str(name) for name in flow.columns)
    if question.focus not in funds:
        raise DataError(
            f"{evidence.name}: no {evidence.entity} '{question.focus}'"
            f"{nearest(question.focus, funds)}; correct focus in the model"
        )
    days, values = pd.DatetimeIndex(flow.index), flow.to_numpy(float)
    first, last = (pd.Timestamp(day) for day in question.hold_out)
    for day in (*question.asked, *question.hold_out):
        row = days.get_indexer(pd.DatetimeIndex([day]))[0]
        if row < 0 or not np.isfinite(values[row, funds.index(question.focus)]):
            raise EventError(
                f"{evidence.name}: {question.focus} has no {question.net_creation} on {day}; its"
                f" rows run from {days[0]:%Y-%m-%d} to {days[-1]:%Y-%m-%d}: correct [event]"
            )
    return FlowData(
        days=days,
        funds=funds,
        focus=funds.index(question.focus),
        flow=values,
        returns=evidence.wide(question.fund_return).to_numpy(float),
        covariates={name: _common(evidence, name) for name in question.common},
        held_out=np.asarray((days >= first) & (days <= last)),
    )


def _common(evidence: Evidence, name: str) -> np.ndarray:
    """One value a day of a column that every fund shares."""
    grouped = evidence.rows[name].groupby(level=-1)
    apart = grouped.max() > grouped.min()
    if apart.any():
        day = apart.idxmax()
        raise DataError(
            f"{evidence.name}: '{name}' differs between the rows of {day:%Y-%m-%d}; name a column"
            " with one value a day"
        )
    found: np.ndarray = grouped.first().reindex(evidence.days).to_numpy(float)
    return found


def flow_rows(question: FlowsQuestion, data: FlowData) -> FlowRows:
    r"""Standardise what a day brings, and mark which rows are used.

    .. math::
        x_d = \bigl(\min(r_d, 0),\ \max(r_d, 0),\ r_{d-1},\ \max(-r_d - c, 0),\ \Delta b_d\bigr)

    Returns are divided by their sd over the sample, the basis by its own; a missing basis, and a
    missing column of the scale, enter at their mean.

    Raises
    ------
    DataError
        If a column does not move, or a fund has too few rows to be used.
    """
    size = data.size
    flow, returns = (data.flow / size).T, data.returns.T
    sd = float(np.nanstd(returns))
    if not sd > 0:
        raise DataError(f"column '{question.fund_return}': it does not move; give returns")
    before = _shift(returns)
    parts = {
        "fall": np.minimum(returns, 0.0) / sd,
        "rise": np.maximum(returns, 0.0) / sd,
        "return of the day before": before / sd,
        f"fall beyond {question.crash:g}": np.maximum(-returns - question.crash, 0.0) / sd,
    }
    per_unit = [1.0 / sd] * len(parts)
    if question.basis:
        basis = _standard(question.basis, data.covariates[question.basis])
        per_unit.append(1.0 / float(np.nanstd(data.covariates[question.basis])))
        parts["basis change"] = np.broadcast_to(basis, returns.shape)
    scale = [name for name in (question.volatility, question.volume) if name]
    columns = [_standard(name, data.covariates[name]) for name in scale]
    known = np.isfinite(returns) & np.isfinite(before)
    there = np.isfinite(flow) & np.isfinite(_shift(flow)) & known & (_shift(known) == 1.0)
    after = np.append(False, data.held_out[:-1])
    used = there & ~(data.held_out | after)
    _refuse_short(data, used)
    kind = np.where(flow == 0.0, NONE, SOME)
    return FlowRows(
        data=data,
        flow=np.nan_to_num(flow),
        published=np.where(there, kind, UNUSED).astype(np.int8),
        status=np.where(used, kind, UNUSED).astype(np.int8),
        previous=np.nan_to_num(_shift(flow)),
        design=np.ascontiguousarray(np.nan_to_num(np.stack(list(parts.values()), axis=-1))),
        covariates=tuple(parts),
        per_unit=np.array(per_unit),
        activity=np.stack(columns, axis=-1) if columns else np.zeros((len(data.days), 0)),
        magnitude=np.nan_to_num(np.abs(returns) / sd),
        size=size,
        shared=question.shared_demand,
    )


def _shift(values: np.ndarray) -> np.ndarray:
    """Values (..., time) of the row before; NaN in the first."""
    moved = np.full(values.shape, np.nan)
    moved[..., 1:] = values[..., :-1]
    return moved


def _standard(name: str, values: np.ndarray) -> np.ndarray:
    """Centre and scale a column; where it is missing, its mean."""
    sd = np.nanstd(values) if np.isfinite(values).any() else 0.0
    if not sd > 0:
        raise DataError(f"column '{name}': it does not move over the sample; leave it out")
    found: np.ndarray = np.nan_to_num((values - np.nanmean(values)) / sd)
    return found


def _refuse_short(data: FlowData, used: np.ndarray) -> None:
    """Refuse a fund of which fewer than ten rows are used."""
    few = used.sum(axis=1) < 10
    if few.any():
        raise DataError(
            f"fund '{data.funds[int(np.argmax(few))]}': fewer than 10 of its rows can be used;"
            " leave it out or lengthen the sample"
        )
