"""The decomposition of a long span, in weighted moments: blocks of days pass, no draw is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from attribution.core import window as kernel
from attribution.core.weighted_draws import moments, quantile
from attribution.decompose.window import (
    eve,
    flat,
    from_origin,
    recursion,
    slots,
    window_shocks,
    window_values,
)
from attribution.errors import EventError, SpecError, nearest
from attribution.model.spec import UNATTRIBUTED, Window
from attribution.posterior import StructuralPosterior, require_additive

BASELINE = "baseline"
NUMBERS = 8_000_000
"""Most numbers of a block that are held at once (64 MB)."""


@dataclass(frozen=True)
class History:
    """Weighted summaries of a historical decomposition.

    Attributes
    ----------
    time : days.
    variables : those summarised.
    parts : channels, ``unattributed`` and ``baseline``; their means add up to ``observed``.
    observed : (time, variable); unit of the variable.
    mean, sd : (time, variable, part); unit of the variable.
    probabilities, quantiles : (probability, time, variable, part); they do not add up.
    """

    time: pd.DatetimeIndex
    variables: tuple[str, ...]
    parts: tuple[str, ...]
    observed: np.ndarray
    mean: np.ndarray
    sd: np.ndarray
    probabilities: tuple[float, ...]
    quantiles: np.ndarray

    def frame(self, variable: str) -> pd.DataFrame:
        """Means of one variable, day by day, with the observed path."""
        i = self.variables.index(variable)
        table = pd.DataFrame(self.mean[:, i], self.time, list(self.parts))
        return table.assign(observed=self.observed[:, i])


def historical_decomposition(
    structural: StructuralPosterior,
    values: pd.DataFrame,
    *,
    window: Window | None = None,
    variables: Sequence[str] | None = None,
    probabilities: Sequence[float] = (),
) -> History:
    r"""Summarise what each channel's shocks since the start added to each day.

    .. math:: y_t = \mathrm{baseline}_t + \sum_k c_{k,t}

    holds in every draw and is checked in every draw.  Draws x days x variables x channels never
    exist together: blocks of days are carried through the recursion, summarised and dropped.

    Parameters
    ----------
    structural : draws; their weights are honoured.
    values : (time, variable); unit of the variable.
    window : the span; from the first day with all its lags to the last day if None.
    variables : those to summarise; all if None.
    probabilities : quantiles to take, which costs a sort of the draws of every part and day.

    Raises
    ------
    SpecError
        If a variable is not of the model or a probability not between zero and one.
    EventError
        If the window is not inside the data, or a value is missing.
    AdditivityError
        If parts miss the data in one draw.

    References
    ----------
    kilian2017, ch. 4
    """
    chosen = _chosen(structural, variables, probabilities)
    frame = values.loc[:, list(structural.variables)]
    lags = structural.lag_coefficients.shape[2]
    if len(frame) <= lags:
        raise EventError(
            f"data: {len(frame)} days, and {lags} lags precede the first that is decomposed; supply"
            " more days"
        )
    first, last = frame.index[[lags, -1]].to_series()
    span = window or Window("sample", first.date(), last.date())
    time, history, observed = window_values(frame, span, lags)
    parts = (*structural.channels, UNATTRIBUTED, BASELINE)
    shape = (len(time), len(chosen), len(parts))
    mean, sd = np.empty(shape), np.empty(shape)
    quantiles = np.empty((len(probabilities), *shape))
    weight = structural.weight.ravel() / structural.weight.sum()
    origin = history[-1]
    moved = from_origin(structural, origin)
    carried, path = eve(moved, history - origin), np.concatenate([history, observed]) - origin
    n, draws = len(structural.variables), weight.size
    step = max(1, NUMBERS // (draws * n * len(parts)))
    for start in range(0, len(time), step):
        block = slice(start, min(start + step, len(time)))
        before, seen = path[start : start + lags], observed[block]
        shocks = window_shocks(moved, time[block], before, seen - origin)
        baseline, split = _block(moved, shocks, carried)
        baseline += origin
        require_additive(span.name, baseline, split, seen)
        for which, found in zip((slice(-1, None), slice(None, -1)), (baseline, split), strict=True):
            inner = (len(seen), n, -1)
            centre, spread = moments(found.reshape(draws, -1), weight)
            mean[block, :, which] = centre.reshape(inner)[:, chosen]
            sd[block, :, which] = spread.reshape(inner)[:, chosen]
            if probabilities:
                kept = found.reshape(draws, *inner)[:, :, chosen]
                taken = quantile(kept, weight, np.asarray(probabilities, float))
                quantiles[:, block, :, which] = taken
    names = tuple(structural.variables[i] for i in chosen)
    asked = tuple(probabilities)
    return History(time, names, parts, observed[:, chosen], mean, sd, asked, quantiles)


def _chosen(
    structural: StructuralPosterior,
    variables: Sequence[str] | None,
    probabilities: Sequence[float],
) -> list[int]:
    known = structural.variables
    for name in variables or ():
        if name not in known:
            raise SpecError(
                f"variable '{name}': not of the model{nearest(name, known)}; correct it"
            )
    for probability in probabilities:
        if not 0 < probability < 1:
            raise SpecError(f"probability {probability}: not between zero and one; correct it")
    return [known.index(name) for name in (known if variables is None else variables)]


def _block(
    structural: StructuralPosterior, shocks: np.ndarray, carried: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Baseline and contributions of consecutive days; ``carried`` moves to their end."""
    struck = flat(shocks)
    baseline = np.empty((*struck.shape[:2], len(structural.variables)))
    parts = np.empty((*baseline.shape, len(structural.channels) + 1))
    kernel.carry(*recursion(structural), struck, slots(structural), carried, baseline, parts)
    return baseline, parts
