"""Returns of assets in; the price of exposure day by day, and what it explains on an event, out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from scipy import stats

from attribution.errors import DataError, EventError
from attribution.finding import Finding
from attribution.model.study import StudySpec
from attribution.panel import Evidence
from attribution.runs.study import ANSWERS, Effort, Study, cell, of_error, of_interval
from attribution.studies.slopes.fit import (
    Priced,
    average_slopes,
    daily_slopes,
    exposures,
    lead,
    rank,
    refuse_alike,
)
from attribution.studies.slopes.question import SlopesQuestion
from attribution.studies.slopes.rows import market_of

# Priced exposures in; what exposure earned on the events, by slopes and by factors, out.


def event_slopes(priced: Priced) -> pd.DataFrame:
    """Rank each event's slopes among those of other days, and leave out each asset in turn."""
    market, rows = priced.market, {}
    inside = np.flatnonzero(market.used)
    without = [
        daily_slopes(market.returns, priced.beta, market.used & (np.arange(len(market.used)) != a))
        for a in inside
    ]
    for event, row in market.events.items():
        for j, name in enumerate(priced.names, start=1):
            own = priced.slopes.slope[row, j]
            others = priced.slopes.slope[priced.other_days, j]
            left = np.array([w.slope[row, j] for w in without])
            left = left[np.isfinite(left)] if np.isfinite(left).any() else np.array([np.nan])
            rows[f"{name}, {event}"] = {
                "slope": own,
                "percentile": 100 * float((others < own).mean()),
                "p": rank(own, others),
                "other_days": float(len(others)),
                "assets": float(priced.slopes.assets[row]),
                "lowest_without_one": float(left.min()),
                "highest_without_one": float(left.max()),
            }
    return pd.DataFrame.from_dict(rows, orient="index")


def traded_factors(priced: Priced) -> pd.DataFrame:
    """Multiply exposures by the factors' own returns: what holding them earned that day."""
    market, rows = priced.market, {}
    for event, row in market.events.items():
        for place in market.apart:
            parts = priced.beta[row, place] * market.factors[row]
            for j, name in enumerate(priced.names):
                rows[f"{market.assets[place]}, {event}: {name}"] = {
                    "exposure": priced.beta[row, place, j],
                    "factor_return": market.factors[row, j],
                    "product": parts[j],
                    "asset_return": market.returns[row, place],
                }
    return pd.DataFrame.from_dict(rows, orient="index")


# Priced exposures and their tables in; findings and one sentence out.

SIZE = 0.05


def slope_findings(priced: Priced, tables: dict[str, pd.DataFrame], unit: str) -> list[Finding]:
    """Say how unusual the events' slopes and misses are, and what a slope says of the next day."""
    out = []
    for label, row in tables.get("event_slopes", pd.DataFrame()).iterrows():
        span = f"{row.lowest_without_one:+.2f} to {row.highest_without_one:+.2f}"
        out.append(
            Finding(
                f"slope: {label}",
                "Was the day's price of this exposure beyond what other days show?",
                f"{row.slope:+.2f} {unit} per unit, percentile {row.percentile:.1f} of"
                f" {row.other_days:.0f} other days, p = {row.p:.3f}; from {row.assets:.0f} assets,"
                f" {span} when one of them is left out",
                "holds" if row.p <= SIZE else "undecided",
            )
        )
    answers = tables[ANSWERS]
    for label, missed in tables.get("misses", pd.DataFrame()).iterrows():
        row = answers.T[str(label)]
        out.append(
            Finding(
                f"expected: {label}",
                "Is the return within what the other assets' returns that day lead to expect?",
                f"expected {row['mean']:+.1f} {unit} ({row.q05:+.1f} to {row.q95:+.1f}), was"
                f" {missed.observed:+.1f}; p = {missed.p:.3f} of a miss as large",
                "fails" if missed.p <= SIZE else "undecided",
            )
        )
    return [*out, *_lead_findings(priced, tables, unit)]


def _lead_findings(priced: Priced, tables: dict[str, pd.DataFrame], unit: str) -> list[Finding]:
    out = []
    for label, row in tables.get("the_day_after", pd.DataFrame()).iterrows():
        factor = 1 + [f"{n} the day before" for n in priced.names].index(str(label).split(": ")[1])
        after = "; ".join(
            f"after {event} that is {row.coefficient * priced.slopes.slope[place, factor]:+.1f}"
            for event, place in priced.market.events.items()
        )
        out.append(
            Finding(
                f"lead: {label}",
                "Does a day's price of exposure foretell the asset's return of the next day?",
                f"{row.coefficient:+.2f} {unit} per unit of slope (90 % {row.q05:+.2f} to"
                f" {row.q95:+.2f}, {row.days:.0f} days, events left out, p = {row.p:.3f}"
                f" of {len(tables['the_day_after'])} asked); {after}",
                "holds" if row.p <= SIZE else "undecided",
            )
        )
    return out


def slope_headline(priced: Priced, tables: dict[str, pd.DataFrame], unit: str) -> str:
    """Say what the others lead to expect of assets set apart, or the first average slope."""
    answers = tables[ANSWERS]
    market = priced.market
    if market.events and market.apart:
        name = market.assets[market.apart[0]]
        said = []
        for event in market.events:
            row, seen = answers.loc[f"{name}, {event}"], tables["misses"]["observed"]
            said.append(
                f"{event} {row['mean']:+.1f} expected ({row.q05:+.1f} to {row.q95:+.1f}),"
                f" {seen[f'{name}, {event}']:+.1f} seen"
            )
        return f"{name} given the day's other returns, {unit}: {'; '.join(said)}."
    row = answers.iloc[0]
    return f"{answers.index[0]}: {row['mean']:+.3f} {unit} (90 % {row.q05:+.3f} to {row.q95:+.3f})."


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
