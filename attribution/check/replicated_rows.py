"""A saved run of kind ``flows`` in; test statistics of replicated rows beside the published out."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import xarray as xr

from attribution.check.asked_rows import AskedDay, share_of_all


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
