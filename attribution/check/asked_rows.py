"""The saved prediction of asked rows in; how far each published row lies from it out."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import xarray as xr

from attribution.check.weighted import Weighted

EVERY = "every fund"
BREADTH = "funds with a creation"
BEFORE = "/weighted/predictive"
"""Group of the predictions before their draws were made to weigh the same."""


@dataclass(frozen=True)
class AskedDay:
    """The prediction of one day's rows, read from a saved run.

    Attributes
    ----------
    predicted : what is predicted of that day, before draws were resampled.
    weighted : weights of the draws; where they were resampled, how often each was taken.
    focus : the fund that is asked about; ``day`` as a text.
    """

    predicted: xr.Dataset
    weighted: Weighted
    focus: str
    day: str

    @property
    def held_out(self) -> bool:
        """Whether the day was kept from the estimation."""
        return bool(self.predicted["held_out"])

    def tilted(self, log_factor: np.ndarray) -> Weighted:
        """Return the weights (chain, draw) times a factor, smoothed; one leaves them."""
        log_weight = self.predicted["log_weight"].transpose("chain", "draw").to_numpy()
        plain, other = Weighted.of(log_weight), Weighted.of(log_weight + log_factor)
        taken = self.weighted.weight > 0
        ratio = np.divide(other.weight, plain.weight, out=np.zeros(taken.shape), where=taken)
        return replace(other, weight=self.weighted.weight * ratio)

    @property
    def readings(self) -> list[str]:
        """How the rows of the focus are read."""
        return [str(name) for name in self.predicted["convention"].to_numpy()]

    def published(self, subject: str) -> float:
        """Return what was published of a fund, of all together, or the count that created."""
        rows = self.predicted["published"].to_numpy()
        if subject == EVERY:
            return float(np.nansum(rows))
        if subject == BREADTH:
            return float((rows > 0).sum())
        return float(self.predicted["published"].sel(fund=subject))

    def draws(self, subject: str, reading: str) -> np.ndarray:
        """Draws (chain, draw) of a subject; the focus is read so, other funds as they may be."""
        flow = self.predicted["flow"].transpose("chain", "draw", "fund", "convention")
        focus = flow.sel(fund=self.focus, convention=reading).to_numpy()
        if subject == self.focus:
            return np.asarray(focus)
        there = np.isfinite(self.predicted["published"].to_numpy())
        others = flow.sel(convention="averaged").to_numpy()[:, :, there]
        names = self.predicted["fund"].to_numpy()[there]
        others = others[:, :, names != self.focus]
        if subject == EVERY:
            return np.asarray(focus + others.sum(axis=2))
        return np.asarray((focus > 0).astype(float) + (others > 0).sum(axis=2))

    def at_least(self, subject: str, reading: str) -> np.ndarray:
        """Probability (chain, draw) of at least the published value; of the focus it is exact."""
        if subject == self.focus:
            found = self.predicted["at_least_published"].sel(fund=subject, convention=reading)
            return np.asarray(found.transpose("chain", "draw").to_numpy())
        return (self.draws(subject, reading) >= self.published(subject) - 1e-9).astype(float)


def asked_days(tree: xr.DataTree) -> list[AskedDay]:
    """Return every asked day of a saved run."""
    data = tree[BEFORE if BEFORE in tree.groups else "predictive"].to_dataset()
    focus = str(data.attrs["focus"])
    found = []
    for day in data["day"].to_numpy():
        one = data.sel(day=day)
        weight = Weighted.of(one["log_weight"].transpose("chain", "draw").to_numpy())
        if "copies" in one:
            copies = one["copies"].transpose("chain", "draw").to_numpy().astype(float)
            weight = replace(weight, weight=copies)
        found.append(AskedDay(one, weight, focus, str(pd.Timestamp(day).date())))
    return found


def tail_table(days: list[AskedDay]) -> pd.DataFrame:
    """Lay out, for each day, subject and reading, the published value and what was predicted.

    ``at_least`` is the probability of at least the published value, ``error`` its Monte Carlo
    error; values are USD million, counts for the breadth.
    """
    rows = {}
    for day in days:
        for subject in (day.focus, EVERY, BREADTH):
            for reading in day.readings:
                draws, tail = day.draws(subject, reading), day.at_least(subject, reading)
                low, middle, high = day.weighted.quantiles(draws, (0.05, 0.5, 0.95))
                rows[f"{day.day}, {subject}, {reading}"] = {
                    "published": day.published(subject),
                    "median": middle,
                    "q05": low,
                    "q95": high,
                    "at_least": day.weighted.mean(tail),
                    "error": day.weighted.error(tail),
                    "out_of_sample": "yes" if day.held_out else "by weights",
                    "pareto_k": day.weighted.shown_k,
                }
    return pd.DataFrame.from_dict(rows, orient="index")


def share_of_all(day: AskedDay, flow: np.ndarray) -> np.ndarray:
    """Flow of the focus over the sum of absolute flows (..., fund); zero where nothing flows."""
    at = list(day.predicted["fund"].to_numpy()).index(day.focus)
    total = np.abs(np.nan_to_num(flow)).sum(axis=-1)
    found: np.ndarray = np.divide(
        flow[..., at], total, out=np.zeros(total.shape), where=total > 0.0
    )
    return found
