"""The evidence of a model of net creations in; what to watch, day by day, out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd

from attribution.check.monitor import monitor_findings, monitor_table
from attribution.errors import DataError
from attribution.estimate.flow_data import FlowData
from attribution.estimate.flow_monitor import organic_part
from attribution.estimate.flow_rows import flow_data
from attribution.finding import Finding
from attribution.model.flows import FlowsQuestion
from attribution.panel import Evidence

DRAWS = 2000


@dataclass(frozen=True)
class Monitor:
    """Net creations of the focus fund less what returns and the basis explain.

    Attributes
    ----------
    fund : the focus.
    table : one row a day; its columns are those of ``check.monitor.monitor_table``.
    findings : where the flag stands on the last day, and whether prices rose after it.
    basis_error : standard deviation of the error of one reading of the basis, basis points.
    diagnostics : ``max_rhat`` and ``min_ess`` of the fit.
    """

    fund: str
    table: pd.DataFrame
    findings: tuple[Finding, ...]
    basis_error: float
    diagnostics: dict[str, float]


def monitor(
    evidence: Evidence,
    question: FlowsQuestion,
    *,
    seed: int,
    until: date | None = None,
    draws: int = DRAWS,
) -> Monitor:
    """Watch net creations that come without a wider basis.

    The responses are learnt from every row up to ``until`` but those of the event, so the days
    before it are seen with hindsight; the last day is not.

    Parameters
    ----------
    evidence, question : of a model file of kind ``flows``.
    until : last day that may be used; all days there are if it is left out.

    Raises
    ------
    SpecError, DataError, EventError
        Each names the place, what was found and what to do.
    """
    data = flow_data(question, evidence)
    if until is not None:
        data = _cut(data, until, evidence.name)
    organic = organic_part(question, data, draws=draws, rng=np.random.default_rng(seed))
    table = monitor_table(organic, data.returns[:, data.focus])
    return Monitor(
        fund=question.focus,
        table=table,
        findings=monitor_findings(table, pd.Timestamp(question.hold_out[1])),
        basis_error=organic.true.error,
        diagnostics=organic.fit.diagnostics,
    )


def _cut(data: FlowData, until: date, name: str) -> FlowData:
    """Keep the days up to one."""
    kept = np.asarray(data.days <= pd.Timestamp(until))
    if not kept.any():
        raise DataError(
            f"{name}: no day lies on or before {until}; its days run from {data.days[0]:%Y-%m-%d}"
            f" to {data.days[-1]:%Y-%m-%d}"
        )
    return replace(
        data,
        days=data.days[kept],
        flow=data.flow[kept],
        returns=data.returns[kept],
        covariates={column: values[kept] for column, values in data.covariates.items()},
        held_out=data.held_out[kept],
    )
