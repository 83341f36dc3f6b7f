"""The organic part of net creations in; which days saw it come without a wider basis, out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from attribution.core.instruments.first_stage import long_run
from attribution.errors import DataError, SpecError
from attribution.finding import Finding
from attribution.model import read_model
from attribution.model.study import StudySpec
from attribution.panel import Evidence, read_evidence
from attribution.report.answers import grid
from attribution.report.numbers import csv_text, number, probability, span
from attribution.report.results import by_name
from attribution.report.style import png_bytes, svg_bytes
from attribution.report.terminal import escape, findings_table
from attribution.runs.run import whole, write_json
from attribution.studies.flows.focus_rows import (
    FocusFit,
    carry,
    fit_focus,
    focus_setup,
    term_values,
    usual_size,
)
from attribution.studies.flows.pictures import monitor_pictures
from attribution.studies.flows.question import FlowsQuestion, Mechanism, Term
from attribution.studies.flows.rows import FlowData, flow_data
from attribution.studies.flows.true_basis import TrueBasis, true_basis

# Net creations, returns and a basis in; what neither returns nor basis explain, by day, out.

WINDOW = 5
"""Rows that are summed."""


@dataclass(frozen=True)
class Organic:
    r"""The organic part of net creations.

    .. math::
        f_t = o_t + e_t, \qquad e_t = \rho\, e_{t-1} + x_{t-l_t}'\beta + b_{t-l_t}'\kappa

    with x the day's returns and b the true changes of the basis; the organic part o is what
    remains. It holds the average flow, its persistence and its surprises. The split is exact in
    every draw; the draws carry what is not known of the responses, of the dating and of the basis,
    whose readings have an error.

    Attributes
    ----------
    published : (time,), USD million.
    daily, summed : (draw, time), organic part of a row, and of the last five, USD million.
    basis : (draw, time), true change of the basis over the days that those five rows stand for,
        less its usual change, basis points.
    previous : (time,), probability that the row stands for the day before.
    readings : (time,), changes of the basis observed on the dates of the five rows.
    known : (time,), whether all five rows are there.
    """

    days: pd.DatetimeIndex
    published: np.ndarray
    daily: np.ndarray
    summed: np.ndarray
    basis: np.ndarray
    previous: np.ndarray
    readings: np.ndarray
    known: np.ndarray
    fit: FocusFit
    true: TrueBasis


def organic_part(
    question: FlowsQuestion, data: FlowData, *, draws: int, rng: np.random.Generator
) -> Organic:
    """Split net creations of the focus fund; rows of the event are split, not learnt from.

    Raises
    ------
    SpecError
        If the model names no basis.
    DataError
        If too few rows or changes of the basis can be used.
    """
    if not question.basis:
        raise SpecError("[flows]: basis is missing, and the monitor is about it; name its column")
    basis = true_basis(data.covariates[question.basis], draws=draws, rng=rng)
    seen = np.isfinite(data.covariates[question.basis])
    calm = dict(data.covariates) | {question.basis: np.where(seen, basis.mean, np.nan)}
    data = replace(data, covariates=calm)
    size = float(data.size[data.focus])
    terms = (Term(question.basis), Term(question.basis, lag=1))
    trade = Mechanism("basis", "basis", terms, scale=question.prior.response * size, reason="-")
    setup = focus_setup(question, data, (trade,), others=False)
    fit = fit_focus(setup, draws=draws, rng=rng)
    flow = data.flow[:, data.focus]
    stop = ~np.isfinite(flow) | (flow == 0.0)
    part = _returns(fit) + _basis(fit, question, data, basis)
    stays = fit.draws.beta[:, setup.names.index("own row before")]
    daily = np.nan_to_num(flow) - size * carry(np.ascontiguousarray(part), stays, stop)
    return Organic(
        days=data.days,
        published=flow,
        daily=daily,
        summed=_sum(daily),
        basis=_sum(_read(fit, basis.change)),
        previous=fit.dating().previous.mean(axis=0),
        readings=_count(seen),
        known=_count(np.isfinite(flow)) == WINDOW,
        fit=fit,
        true=basis,
    )


def _returns(fit: FocusFit) -> np.ndarray:
    """Add up what returns add to a row (draw, time), in sizes."""
    rows, names = fit.setup.rows, fit.setup.names
    own = [
        k
        for k, name in enumerate(names)
        if name not in ("intercept", "own row before") and not fit.setup.terms[k]
    ]
    both = np.einsum("ltk,sk->lst", rows.x[:, :, own], fit.draws.beta[:, own])
    own_day, before = fit.draws.holds
    found: np.ndarray = np.where(own_day, both[0], 0.0) + np.where(before, both[1], 0.0)
    return found


def _basis(fit: FocusFit, question: FlowsQuestion, data: FlowData, basis: TrueBasis) -> np.ndarray:
    """Add up what true changes of the basis, of the day and the one before, add to a row."""
    column = term_values(Term(question.basis), question, data)
    usual = usual_size(column, ~data.held_out)
    now, before = fit.draws.beta[:, fit.setup.terms].T
    change = basis.change / usual
    day = now[:, None] * change
    day[:, 1:] += before[:, None] * change[:, :-1]
    return _read(fit, day)


def _read(fit: FocusFit, day: np.ndarray) -> np.ndarray:
    """Take the values (draw, time) of the days that a row stands for."""
    shifted = np.zeros_like(day)
    shifted[:, 1:] = day[:, :-1]
    own, before = fit.draws.holds
    found: np.ndarray = np.where(own, day, 0.0) + np.where(before, shifted, 0.0)
    return found


def _sum(values: np.ndarray) -> np.ndarray:
    """Sum over the last rows (draw, time); of fewer at the start."""
    total = np.cumsum(values, axis=1)
    total[:, WINDOW:] = total[:, WINDOW:] - total[:, :-WINDOW].copy()
    return total


def _count(yes: np.ndarray) -> np.ndarray:
    """Count the last rows that are so; (time,)."""
    found: np.ndarray = _sum(yes[None].astype(float))[0].astype(int)
    return found


SURE, EVEN, READINGS = 0.9, 0.5, 3
"""Probability of an inflow and of a wider basis that set the flag; readings of the basis needed."""
LEVELS = {"q05": 0.05, "q25": 0.25, "q75": 0.75, "q95": 0.95}


def monitor_table(organic: Organic, returns: np.ndarray) -> pd.DataFrame:
    """One row a day.

    Returns
    -------
    published, organic, organic_q05 ...: net creation and its organic part, USD million; sum,
    sum_q05 ...: the organic part of five rows; inflow: probability that this sum is positive;
    basis, basis_q05 ...: true change of the basis over those rows' days less its usual change,
    basis points; wider: probability that it is positive; readings: changes of it observed;
    day_before: probability that the row stands for the day before; flag: whether an inflow came
    without a wider basis (missing where too little was observed); next_return: the fund's return
    over the five days after, log points.
    """
    found = {"published": organic.published}
    for name, draws in (
        ("organic", organic.daily),
        ("sum", organic.summed),
        ("basis", organic.basis),
    ):
        found[name] = draws.mean(axis=0)
        cuts = np.quantile(draws, list(LEVELS.values()), axis=0)
        found |= {f"{name}_{level}": cut for level, cut in zip(LEVELS, cuts, strict=True)}
    found["inflow"] = (organic.summed > 0.0).mean(axis=0)
    found["wider"] = (organic.basis > 0.0).mean(axis=0)
    found["readings"] = organic.readings.astype(float)
    found["day_before"] = organic.previous
    table = pd.DataFrame(found, index=organic.days)
    flag = (table["inflow"] > SURE) & (table["wider"] < EVEN)
    enough = organic.known & (organic.readings >= READINGS)
    table["flag"] = flag.astype("boolean").where(enough)
    table["next_return"] = _ahead(returns)
    return table.iloc[WINDOW - 1 :]


def _ahead(returns: np.ndarray) -> np.ndarray:
    """Sum of the returns of the days after (time,); missing at the end."""
    total = pd.Series(returns[::-1]).shift(1).rolling(WINDOW).sum().to_numpy()
    found: np.ndarray = total[::-1]
    return found


def monitor_findings(table: pd.DataFrame, after: pd.Timestamp) -> tuple[Finding, ...]:
    """Say where the flag stands, and whether prices rose after it."""
    return _now(table, after), _later(table)


def _now(table: pd.DataFrame, after: pd.Timestamp) -> Finding:
    last = table.iloc[-1]
    since = table.loc[table.index > after, "flag"].dropna().astype(bool)
    inflow, wider = float(last["inflow"]), float(last["wider"])
    unread = "" if last["readings"] >= READINGS else " The basis was read too seldom for a flag."
    verdict = "undecided"
    if not unread and inflow > SURE and wider < EVEN:
        verdict = "holds"
    elif inflow < 1.0 - SURE:
        verdict = "fails"
    return Finding(
        name="inflow without basis expansion",
        question="Do shares come in that neither returns nor a wider basis explain?",
        evidence=(
            f"On {table.index[-1]:%Y-%m-%d} the organic part of five rows was USD"
            f" {last['sum']:+.0f} million ({last['sum_q05']:+.0f} to {last['sum_q95']:+.0f} with"
            f" probability 0.9), an inflow with probability {inflow:.2f}; the basis was wider"
            f" with probability {wider:.2f}.{unread} Since {after:%Y-%m-%d} the flag was up on"
            f" {int(since.sum())} of {len(since)} days on which it could be read."
        ),
        verdict=verdict,
    )


def _later(table: pd.DataFrame) -> Finding:
    """Compare returns after flagged days with those after others, overlap and all."""
    both = table[["flag", "next_return"]].dropna()
    flag, later = both["flag"].astype(float).to_numpy(), both["next_return"].to_numpy()
    flagged = int(flag.sum())
    if flagged < WINDOW or flagged > len(flag) - WINDOW:
        return Finding(
            name="returns after the flag",
            question="Do prices rise after inflows without basis expansion?",
            evidence=f"The flag was up on {flagged} of {len(flag)} days: too few to compare.",
            verdict="undecided",
        )
    gap = float(later[flag == 1].mean() - later[flag == 0].mean())
    error = _error(flag, later)
    verdict = "holds" if gap > 2.0 * error else "fails" if gap < -2.0 * error else "undecided"
    return Finding(
        name="returns after the flag",
        question="Do prices rise after inflows without basis expansion?",
        evidence=(
            f"Over the {WINDOW} days after {flagged} flagged days the fund returned"
            f" {round(gap, 1) + 0.0:+.1f} log points more than after {len(flag) - flagged} others"
            f" (standard error {error:.1f}, days overlapping)."
        ),
        verdict=verdict,
    )


def _error(flag: np.ndarray, later: np.ndarray) -> float:
    """Newey-West standard error of the slope on the flag, with the overlap as its lags."""
    x = np.column_stack([np.ones(len(flag)), flag])
    bread = np.linalg.inv(x.T @ x)
    score = x * (later - x @ (bread @ (x.T @ later)))[:, None]
    return float(np.sqrt((bread @ long_run(score, WINDOW) @ bread)[1, 1]))


# The evidence of a model of net creations in; what to watch, day by day, out.

DRAWS = 2000


@dataclass(frozen=True)
class Monitor:
    """Net creations of the focus fund less what returns and the basis explain.

    Attributes
    ----------
    fund : the focus.
    table : one row a day; its columns are those of ``studies.flows.monitor.monitor_table``.
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


