"""A saved run of a VAR in; contributions to its windows, draw by draw, out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from attribution.audit.sources import Sources
from attribution.audit.tested import Untestable
from attribution.diagnostics import mean_with_error
from attribution.errors import nearest
from attribution.report import draws as saved

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class Window:
    """What one run says of one window, day by day.

    Attributes
    ----------
    run, name, unit : of the run, of the window, of the outcome.
    days, channels : names of the two axes.
    contribution : (sample, day, channel).
    baseline : (sample, day); what was expected before the window began.
    observed : (day,).
    weight : (sample,), sum one.
    chains : that the samples came from, one after another.
    """

    run: str
    name: str
    unit: str
    days: pd.DatetimeIndex
    channels: tuple[str, ...]
    contribution: np.ndarray
    baseline: np.ndarray
    observed: np.ndarray
    weight: np.ndarray
    chains: int

    def sum_of(self, channels: tuple[str, ...], day: str = "") -> np.ndarray:
        """Sum of channels over the window, or on one day of it, (sample,)."""
        for name in channels:
            if name not in self.channels:
                raise Untestable(
                    f"the run of '{self.run}' has no channel '{name}'{nearest(name, self.channels)}"
                )
        picked = self.contribution[:, :, [self.channels.index(name) for name in channels]]
        total: np.ndarray = self._cut(picked.sum(-1), day).sum(-1)
        return total

    def move(self, day: str = "") -> float:
        """Return what was observed over the window, or on one day of it."""
        return float(self._cut(self.observed[None], day).sum())

    def _cut(self, values: np.ndarray, day: str) -> np.ndarray:
        if not day:
            return values
        stamp = pd.Timestamp(day)
        if stamp not in self.days:
            raise Untestable(f"window '{self.name}' of '{self.run}' does not hold {day}")
        cut: np.ndarray = values[:, self.days == stamp]
        return cut

    def chance(self, true: np.ndarray) -> tuple[float, float]:
        """Posterior probability of what is true of some draws, (sample,), and its error."""
        lead = (self.chains, -1)
        return mean_with_error(true.reshape(lead), self.weight.reshape(lead))

    def said(self, draws: np.ndarray) -> str:
        """Mean and 90 % interval of draws, (sample,), in words."""
        found = saved.band(draws, self.weight)
        return f"{found.mean:+.1f} (90 % {found.q05:+.1f} to {found.q95:+.1f})"


def _changes(data: xr.Dataset) -> xr.Dataset:
    """Turn the path of a level into its changes, which add up to the move from the eve."""
    before = {"contribution": 0.0, "baseline": data["eve"], "observed": data["eve"]}
    parts = {
        name: data[name] - data[name].shift(time=1).fillna(eve) for name, eve in before.items()
    }
    return data.assign(parts)


def window(sources: Sources, run: str, name: str) -> Window:
    """Read one window of a run.

    Raises
    ------
    Untestable
        If the run was not given, or has no such window.
    """
    tree = sources.run(run).tree
    known = saved.windows(tree)
    if name not in known:
        raise Untestable(f"the run of '{run}' has no window '{name}'{nearest(name, known)}")
    data = saved.group(tree, f"windows/{name}")
    data = _changes(data) if "eve" in data else data
    return Window(
        run=run,
        name=name,
        unit=str(tree.attrs["outcome_unit"]),
        days=pd.DatetimeIndex(data["time"].to_numpy()),
        channels=tuple(str(channel) for channel in data["channel"].to_numpy()),
        contribution=saved.samples(data["contribution"].transpose(..., "time", "channel")),
        baseline=saved.samples(data["baseline"].transpose(..., "time")),
        observed=np.asarray(data["observed"].to_numpy(), float),
        weight=saved.weights(tree),
        chains=data.sizes["chain"],
    )
