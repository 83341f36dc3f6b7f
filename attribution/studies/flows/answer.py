"""A study of net creations and its evidence in; the joint model's answer out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from attribution.model.study import StudySpec
from attribution.panel import Evidence
from attribution.runs.study import Effort, Study
from attribution.sampling.judge import sampled
from attribution.studies.flows import tables as flow_groups
from attribution.studies.flows import tables as flow_tables
from attribution.studies.flows.checks import findings_of
from attribution.studies.flows.dating import DatingPrior
from attribution.studies.flows.dating_checks import BEFORE, asked_days
from attribution.studies.flows.dating_sensitivity import dating_tables
from attribution.studies.flows.evidence import evidence_tables
from attribution.studies.flows.model import FlowFit, dating_of, fit_flows
from attribution.studies.flows.predict import Asked, ask, left_out
from attribution.studies.flows.question import FlowsQuestion
from attribution.studies.flows.rows import FlowRows, flow_data, flow_rows
from attribution.studies.flows.tables import equal_days

CHAINS = 4
TUNE = 600
THIN = 2
ABOUT = (
    "Net creation is shares created less redeemed, times net asset value. Published rows bear a"
    " date, and which day's orders they hold is not published: a row may answer its own day or the"
    " day before, and that may have changed once, at a stroke or through rows that hold half of two"
    " days' orders. Every fund's dating, and the shape of a change, is summed over, so that no"
    " answer assumes one. The focus's dating is learnt by taking its investors to answer a day much"
    " as other funds' investors do; if they do not, the dating is wrong. Asked rows are predicted"
    " from the rows before them, from the rows of other days that were fitted, later ones too, and"
    " from what the markets did; they say whether a row was unusual, not why it came."
)


@dataclass(frozen=True)
class Answered:
    """The fit, and what it says of the asked days."""

    fit: FlowFit
    asked: Mapping[date, Asked]


def flows_study(spec: StudySpec, evidence: Evidence, effort: Effort) -> Study:
    """Fit the joint model, put the asked rows to it, and check it.

    Raises
    ------
    DataError, EventError, DiagnosticsError
        Each names the place, what was found and what to do.
    """
    question: Any = spec.question
    data = flow_data(question, evidence)
    rows = flow_rows(question, data)
    sampler, other, *streams, third = np.random.SeedSequence(effort.seed).spawn(5)
    effort.say(f"sampling {len(rows.data.funds)} funds over {len(rows.data.days)} days")
    same, previous, switch = question.dating.weights
    fit = fit_flows(
        rows,
        DatingPrior(same, previous, switch, question.dating.gradual),
        question.prior,
        draws=max(effort.draws // CHAINS, 1),
        thin=THIN,
        tune=TUNE,
        chains=CHAINS,
        seed=int(sampler.generate_state(1)[0] % 2**31),
        progress=effort.progress,
    )
    found = answer(spec.name, question, evidence.units, fit, streams, effort.say)
    if question.mechanisms:
        effort.say("weighing the accounts of the creation")
    tables, findings = evidence_tables(question, data, seed=other, say=effort.say)
    effort.say("dating the held-out rows anew without parts of the model")
    dated, settled = dating_tables(question, data, seed=third)
    return replace(
        found,
        tables={**found.tables, **dated, **tables},
        findings=(*found.findings, *settled, *findings),
    )


def answer(
    name: str,
    question: FlowsQuestion,
    units: Mapping[str, str],
    fit: FlowFit,
    streams: list[np.random.SeedSequence],
    say: Callable[[str], None],
) -> Study:
    """Turn draws into the study: groups, tables, findings and the headline."""
    say("predicting the rows that are asked")
    rng, other = (np.random.default_rng(stream) for stream in streams)
    at = fit.rows.data.days.get_indexer(pd.DatetimeIndex(question.asked))
    asked = {day: ask(fit, int(row), rng) for day, row in zip(question.asked, at, strict=True)}
    say("leaving rows out one by one")
    groups = _groups(question, units, Answered(fit, asked), other)
    groups |= equal_days(groups["/predictive"], np.random.default_rng(streams[1].spawn(1)[0]))
    judged = sampled(_judged(groups), _stats(fit), name)
    tree = xr.DataTree.from_dict(groups)
    findings, checks = findings_of(tree)
    tables = {
        "answers": flow_tables.answers(tree),
        "dating": flow_tables.dating_table(tree),
        "coefficients": flow_tables.coefficient_table(tree),
        "zeros": flow_tables.zero_table(fit),
        **checks,
    }
    return Study(
        groups=groups,
        tables=tables,
        findings=(*judged.findings, *findings),
        headline=_headline(tree),
        about=ABOUT,
        diagnostics=judged.diagnostics,
        notes=_notes(question, fit.rows, asked_days(tree)),
    )


def _groups(
    question: FlowsQuestion,
    units: Mapping[str, str],
    answered: Answered,
    rng: np.random.Generator,
) -> dict[str, xr.Dataset]:
    fit = answered.fit
    focus, funds = fit.rows.data.focus, range(len(fit.rows.data.funds))
    likelihood, pit = flow_groups.pointwise(fit, left_out(fit, focus))
    of = [
        question.basis if name.startswith("basis") else question.fund_return
        for name in fit.rows.covariates
    ]
    per = {name: units[column] for name, column in zip(fit.rows.covariates, of, strict=True)}
    found = {
        "/posterior": flow_groups.posterior(fit, per),
        "/dating": flow_groups.dating(fit, [dating_of(fit, fund) for fund in funds]),
        "/predictive": flow_groups.predictive(fit, answered.asked, question),
        "/posterior_predictive": flow_groups.replicated(fit, question.crash, rng),
        "/observed_data": flow_groups.observed(fit, question),
        "/log_likelihood": likelihood,
        "/pit": pit,
    }
    if fit.rows.shared:
        found["/demand"] = flow_groups.shared_demand(fit)
    return found


def _judged(groups: Mapping[str, xr.Dataset]) -> dict[str, np.ndarray]:
    """Draws of every reported quantity that moves."""
    before = groups.get(BEFORE, groups["/predictive"])
    focus = before.attrs["focus"]
    found = {str(name): x.to_numpy() for name, x in groups["/posterior"].data_vars.items()}
    predicted = before.sel(fund=focus)
    for name in ("mean", "at_least_published", "previous_day_probability"):
        found[f"{name} of {focus}"] = predicted[name].to_numpy()
    parts = {name: x.reshape(*x.shape[:2], -1) for name, x in found.items()}
    moving = {
        name: x[:, :, x.std((0, 1)) > 1e-6 * (1 + np.abs(x).max((0, 1)))]
        for name, x in parts.items()
    }
    return {name: x for name, x in moving.items() if x.shape[2]}


def _stats(fit: FlowFit) -> dict[str, np.ndarray]:
    if fit.tree is None or "sample_stats" not in fit.tree:
        return {}
    return {"diverging": fit.tree["sample_stats"]["diverging"].to_numpy()}


def _headline(tree: xr.DataTree) -> str:
    """Say how unusual the highest asked row of the focus was, held-out rows first."""
    days = asked_days(tree)
    held = [day for day in days if day.held_out] or days
    day = max(held, key=lambda each: each.published(each.focus))
    same, previous, both = (
        day.weighted.mean(day.at_least(day.focus, reading)) for reading in day.readings
    )
    x, two, half = (
        day.weighted.mean(day.chance(name)) for name in ("previous_day", "both_days", "half_days")
    )
    return (
        f"Net creation of {day.focus} of at least USD {day.published(day.focus):+,.1f} million in"
        f" the row of {day.day} had probability {both:.2f}: {same:.2f} if the row answers that day,"
        f" {previous:.2f} if it answers the day before, which has probability"
        f" {x:.2f} (both days, as at a switch: {two:.2f}; half of a day's orders, as in a gradual"
        f" change: {half:.2f})."
    )


def _notes(question: FlowsQuestion, rows: FlowRows, days: list[Any]) -> dict[str, Any]:
    data = rows.data
    missing = {
        name: int(np.isnan(data.covariates[name]).sum())
        for name in (question.basis, question.volatility, question.volume)
        if name
    }
    return {
        "fitted_rows": {
            fund: int((rows.status[i] != 0).sum()) for i, fund in enumerate(data.funds)
        },
        "held_out": [f"{day:%Y-%m-%d}" for day in data.days[data.held_out]],
        "left_out_after": "the row after the held-out days, whose past would tell of them",
        "days_at_the_mean_for_want_of_a_value": missing,
        "pareto_k_of_weighted_days": {
            day.day: round(float(day.weighted.pareto_k), 3)
            for day in days
            if np.isfinite(day.weighted.pareto_k)
        },
        "effective_draws": {day.day: round(day.weighted.size) for day in days},
        "typical_flow_usd_million": dict(
            zip(data.funds, np.round(rows.size, 1).tolist(), strict=True)
        ),
    }
