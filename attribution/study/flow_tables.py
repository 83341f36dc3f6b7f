"""The saved groups of a study of net creations in; its tables out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from attribution import compat
from attribution.check.asked_rows import asked_days
from attribution.check.row_dating import switch_days
from attribution.check.weighted import Weighted
from attribution.core.dated_flow import NONE, UNUSED
from attribution.estimate.flow_model import FlowFit
from attribution.study.answer import Row, of_interval

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
            "r_hat": compat.rhat(x),
            "ess_bulk": compat.ess_bulk(x),
            "ess_tail": compat.ess_tail(x),
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