# A model of net creations and its data in; what to watch, on a screen or in a folder, out.

FILES = ("monitor.csv", "monitor.json", "monitor.svg", "monitor.png")
SHOWN = 10
"""Days that a screen shows."""


def watch(model: str, data: Path | None, until: date | None, seed: int) -> Monitor:
    """Watch net creations to the end of the data, or to a day.

    Raises
    ------
    SpecError
        If the model is not of kind ``flows``, or names no basis.
    DataError, EventError
        If the data cannot be used.
    """
    spec = read_model(model)
    if not isinstance(spec, StudySpec) or not isinstance(spec.question, FlowsQuestion):
        raise SpecError(
            f"monitor: model '{spec.name}' is of kind '{spec.kind}'; name one of kind 'flows'"
        )
    return monitor(read_evidence(spec, data), spec.question, seed=seed, until=until)


def lines(found: Monitor) -> Iterator[Any]:
    """Yield the last days and the findings."""
    headings = ["row", "five rows", "organic", "90 %", "inflow", "wider", "flag"]
    yield f"\n[bold]{escape(found.fund)}: inflows without basis expansion[/bold], USD million"
    yield grid("", headings, [_cells(day, row) for day, row in _last(found.table)])
    yield (
        "organic: five rows of net creations, less what returns and the basis explain; then the"
        " probabilities that it is an inflow and that the basis is wider than usual;"
        f" one reading of the basis has an error of {found.basis_error:.0f} basis points"
    )
    yield findings_table([finding.record() for finding in found.findings])


