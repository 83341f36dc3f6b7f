"""Draws of the joint model of net creations in; what is saved of them out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from attribution.core.dated_flow import UNUSED
from attribution.core.dating import CONVENTIONS, Dating
from attribution.estimate.flow_left_out import LeftOut
from attribution.estimate.flow_model import FlowFit
from attribution.estimate.flow_predict import Asked
from attribution.estimate.flow_replicate import replicate
from attribution.model.flows import FlowsQuestion

READINGS = ("same day", "previous day", "averaged")
"""How asked rows are read: each way throughout, and each by its probability."""
FLOW = "USD million"
THINNED = 10


def posterior(fit: FlowFit, units: Mapping[str, str]) -> xr.Dataset:
    """Coefficients in units of the data: (chain, draw, fund, covariate)."""
    rows = fit.rows
    scale = rows.size[:, None] * rows.per_unit
    per = rows.per_unit

    def lay(name: str, values: np.ndarray, *dims: str) -> tuple[tuple[str, ...], np.ndarray]:
        return ("chain", "draw", *dims), values.reshape(*fit.lead, *values.shape[1:])

    found = {
        "average_response": lay("average", fit.average * per, "covariate"),
        "spread_of_responses": lay("spread", fit.spread * per, "covariate"),
        "response": lay("response", fit.response * scale, "fund", "covariate"),
        "persistence": lay("persistence", fit.persistence, "fund"),
        "intercept": lay("intercept", fit.intercept * rows.size, "fund"),
        "exposure": lay("exposure", fit.loading * rows.size, "fund"),
        "scale": lay("scale", np.exp(fit.log_scale) * rows.size, "fund"),
        "log_odds_none": lay("none", fit.none, "fund"),
        "log_odds_none_slope": lay("none_slope", fit.none_slope, "fund"),
        "tail": lay("tail", fit.tail, "fund"),
    }
    if rows.activity.shape[1]:
        found["activity"] = lay("activity", fit.activity, "column")
    if rows.shared:
        found["demand_tail"] = lay("demand_tail", fit.demand_tail)
    else:
        del found["exposure"]
    coords = _chains(fit) | {"fund": list(rows.data.funds), "covariate": list(rows.covariates)}
    saved = xr.Dataset(found, coords)
    saved["covariate_unit"] = ("covariate", [units[name] for name in rows.covariates])
    return saved.set_coords("covariate_unit")


def dating(fit: FlowFit, found: Sequence[Dating]) -> xr.Dataset:
    """Dating of every fund: conventions by draw, switch and reading of a row on average."""
    data = fit.rows.data
    convention = np.stack([each.convention for each in found], axis=1)
    return xr.Dataset(
        {
            "convention_probability": (
                ("chain", "draw", "fund", "convention"),
                convention.reshape(*fit.lead, *convention.shape[1:]),
            ),
            "switch": (
                ("fund", "direction", "time"),
                np.stack([each.switch.mean(axis=0) for each in found]),
            ),
            "previous_day_probability": (
                ("fund", "time"),
                np.stack([each.previous.mean(axis=0) for each in found]),
            ),
        },
        _chains(fit)
        | {
            "fund": list(data.funds),
            "convention": list(CONVENTIONS),
            "direction": list(CONVENTIONS[2:]),
            "time": data.days,
        },
        {"prior": list(fit.prior.probability)},
    )


def predictive(fit: FlowFit, asked: Mapping[date, Asked], question: FlowsQuestion) -> xr.Dataset:
    """Asked rows: draws, tail probabilities and readings (chain, draw, day, fund, convention)."""
    data = fit.rows.data
    focus = data.focus

    def lay(name: str, *dims: str, of: int | None = None) -> tuple[tuple[str, ...], np.ndarray]:
        parts = [getattr(each, name) for each in asked.values()]
        values = np.stack([p if of is None else p[:, of] for p in parts], axis=1)
        return ("chain", "draw", "day", *dims), values.reshape(*fit.lead, *values.shape[1:])

    days = pd.DatetimeIndex([pd.Timestamp(day) for day in asked])
    at = data.days.get_indexer(days)
    each: dict[str, Any] = {
        "flow": lay("flow", "fund", "convention"),
        "at_least_published": lay("exceedance", "fund", "convention"),
        "mean": lay("mean", "fund", "convention"),
        "previous_day_probability": lay("previous", "fund"),
        "both_days_probability": lay("both", "fund"),
        "focus_path": lay("convention", "path", of=focus),
        "focus_path_and_previous_day": lay("joint", "path", of=focus),
        "focus_path_and_at_least_published": lay("tail", "path", of=focus),
        "log_weight": lay("log_weight"),
        "held_out": ("day", data.held_out[at]),
        "published": (("day", "fund"), data.flow[at]),
        "return": (("day", "fund"), data.returns[at]),
    }
    coords = {"day": days, "fund": list(data.funds), "convention": list(READINGS)}
    found = xr.Dataset(each, _chains(fit) | coords | {"path": list(CONVENTIONS)})
    found.attrs = {
        "focus": data.funds[focus],
        "unit": FLOW,
        "prior": list(fit.prior.probability),
        "benchmark": list(question.benchmark),
    }
    return found


def observed(fit: FlowFit, question: FlowsQuestion) -> xr.Dataset:
    """Return published rows, returns, and how a row was used."""
    data = fit.rows.data
    found = {
        "flow": (("time", "fund"), data.flow),
        "return": (("time", "fund"), data.returns),
        "held_out": ("time", data.held_out),
        "fitted": (("time", "fund"), fit.rows.status.T != UNUSED),
    }
    if question.basis:
        found["basis"] = ("time", data.covariates[question.basis])
    return xr.Dataset(found, {"time": data.days, "fund": list(data.funds)})


def replicated(fit: FlowFit, crash: float, rng: np.random.Generator) -> xr.Dataset:
    """Rows of the focus drawn anew, from a tenth of the draws; USD million."""
    used, flow = replicate(fit, fit.rows.data.focus, rng)
    drawn = flow.reshape(*fit.lead, -1)[:, ::THINNED]
    return xr.Dataset(
        {"flow": (("chain", "draw", "time"), drawn)},
        {
            "chain": np.arange(drawn.shape[0]),
            "draw": np.arange(0, fit.lead[1], THINNED),
            "time": fit.rows.data.days[used],
        },
        {"crash": crash},
    )


def shared_demand(fit: FlowFit) -> xr.Dataset:
    """Demand that all funds share, day by day: mean and 90 % interval."""
    low, high = np.quantile(fit.demand, (0.05, 0.95), axis=0)
    return xr.Dataset(
        {
            "mean": ("time", fit.demand.mean(axis=0)),
            "q05": ("time", low),
            "q95": ("time", high),
        },
        {"time": fit.rows.data.days},
    )


def pointwise(fit: FlowFit, found: LeftOut) -> tuple[xr.Dataset, xr.Dataset]:
    """Log likelihood of the focus's fitted rows by draw, and where each row lies when left out."""
    days = fit.rows.data.days[found.row]
    likelihood = found.log_likelihood.reshape(*fit.lead, -1)
    return (
        xr.Dataset(
            {"focus": (("chain", "draw", "time"), likelihood)}, _chains(fit) | {"time": days}
        ),
        xr.Dataset(
            {
                "low": ("time", found.low),
                "high": ("time", found.high),
                "pareto_k": ("time", found.pareto_k),
                "return": ("time", fit.rows.data.returns[found.row, fit.rows.data.focus]),
            },
            {"time": days},
        ),
    )


def _chains(fit: FlowFit) -> dict[str, Any]:
    return {"chain": np.arange(fit.lead[0]), "draw": np.arange(fit.lead[1])}
