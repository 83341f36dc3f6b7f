"""The saved groups of a study of net creations in; its tables out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from attribution.core.weighted_draws import copies, taken
from attribution.runs.study import Row, of_interval
from attribution.sampling import engine
from attribution.studies.flows.dated_flow import NONE, UNUSED
from attribution.studies.flows.dating import CONVENTIONS, Dating
from attribution.studies.flows.dating_checks import BEFORE, Weighted, asked_days, switch_days
from attribution.studies.flows.model import FlowFit, replicate
from attribution.studies.flows.predict import Asked, LeftOut
from attribution.studies.flows.question import FlowsQuestion

NEAR_ZERO = 0.05
"""USD million; a published row closer to zero than this is printed as zero."""

OTHERS = (
    ("persistence", "fraction"),
    ("exposure", "USD million"),
    ("scale", "USD million"),
    ("tail", "degrees of freedom"),
)
"""Coefficients of a fund beside its responses, with their units."""


def answers(tree: xr.DataTree) -> pd.DataFrame:
    """Asked rows by reading, how they are read, the focus's dating and its answer to a day."""
    return pd.concat([_asked(tree), _dated(tree), _responses(tree)])


def _asked(tree: xr.DataTree) -> pd.DataFrame:
    rows = {}
    for day in asked_days(tree):
        focus, weighted = day.focus, day.weighted
        for reading in day.readings:
            estimand = f"net creation of {focus} on {day.day}, read as the {reading}'s"
            if reading == "averaged":
                estimand = f"net creation of {focus} on {day.day}, readings by their probability"
            tail = day.at_least(focus, reading)
            rows[f"{day.day} {reading}"] = _answer(
                estimand, day.draws(focus, reading), weighted, "USD million"
            ) | {
                "published": day.published(focus),
                "at_least_published": weighted.mean(tail),
                "error": weighted.error(tail),
            }
    for day in asked_days(tree):
        x = day.predicted["previous_day_probability"].sel(fund=day.focus)
        rows[f"{day.day} answers the day before"] = _answer(
            f"probability that the row of {day.day} stands for the day before",
            x.transpose("chain", "draw").to_numpy(),
            day.weighted,
            "probability",
        )
    return pd.DataFrame.from_dict(rows, orient="index")


def _answer(estimand: str, x: np.ndarray, weighted: Weighted, unit: str) -> Row:
    low, high = weighted.quantiles(x, (0.05, 0.95))
    return of_interval(estimand, weighted.mean(x), weighted.sd(x), (low, high), unit)


def _dated(tree: xr.DataTree) -> pd.DataFrame:
    focus = str(tree["predictive"].attrs["focus"])
    data = tree["dating"].to_dataset()["convention_probability"].sel(fund=focus)
    weighted = Weighted.of(np.zeros((data.sizes["chain"], data.sizes["draw"])))
    rows = {}
    for name in data["convention"].to_numpy():
        x = data.sel(convention=name).transpose("chain", "draw").to_numpy()
        said = f"always the {name}" if " to " not in str(name) else f"a switch, {name}"
        rows[f"{focus}: {said}"] = _answer(
            f"probability that the rows of {focus} stand for: {said}", x, weighted, "probability"
        )
    return pd.DataFrame.from_dict(rows, orient="index")


def _responses(tree: xr.DataTree) -> pd.DataFrame:
    focus = str(tree["predictive"].attrs["focus"])
    data = tree["posterior"].to_dataset()["response"].sel(fund=focus)
    weighted = Weighted.of(np.zeros((data.sizes["chain"], data.sizes["draw"])))
    rows = {}
    for name in data["covariate"].to_numpy():
        one = data.sel(covariate=name)
        rows[f"{focus}: {name}"] = _answer(
            f"change of {focus}'s net creation for one unit more of: {name}",
            one.transpose("chain", "draw").to_numpy(),
            weighted,
            f"USD million per {one['covariate_unit'].item()}",
        )
    return pd.DataFrame.from_dict(rows, orient="index")