def _last(table: pd.DataFrame) -> list[tuple[str, dict[str, Any]]]:
    shown = table.assign(five=table["published"].rolling(5).sum()).tail(SHOWN)
    days = [f"{day:%Y-%m-%d}" for day in pd.DatetimeIndex(shown.index)]
    rows = [{str(key): value for key, value in row.items()} for row in shown.to_dict("records")]
    return list(zip(days, rows, strict=True))


def _cells(day: str, row: dict[str, Any]) -> tuple[str, list[str]]:
    flag = "" if row["flag"] is pd.NA else "up" if row["flag"] else "no"
    return day, [
        number(row["published"], 0),
        number(row["five"], 0),
        number(row["sum"], 0),
        span(row["sum_q05"], row["sum_q95"], 0),
        probability(row["inflow"]),
        probability(row["wider"]),
        flag or "not read",
    ]


def as_json(found: Monitor) -> str:
    """Return every day and finding as JSON."""
    return json.dumps(_plain(found), indent=2, ensure_ascii=False, allow_nan=False)


def _plain(found: Monitor) -> dict[str, Any]:
    return {
        "fund": found.fund,
        "days": by_name(found.table.set_axis(found.table.index.astype(str))),
        "findings": [finding.record() for finding in found.findings],
        "basis_error": found.basis_error,
        "diagnostics": dict(found.diagnostics),
    }


def write_monitor(found: Monitor, folder: Path) -> list[Path]:
    """Write table, numbers and picture; all of them, or what was there stays."""
    (picture,) = monitor_pictures(found.table, found.fund)
    with whole(folder, FILES) as aside:
        sheet = csv_text(found.table, index_label="date")
        (aside / FILES[0]).write_bytes(sheet.encode())
        write_json(_plain(found), aside / FILES[1])
        (aside / FILES[2]).write_bytes(svg_bytes(picture.figure, title=picture.title))
        (aside / FILES[3]).write_bytes(png_bytes(picture.figure, title=picture.title))
    return [folder / name for name in FILES]
