"""Returns of assets in; the price of exposure day by day, and what it explains on an event, out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from scipy import stats

from attribution.errors import DataError, EventError
from attribution.estimate.exposures import exposures
from attribution.estimate.factor_columns import refuse_alike
from attribution.estimate.slopes import average_slopes, daily_slopes, lead
from attribution.model.fama_macbeth import SlopesQuestion
from attribution.model.study import StudySpec
from attribution.panel import Evidence
from attribution.study.answer import of_error, of_interval
from attribution.study.asset_rows import market_of
from attribution.study.cell import cell
from attribution.study.event_slopes import event_slopes, traded_factors
from attribution.study.priced import Priced, rank
from attribution.study.shape import ANSWERS, Effort, Study
from attribution.study.slope_findings import slope_findings, slope_headline

ABOUT = (
    "Each day's returns are regressed across assets on exposures estimated from earlier days alone;"
    " a slope is what one unit of exposure earned that day. Averages have standard errors of Newey"
    " and West. A slope on an event day is one number from few assets: it is ranked among those of"
    " all other days, and recomputed leaving out each asset. An asset set apart does not enter the"
    " slopes; what it was expected to return, given what happened to the others, has a range from"
    " its misses on all other days. Days are ranked together though some are more turbulent than"
    " others. Exposures are estimated, so slopes are drawn towards zero."
)


def fama_macbeth_study(spec: StudySpec, evidence: Evidence, effort: Effort) -> Study:
    """Price exposures day by day; nothing is drawn, so settings change nothing.

    Raises
    ------
    DataError, EventError
        If assets are too few, or an event's day cannot be estimated.
    """
    question = spec.question
    assert isinstance(question, SlopesQuestion)
    market = market_of(question, evidence)
    effort.say(f"exposures of {len(market.assets)} assets")
    names, unit = [f.name for f in question.factors], evidence.units[question.outcome]
    refuse_alike(market.factors, names, evidence.name)
    beta = exposures(market.returns, market.factors, window=question.window, least=question.least)
    average = average_slopes(market.returns, beta, market.used, names=names, lags=question.lags)
    priced = Priced(market, beta, daily_slopes(market.returns, beta, market.used), names)
    for name, row in market.events.items():
        if not np.isfinite(priced.slopes.slope[row]).all():
            if priced.slopes.alike[row]:
                raise EventError(
                    f"event '{name}': on {market.days[row]:%Y-%m-%d} the exposures of the assets to"
                    f" {', '.join(names)} are collinear; drop a factor, or name assets that are"
                    " exposed otherwise"
                )
            raise EventError(
                f"event '{name}': {market.days[row]:%Y-%m-%d} has {priced.slopes.assets[row]}"
                " asset(s) with exposures and a return; lengthen the sample before it, or name more"
                " assets"
            )
    expected, missed = _expected(priced, unit)
    tables = {ANSWERS: pd.concat([_average_rows(average, priced, unit), expected])}
    if len(missed):
        tables["misses"] = missed
    if market.events:
        tables["event_slopes"] = event_slopes(priced)
    if market.events and market.apart:
        tables["traded_factors"] = traded_factors(priced)
    if market.apart:
        tables["the_day_after"] = _leads(priced, question.lags)
    return Study(
        groups={"/slopes": _group(priced, unit)},
        tables=tables,
        findings=tuple(slope_findings(priced, tables, unit)),
        headline=slope_headline(priced, tables, unit),
        about=ABOUT,
    )


def _average_rows(average: pd.DataFrame, priced: Priced, unit: str) -> pd.DataFrame:
    days, rows = int(np.isfinite(priced.slopes.slope).all(1).sum()), {}
    for name in priced.names:
        mean, error = cell(average, name, "mean"), cell(average, name, "error")
        said = f"a unit of exposure, a day, over {days} days"
        rows[f"{name}, average slope"] = of_error(said, mean, error, unit, freedom=days - 1)
    return pd.DataFrame.from_dict(rows, orient="index")


def _expected(priced: Priced, unit: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return what each asset set apart was expected to earn on each event, and what it missed."""
    rows, missed = {}, {}
    for event, row in priced.market.events.items():
        for place in priced.market.apart:
            name = priced.market.assets[place]
            past = priced.misses[priced.other_days, place]
            past = past[np.isfinite(past)]
            mean, observed = priced.slopes.expected[row, place], priced.market.returns[row, place]
            if not (np.isfinite([mean, observed]).all() and len(past)):
                raise DataError(
                    f"event '{event}': '{name}' has no exposure or no return that day; remove it"
                    " from apart, or lengthen the sample before the event"
                )
            low, high = np.quantile(past, [0.05, 0.95])
            said, ends = "return expected from the others' that day", (mean + low, mean + high)
            rows[f"{name}, {event}"] = of_interval(said, mean, past.std(ddof=1), ends, unit)
            missed[f"{name}, {event}"] = {
                "expected": mean,
                "observed": observed,
                "miss": observed - mean,
                "other_days": float(len(past)),
                "p": rank(observed - mean, past),
            }
    answers, misses = (pd.DataFrame.from_dict(found, orient="index") for found in (rows, missed))
    return answers, misses


def _leads(priced: Priced, lags: int) -> pd.DataFrame:
    """Regress the next day's return on a day's slopes, with the events left out."""
    market, rows = priced.market, {}
    calm = np.ones(len(market.days), bool)
    calm[list(market.events.values())] = False
    for place in market.apart:
        outcome = np.where(calm, market.returns[:, place], np.nan)
        for j, name in enumerate(priced.names, start=1):
            b, error, days = lead(outcome, priced.slopes.slope[:, j], lags=lags)
            law = stats.t(days - 2)
            reach = float(law.ppf(0.95))
            rows[f"{market.assets[place]}: {name} the day before"] = {
                "coefficient": b,
                "standard_error": error,
                "q05": b - reach * error,
                "q95": b + reach * error,
                "p": float(2 * law.sf(abs(b) / error)),
                "days": float(days),
            }
    return pd.DataFrame.from_dict(rows, orient="index")


def _group(priced: Priced, unit: str) -> xr.Dataset:
    market = priced.market
    apart = [market.assets[place] for place in market.apart]
    return xr.Dataset(
        {
            "slope": (("time", "term"), priced.slopes.slope),
            "exposure": (("time", "asset", "factor"), priced.beta),
            "assets": ("time", priced.slopes.assets),
            "miss": (("time", "apart"), priced.misses[:, list(market.apart)]),
            "day": ("event", market.days[list(market.events.values())]),
        },
        {
            "time": market.days,
            "term": ["constant", *priced.names],
            "asset": market.assets,
            "factor": priced.names,
            "apart": apart,
            "event": list(market.events),
        },
        {"unit": unit},
    )