def dating_table(tree: xr.DataTree) -> pd.DataFrame:
    """Dating of every fund: probabilities of the conventions, and the switch if there was one."""
    data = tree["dating"].to_dataset()
    rows = {}
    for fund in data["fund"].to_numpy():
        one = data.sel(fund=fund)
        chance = one["convention_probability"].transpose("chain", "draw", "convention").to_numpy()
        first, low, high = switch_days(one)
        names = [str(name) for name in data["convention"].to_numpy()]
        rows[str(fund)] = dict(zip(names, chance.mean((0, 1)).tolist(), strict=True)) | {
            "switch_median": first,
            "switch_q05": low,
            "switch_q95": high,
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def coefficient_table(tree: xr.DataTree) -> pd.DataFrame:
    """Every coefficient of every fund, with its interval and diagnostics."""
    data = tree["posterior"].to_dataset()
    names, columns, units = [], [], []
    for fund in data["fund"].to_numpy():
        one = data.sel(fund=fund)
        for covariate in data["covariate"].to_numpy():
            cell = one["response"].sel(covariate=covariate)
            names.append(f"{fund}: {covariate}")
            columns.append(cell.transpose("chain", "draw").to_numpy())
            units.append(f"USD million per {cell['covariate_unit'].item()}")
        for name, unit in OTHERS:
            if name in one:
                names.append(f"{fund}: {name}")
                columns.append(one[name].transpose("chain", "draw").to_numpy())
                units.append(unit)
    x = np.stack(columns, axis=-1)
    low, high = np.quantile(x, (0.05, 0.95), axis=(0, 1))
    return pd.DataFrame(
        {
            "mean": x.mean((0, 1)),
            "sd": x.std((0, 1), ddof=1),
            "q05": low,
            "q95": high,
            "unit": units,
            "r_hat": engine.rhat(x),
            "ess_bulk": engine.ess_bulk(x),
            "ess_tail": engine.ess_tail(x),
        },
        index=names,
    )


def zero_table(fit: FlowFit) -> pd.DataFrame:
    """Exact zeros of the fitted rows: published, by the hurdle, and by the law without one.

    The law without a hurdle has its probability within ``NEAR_ZERO`` of zero, the rounding of the
    table, at the fund's intercept and median scale.
    """
    from scipy.special import stdtr

    rows = {}
    for i, fund in enumerate(fit.rows.data.funds):
        used = fit.rows.status[i] != UNUSED
        odds = fit.none[:, i, None] + fit.none_slope[:, i, None] * fit.rows.magnitude[i, used]
        scale = np.exp(fit.log_scale[:, i])
        edges = [(s * NEAR_ZERO / fit.rows.size[i] - fit.intercept[:, i]) / scale for s in (-1, 1)]
        without = stdtr(fit.tail[:, i], edges[1]) - stdtr(fit.tail[:, i], edges[0])
        share = (1.0 / (1.0 + np.exp(-odds))).mean(axis=1)
        rows[fund] = {
            "rows": float(used.sum()),
            "published": float((fit.rows.status[i, used] == NONE).mean()),
            "hurdle": float(share.mean()),
            "hurdle_q05": float(np.quantile(share, 0.05)),
            "hurdle_q95": float(np.quantile(share, 0.95)),
            "without_hurdle": float(without.mean()),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


# Predictions of asked days, whose draws weigh differently, in; draws that weigh alike out.

LEAD = ("chain", "draw", "day")


def equal_days(predicted: xr.Dataset, rng: np.random.Generator) -> dict[str, xr.Dataset]:
    """Make group ``/predictive``: each day's draws as often as they weigh on that day.

    Where a day was fitted, or an earlier one was held out, its draws carry weights.  They are
    resampled once, day by day, so that a plain mean is the prediction; the originals are kept below
    ``/weighted`` with ``log_weight`` and ``copies``.  A place in a chain is then another draw
    on another day, and than in ``/posterior``.
    """
    log_weight = predicted["log_weight"].transpose(*LEAD).to_numpy()
    days = range(log_weight.shape[2])
    weight = [Weighted.of(log_weight[:, :, day]).weight for day in days]
    kept = np.stack([copies(of_day, rng.random()) for of_day in weight], axis=2)
    if (kept == 1).all():
        return {"/predictive": predicted}
    before = predicted.assign(copies=(LEAD, kept))
    equal = predicted.drop_vars("log_weight")
    drawn = [name for name, array in equal.data_vars.items() if set(LEAD) <= set(array.dims)]
    laid = {}
    for name in drawn:
        array = equal[name].transpose(*LEAD, ...)
        parts = [taken(array.to_numpy()[:, :, day], kept[:, :, day]) for day in days]
        laid[name] = array.copy(data=np.stack(parts, axis=2))
    return {"/predictive": equal.assign(laid), BEFORE: before}


# Draws of the joint model of net creations in; what is saved of them out.

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
            "convention": list(fit.prior.conventions),
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
        "half_days_probability": lay("halves", "fund"),
        "focus_path": lay("convention", "path", of=focus),
        "focus_path_and_previous_day": lay("joint", "path", of=focus),
        "focus_path_and_at_least_published": lay("tail", "path", of=focus),
        "log_weight": lay("log_weight"),
        "held_out": ("day", data.held_out[at]),
        "published": (("day", "fund"), data.flow[at]),
        "return": (("day", "fund"), data.returns[at]),
    }
    coords = {"day": days, "fund": list(data.funds), "convention": list(READINGS)}
    found = xr.Dataset(each, _chains(fit) | coords | {"path": list(fit.prior.conventions)})
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
