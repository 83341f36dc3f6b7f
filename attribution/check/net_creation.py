"""A saved run of kind ``flows`` in; whether its asked rows were a surprise, and to whom, out."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import xarray as xr

from attribution.check.asked_rows import (
    BREADTH,
    EVERY,
    AskedDay,
    asked_days,
    tail_table,
)
from attribution.check.dating_prior import under_priors
from attribution.check.left_out_rows import calibration
from attribution.check.replicated_rows import statistics_table
from attribution.check.row_dating import dating, prior_finding
from attribution.diagnostics import PARETO_K
from attribution.finding import Finding, verdict_of


def findings_of(tree: xr.DataTree) -> tuple[tuple[Finding, ...], dict[str, pd.DataFrame]]:
    """Check a saved run; no estimator is needed.

    Returns
    -------
    Findings; tables: asked rows, the benchmark, the test statistics, other dating priors.
    """
    days = asked_days(tree)
    tails = tail_table(days)
    benchmark = _benchmark_table(tree, days)
    statistics = statistics_table(tree, days)
    prior = under_priors(days, np.asarray(tree["predictive"].attrs["prior"], float))
    found = [
        *_puzzles(days, tails),
        *_benchmarks(days, benchmark),
        *_breadth(days, tails),
        *dating(tree, days),
        prior_finding(tree, days, prior),
        *_extrapolation(tree, days),
        calibration(tree),
    ]
    tables = {
        "asked_rows": tails,
        "benchmark": benchmark,
        "statistics": statistics,
        "dating_priors": prior,
    }
    return tuple(found), tables


def _puzzles(days: list[AskedDay], tails: pd.DataFrame) -> Iterator[Finding]:
    """Is a published row above nearly all that the model would bring, by reading."""
    rows = tails.to_dict("index")
    for day in days:
        published = day.published(day.focus)
        for reading in day.readings:
            row = rows[f"{day.day}, {day.focus}, {reading}"]
            yield Finding.by_chance(
                name=f"surprise {day.day}, {reading}",
                question=(
                    f"Was the {day.focus} row of {day.day} higher than nine in ten rows that its"
                    f" past and the markets' moves lead to, {_said(reading)}?"
                ),
                evidence=(
                    f"published {published:+,.1f}, predicted {row['median']:+,.0f}"
                    f" ({row['q05']:+,.0f} to {row['q95']:+,.0f} at 90 %) USD million; a row at"
                    f" least so high had probability {row['at_least']:.3f} (Monte Carlo error"
                    f" {row['error']:.3f})" + _caution(day)
                ),
                probability=1.0 - float(row["at_least"]),
                error=float(row["error"]),
            )


def _said(reading: str) -> str:
    words = {
        "same day": "if it answers the day it bears",
        "previous day": "if it answers the day before",
    }
    return words.get(reading, "each reading by its probability")


def _caution(day: AskedDay) -> str:
    if day.weighted.pareto_k <= PARETO_K:
        return ""
    return (
        f"; the weights are unreliable (Pareto k {day.weighted.pareto_k:.2f}), hold the day out"
        " instead"
    )


def _benchmark_table(tree: xr.DataTree, days: list[AskedDay]) -> pd.DataFrame:
    low, high = (float(v) for v in tree["predictive"].attrs["benchmark"])
    rows = {}
    for day in days:
        mean = day.predicted["mean"].sel(fund=day.focus).transpose("chain", "draw", "convention")
        for reading in day.readings:
            flow = day.draws(day.focus, reading)
            center = mean.sel(convention=reading).to_numpy()
            inside = ((flow >= low) & (flow <= high)).astype(float)
            central = ((center >= low) & (center <= high)).astype(float)
            rows[f"{day.day}, {reading}"] = {
                "low": low,
                "high": high,
                "flow_inside": day.weighted.mean(inside),
                "error": day.weighted.error(inside),
                "mean_inside": day.weighted.mean(central),
                "mean_error": day.weighted.error(central),
                "mean": day.weighted.mean(center),
                "flow_below": day.weighted.mean((flow < low).astype(float)),
            }
    return pd.DataFrame.from_dict(rows, orient="index")


def _benchmarks(days: list[AskedDay], table: pd.DataFrame) -> Iterator[Finding]:
    rows = table.to_dict("index")
    for day in (day for day in days if day.held_out):
        for reading in day.readings[:2]:
            row = rows[f"{day.day}, {reading}"]
            yield Finding.by_chance(
                name=f"benchmark {day.day}, {reading}",
                question=(
                    f"Was a flow of {day.focus} between {row['low']:+,.0f} and {row['high']:+,.0f}"
                    f" USD million to be expected in the row of {day.day}, {_said(reading)}?"
                ),
                evidence=(
                    f"the expected flow, {row['mean']:+,.0f} USD million on average, lies there"
                    f" with probability {row['mean_inside']:.3f}, the flow itself with"
                    f" {row['flow_inside']:.3f} (Monte Carlo errors {row['mean_error']:.3f} and"
                    f" {row['error']:.3f})"
                ),
                probability=float(row["mean_inside"]),
                error=float(row["mean_error"]),
            )


def _breadth(days: list[AskedDay], tails: pd.DataFrame) -> Iterator[Finding]:
    """Are the sum over funds and the number that created higher than nearly all predictions."""
    rows = tails.to_dict("index")
    for day in (day for day in days if day.held_out):
        every = rows[f"{day.day}, {EVERY}, averaged"]
        count = rows[f"{day.day}, {BREADTH}, averaged"]
        yield Finding.by_chance(
            name=f"all funds {day.day}",
            question=(
                f"Were the rows of all funds together on {day.day} higher than nine in ten that"
                " their past and the markets' moves lead to?"
            ),
            evidence=(
                f"published {every['published']:+,.1f}, predicted {every['median']:+,.0f}"
                f" ({every['q05']:+,.0f} to {every['q95']:+,.0f}) USD million, at least so much"
                f" with probability {every['at_least']:.3f} (error {every['error']:.3f});"
                f" {count['published']:.0f} funds created, at least so many with probability"
                f" {count['at_least']:.3f} (error {count['error']:.3f})"
            ),
            probability=1.0 - float(every["at_least"]),
            error=float(every["error"]),
        )


def _extrapolation(tree: xr.DataTree, days: list[AskedDay]) -> Iterator[Finding]:
    """Say where a prediction leaves the returns that the model was fitted to."""
    data = tree["observed_data"].to_dataset().sel(fund=days[0].focus)
    fitted = data["fitted"].to_numpy().astype(bool)
    known = data["return"].to_numpy()[fitted]
    for day in (day for day in days if day.held_out):
        own = float(day.predicted["return"].sel(fund=day.focus))
        inside = known.min() <= own <= known.max()
        yield Finding(
            name=f"extrapolation {day.day}",
            question=f"Had the model seen a return like that of {day.day}?",
            evidence=(
                f"{own:+.1f} log points; the {len(known)} fitted days run from {known.min():+.1f}"
                f" to {known.max():+.1f}"
                + ("" if inside else ", so the answer to it is the line prolonged")
            ),
            verdict=verdict_of(float(inside)),
        )
