"""A saved run of kind ``flows`` in; whether its asked rows were a surprise, and to whom, out."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pandas as pd
import xarray as xr
from scipy import stats

from attribution.finding import Finding, verdict_of
from attribution.sampling.diagnostics import PARETO_K
from attribution.studies.flows.dating_checks import (
    BREADTH,
    EVERY,
    AskedDay,
    asked_days,
    dating,
    prior_finding,
    shape_finding,
    share_of_all,
    tail_table,
    under_priors,
    under_shapes,
)

# A saved run of kind ``flows`` in; how rows lie in predictions that leave them out, out.

WORST = 20
"""Days with the lowest returns that the calibration is looked at on."""


def worst_days(tree: xr.DataTree) -> xr.Dataset:
    """Left-out rows of the focus on the days with the lowest returns, the lowest first."""
    data = tree["pit"].to_dataset()
    order = np.argsort(data["return"].to_numpy(), kind="stable")[:WORST]
    return data.isel(time=order)


def calibration(tree: xr.DataTree) -> Finding:
    """Are the rows of the worst days spread over their predictions as they should be."""
    worst, every = worst_days(tree), tree["pit"].to_dataset()
    focus, k = str(tree["predictive"].attrs["focus"]), every["pareto_k"].to_numpy()
    inside, p = _spread(worst)
    whole, p_whole = _spread(every)
    return Finding(
        name="calibration",
        question=(
            f"On the {worst.sizes['time']} worst days, are {focus}'s rows spread over their"
            " leave-one-out predictions as they should be?"
        ),
        evidence=(
            f"{inside:.0%} lie inside the 90 % interval, Kolmogorov-Smirnov p = {p:.2f}; of all"
            f" {every.sizes['time']} rows {whole:.0%}, p = {p_whole:.2f}; Pareto k at most"
            f" {k.max():.2f}, above {PARETO_K} on {int((k > PARETO_K).sum())} rows; a p that is not"
            " small is no proof"
        ),
        verdict=verdict_of(p),
    )


def _spread(rows: xr.Dataset) -> tuple[float, float]:
    """Share of rows inside the central 90 %, and the p value of a uniform spread.

    A row that may be exactly zero lies anywhere between ``low`` and ``high``, evenly; the distance
    is that of the mean of these laws from the uniform one [czado2009].
    """
    low, high = rows["low"].to_numpy(), rows["high"].to_numpy()
    at = np.unique(np.concatenate([low, high]))
    distance = float(np.abs(_mean_law(at, low, high) - at).max())
    edges = _mean_law(np.array([0.05, 0.95]), low, high)
    return float(edges[1] - edges[0]), float(stats.kstwo.sf(distance, len(low)))


def _mean_law(at: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Mean over rows of the probability (point,) of at most a point."""
    width = np.maximum(high - low, 1e-12)
    found: np.ndarray = np.clip((at[:, None] - low) / width, 0.0, 1.0).mean(axis=1)
    return found


# A saved run of kind ``flows`` in; test statistics of replicated rows beside the published out.


def statistics_table(tree: xr.DataTree, days: list[AskedDay]) -> pd.DataFrame:
    """Test statistics of replicated rows: (draws at least as high, published value)."""
    rows: dict[str, dict[str, float]] = {}
    for day in days:
        flow = day.predicted["flow"].transpose("chain", "draw", "fund", "convention")
        share = share_of_all(day, flow.sel(convention="averaged").to_numpy())
        seen = float(share_of_all(day, day.predicted["published"].to_numpy()))
        tail = (share >= seen - 1e-12).astype(float)
        rows[f"{day.day}, {day.focus} over the sum of absolute flows"] = {
            "published": seen,
            "median": day.weighted.quantiles(share, (0.5,))[0],
            "at_least": day.weighted.mean(tail),
            "error": day.weighted.error(tail),
        }
    for before, day in pairwise(days):
        sign = np.sign(before.published(before.focus))
        turned = (np.sign(day.draws(day.focus, "averaged")) == -sign).astype(float)
        rows[f"{day.day}, {day.focus} turns the sign of {before.day}"] = {
            "published": float(np.sign(day.published(day.focus)) == -sign),
            "median": float(day.weighted.mean(turned) > 0.5),
            "at_least": day.weighted.mean(turned),
            "error": day.weighted.error(turned),
        }
    return pd.concat([pd.DataFrame.from_dict(rows, orient="index"), _replicated(tree, days)])


def _replicated(tree: xr.DataTree, days: list[AskedDay]) -> pd.DataFrame:
    """Compare statistics of the focus's fitted rows with those of replicated rows."""
    drawn = tree["posterior_predictive"].to_dataset()
    seen = tree["observed_data"].to_dataset().sel(fund=days[0].focus, time=drawn["time"])
    flow, replica = seen["flow"].to_numpy(), drawn["flow"].transpose("chain", "draw", "time")
    draws, crash = replica.to_numpy(), seen["return"].to_numpy() < -float(drawn.attrs["crash"])
    pairs = {"share of zeros, fitted rows": ((draws == 0).mean(2), (flow == 0).mean())}
    if crash.any():
        name = f"highest row, {crash.sum()} fitted days below -{drawn.attrs['crash']:g} log points"
        pairs[name] = (draws[:, :, crash].max(2), flow[crash].max())
    for column in (name for name in ("return", "basis") if name in seen):
        x = seen[column].to_numpy()
        known = np.isfinite(x)
        name = f"correlation with {column}, fitted rows"
        pairs[name] = (
            _correlation(draws[:, :, known], x[known]),
            _correlation(flow[known], x[known]),
        )
    return pd.DataFrame.from_dict(
        {
            name: {
                "published": float(value),
                "median": float(np.median(x)),
                "at_least": float((x >= value).mean()),
                "error": float(np.sqrt(max((x >= value).var(), 0.0) / x.size)),
            }
            for name, (x, value) in pairs.items()
        },
        orient="index",
    )


def _correlation(flow: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Correlation over the last axis."""
    centered, other = flow - flow.mean(-1, keepdims=True), x - x.mean()
    norm = np.sqrt((centered**2).sum(-1) * (other**2).sum())
    found: np.ndarray = (centered @ other) / norm
    return found


def findings_of(tree: xr.DataTree) -> tuple[tuple[Finding, ...], dict[str, pd.DataFrame]]:
    """Check a saved run; no estimator is needed.

    Returns
    -------
    Findings; tables: asked rows, the benchmark, the test statistics, other dating priors,
    and the two shapes of a change where the run knows both.
    """
    days = asked_days(tree)
    tails = tail_table(days)
    benchmark = _benchmark_table(tree, days)
    statistics = statistics_table(tree, days)
    weights = np.asarray(tree["predictive"].attrs["prior"], float)
    prior, shapes = under_priors(days, weights), under_shapes(days, weights)
    found = [
        *_puzzles(days, tails),
        *_benchmarks(days, benchmark),
        *_breadth(days, tails),
        *dating(tree, days),
        *shape_finding(days, shapes),
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
    if not shapes.empty:
        tables["adoption"] = shapes
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
