"""Measure identification by restrictions: effective draws a second, and what each part costs.

Usage: python tests/benchmarks/identify.py [d8|h8] [RUNS]

The table names four shocks by fourteen signs on impact.  Seconds are of one core's processor time,
compilation left out; medians of RUNS are printed.  ``signs`` counts factors of the covariance,
rotations, claims and names; ``posterior`` also coefficients, storage and checks; ``narratives``
adds a sign and the largest contribution on a date, which need coefficients and errors first.
"""

from __future__ import annotations

import math
import statistics
import sys
import time
from collections.abc import Callable
from datetime import date

import numpy as np
import pandas as pd
from simulated import LAGS, SIGNS, simulated

from attribution.core import niw
from attribution.core.rotations import assign, haar, holds
from attribution.core.rotations.holds import Line, stack
from attribution.model.restriction import SHOCK, Cell, Channel, Identification, Narrative
from attribution.var.estimate.conjugate import ConjugateForm
from attribution.var.identify.rotate import rotate

BATCH, BATCHES, DRAWS = 4096, 25, 4000


def table(variables: tuple[str, ...], day: date | None) -> Identification:
    """Build the table, with two narratives on ``day`` if there is one."""
    ends = {1: (0.0, math.inf), -1: (-math.inf, 0.0)}
    cells = tuple(
        Cell(shock, variables[v], *ends[sign], "", "", per=SHOCK)
        for shock, signs in SIGNS.items()
        for v, sign in signs.items()
    )
    narratives = ()
    if day is not None:
        narratives = tuple(
            Narrative("lev", claim, day, day, to, -math.inf, math.inf, "", "")
            for claim, to in (("positive", None), ("largest", variables[0]))
        )
    channels = tuple(Channel(name, name) for name in SIGNS)
    return Identification("signs", None, "", 0, channels, cells, narratives=narratives)


def posterior_of(series: np.ndarray, lags: int) -> niw.NormalInverseWishart:
    """Return the Minnesota posterior."""
    response, regressors = niw.design(series, lags=lags)
    prior = niw.minnesota(
        niw.autoregressive_spread(series), lags=lags, constant=True, own_lag=np.zeros(8),
        tightness=0.2, decay=1.0, intercept_scale=10.0,
    )  # fmt: skip
    return niw.posterior(prior, response, regressors)


def signs_alone(after: niw.NormalInverseWishart, seed: int) -> tuple[float, float]:
    """Return effective and accepted draws a second, coefficients left out."""
    rng = np.random.default_rng(seed)
    rows = stack(
        Line(k, v, float(sign), v, 0.0, 0.0)
        for k, signs in enumerate(SIGNS.values())
        for v, sign in signs.items()
    )
    every = np.full((len(SIGNS), 2), 255)
    total, square, count = 0.0, 0.0, 0
    began = time.process_time()
    for _ in range(BATCHES):
        factor = niw.draw_factor(after, BATCH, rng)
        q = haar.haar(8, BATCH, rng)
        masks = holds.narrowed(factor, np.arange(BATCH), q, rows, every)
        weight, order = assign.named(masks, 8, rng)
        kept = np.flatnonzero(weight)
        factor[kept] @ assign.taken(q[kept], order[kept])
        total, square = total + weight.sum(), square + (weight**2).sum()
        count += len(kept)
    seconds = time.process_time() - began
    return total**2 / square / seconds, count / seconds


def whole(series: pd.DataFrame, lags: int, seed: int, day: date | None) -> tuple[float, float]:
    """Return effective and accepted draws a second of the engine from end to end."""
    form = ConjugateForm(
        tuple(series.columns), pd.DatetimeIndex(series.index[lags:]), True, 4, {},
        posterior_of(series.to_numpy(), lags), np.random.default_rng(seed),
    )  # fmt: skip
    claims = table(tuple(series.columns), day)
    began = time.process_time()
    found = rotate(form, claims, series, lags=lags, draws=DRAWS, seed=seed)
    seconds = time.process_time() - began
    return found.ess / seconds, DRAWS / seconds


def main(size: str = "d8", runs: int = 3) -> None:
    """Print one row a task."""
    series, lags = simulated(size), LAGS
    day = series.index[-6].date()
    after = posterior_of(series.to_numpy(), lags)
    tasks: dict[str, Callable[[int], tuple[float, float]]] = {
        "signs": lambda seed: signs_alone(after, seed),
        "posterior": lambda seed: whole(series, lags, seed, None),
        "narratives": lambda seed: whole(series, lags, seed, day),
    }
    print(f"{len(series)} rows, {lags} lags; medians of {runs} runs")
    print("task          weighted ESS/s   accepted/s")
    for name, task in tasks.items():
        task(0)
        rows = [task(seed) for seed in range(1, runs + 1)]
        effective, accepted = (statistics.median(values) for values in zip(*rows, strict=True))
        print(f"{name:<12}  {effective:>14,.0f}  {accepted:>11,.0f}")


if __name__ == "__main__":
    main(*sys.argv[1:2], *(int(value) for value in sys.argv[2:]))
